"""Where the app draws, and how large that is: the terminal itself is asked, not the environment."""

from __future__ import annotations

import os
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

    def _get_terminal_size(self) -> tuple[int, int]:
        # Exported COLUMNS and LINES would be believed first, and no resize would be noticed.
        try:
            columns, lines = os.get_terminal_size(self._file.fileno()) if self._file else (0, 0)
        except (OSError, ValueError):
            columns, lines = 0, 0
        return (columns, lines) if columns and lines else super()._get_terminal_size()
