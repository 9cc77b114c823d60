"""What metrics and columns of traces are called: values that the catalog fills from `demand_names.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Literal

from ..value_types import dataclass

Concept = Literal[
    "input", "output", "input_total", "output_total", "done", "running", "waiting", "kv_use", "cache_hits",
    "cache_queries", "cached_tokens", "hit_rate", "queue_time",
]  # fmt: skip
"""What a metric counts, whatever its engine calls it."""


@dataclass(frozen=True, slots=True)
class MetricName:
    """One name on the wire, without the endings that Prometheus adds. `since` and `until`: versions seen with it."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    concept: Concept
    name: str
    since: str = ""
    until: str = ""
    """Last version with the name; empty: the newest read still has it."""


@dataclass(frozen=True)
class DemandNames:
    """All names. Where several stand for one thing, the first that is present counts, and no other."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    sources: Mapping[str, str]
    metrics: tuple[MetricName, ...]
    columns: Mapping[str, tuple[str, ...]]
    """`input`, `output`, `time`, `hashes`, `session`, `cached`, `delay` → names in traces, without case and spaces."""

    @cached_property
    def known(self) -> Mapping[str, MetricName]:
        """By name on the wire."""
        return {entry.name: entry for entry in self.metrics}

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """In the order in which they are looked for."""
        return tuple(dict.fromkeys(entry.engine for entry in self.metrics))

    def of(self, engine: str, concept: str) -> tuple[str, ...]:
        """Names of one thing, the preferred first."""
        return tuple(entry.name for entry in self.metrics if entry.engine == engine and entry.concept == concept)

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """Folded column name → what it holds."""
        return {folded(name): role for role, names in self.columns.items() for name in names}


def folded(name: str) -> str:
    """A column's name without case, spaces, dashes and underscores."""
    return "".join(char for char in name.casefold() if char.isalnum())
