"""A measured demand profile as the shape of a workload."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from ..memory.lengths import Lengths
from .workload import Shape

if TYPE_CHECKING:
    from ...demand_profile import DemandProfile, LengthSpread

_EDGES = (0, 25, 50, 75, 90, 97, 100)
"""Percent of the requests between which one length stands for all; the longest few have one of their own."""
_PARTS = 8


@lru_cache(maxsize=64)
def shape_of(profile: DemandProfile) -> Shape:
    """How requests differ around the means that take the place of typed ones."""
    prompts, answers, held = profile.input, profile.output, profile.in_flight
    return Shape(
        Lengths(held.mean, held.deviation, max(held.mean, prompts.points[-1] + answers.points[-1])),
        held.decoding,
        1 + (prompts.deviation / prompts.mean) ** 2 if prompts.mean else 1.0,
        answers.deviation / answers.mean if answers.mean else 0.0,
        _classes(prompts),
        _classes(answers),
    )


def _classes(spread: LengthSpread) -> tuple[tuple[float, float], ...]:
    """Lengths over the mean with their shares; one where all are alike. Together they are the load of the mean."""
    if not spread.mean or spread.points[0] == spread.points[-1]:
        return ((1.0, 1.0),)
    found = [(_mean_between(spread, low, high), (high - low) / 100) for low, high in pairwise(_EDGES)]
    whole = sum(length * share for length, share in found)
    return tuple((length / whole, share) for length, share in found)


def _mean_between(spread: LengthSpread, low: float, high: float) -> float:
    """Of the lengths between two percentages: a long tail weighs more than its middle."""
    return sum(spread.at(low + (at + 0.5) / _PARTS * (high - low)) for at in range(_PARTS)) / _PARTS
