"""The lines of start-up logs that hold figures, read once."""

from __future__ import annotations

from functools import cache

from ..reality.logs.lines import LogLines
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in


@cache
def log_lines() -> LogLines:
    """Engine by engine and version by version, from `log_lines.yaml`."""
    try:
        return build(LogLines, read_built_in(DATA / "log_lines.yaml"))
    except FlawedRowError as problem:
        where = ".".join(str(key) for key in problem.flaw.path)
        raise CatalogError(f"log_lines.yaml: {where}: {problem.flaw.message}") from None
