"""The interval around a predicted speed, in the figure's own words: 80 of 100 measurements lie in it."""

from __future__ import annotations

from collections.abc import Callable

from ..engine.figures.units import format_count
from ..engine.speed import Interval


def around(value: float, interval: Interval | None, words: Callable[[float], str]) -> str:
    """` (8.2–10)` behind `9.13 ms`: two digits, units where they differ from the figure's; empty without data."""
    if interval is None:
        return ""
    # More digits than two would claim to know the ends.
    low, high = (_short(words(float(f"{end:.2g}"))) for end in interval.around(value))
    unit = words(value).partition(" ")[2]
    if unit and all(text.partition(" ")[2] == unit for text in (low, high)):
        low, high = low.partition(" ")[0], high.partition(" ")[0]
    return f" ({low}–{high})"


def _short(text: str) -> str:
    """Without zeros behind the point that only fill up digits: `38.0 ms` as `38 ms`."""
    number, blank, unit = text.partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number}{blank}{unit}"


def rounded_count(value: float) -> str:
    """Tokens per second as the figure itself is written."""
    return format_count(round(value))


def ends(name: str, value: float | None, interval: Interval | None) -> dict[str, float | None]:
    """The interval as plain values: `tpot_ms_low` and `tpot_ms_high`."""
    low, high = (None, None) if value is None or interval is None else interval.around(value)
    return {f"{name}_low": low, f"{name}_high": high}
