"""The bit lab: 0.7834 in the guide's formats, groups typed and drawn, outliers, and input that is no number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.formats import FormatError
from infratui.engine.formats.lab import Distribution
from infratui.engine.sections.bit_lab import LabResult, evaluate_lab, group_of
from infratui.report.bit_lab import came_from
from infratui.scenario import Scenario, ScenarioError

CATALOG = Catalog()


def lab(**fields: object) -> LabResult:
    return evaluate_lab(Case(Scenario().with_(**fields), CATALOG))


@pytest.mark.parametrize(
    ("name", "decoded", "bits"),
    # ml_dtypes 0.6.0 of float16, bfloat16, float8_e4m3fn, float8_e5m2 and float4_e2m1fn.
    [
        ("fp16", 0.783203125, "0 01110 1001000100"),
        ("bf16", 0.78515625, "0 01111110 1001001"),
        ("e4m3", 0.8125, "0 0110 101"),
        ("e5m2", 0.75, "0 01110 10"),
        ("e2m1", 1.0, "0 01 0"),
    ],
)
def test_the_guides_value_in_plain_formats(name: str, decoded: float, bits: str) -> None:
    shown = lab(lab_format=name)

    assert shown.alone.decoded == shown.encoded.decoded == decoded
    assert " ".join(field.bits for field in shown.encoded.bits) == bits


def test_a_scaled_format_is_shown_on_a_group_with_its_scale() -> None:
    shown = lab(lab_format="int4_g128", lab_group="-0.5 0.25 0.833")
    (scale,) = shown.encoded.stored

    assert shown.group.values == (0.7834, -0.5, 0.25, 0.833)
    assert not shown.is_drawn
    # absmax / 7 rounded to FP16; 0.7834 / 0.119 = 6.58 rounds to 7.
    assert scale.value == pytest.approx(0.833 / 7, rel=1e-3)
    assert shown.encoded.decoded == pytest.approx(0.833, rel=1e-3)


def test_walking_goes_round_the_catalog_and_every_format_has_a_row() -> None:
    shown = lab(lab_format="fp32")

    assert shown.neighbour(-1).id == CATALOG.formats()[-1].id
    assert shown.neighbour(1).id == CATALOG.formats()[1].id
    assert len(shown.snaps) == len(CATALOG.formats())
    assert shown.snap.format.id == "fp32"


def test_a_drawn_group_comes_from_its_seed() -> None:
    first, again, other = lab(lab_seed=3), lab(lab_seed=3), lab(lab_seed=4)

    assert first.is_drawn
    assert len(first.group.values) == 32
    assert first.group.values == again.group.values != other.group.values
    assert lab(lab_distribution="heavy_tailed").group.values != first.group.values


def test_an_outlier_harms_those_that_share_its_scale_only() -> None:
    shared, plain = lab(lab_format="int4_g128").outlier, lab(lab_format="e4m3").outlier

    assert shared is not None
    assert plain is not None
    assert shared.others_before_db is not None
    assert shared.others_after_db is not None
    assert shared.others_after_db < shared.others_before_db - 10
    assert plain.others_after_db == plain.others_before_db


def test_a_rotation_helps_the_group_with_an_outlier() -> None:
    rotation = lab(lab_format="int4_g128").rotation

    assert rotation is not None
    assert rotation.plain_db is not None
    assert rotation.rotated_db is not None
    assert rotation.rotated_db > rotation.plain_db + 5


def test_a_group_of_any_other_size_has_no_rotation() -> None:
    assert lab(lab_group="0.1 0.2").rotation is None


def test_the_math_ends_in_the_decoded_value() -> None:
    shown = lab(lab_format="nvfp4")
    steps = {step.symbol: step for step in shown.derivations()[0]}

    assert steps["decoded"].value == shown.encoded.decoded
    assert steps["scale"].note == "stored as E4M3, shared by 16 weights"
    assert steps["tensor_scale"].note.endswith("the whole tensor")
    assert steps["bits_per_value"].value == 4.5


def test_a_sub_block_is_shared_by_fewer() -> None:
    notes = {step.symbol: step.note for step in lab(lab_format="q4_k").derivations()[0]}

    assert notes["sub_block_scale"].endswith("32 weights")
    assert notes["super_block_scale"].endswith("256 weights")


@pytest.mark.parametrize("text", ["0.1 x", "nan", "inf", "1e400", "0 " * 32])
def test_what_is_no_group_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"lab_group: .*give") as refusal:
        Scenario().with_(lab_group=text)

    assert "\n" not in str(refusal.value)


def test_an_unknown_format_is_refused_with_the_list() -> None:
    with pytest.raises(FormatError, match="'fp7' is unknown; use one of fp32"):
        lab(lab_format="fp7")


@given(st.floats(-1e300, 1e300), st.integers(0, 2**31), st.sampled_from(Distribution))
def test_any_value_makes_a_group_and_lands_on_its_nearest_neighbour(
    value: float, seed: int, distribution: Distribution
) -> None:
    shown = evaluate_lab(
        Case(Scenario(lab_value=value, lab_seed=seed % 4, lab_distribution=distribution.value), CATALOG)
    )

    assert group_of(value, "", distribution, seed)[0] == value
    encoded = shown.encoded
    for other in (encoded.below, encoded.above):
        if other is not None:
            assert encoded.absolute_error <= abs(other - value)


def test_the_scale_can_be_set_and_then_the_guides_error_is_the_level_below() -> None:
    """The guide: INT4 with scale 0.119 makes 0.7834 to 0.715, 8.7 % off: level 6, cut off. Level 7 is nearer."""
    found = lab(lab_format="int4_g128", lab_scale=0.119)
    assert found.encoded.stored[0].value == pytest.approx(0.119, rel=1e-3)
    assert found.encoded.decoded == found.snap.decoded == pytest.approx(7 * 0.119, rel=1e-3)
    assert found.encoded.below == pytest.approx(0.714, rel=1e-3)
    said = " ".join(says.text for says in came_from(found))
    assert "set by you" in said
    assert "between 0.714111328 (8.84 % off) and 0.833129883 (6.35 % off)" in said
    assert "Cutting off instead of rounding would take 0.714111328" in said


def test_a_format_without_a_scale_leaves_it_out() -> None:
    found = lab(lab_format="e4m3", lab_scale=0.119)
    assert (found.scale, found.encoded.decoded) == (0, 0.8125)
    assert "fitted" in " ".join(says.text for says in came_from(lab(lab_format="int8_g128")))
