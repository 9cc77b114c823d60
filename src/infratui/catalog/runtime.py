"""The fitted runtime-memory constants, read once."""

from __future__ import annotations

from functools import cache

from ..engine.memory.runtime import RuntimeTable
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in


@cache
def runtime_table() -> RuntimeTable:
    """Engine generations, visible memory and offload tiers from `runtime_memory.yaml`."""
    row = read_built_in(DATA / "runtime_memory.yaml")
    try:
        return build(RuntimeTable, row)
    except FlawedRowError as problem:
        where = ".".join(str(key) for key in problem.flaw.path)
        raise CatalogError(f"runtime_memory.yaml: {where}: {problem.flaw.message}") from None
