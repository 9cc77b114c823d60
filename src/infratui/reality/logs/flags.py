"""LogSettings in the words of a log: `key=value` of a configuration that is printed whole, or a Python mapping."""

from __future__ import annotations

import re
from functools import lru_cache

_WHOLE = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{0,12}\.?[0-9]{1,12}(?:e-?[0-9]{1,2})?", re.ASCII)


@lru_cache(maxsize=256)
def _entry(key: str) -> re.Pattern[str]:
    name = re.escape(key)
    return re.compile(rf"(?:(?<![\w.]){name}=|['\"]{name}['\"]: ?)('[^']*'|\"[^\"]*\"|[^,(){{}}\[\]\s]+)")


def stated(text: str, key: str) -> str | None:
    """The value of `key` in a printed configuration, without its quotes; None: not there, or `None`."""
    found = _entry(key).search(text)
    if found is None:
        return None
    value = found[1].strip("'\"")
    return None if value in ("None", "null", "") else value


def whole(text: str | None) -> int | None:
    """A whole number above zero, as a flag has it."""
    if text is None or not _WHOLE.fullmatch(text):
        return None
    value = int(text)
    return value if 0 < value <= 100_000_000 else None


def share(text: str | None) -> float | None:
    """A share above 0 and up to 1."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if 0 < value <= 1 else None


def switch(text: str | None) -> bool | None:
    """`True` or `False`."""
    return {"true": True, "false": False}.get((text or "").lower())


def command_flag(text: str, *names: str) -> str | None:
    """The value behind a flag of a command line: `--tp 2`, `--tp=2`."""
    for name in names:
        found = re.search(rf"(?<!\S){re.escape(name)}[ =]([^\s'\"]{{1,300}})", text)
        if found:
            return found[1]
    return None
