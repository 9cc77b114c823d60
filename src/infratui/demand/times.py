"""Arrival times as traces write them: ISO dates, and numbers of seconds, milli-, micro- or nanoseconds."""

from __future__ import annotations

import datetime as dt
import math

_SCALES = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
"""Numbers beyond these are counts since 1970 in nano-, micro- and milliseconds."""
_START = dt.datetime(1970, 1, 1)
_START_UTC = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def seconds_of(value: object, unit_s: float = 1.0) -> float | None:
    """Seconds since some moment; None: no time. `unit_s`: of small numbers."""
    if isinstance(value, str):
        value = value.strip()
        if value[4:5] == "-" and value[:4].isdigit():
            return _date(value)
        try:
            value = float(value) if value.isascii() else None
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or abs(number) > 1e20:
        return None
    for least, scale in _SCALES:
        if number >= least:
            return number * scale
    return number * unit_s


def _date(text: str) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(text[:40])
        return (moment - (_START if moment.tzinfo is None else _START_UTC)).total_seconds()
    except (OverflowError, ValueError):
        return None


def unit_of(column: str) -> float:
    """Seconds of one unit, where the column's name states it; seconds otherwise."""
    name = column.casefold()
    if "ns" in name.split("_") or "nanos" in name:
        return 1e-9
    if "us" in name.split("_") or "micros" in name:
        return 1e-6
    return 1e-3 if name.endswith(("_ms", "(ms)", " ms")) or "millis" in name else 1.0
