"""Who holds what in a layout, in ranges: columns of each matrix, layers of each stage, users of each copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from .show import Says

if TYPE_CHECKING:
    from ..engine.cluster.layout import Layout

_NAMED = 4
"""Ranges that are named; of more the last one stands behind dots."""


def shares(layout: Layout, hidden_size: int, stage_layers: Sequence[tuple[int, int]]) -> Iterator[Says]:
    """One line per way of splitting that the layout uses; columns are counted from 0, layers as they are given."""
    if layout.tp > 1:
        ends = [hidden_size * at // layout.tp for at in range(layout.tp + 1)]
        ranges = [(low, high - 1) for low, high in pairwise(ends)]
        yield Says("TP", f"each GPU holds a slice of every matrix: columns {_listed('T', ranges)} of {hidden_size:,}")
    if layout.pp > 1:
        yield Says("PP", f"each stage holds whole layers: {_listed('S', stage_layers)}")
    if layout.dp > 1:
        named = ", ".join(f"user {chr(ord('A') + at)} by R{at}" for at in range(min(layout.dp, _NAMED - 1)))
        yield Says("DP", f"each user is served by one copy alone: {named}{' …' if layout.dp >= _NAMED else ''}")


def _listed(letter: str, ranges: Sequence[tuple[int, int]]) -> str:
    named = [f"{letter}{at} {_range(*entry)}" for at, entry in enumerate(ranges)]
    return ", ".join(named if len(named) <= _NAMED else [*named[: _NAMED - 1], "…", named[-1]])


def _range(low: int, high: int) -> str:
    return "none" if high < low else f"{low:,}" if low == high else f"{low:,}–{high:,}"
