"""Where the app draws, how large that is and when it ends: the terminal itself is asked, not the environment."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from io import TextIOWrapper
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


def drawn_on() -> TextIOWrapper | None:
    """The stream that leads to the terminal: `2>log` takes standard error away, and would leave the screen blank."""
    error = sys.__stderr__
    return error if error is not None and error.isatty() else sys.__stdout__


def end_with_the_terminal(descriptor: int) -> None:
    """Wait until the terminal is gone, then hang up oneself.

    The kernel tells the session's leader alone: under `make` or a wrapper that waits for its child nobody would tell
    the app, and its input thread would read the end of a dead terminal for ever.
    """
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(event & select.POLLHUP for _, event in poll.poll()):
        os.kill(os.getpid(), signal.SIGHUP)


class TerminalDriver(LinuxDriver):
    """Draws on the stream that is a terminal, and ends with it."""

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

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        watch = threading.Thread(target=end_with_the_terminal, args=(self.fileno,), name="hang-up", daemon=True)
        watch.start()
