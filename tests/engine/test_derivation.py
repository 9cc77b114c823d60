"""The displayed expression is the evaluated one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.figures.derivation import Basis, Formula, Ledger, Unit, literal, substitute

WEIGHTS = Formula("weights", "params * bits / 8", Unit.BYTES, term="weights")


def test_llama_70b_weights_at_16_bit():
    """70,553,706,496 parameters (published element count) × 16 bit = 141.1 GB."""
    step = WEIGHTS.step(params=70_553_706_496, bits=16)
    assert step.value == 141_107_412_992
    assert step.substituted == "70_553_706_496 * 16 / 8"
    assert eval(step.substituted) == step.value


@given(params=st.integers(1, 10**13), bits=st.floats(0.5, 64))
def test_the_substituted_text_evaluates_to_the_value(params: int, bits: float):
    step = WEIGHTS.step(params=params, bits=bits)
    assert eval(step.substituted) == pytest.approx(step.value, rel=1e-5)


@given(st.one_of(st.integers(-(10**18), 10**18), st.floats(1e-12, 1e18)))
def test_a_literal_is_a_number_again(value: float):
    assert float(literal(value).replace("_", "")) == pytest.approx(value, rel=1e-5)


def test_functions_and_conditions_keep_their_names():
    formula = Formula("copies", "ceil(heads / tp) if tp < heads else 1", Unit.COUNT, term="kv-heads")
    assert formula.names == ("heads", "tp")
    assert formula(heads=8, tp=3) == 3
    assert formula.step(heads=8, tp=16).substituted == "ceil(8 / 16) if 16 < 8 else 1"


def test_a_ledger_records_only_when_asked():
    explained, fast = Ledger(), Ledger(recording=False)
    assert explained(WEIGHTS, params=10, bits=4) == fast(WEIGHTS, params=10, bits=4) == 5
    assert len(explained.steps) == 1
    assert fast.steps == []


def test_bytes_are_whole_and_rounded_up():
    ledger = Ledger()
    assert ledger.bytes(WEIGHTS, params=3, bits=4) == 2


def test_steps_carry_basis_band_and_source():
    step = WEIGHTS.step(params=1, bits=8, basis=Basis.CALIBRATED, band_pct=4.0, source="start-up logs")
    assert (step.basis, step.band_pct, step.source) == (Basis.CALIBRATED, 4.0, "start-up logs")


def test_names_inside_words_are_not_replaced():
    assert substitute("kv * kv_heads", {"kv": 2, "kv_heads": 8}) == "2 * 8"
    assert math.isclose(Formula("x", "log2(bits_a)", Unit.COUNT, term="precision")(bits_a=8), 3.0)
