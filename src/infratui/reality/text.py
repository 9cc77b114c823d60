"""Text of others made readable: escape sequences gone, one kind of line end, a bound on size and line length."""

from __future__ import annotations

import re

MAX_CHARACTERS = 16_000_000
"""Longest text that is read: four times the longest start-up log in sight."""
_MAX_LINE = 64_000

# CSI sequences, OSC sequences up to BEL or ST, and other two-byte escapes.
_ESCAPES = re.compile(
    "\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_]|$)|\x9b[0-?]*[ -/]*[@-~]"
)
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


class UnreadableError(ValueError):
    """A text that is none of the known formats, or says nothing: what, and what would be right."""


def clean(text: str) -> str:
    """The text without anything that steers a terminal. Raises UnreadableError where it is beyond all measure."""
    if len(text) > MAX_CHARACTERS:
        raise UnreadableError(f"longer than {MAX_CHARACTERS:,} characters; give the part up to the first request")
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _STEERING.sub("", text)


def lines_of(text: str) -> list[str]:
    """The lines of a cleaned text; what is absurdly long is cut."""
    return [line if len(line) <= _MAX_LINE else line[:_MAX_LINE] for line in text.split("\n")]


def decoded(raw: bytes) -> str:
    """Bytes of a file or pipe as text: UTF-8, or UTF-16 where it says so (PowerShell's `>`); stray bytes are marked."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    return raw.decode("utf-8", errors="replace")


_MIB = {"b": 1 / 1048576, "kib": 1 / 1024, "mib": 1.0, "gib": 1024.0, "mb": 1.0, "gb": 1024.0, "m": 1.0, "g": 1024.0}


def mebibytes(text: str) -> int | None:
    """`183359MiB`, `32768 MiB`, `192G`: MiB as drivers count them, who print `MB` and mean 2^20; None: no figure."""
    found = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)\s*", text)
    if not found:
        return None
    factor = _MIB.get(found[2].lower() or "mib")
    return None if factor is None else round(float(found[1]) * factor)


def whole(text: str) -> int | None:
    """A whole number in the digits 0 to 9, of at most nine digits; None: it is none."""
    text = text.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
