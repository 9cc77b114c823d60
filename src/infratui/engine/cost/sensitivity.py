"""Which input moves the decision most, and the value at which it flips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...value_types import dataclass
from ..cluster.hardware import Accelerator


@dataclass(frozen=True, slots=True)
class Lever:
    """One input to vary: its value now, and how low and high it may plausibly be."""

    name: str
    label: str
    now: float
    low: float
    high: float
    steps: int = 40
    """Halvings of its range until the value where the decision flips is named; each that moves GPUs is a search."""
    kinds: tuple[Accelerator, Accelerator, Accelerator] | None = None
    """What now, low and high stand for where the input is no quantity."""


@dataclass(frozen=True, slots=True)
class Swing:
    """What varying one input does to the advantage of the leading option over the runner-up, USD per month."""

    lever: Lever
    at_low: float
    at_high: float
    flips_at: float | None
    """The value nearest to now at which the runner-up takes the lead; None within the range."""

    @property
    def width(self) -> float:
        return abs(self.at_high - self.at_low)


def tornado(levers: Sequence[Lever], advantage: Callable[[str, float], float]) -> tuple[Swing, ...]:
    """Vary each input alone, widest swing first.

    `advantage(name, value)` is the runner-up's monthly cost less the leader's, with that one input changed: positive
    while the decision stands.
    """
    swings = []
    for lever in levers:
        at_low, at_high = advantage(lever.name, lever.low), advantage(lever.name, lever.high)
        swings.append(Swing(lever, at_low, at_high, _flip(lever, advantage)))
    return tuple(sorted(swings, key=lambda swing: -swing.width))


def _flip(lever: Lever, advantage: Callable[[str, float], float]) -> float | None:
    """The nearest sign change on either side of now, by bisection between the ends."""
    found = [
        value
        for end in (lever.low, lever.high)
        if (value := _cross(lambda x: advantage(lever.name, x), lever.now, end, lever.steps)) is not None
    ]
    return min(found, key=lambda value: abs(value - lever.now), default=None)


def _cross(function: Callable[[float], float], inside: float, outside: float, steps: int) -> float | None:
    if not steps or function(inside) <= 0 or function(outside) > 0:
        return None
    for _ in range(steps):
        middle = (inside + outside) / 2
        if function(middle) > 0:
            inside = middle
        else:
            outside = middle
    return outside
