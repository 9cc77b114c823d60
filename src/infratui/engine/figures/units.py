"""Quantities as people read and write them: one formatter, one parser."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from enum import StrEnum

from .derivation import Number, Unit

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12
KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40


class ByteUnit(StrEnum):
    """How byte counts are shown."""

    GB = "GB"
    GIB = "GiB"


_SUFFIX = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
_NUMBER = r"(?ai)^\s*([+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zA-Z%]*)\s*$"


class QuantityError(ValueError):
    """A text that is not a quantity; the message says what would be."""


def parse_number(text: str) -> float:
    """Read `8000`, `8k`, `1.5M`, `1_000` or `70 %` (as 70). `k` is 1,000.

    Raises QuantityError.
    """
    match = re.match(_NUMBER, text)
    suffix = match[2].lower().rstrip("%") if match else None
    if match is None or suffix not in _SUFFIX:
        raise QuantityError(f"{text.strip()[:40]!r} is not a number; try 8000, 8k or 1.5M")
    value = float(match[1].replace("_", "").replace(",", "")) * _SUFFIX[suffix]
    if not math.isfinite(value):
        raise QuantityError(f"{text.strip()[:40]!r} is too large")
    return value


def plain_float(text: str) -> float:
    """`float` that takes the digits 0 to 9 only, where Python also reads those of other scripts. Raises ValueError."""
    if not text.isascii():
        raise ValueError(f"{text!r} is not written in the digits 0 to 9")
    return float(text)


def parse_tokens(text: str) -> int:
    """Read a token count. Powers of two keep their habit: `8k` is 8,192 and `128K` is 131,072, `8000` is 8,000.

    Raises QuantityError.
    """
    match = re.match(_NUMBER, text)
    if match and match[2].lower() in {"k", "m"}:
        scale = 1024 if match[2].lower() == "k" else 1024**2
        return round(float(match[1].replace("_", "").replace(",", "")) * scale)
    return round(parse_number(text))


def significant(value: float, digits: int = 3) -> str:
    """A number with that many significant digits, grouped, without an exponent: 0.012345 → `0.0123`.

    Whole parts are never rounded away: 67,718 stays 67,718.
    """
    if value == 0:
        return "0"
    # The exponent of the rounded value: 0.9999 has that of 1.00.
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    decimals = max(0, digits - 1 - exponent)
    return f"{value:,.{min(decimals, 12)}f}"


def format_bytes(count: Number, unit: ByteUnit = ByteUnit.GB, digits: int = 3) -> str:
    """Bytes in the larger unit that keeps the number short: `67.7 GB`, `1.49 TB`, `70,272 B`."""
    decimal = unit is ByteUnit.GB
    steps = (
        ((TB, "TB"), (GB, "GB"), (MB, "MB"), (KB, "kB"))
        if decimal
        else ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))
    )
    for size, name in steps:
        if abs(count) >= size * 0.99995:
            return f"{significant(count / size, digits)} {name}"
    return f"{count:,.0f} B"


def format_gigabytes(count: Number, unit: ByteUnit = ByteUnit.GB, digits: int = 3) -> str:
    """Bytes as a bare number of GB or GiB, for columns whose head names the unit; two decimals at most."""
    value = count / (GB if unit is ByteUnit.GB else GIB)
    return significant(value, digits) if abs(value) >= 1 else f"{value:.2f}"


def format_tokens(count: Number) -> str:
    """`131,072` → `128K`; counts that are no multiple of 1,024 in decimal thousands: `61.3k`."""
    count = round(count)
    if count >= 1024**2 and count % 1024**2 == 0:
        return f"{count // 1024**2}M"
    if count >= 1024 and count % 1024 == 0 and count < 1024**2 * 16:
        return f"{count // 1024}K"
    return f"{significant(count / 1e3)}k" if 1e4 <= count < 1e6 else format_count(count)


def median(values: Iterable[float]) -> float:
    """The middle one, or the mean of the middle two. `statistics` takes four milliseconds of a start."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def counted(count: float, noun: str) -> str:
    """`1 GPU`, `1,024 GPUs`, `2.50M users`."""
    return f"{format_count(round(count))} {noun}{'' if round(count) == 1 else 's'}"


def format_count(value: Number) -> str:
    """Counts: whole ones in full below a million, larger ones in short: `50`, `50,000`, `4.2M`, `70.6B`, `1.03T`."""
    for size, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size:
            return f"{significant(value / size)}{suffix}"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1e4 else significant(value)


def format_seconds(value: Number) -> str:
    """`85 µs`, `12.3 ms`, `1.42 s`, `3.5 min`."""
    if value < 0.9995e-3:
        return f"{significant(value * 1e6)} µs"
    if value < 0.9995:
        return f"{significant(value * 1e3)} ms"
    return f"{significant(value)} s" if value < 120 else f"{significant(value / 60)} min"


def format_usd(value: Number, digits: int = 3, currency: str = "$") -> str:
    """`$0.33`, `$12.50`, `$1,240`, `$1.24M`; `currency` stands in place of the dollar sign."""
    sign, value = ("-" if value < 0 else ""), abs(value)
    if value >= 1e9:
        return f"{sign}{currency}{significant(value / 1e9, digits)}B"
    if value >= 1e6:
        return f"{sign}{currency}{significant(value / 1e6, digits)}M"
    if value >= 1000:
        return f"{sign}{currency}{value:,.0f}"
    number = f"{value:,.2f}" if value >= 0.1 or value == 0 else significant(value, digits)
    return f"{sign}{currency}{number}"


def format_value(value: Number, unit: Unit, bytes_as: ByteUnit = ByteUnit.GB) -> str:  # noqa: PLR0911 – a unit, a return
    """Any figure with its unit, as screens, reports and the command line print it."""
    match unit:
        case Unit.BYTES:
            return format_bytes(value, bytes_as)
        case Unit.BYTES_PER_S:
            return f"{format_bytes(value, ByteUnit.GB)}/s"
        case Unit.BYTES_PER_TOKEN:
            return f"{value:,.0f} B/token"
        case Unit.SECONDS:
            return format_seconds(value)
        case Unit.USD:
            return format_usd(value)
        case Unit.USD_PER_HOUR:
            return f"{format_usd(value)}/h"
        case Unit.USD_PER_MTOK:
            return f"{format_usd(value)}/1M tokens"
        case Unit.PERCENT:
            return f"{significant(value)} %"
        case Unit.RATIO:
            return f"{significant(value)}×"
        case Unit.FLOP | Unit.FLOP_PER_S:
            return f"{significant(value / 1e12)} T{unit.value}"
        case Unit.COUNT:
            return format_count(value)
        case Unit.SHARE:
            return significant(value)
        case _:
            return f"{format_count(value)} {unit.value}"
