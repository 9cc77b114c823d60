"""The answer of a screen: the verdict, never cut, with its figures; then why, and the next best."""

from __future__ import annotations

from rich.style import Style as RichStyle
from textual.reactive import reactive
from textual.widget import Widget

from ...report.draw import answer as drawn
from ...report.rich_lines import RichLines
from ...report.show import Answer, Line
from ..terminal.remembered import relayout
from .drawn import rich_style

LOW = 30
"""Rows of a window below which what is said aside is left out."""


class HeadlineView(Widget):
    """Always visible above the results, as high as the answer needs."""

    DEFAULT_CSS = "HeadlineView { text-wrap: nowrap; height: auto; padding: 0 1; }"

    answer: reactive[Answer] = reactive(Answer("computing …"))

    def _lines(self, width: int) -> tuple[Line, ...]:
        return drawn(self.answer, max(20, width), brief=self.app.size.height < LOW)

    def watch_answer(self, before: Answer, after: Answer) -> None:
        if self.is_mounted and len(self._lines(self.content_size.width)) != self.size.height:
            relayout(self)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(2, len(self._lines(width)))

    def render(self) -> RichLines:
        app = self.app
        return RichLines(self._lines, lambda tone: rich_style(app, app.theme, tone) if tone else RichStyle.null())
