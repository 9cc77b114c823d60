"""Rows in as many columns as fit, filled downwards, so that moving down reads down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement

if TYPE_CHECKING:
    from textual.widget import Widget


class ColumnLayout(Layout):
    """One-line children in columns at least `narrowest` cells wide; those that say so come last in several columns."""

    name = "columns"

    def __init__(self, narrowest: int = 34) -> None:
        self.narrowest = narrowest

    def columns(self, width: int) -> int:
        """How many columns fit."""
        return max(1, width // self.narrowest)

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        parent.pre_layout(self)
        count = self.columns(size.width)
        if count > 1:
            children = sorted(children, key=lambda child: getattr(child, "STANDS_LAST", False))
        rows = -(-len(children) // count)
        width = size.width // count
        return [
            WidgetPlacement(
                Region(at // rows * width, at % rows, width, 1), NULL_OFFSET, Spacing(), child, 0, False, False, False
            )
            for at, child in enumerate(children)
        ]
