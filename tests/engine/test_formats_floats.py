"""The floating-point elements, code by code against ml_dtypes and numpy, and by their defining properties."""

from __future__ import annotations

import itertools
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.formats_data import formats_from, number_format
from infratui.engine.formats import (
    Family,
    FloatElement,
    NumberFormat,
    PowerOfTwoElement,
    Specials,
    decode_code,
    encode_value,
    quantize,
)

REFERENCES = {
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e4m3_fnuz": ml_dtypes.float8_e4m3fnuz,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e2m1": ml_dtypes.float4_e2m1fn,
}
# Formats the catalog does not have, to show that a description alone is enough: (exponent, mantissa, bias, specials).
OTHERS = {
    "e3m4": ((3, 4, 3, "ieee"), ml_dtypes.float8_e3m4),
    "e4m3_ieee": ((4, 3, 7, "ieee"), ml_dtypes.float8_e4m3),
    "e5m2_fnuz": ((5, 2, 16, "fnuz"), ml_dtypes.float8_e5m2fnuz),
    "e4m3b11_fnuz": ((4, 3, 11, "fnuz"), ml_dtypes.float8_e4m3b11fnuz),
}
PLAIN = ["fp32", "tf32", *REFERENCES]


def described(name: str) -> NumberFormat:
    if name not in OTHERS:
        return number_format(name)
    exponent, mantissa, bias, specials = OTHERS[name][0]
    element = {"kind": "float", "exponent": exponent, "mantissa": mantissa, "bias": bias, "specials": specials}
    entry = {"id": name, "label": name, "family": "float", "element": element, "native": [], "used_for": [],
             "evidence": [], "notes": "", "source": "test"}  # fmt: skip
    return formats_from({"formats": [entry]}, "test")[0]


def reference(name: str) -> np.dtype:
    return np.dtype(REFERENCES.get(name) or OTHERS[name][1])


def reference_values(name: str, bits: int) -> np.ndarray:
    stored = np.uint16 if reference(name).itemsize == 2 else np.uint8
    with np.errstate(invalid="ignore"):  # signalling NaNs of 16-bit formats
        return np.arange(1 << bits, dtype=stored).view(reference(name)).astype(np.float64)


@pytest.mark.parametrize("name", [*REFERENCES, *OTHERS])
def test_every_code_decodes_as_the_reference_says(name: str) -> None:
    number_format = described(name)

    ours = [decode_code(number_format, code) for code in range(1 << number_format.element.bits)]

    theirs = reference_values(name, number_format.element.bits)
    np.testing.assert_array_equal(ours, theirs)
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(np.signbit(ours)[finite], np.signbit(theirs)[finite])


@pytest.mark.parametrize("name", [*REFERENCES, *OTHERS])
def test_values_ties_and_their_neighbourhood_round_as_the_reference_does(name: str) -> None:
    number_format = described(name)
    element = number_format.element
    finite = np.unique(reference_values(name, element.bits))
    finite = finite[np.isfinite(finite)]
    ties = (finite[1:] + finite[:-1]) / 2
    # The references go through FP32, so the values beside a tie are FP32 neighbours, not double ones.
    points = np.concatenate([finite, ties]).astype(np.float32)
    beside = [np.nextafter(points, np.float32(side), dtype=np.float32) for side in (-np.inf, np.inf)]
    sweep = np.concatenate([points, *beside, np.linspace(finite[0], finite[-1], 4001).astype(np.float32)])
    sweep = np.clip(sweep, np.float32(finite[0]), np.float32(finite[-1]))

    codes, values = element.round_many(sweep.astype(np.float64).tolist())

    theirs = sweep.astype(reference(name))
    np.testing.assert_array_equal(values, theirs.astype(np.float64))
    np.testing.assert_array_equal(codes, theirs.view(np.uint16 if theirs.itemsize == 2 else np.uint8))


def test_fp32_rounds_as_the_processor_does() -> None:
    draw = np.random.default_rng(7)
    doubles = np.ldexp(draw.uniform(-1, 1, 20_000), draw.integers(-160, 128, 20_000))

    codes, values = number_format("fp32").element.round_many(doubles.tolist())

    np.testing.assert_array_equal(values, doubles.astype(np.float32).astype(np.float64))
    np.testing.assert_array_equal(codes, doubles.astype(np.float32).view(np.uint32))


