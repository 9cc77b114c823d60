"""Distributions as weighted points: a handful of quantiles of each independent part, combined."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator

from ...value_types import dataclass

RARE = 1e-4
"""Probability below which a part is left out."""

Weighted = list[tuple[float, float]]
"""Values with their probabilities."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of one quantity over requests, seconds."""

    p50: float
    p90: float
    p95: float
    p99: float


def coupled(one: Weighted, other: Weighted) -> Iterator[tuple[float, float, float]]:
    """Two quantities that rise together: their values at the same quantiles, and the weight of each pair."""
    first, second = sorted(one), sorted(other)
    at = beside = 0
    left, right = first[0][1], second[0][1]
    while at < len(first) and beside < len(second):
        weight = min(left, right)
        yield first[at][0], second[beside][0], weight
        left, right = left - weight, right - weight
        if left <= 1e-12:
            at += 1
            left = first[at][1] if at < len(first) else 0.0
        if right <= 1e-12:
            beside += 1
            right = second[beside][1] if beside < len(second) else 0.0


def crowd(mean: float, excited: float = 0.0) -> list[tuple[float, float]]:
    """A generalized Poisson number as a few weighted values: variance mean/(1 − excited)²; excited 0: Poisson."""
    if mean < RARE:
        return [(0.0, 1.0)]
    first = mean * (1 - excited)
    if mean / (1 - excited) > 9:
        spread = math.sqrt(mean) / (1 - excited)
        # Skewed to the right, as Cornish and Fisher correct a normal quantile.
        skew = (1 + 2 * excited) / math.sqrt(first * (1 - excited))
        return [(max(0.0, mean + spread * (z + skew * (z * z - 1) / 6)), weight) for z, weight in NORMAL]
    found, left, count = [], 1.0, 0
    while left > 1e-3 and count < 60:
        weight = math.exp(
            math.log(first)
            + (count - 1) * math.log(first + count * excited)
            - first
            - count * excited
            - math.lgamma(count + 1)
        )
        found.append((float(count), weight))
        left -= weight
        count += 1
    total = sum(share for _, share in found)
    return [(value, share / total) for value, share in found]


NORMAL = (
    (-2.326, 0.025), (-1.5, 0.085), (-0.84, 0.16), (-0.35, 0.155), (0.0, 0.15), (0.35, 0.155), (0.84, 0.16),
    (1.5, 0.085), (2.326, 0.025),
)  # fmt: skip
"""Points of a standard normal distribution and what they stand for."""


def mean_of(points: Weighted) -> float:
    """The mean."""
    total = math.fsum(weight for _, weight in points)
    return math.fsum(value * weight for value, weight in points) / total


def percentiles(points: Weighted) -> Percentiles:
    """Straight lines between the points."""
    points = sorted(points)
    total = math.fsum(weight for _, weight in points)
    reached, sums = 0.0, []
    for _, weight in points:
        sums.append(reached + weight / 2)
        reached += weight

    def at(share: float) -> float:
        place = bisect.bisect_left(sums, share * total)
        if place <= 0:
            return points[0][0]
        if place >= len(points):
            return points[-1][0]
        left, right = sums[place - 1], sums[place]
        part = (share * total - left) / (right - left) if right > left else 1.0
        return points[place - 1][0] + part * (points[place][0] - points[place - 1][0])

    return Percentiles(at(0.5), at(0.9), at(0.95), at(0.99))
