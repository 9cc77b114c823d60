"""Which engine shares out a sequence's cached tokens within a tensor-parallel group: decode context parallelism."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from ...value_types import dataclass
from .runtime import version_key


@dataclass(frozen=True, slots=True)
class SharedCache:
    """One engine and kind of attention."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    attention: Literal["mla", "gqa"]
    since: str
    """The first version that does."""
    source: str


def shared(rows: Iterable[SharedCache], engine: str, version: str = "") -> frozenset[str]:
    """Kinds of attention whose cache an engine shares out; without a version the newest is meant."""
    return frozenset(
        row.attention
        for row in rows
        if row.engine == engine and (not version or version_key(version) >= version_key(row.since))
    )
