"""A chart as a widget: the lines that the report draws, in the colours of the theme."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ...report.line_chart import chart_lines
from ...report.show import Chart


class LineChart(Widget):
    """A chart that fills its region.

    ```python
    chart.show(Chart((Curve("8K", ((1, 70e9), (64, 150e9)), "kv"),), (Rule("8 × H100", 640e9),), "users", "GB"))
    ```
    """

    DEFAULT_CSS = "LineChart { text-wrap: nowrap; height: 10; width: 1fr; }"

    chart: reactive[Chart] = reactive(Chart())

    def show(self, chart: Chart) -> None:
        """Replace the chart."""
        self.chart = chart

    def render(self) -> Content:
        return draw(self.chart, self.size.width, self.size.height)


def draw(chart: Chart, width: int, height: int) -> Content:
    """The chart as text, `width` × `height` cells."""
    lines = (
        Content.assemble(*((text, f"${tone}" if tone else "") for text, tone in line))
        for line in chart_lines(chart, width, height)
    )
    return Content("\n").join(lines)
