"""What each serving engine can lay out and what it leaves out, read once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from ..engine.cluster.abilities import EngineAbility, EngineProfile, able
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@cache
def engine_abilities() -> tuple[EngineAbility, ...]:
    """The rows of `engine_abilities.yaml`."""
    return tuple(construct(EngineAbility, row) for row in read_built_in(DATA / "engine_abilities.yaml"))


@cache
def engine_limits() -> dict[str, EngineProfile]:
    """Engine → its row of `engine_limits.yaml`."""
    rows = (construct(EngineProfile, row) for row in read_built_in(DATA / "engine_limits.yaml"))
    return {row.engine: row for row in rows}


@cache
def abilities_of(engine: str, version: str = "") -> EngineProfile:
    """What an engine can do and what it leaves out; without a version the newest is meant."""
    limits = engine_limits().get(engine) or EngineProfile(engine=engine, name=engine)
    return replace(limits, can=able(engine_abilities(), engine, version))
