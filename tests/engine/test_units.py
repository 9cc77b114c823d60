"""Quantities are read as people write them and written as people read them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.figures.derivation import Unit
from infratui.engine.figures.units import (
    ByteUnit,
    QuantityError,
    format_bytes,
    format_count,
    format_seconds,
    format_tokens,
    format_usd,
    format_value,
    parse_number,
    parse_tokens,
    significant,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("8000", 8000), ("8k", 8192), ("128K", 131_072), ("1.5M", 1_572_864), ("32_768", 32_768), (" 4,096 ", 4096)],
)
def test_token_counts(text: str, value: int):
    assert parse_tokens(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1.5M", 1_500_000), ("50k", 50_000), ("70 %", 70), ("-2", -2), ("1e3", 1000)]
)
def test_numbers(text: str, value: float):
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "abc", "8 apples", "1e999", "--1", "[bold]", "\x1b[31m"])
def test_nonsense_is_refused_in_one_line(text: str):
    with pytest.raises(QuantityError) as caught:
        parse_number(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str):
    with contextlib.suppress(QuantityError):
        assert isinstance(parse_number(text), float)


def test_gb_and_gib_differ_by_name():
    assert format_bytes(80 * 2**30, ByteUnit.GIB) == "80.0 GiB"
    assert format_bytes(80 * 2**30, ByteUnit.GB) == "85.9 GB"
    assert format_bytes(1_490_000_000_000) == "1.49 TB"
    assert format_bytes(999_999_000) == "1.00 GB"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (format_tokens(131_072), "128K"),
        (format_tokens(61_300), "61.3k"),
        (format_count(70_553_706_496), "70.6B"),
        (format_count(50), "50"),
        (format_seconds(0.0123), "12.3 ms"),
        (format_seconds(85e-6), "85.0 µs"),
        (format_usd(0.33), "$0.33"),
        (format_usd(12_345.6), "$12,346"),
        (format_value(70_272, Unit.BYTES_PER_TOKEN), "70,272 B/token"),
        (significant(0), "0"),
    ],
)
def test_figures_as_shown(shown: str, expected: str):
    assert shown == expected
