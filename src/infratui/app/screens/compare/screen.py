"""The comparison screen: inputs that differ, and every headline of all screens with its difference."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult

from ....engine.evaluate import Evaluation
from ....report.compare import Comparison, answer, comparison, markdown, page, summary
from ....report.show import Says
from ....scenario import Scenario
from ...screen.answer import AnswerScreen
from ...widgets.drawn import ProseView
from ...widgets.panel import Panel
from ...widgets.table import TableView


class CompareScreen(AnswerScreen[Comparison]):
    """Pinned beside current."""

    HELP = "c goes back, w swaps the two, C drops the pinned one. Presets, undo and open change the current one."
    SLOW = True
    AUTO_FOCUS = "#figures TableView"
    CSS = """
    CompareScreen #figures { height: 1fr; min-height: 9; }
    CompareScreen #figures TableView { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._pinned: Scenario | None = None

    def compose_body(self) -> ComposeResult:
        with Panel("Inputs that differ", id="differing"):
            yield TableView(limit=6)
        with Panel("What changes a decision", id="answers"):
            yield ProseView()
        with Panel("Figures, those that decide first", id="figures"):
            yield TableView(limit=40)

    def sync(self) -> None:
        if self.session.pinned is not self._pinned:
            self._pinned = self.session.pinned
            # What was shown compares with something else.
            self.forget()
        super().sync()

    def section(self, evaluation: Evaluation) -> Comparison:
        pinned = self.session.pinned
        if pinned is None:
            raise ValueError("nothing is pinned; c on a numbered screen pins the scenario")
        return comparison(self.session.evaluate(pinned), evaluation)

    def show(self, result: Comparison) -> None:
        found = answer(result, self.bytes_as)
        self.answer(replace(found, lines=(*found.lines, Says("", "w swaps · C drops · c back", muted=True))))
        self.place(*page(result, self.bytes_as))

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        event.stop()
        self.note(event.detail)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Each numbered screen has the math of its own figures.
        return False if action == "math" else super().check_action(action, parameters)

    def left(self) -> None:
        """Back to the screen before."""
        self.infra.step_back()

    def summary(self) -> str:
        return summary(self.result, self.bytes_as) if self.result is not None else ""

    def markdown(self) -> str:
        return markdown(self.result, self.bytes_as) + "\n" if self.result is not None else ""
