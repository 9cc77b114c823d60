"""The fitted runtime-memory constants, read once."""

from __future__ import annotations

from functools import cache

from ..engine.memory.runtime import RuntimeTable
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@cache
def runtime_table() -> RuntimeTable:
    """Engine generations, visible memory and offload tiers from `runtime_memory.yaml`."""
    return construct(RuntimeTable, read_built_in(DATA / "runtime_memory.yaml"))
