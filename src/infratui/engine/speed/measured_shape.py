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
    """Lengths over the mean with their shares; one where all are alike."""
    if not spread.mean or spread.points[0] == spread.points[-1]:
        return ((1.0, 1.0),)
    return tuple((spread.at((low + high) / 2) / spread.mean, (high - low) / 100) for low, high in pairwise(_EDGES))
