"""The bit lab: what is typed, what is drawn, and what an outlier does to its group."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.formats_data import number_format, number_formats
from infratui.engine.formats import FormatError, quantize
from infratui.engine.formats.lab import (
    Distribution,
    draw_weights,
    error_table,
    hadamard,
    outlier_effect,
    parse_group,
    parse_value,
    rotation_effect,
)

GAUSSIAN = draw_weights(Distribution.GAUSSIAN, 1024, seed=1)


@pytest.mark.parametrize(("text", "value"), [("0.7834", 0.7834), (" -1e-3 ", -0.001), ("−2", -2.0), ("7", 7.0)])
def test_a_typed_number_is_read(text: str, value: float) -> None:
    assert parse_value(text) == value


@pytest.mark.parametrize("text", ["", "abc", "nan", "-inf", "1e400", "0x10", "1,5 2"])
def test_what_is_no_finite_number_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(FormatError, match="number") as refusal:
        parse_value(text)

    assert "\n" not in str(refusal.value)


def test_a_typed_group_takes_spaces_commas_and_semicolons() -> None:
    assert parse_group("0.1, -0.2;0.3\n 4e-1") == (0.1, -0.2, 0.3, 0.4)


@pytest.mark.parametrize("text", ["", " , ", "0.1 x", " ".join(["1"] * 33)])
def test_groups_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_group(text)


def test_the_same_seed_draws_the_same_layer() -> None:
    assert draw_weights(Distribution.GAUSSIAN, 1024, seed=1) == GAUSSIAN
    assert draw_weights(Distribution.GAUSSIAN, 1024, seed=2) != GAUSSIAN
    assert statistics.stdev(GAUSSIAN) == pytest.approx(0.02, rel=0.1)


def test_heavy_tails_have_more_outliers_at_the_same_spread() -> None:
    heavy = draw_weights(Distribution.HEAVY_TAILED, 20_000, seed=1)

    assert statistics.stdev(heavy) == pytest.approx(0.02, rel=0.1)
    assert max(map(abs, heavy)) > 2 * max(map(abs, draw_weights(Distribution.GAUSSIAN, 20_000, seed=1)))


@pytest.mark.parametrize(
    "settings", [{"count": 0}, {"count": 10**9}, {"standard_deviation": 0.0}, {"degrees_of_freedom": 2.0}]
)
def test_layers_that_cannot_be_drawn_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(FormatError):
        draw_weights(Distribution.HEAVY_TAILED, **{"count": 16, "seed": 1, **settings})


def test_the_error_table_has_a_row_for_every_format_and_six_decibels_for_a_bit() -> None:
    rows = {row.format.id: row for row in error_table(number_formats(), GAUSSIAN)}

    assert list(rows) == [entry.id for entry in number_formats()]
    # A uniform quantizer gains 20 log10(2) = 6.02 dB per bit: 4 bits more are 24 dB.
    assert rows["int8_g32"].snr_db - rows["int4_g32"].snr_db == pytest.approx(25, abs=1.5)
    assert rows["int4"].snr_db < rows["int4_g128"].snr_db < rows["int4_g64"].snr_db < rows["int4_g32"].snr_db
    assert rows["mxfp4"].snr_db < rows["nvfp4"].snr_db
    assert rows["bf16"].snr_db < rows["fp16"].snr_db
    assert rows["e2m1"].flushed_share == 1.0


def test_one_outlier_flushes_its_group_at_four_bits_but_hardly_at_fp8() -> None:
    group = GAUSSIAN[:32]

    int4 = outlier_effect(number_format("int4_g32"), group, index=5, factor=30)
    fp8 = outlier_effect(number_format("e4m3"), group, index=5, factor=30)

    assert int4.others_after_db < int4.others_before_db - 10
    assert int4.others_flushed_after > int4.others_flushed_before
    assert fp8.others_after_db == fp8.others_before_db


def test_finer_blocks_contain_an_outlier() -> None:
    group = GAUSSIAN[:64]

    whole = outlier_effect(number_format("int4_g64"), group, index=5, factor=30)
    halves = outlier_effect(number_format("int4_g32"), group, index=5, factor=30)

    assert halves.others_after_db > whole.others_after_db + 1


def test_a_rotation_spreads_the_outlier_and_saves_the_group() -> None:
    group = [*GAUSSIAN[:31], 0.5]

    effect = rotation_effect(number_format("int4_g32"), group)

    # The plain group keeps the outlier and little else; the others are far nearer after the rotation.
    others = sum((a - b) ** 2 for a, b in zip(effect.restored[:31], group[:31], strict=True))
    assert others < sum((a - b) ** 2 for a, b in zip(effect.plain.decoded[:31], group[:31], strict=True))


@pytest.mark.parametrize("count", [0, 3, 31])
def test_rotations_need_a_power_of_two(count: int) -> None:
    with pytest.raises(FormatError):
        hadamard([1.0] * count)


@given(st.lists(st.floats(-1e3, 1e3), min_size=16, max_size=16))
def test_a_rotation_keeps_lengths_and_is_its_own_inverse(values: list[float]) -> None:
    rotated = hadamard(values)

    assert sum(x * x for x in rotated) == pytest.approx(sum(x * x for x in values))
    assert hadamard(rotated) == pytest.approx(values, abs=1e-9)


def test_an_outlier_needs_others() -> None:
    with pytest.raises(FormatError, match="at least two"):
        outlier_effect(number_format("int8"), [1.0], index=0, factor=10)
    with pytest.raises(FormatError, match="does not exist"):
        outlier_effect(number_format("int8"), [1.0, 2.0], index=2, factor=10)
    with pytest.raises(FormatError, match="outlier"):
        outlier_effect(number_format("int8"), [1e308, 2.0], index=0, factor=1e10)


def test_a_group_of_zeros_can_get_an_outlier() -> None:
    effect = outlier_effect(number_format("int8"), [0.0, 0.0], index=0, factor=10)

    assert effect.after.values == (10.0, 0.0)
    assert effect.others_after_db is None


def test_signal_to_noise_by_hand() -> None:
    # INT4 with a scale of 1: 0.5 rounds to 0 and 6.75 to 7, so 10 log10((0.25 + 45.5625) / (0.25 + 0.0625)).
    group = quantize(number_format("int4"), [0.5, 6.75], scale=1.0)

    assert group.decoded == (0.0, 7.0)
    assert group.snr_db == pytest.approx(21.66, abs=0.01)
    assert (group.max_error, group.flushed) == (0.5, 1)
