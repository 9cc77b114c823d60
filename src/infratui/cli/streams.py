"""Standard output as it is: no name steers the terminal, one without UTF-8 gets ASCII, one that fails is given up."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from ..plain_text import harmless, to_ascii


class HarmlessStream(io.TextIOWrapper):
    """Writes nothing that steers a terminal, whatever a file had for a name. The bytes below belong to another."""

    def write(self, text: str) -> int:
        super().write(harmless(text))
        return len(text)

    def write_drawn(self, text: str) -> int:
        """What the program itself has drawn: its colours steer the terminal, names were made harmless before."""
        return super().write(text)

    def close(self) -> None:
        if not self.closed:
            self.flush()

    def __del__(self) -> None:
        """Leaves the bytes below open."""


class AsciiStream(HarmlessStream):
    """Writes ASCII only. It says UTF-8 of itself, or Click would put UTF-8 in its place."""

    def write(self, text: str) -> int:
        super().write(to_ascii(text))
        return len(text)

    def write_drawn(self, text: str) -> int:
        return super().write_drawn(to_ascii(text))


def adapt() -> None:
    """Let standard output and error be written without control characters, and in ASCII where they are not UTF-8."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            # Not detached: the app draws through the stream as it was.
            stream.flush()
            kind = HarmlessStream if "utf" in stream.encoding.lower() else AsciiStream
            setattr(sys, name, kind(stream.buffer, "utf-8", line_buffering=name == "stderr" or stream.line_buffering))


def drop() -> None:
    """Give standard output up: what is left in its buffer would fail again when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
