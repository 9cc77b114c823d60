"""Which widget shows which kind of block, and where on a screen it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.widget import Widget

from ...report.show import Bars, Chart, Lines, Prose, Stack, Stacks, Table
from ..widgets.drawn import BarList, LinesView, ProseView, StackedBar, StacksView
from ..widgets.line_chart import LineChart
from ..widgets.table import TableView

VIEWS: Mapping[type, type[Widget]] = {
    Table: TableView,
    Bars: BarList,
    Stack: StackedBar,
    Stacks: StacksView,
    Chart: LineChart,
    Prose: ProseView,
    Lines: LinesView,
}
"""Kind of block → the widget that shows it. `Pillars` are walked: their screen shows them itself."""


def by_panel(screen: Widget) -> Mapping[str, Sequence[Widget]]:
    """Every widget that shows a block, under its own id and that of everything it stands in."""
    found: dict[str, list[Widget]] = {}
    for widget in screen.walk_children(Widget):
        if isinstance(widget, tuple(VIEWS.values())):
            for node in widget.ancestors_with_self:
                if node.id:
                    found.setdefault(node.id, []).append(widget)
    return found
