"""The comparison screen: inputs that differ, and every headline of all screens with its difference."""

from __future__ import annotations

from textual.app import ComposeResult

from ....engine.evaluate import Evaluation
from ....engine.figures.compare import HeadlineChange
from ....report.compare import (
    SIGNS,
    TITLES,
    Comparison,
    comparison,
    difference_text,
    markdown,
    relative_text,
    summary,
    verdict_line,
)
from ....report.full import figure_text
from ....report.inputs import input_text
from ....scenario import INPUTS, Scenario
from ...screen.section import SectionScreen
from ...widgets.headline import Answer
from ...widgets.panel import Panel
from ...widgets.table import Cell, Column, Row, Table

_TONES = {"better": "good", "worse": "bad", "same": "muted", "": ""}


class CompareScreen(SectionScreen):
    """Pinned beside current."""

    HELP = "c goes back, w swaps the two, C drops the pinned one. Presets, undo and open change the current one."
    SLOW = True
    AUTO_FOCUS = "#figures Table"
    CSS = """
    CompareScreen #inputs { display: none; }
    CompareScreen #figures { height: 1fr; min-height: 9; }
    CompareScreen #figures Table { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._pinned: Scenario | None = None

    def compose_body(self) -> ComposeResult:
        with Panel("Inputs that differ", id="differing"):
            yield Table(
                (
                    Column("Input", "left", sortable=False),
                    Column("Pinned", sortable=False),
                    Column("Now", sortable=False),
                ),
                limit=6,
            )
        with Panel("Headlines", id="figures"):
            yield Table(
                (
                    Column("Screen", "left", keep=2),
                    Column("Figure", "left"),
                    Column("Pinned"),
                    Column("Now"),
                    Column("Difference", keep=1),
                    Column("%"),
                    Column("", "left"),
                ),
                limit=40,
            )

    def sync(self) -> None:
        if self.infra.pinned is not self._pinned:
            self._pinned = self.infra.pinned
            # What was shown compares with something else.
            self._shown = ()
        super().sync()

    def section(self, evaluation: Evaluation) -> Comparison:
        pinned = self.infra.pinned
        if pinned is None:
            raise ValueError("nothing is pinned; c on a numbered screen pins the scenario")
        return comparison(self.infra.evaluate(pinned), evaluation)

    def show(self, result: Comparison) -> None:
        better, worse = result.count("better"), result.count("worse")
        names = f"{result.pinned} → {result.current}"
        self.answer(
            Answer(names, f"{better} better, {worse} worse", "", f"{verdict_line(result)} · w swaps · C drops · c back")
        )
        inputs, figures = (self.query_one(f"{panel} Table", Table) for panel in ("#differing", "#figures"))
        inputs.show(
            [
                Row(
                    change.field,
                    (
                        Cell(INPUTS[change.field].label),
                        Cell(input_text(change.field, change.pinned, result.facts), "muted"),
                        Cell(input_text(change.field, change.current, result.facts), "bold"),
                    ),
                )
                for change in result.inputs
            ]
            or [Row("none", (Cell("nothing differs; change an input, or choose a preset with p"), Cell(""), Cell("")))]
        )
        figures.show([self._row(change) for change in result.figures])

    def _row(self, change: HeadlineChange) -> Row:
        section = change.current.section
        relative = change.relative
        tone = _TONES[change.verdict]
        return Row(
            f"{section}/{change.current.name}",
            (
                Cell(TITLES.get(section, section), "muted"),
                Cell(change.current.name),
                _figure(change, pinned=True, text=figure_text(change.pinned, self.bytes_as)),
                _figure(change, pinned=False, text=figure_text(change.current, self.bytes_as)),
                Cell(difference_text(change, self.bytes_as), tone, change.difference or 0.0),
                Cell(relative_text(change), tone, 0.0 if relative is None else relative),
                Cell(SIGNS[change.verdict], tone),
            ),
        )

    def on_table_moved(self, event: Table.Moved) -> None:
        event.stop()
        self._explain(event.table)

    def _explain(self, table: Table) -> None:
        """Say why a figure is missing on one side."""
        if self.result is None or table.current is None:
            return
        for change in self.result.figures:
            if f"{change.current.section}/{change.current.name}" == table.current.id:
                words = change.current.words or change.pinned.words
                self.note(words) if words else self.note("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Each numbered screen has the math of its own figures.
        return False if action == "math" else super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Back to the screen before."""
        if self.maximized is not None:
            self.minimize()
        else:
            self.infra.step_back()

    def summary(self) -> str:
        return summary(self.result, self.bytes_as) if self.result is not None else ""

    def markdown(self) -> str:
        return markdown(self.result, self.bytes_as) + "\n"


def _figure(change: HeadlineChange, *, pinned: bool, text: str) -> Cell:
    side = change.pinned if pinned else change.current
    if side.value is None:
        return Cell("–", "muted")
    return Cell(text, "muted" if pinned else "bold", float(side.value))
