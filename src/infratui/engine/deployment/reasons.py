"""Why a deployment is as it is: kinds with their numbers; the words are a report's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReasonKind(StrEnum):
    """What a reason is about."""

    PINNED = "pinned"
    """The user set it."""
    ONLY = "only"
    """No other layout holds the load."""
    FASTEST = "fastest"
    """The best prediction of so many layouts."""
    FEWER_PER_REPLICA = "fewer per replica"
    """Nearly as fast as the fastest, and a lost GPU stops fewer users."""
    NO_SPEED = "no speed"
    """Nothing is predicted: the smallest replicas."""
    MISSES = "misses"
    """No layout holds the latency targets."""
    REPLICAS = "replicas"
    IDLE = "idle"
    SHORT = "short"
    """Memory is short, in bytes per GPU."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind, what it names, and its numbers in base units."""

    kind: ReasonKind
    name: str = ""
    numbers: tuple[tuple[str, float], ...] = ()

    def number(self, key: str) -> float:
        return dict(self.numbers)[key]


def because(kind: ReasonKind, name: str = "", **numbers: float) -> Reason:
    """A reason of named numbers."""
    return Reason(kind, name, tuple(numbers.items()))
