"""Where the app draws: standard error like every Textual app, unless that is not a terminal."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


def drawn_on() -> TextIOWrapper | None:
    """The stream that leads to the terminal: `2>log` takes standard error away, and would leave the screen blank."""
    error = sys.__stderr__
    return error if error is not None and error.isatty() else sys.__stdout__


class TerminalDriver(LinuxDriver):
    """Draws on the stream that is a terminal."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = drawn_on()
