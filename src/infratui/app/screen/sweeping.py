"""The sweep of a focused value: the section's answer over its range, as it is computed; enter takes a point."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from ...inputs import Kind
from ...report.reasons import error_text
from ...scenario import INPUTS, ScenarioError
from ...settings_text import parse_sweep
from ..keys import SWEEPING
from ..widgets.line_chart import LineChart
from ..widgets.picker import Modal
from ..widgets.table import TableView
from .overlays import Prompt

if TYPE_CHECKING:
    from ...engine.figures.units import ByteUnit
    from ...engine.sweep import SweepPoint, SweepResult
    from ..session import Session

_EVERY_S = 0.2
"""How often a running sweep is shown."""
_AROUND = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0)
"""Multiples of an amount that has no scale of its own."""


class SweepScreen(Modal[object]):
    """A value's range and the answer at each point. Dismisses with the value to take, or None."""

    OFFERED = SWEEPING
    DEFAULT_CSS = """
    SweepScreen { align: center middle; background: transparent; }
    SweepScreen > #box { width: 116; max-width: 98%; height: 92%; border: round $key; background: $panel; padding: 0 1;
        border-title-color: $key; border-title-style: bold; border-subtitle-color: $muted; }
    SweepScreen #lead { height: 2; }
    SweepScreen LineChart { height: 9; }
    SweepScreen TableView { height: 1fr; }
    """

    class Grown(Message):
        """More points are known."""

        def __init__(self, found: SweepResult, finished: bool) -> None:
            super().__init__()
            self.found, self.finished = found, finished

    def __init__(
        self, session: Session, section: str, field: str, values: Sequence[object], bytes_as: ByteUnit
    ) -> None:
        super().__init__()
        self._session, self._section, self._field, self._bytes_as = session, section, field, bytes_as
        self._values = tuple(values)
        self._sweeping = False
        self.found: SweepResult | None = None
        """What is shown."""

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = f"{INPUTS[self._field].label}: the answer over its range"
            yield Static("", id="lead", markup=False)
            yield LineChart()
            yield TableView(limit=200)

    def on_mount(self) -> None:
        self.query_one(TableView).focus()
        self._begin(self._values)

    def _begin(self, values: Sequence[object]) -> None:
        self._values, self._sweeping = tuple(values), True
        self._say()
        self._compute(self._values)

    @work(thread=True, exclusive=True, group="sweep")
    def _compute(self, values: tuple[object, ...]) -> None:
        """Point by point, beside the screen."""
        from ...engine.evaluate import Evaluator
        from ...engine.sweep import SweepResult, sweep

        worker, session = get_current_worker(), self._session
        scenario = session.scenario
        points: list[SweepPoint] = []
        told = time.monotonic()
        for point in sweep(Evaluator(session.facts), scenario, self._section, self._field, values):
            if worker.is_cancelled:
                return
            points.append(point)
            if time.monotonic() - told > _EVERY_S:
                told = time.monotonic()
                self.post_message(self.Grown(SweepResult(self._section, self._field, scenario, tuple(points)), False))
        if not worker.is_cancelled:
            self.post_message(self.Grown(SweepResult(self._section, self._field, scenario, tuple(points)), True))

    def on_sweep_screen_grown(self, event: Grown) -> None:
        event.stop()
        if not self._sweeping:
            return
        self._sweeping = not event.finished
        self._show(event.found)

    def _show(self, found: SweepResult) -> None:
        from ...report import sweep as words

        self.found = found
        facts = self._session.facts
        self.query_one(LineChart).display = words.is_scale(self._field)
        self.query_one(LineChart).show(words.chart(found, facts, self._bytes_as))
        self.query_one(TableView).show(words.table(found, facts, self._bytes_as))
        self._say()

    def _say(self) -> None:
        """The lead and what the keys do."""
        box, lead = self.query_one("#box"), self.query_one("#lead", Static)
        count = len(self.found.points) if self.found else 0
        if self._sweeping:
            lead.update(Content.styled(f"{count} of {len(self._values)} values …", "bold $key"))
            box.border_subtitle = "esc stops"
            return
        box.border_subtitle = "enter takes a point · f another range · > sorts · esc closes"
        if self.found is None:
            return
        from ...report.sweep import answer

        words = answer(self.found, self._session.facts)
        tone = f"bold ${words.tone}" if words.tone else ""
        lead.update(Content.assemble((words.text, tone or "bold"), f"   {words.figure}\n", (words.detail, "$muted")))

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        event.stop()

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        event.stop()
        if self.found is not None:
            self.dismiss(next((point.value for point in self.found.points if str(point.value) == event.row), None))

    def on_key(self, event: events.Key) -> None:
        if event.key in ("escape", "q"):
            if self._sweeping and event.key == "escape":
                self._stop()
            else:
                self.workers.cancel_group(self, "sweep")
                self.dismiss(None)
        elif event.key == "f":
            self.app.push_screen(Prompt(f"Range of {INPUTS[self._field].label}", self._typed(), self._again))
        else:
            return
        event.stop()
        event.prevent_default()

    def _stop(self) -> None:
        """Keep what is there."""
        from dataclasses import replace

        self.workers.cancel_group(self, "sweep")
        self._sweeping = False
        if self.found is not None:
            self._show(replace(self.found, whole=False))
        else:
            self.dismiss(None)

    def _typed(self) -> str:
        book, values = self._session.fields, self._values
        if len(values) > 2 and all(isinstance(value, int | float) for value in values):
            return "..".join(book.typed(self._field, value).replace(",", "") for value in (values[0], values[-1]))
        return ",".join(str(value) for value in values[:3])

    def _again(self, text: str) -> str:
        """Sweep what was typed; why it cannot be, or nothing."""
        try:
            name, values = parse_sweep(f"{self._field}={text}")
            for value in (values[0], values[-1]):
                self._session.scenario.with_(**{name: value})
        except ScenarioError as error:
            return error_text(error).removeprefix("--sweep ")
        self.found = None
        self._begin(values)
        return ""


def values_of(session: Session, field: str) -> tuple[object, ...]:
    """The values that a field's arrows walk, its own among them; empty where it has no range."""
    spec, now = INPUTS[field], getattr(session.scenario, field)
    if spec.kind is Kind.SWITCH:
        return (False, True)
    if spec.kind in (Kind.TEXT, Kind.PROFILE):
        return ()
    if not isinstance(now, int | float):
        return tuple(dict.fromkeys((*session.fields.values(field), *((now,) if now else ()))))
    found = {value for value in spec.steps if value or not spec.zero}
    if not found and now:
        found = {float(f"{now * share:.3g}") for share in _AROUND}
    if now or not spec.zero:
        found.add(now)
    whole = spec.kind in (Kind.COUNT, Kind.TOKENS)
    return tuple(sorted(int(value) if whole else float(value) for value in found)) if len(found) > 1 else ()
