"""The command line: one file per command, each a few lines over the engine; loaded only when it is asked for."""

from __future__ import annotations

import gc
import os
import signal
import sys

from .. import COLLECTED


def main() -> None:
    """Console script. Exit codes: 0 fine, 1 the plan does not hold, 2 the input is wrong, 70 an error of its own."""
    # While the rest is being loaded as well: an interruption is no error.
    signal.signal(signal.SIGINT, lambda *_: sys.exit(128 + signal.SIGINT))
    arguments = sys.argv[1:]
    # What is imported stays: to look through that for garbage again and again would take a third of a start.
    gc.disable()
    if not arguments and at_a_terminal():
        # The most common start pays for nothing that it does not use. The app collects once it stands.
        from ..app import run

        sys.exit(run())
    from .group import cli

    gc.freeze()
    gc.set_threshold(*COLLECTED)
    gc.enable()
    try:
        cli.main(args=arguments, prog_name="infratui")
    except SystemExit as end:
        _end_at_once(end)
        raise


def _end_at_once(end: SystemExit) -> None:
    """Leave it to the system to take back what was made: Python would take it apart piece by piece."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        # Python has its own words for what could not be written.
        return
    if end.code is None or isinstance(end.code, int):
        os._exit(end.code or 0)


def at_a_terminal() -> bool:
    """Whether there is a terminal that shows screens and sends keys: else the report is printed."""
    streams = (sys.stdin, sys.stdout)
    return os.environ.get("TERM") != "dumb" and all(stream is not None and stream.isatty() for stream in streams)
