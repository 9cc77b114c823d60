"""The scale and the minimum of a K-quant sub-block, by the trial search of llama.cpp (make_qkx2_quants)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import mul

from infratui.engine.formats.description import KSearch

from ...value_types import dataclass


@dataclass(frozen=True, slots=True)
class SubBlockFit:
    """The best scale and minimum found for a sub-block: value ≈ scale * level - minimum."""

    scale: float
    minimum: float


def sub_block_fit(values: Sequence[float], search: KSearch, highest: int) -> SubBlockFit:
    """Least squares for scale and minimum over trial assignments of the values to the levels 0 … `highest`.

    The weight of a value is its magnitude plus the root mean square of the sub-block, so that large values count more.
    The minimum is never negative, so that zero stays representable.
    """
    low, high = min(0.0, *values), max(values)
    if high == low:
        return SubBlockFit(0.0, -low)
    spread = high - low
    ordered = sorted(values)
    mean = math.sqrt(sum(map(mul, values, values)) / len(values))
    weights = [mean + abs(x) for x in ordered]
    weighted = list(map(mul, weights, ordered))
    sum_w, sum_x, sum_xx = sum(weights), sum(weighted), sum(map(mul, weighted, ordered))
    # Weight at and above each position: level k is reached by all values from some position on, so the sums over
    # levels are sums of these at the positions of the thresholds.
    above = [*accumulate(reversed(weights), initial=0.0)][::-1]
    above_x = [*accumulate(reversed(weighted), initial=0.0)][::-1]
    heights = [(x - low) / spread for x in ordered]

    scale, minimum, least = 0.0, 0.0, math.inf
    tried: list[int] = []
    odd = range(1, 2 * highest, 2)
    at, at_x = above.__getitem__, above_x.__getitem__
    for step, thresholds in enumerate(_thresholds(search, highest)):
        reached = list(map(bisect_left, repeat(heights), thresholds))
        if step > 1 and reached == tried:
            continue
        tried = reached
        steps_w = list(map(at, reached))
        sum_l, sum_ll = sum(steps_w), sum(map(mul, odd, steps_w))
        sum_xl = sum(map(at_x, reached))
        if step == 0:
            this_scale, this_minimum = spread / highest, low
        else:
            determinant = sum_w * sum_ll - sum_l * sum_l
            if determinant <= 0:
                continue
            this_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant
            this_minimum = (sum_ll * sum_x - sum_l * sum_xl) / determinant
            if this_minimum > 0:
                this_scale, this_minimum = sum_xl / sum_ll, 0.0
        # The weighted squared error of this fit, multiplied out so that the sums above suffice.
        error = (
            this_scale * (this_scale * sum_ll + 2 * (this_minimum * sum_l - sum_xl))
            + this_minimum * (this_minimum * sum_w - 2 * sum_x)
            + sum_xx
        )
        if error < least:
            least, scale, minimum = error, this_scale, this_minimum
    return SubBlockFit(scale, -minimum)


@lru_cache(maxsize=8)
def _thresholds(search: KSearch, highest: int) -> tuple[tuple[float, ...], ...]:
    """Heights (0 lowest value, 1 highest) from which each level is reached: the plain division, then the trials."""
    stretches = [float(highest), *(search.first + search.step * step + highest for step in range(search.steps + 1))]
    return tuple(tuple((level - 0.5) / stretch for level in range(1, highest + 1)) for stretch in stretches)
