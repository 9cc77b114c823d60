"""The answer of a screen: the verdict, never cut, with its figures; then why, and the next best."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from ...report.draw import answer as drawn
from ...report.show import Answer, Line
from .painted import Painted

_LEAST = 2
"""Lines of the headline."""
LOW = 30
"""Rows of a window below which what is said aside is left out."""


class HeadlineView(Painted):
    """Always visible above the results, as high as the answer needs."""

    DEFAULT_CSS = "HeadlineView { text-wrap: nowrap; height: auto; padding: 0 1; }"

    answer: reactive[Answer] = reactive(Answer("computing …"))
    _least = _LEAST
    """It is as high as this at least."""

    def show(self, answer: Answer, *, more_follows: bool = False) -> None:
        """Replace the answer. Where more of it follows, what stands below it moves no further up until then."""
        self._least = max(_LEAST, self.size.height) if more_follows else _LEAST
        if answer == self.answer:
            self.refit()
        self.answer = answer

    def toned(self, width: int) -> Sequence[Line]:
        return drawn(self.answer, max(20, width), brief=self.app.size.height < LOW, keys=True)

    def watch_answer(self) -> None:
        self.refit()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(self._least, super().get_content_height(container, viewport, width))
