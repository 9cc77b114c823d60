"""Standard output as it is: one without UTF-8 gets ASCII, and one that cannot be written ends in one line."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from ..plain_text import to_ascii


class AsciiStream(io.TextIOWrapper):
    """Writes ASCII only. It says UTF-8 of itself, or Click would put UTF-8 in its place."""

    def write(self, text: str) -> int:
        super().write(to_ascii(text))
        return len(text)


def adapt() -> None:
    """Let standard output and error be written in ASCII where their encoding is not UTF-8."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and "utf" not in stream.encoding.lower():
            # Not detached: the app draws through the stream as it was.
            stream.flush()
            setattr(sys, name, AsciiStream(stream.buffer, "utf-8", line_buffering=name == "stderr"))


def drop() -> None:
    """Give standard output up: what is left in its buffer would fail again when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
