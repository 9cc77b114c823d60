"""What not every serving engine can lay out: caches shared out by tokens, prompts on servers of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from ...value_types import dataclass
from ..memory.runtime import version_key

POOLS = "pools"
"""Prefill and decode on pools of their own."""


@dataclass(frozen=True, slots=True)
class EngineAbility:
    """One engine and what it can do."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    ability: Literal["mla", "gqa", "pools"]
    """A kind of attention whose cache is shared out by tokens, or pools of their own for prefill and decode."""
    since: str
    """The first version that can."""
    source: str


def able(rows: Iterable[EngineAbility], engine: str, version: str = "") -> frozenset[str]:
    """What an engine can do; without a version the newest is meant."""
    return frozenset(
        row.ability
        for row in rows
        if row.engine == engine and (not version or version_key(version) >= version_key(row.since))
    )
