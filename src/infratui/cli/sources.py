"""Text that a command is given: a file, or standard input as `-`, bounded before it is read."""

from __future__ import annotations

import sys
from pathlib import Path

from ..reality.text import MAX_CHARACTERS, decoded
from .common import fail


def text_of(source: str) -> str:
    """The text of a file or of standard input. Ends the program in one line where there is none."""
    try:
        if source == "-":
            if sys.stdin is None or sys.stdin.isatty():
                fail("standard input is a terminal; pipe the text in, or name a file")
            raw = sys.stdin.buffer.read(4 * MAX_CHARACTERS + 1)
        else:
            path = Path(source).expanduser()
            # Opening a pipe would wait for its writer, reading a device may never end.
            if path.is_dir() or path.is_block_device():
                fail(f"{source}: not a file with text")
            with path.open("rb") as file:
                raw = file.read(4 * MAX_CHARACTERS + 1)
    except (OSError, ValueError, RuntimeError) as error:
        fail(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}; check the path")
    return decoded(raw)


def is_file(source: str) -> bool:
    """Whether a file of that name is there."""
    try:
        return Path(source).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False
