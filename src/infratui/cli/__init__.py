"""The command line: one file per command, each a few lines over the engine; loaded only when it is asked for."""

from __future__ import annotations

import sys


def main() -> None:
    """Console script. Exit codes: 0 fine, 1 the plan does not hold, 2 the input is wrong."""
    from .group import cli

    cli.main(args=sys.argv[1:], prog_name="infratui")