@pytest.mark.parametrize(
    ("name", "expected"),
    # 0.7834 by hand: FP16 has 11 significant bits, BF16 8, E4M3 4, E5M2 3; E2M1 knows 0.5 and 1 around it.
    [("fp16", 0.783203125), ("bf16", 0.78515625), ("e4m3", 0.8125), ("e5m2", 0.75), ("e2m1", 1.0)],
)
def test_the_worked_example_0_7834(name: str, expected: float) -> None:
    encoded = encode_value(number_format(name), 0.7834)

    assert encoded.decoded == expected
    assert encoded.absolute_error == abs(expected - 0.7834)
    assert encoded.relative_error == pytest.approx(abs(expected / 0.7834 - 1))
    assert expected in (encoded.below, encoded.above)


def test_e4m3_shows_its_bits_by_field() -> None:
    # 0.8125 = 2**-1 * 1.625: exponent -1 + bias 7 = 6 = 0110, mantissa .625 = 101.
    fields = encode_value(number_format("e4m3"), -0.7834).bits

    assert [(field.letter, field.bits) for field in fields] == [("S", "1"), ("E", "0110"), ("M", "101")]
    assert [field.value for field in fields] == ["-1", "2**-1", "1.625"]


@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
@pytest.mark.parametrize("value", [1e300, -1e300, 1.7e308])
def test_values_beyond_the_range_saturate(name: str, value: float) -> None:
    encoded = encode_value(described(name), value)

    assert encoded.decoded == math.copysign(described(name).element.highest, value)
    assert encoded.is_saturated


@pytest.mark.parametrize("name", PLAIN)
def test_zero_keeps_its_sign_where_the_format_has_one(name: str) -> None:
    minus = encode_value(number_format(name), -0.0)
    underflow = encode_value(number_format(name), -1e-300)

    negative = -1.0 if number_format(name).element.specials is not Specials.FNUZ else 1.0
    assert math.copysign(1, minus.decoded) == math.copysign(1, underflow.decoded) == negative
    assert minus.decoded == underflow.decoded == 0


def test_subnormals_of_e4m3_are_steps_of_two_to_the_minus_nine() -> None:
    element = number_format("e4m3").element
    assert isinstance(element, FloatElement)

    assert element.smallest_subnormal == 2.0**-9
    assert element.smallest_normal == 2.0**-6
    assert [element.decode(code) for code in range(1, 9)] == [n * 2.0**-9 for n in range(1, 9)]


def test_e8m0_is_powers_of_two_as_the_reference_says() -> None:
    element = PowerOfTwoElement()

    ours = [element.decode(code) for code in range(256)]

    np.testing.assert_array_equal(ours, np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e8m0fnu).astype(float))


numbers = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(min_value=-1e6, max_value=1e6)


@given(st.sampled_from([*PLAIN, *OTHERS]), numbers | ordinary)
def test_the_decoded_value_is_the_nearest_representable_one(name: str, value: float) -> None:
    encoded = encode_value(described(name), value)

    for bound in (encoded.below, encoded.above):
        if bound is not None:
            assert abs(encoded.decoded - value) <= abs(bound - value)
    assert encoded.below is None or encoded.below <= value
    assert encoded.above is None or encoded.above >= value


@given(st.sampled_from(PLAIN), st.lists(numbers | ordinary, min_size=2, max_size=6))
def test_rounding_is_monotone_and_idempotent(name: str, values: list[float]) -> None:
    number_format_ = number_format(name)

    once = quantize(number_format_, sorted(values))
    twice = quantize(number_format_, once.decoded)

    assert all(a <= b for a, b in itertools.pairwise(once.decoded))
    assert (twice.decoded, twice.codes) == (once.decoded, once.codes)


@given(st.sampled_from(PLAIN), numbers | ordinary)
def test_the_shown_expression_evaluates_to_the_decoded_value(name: str, value: float) -> None:
    encoded = encode_value(number_format(name), value)

    assert eval(encoded.expression) == encoded.decoded


@given(st.sampled_from([name for name in PLAIN if number_format(name).family is Family.FLOAT]), ordinary)
def test_the_number_line_is_ascending_and_marks_the_chosen_value(name: str, value: float) -> None:
    group = quantize(number_format(name), [value])

    ticks = group.number_line(0, each_side=3)

    assert all(a.value < b.value for a, b in itertools.pairwise(ticks))
    assert [tick.value for tick in ticks if tick.is_chosen] == [group.decoded[0]]
    assert all(decode_code(group.format, tick.code) == tick.value for tick in ticks)
