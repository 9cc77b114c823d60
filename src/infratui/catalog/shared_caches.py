"""Engines that share out the cached tokens of a sequence, read once."""

from __future__ import annotations

from functools import cache

from ..engine.memory.shared_cache import SharedCache, shared
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@cache
def shared_caches() -> tuple[SharedCache, ...]:
    """The rows of `shared_caches.yaml`."""
    return tuple(construct(SharedCache, row) for row in read_built_in(DATA / "shared_caches.yaml"))


def shared_by(engine: str, version: str = "") -> frozenset[str]:
    """Kinds of attention whose cache an engine shares out; without a version the newest is meant."""
    return shared(shared_caches(), engine, version)
