"""What a deployment's reasons are about."""

from __future__ import annotations

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
