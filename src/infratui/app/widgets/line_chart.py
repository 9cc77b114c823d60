"""A chart as a widget: the lines that the report draws, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from ...report.line_chart import chart_lines
from ...report.show import Chart, Line
from .painted import Painted


class LineChart(Painted):
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

    def toned(self, width: int) -> Sequence[Line]:
        return chart_lines(self.chart, width, self.size.height)
