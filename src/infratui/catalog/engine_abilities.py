"""What each serving engine can lay out, read once."""

from __future__ import annotations

from functools import cache

from ..engine.cluster.abilities import EngineAbility, able
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@cache
def engine_abilities() -> tuple[EngineAbility, ...]:
    """The rows of `engine_abilities.yaml`."""
    return tuple(construct(EngineAbility, row) for row in read_built_in(DATA / "engine_abilities.yaml"))


def abilities_of(engine: str, version: str = "") -> frozenset[str]:
    """What an engine can do; without a version the newest is meant."""
    return able(engine_abilities(), engine, version)
