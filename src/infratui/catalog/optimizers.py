"""Optimizers and what they keep, from optimizers.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from ..engine.training.memory import Optimizer
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in


@lru_cache(maxsize=1)
def optimizers() -> Mapping[str, Optimizer]:
    """By id, the usual one first. Raises CatalogError where an entry is malformed."""
    found = {}
    for row in read_built_in(DATA / "optimizers.yaml"):
        try:
            entry = build(Optimizer, row)
        except FlawedRowError as error:
            raise CatalogError(f"optimizers.yaml: {error}") from None
        found[entry.id] = entry
    return MappingProxyType(found)
