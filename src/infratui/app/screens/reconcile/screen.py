"""*Reconcile*: predicted beside measured, the log's line with each term, and what a failed start would have needed."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ....catalog.load import Catalog
from ....engine.figures.units import ByteUnit
from ....hosts import profile_of, save_profile
from ....plain_text import harmless
from ....reality.comparison import Reconciliation
from ....report import reconcile as report
from ....report.show import Bars, Prose, Table
from ....scenario import ScenarioError
from ...keys import SOURCED
from ...screen.overlays import Prompt
from ...screen.source import SourceScreen
from ...widgets.drawn import BarList, ProseView
from ...widgets.table import TableView


class ReconcileScreen(SourceScreen[None]):
    """A start-up log, read and explained."""

    TITLE_TEXT = "Reconcile"
    OFFERED = (*SOURCED[:1], ("enter", "read"), ("s", "keep a host profile"), *SOURCED[-1:])
    KEYS_TEXT = "paste a log, or a path and enter · s keeps a host profile · esc closes"
    ASK = "Paste the start-up log of vLLM, SGLang, TensorRT-LLM or llama.cpp, or type its path."
    DEFAULT_CSS = "ReconcileScreen #gaps, ReconcileScreen #remedies { margin-top: 1; }"

    def __init__(self, facts: Catalog) -> None:
        super().__init__()
        self._facts = facts
        self.comparison: Reconciliation | None = None

    def compose_found(self) -> ComposeResult:
        yield TableView(limit=14)
        yield Static("", id="quote", markup=False)
        yield BarList(id="gaps")
        yield ProseView(id="remedies")

    @property
    def target(self) -> Widget | None:
        return self.query_one(TableView)

    def read(self, text: str) -> None:
        from ....reconciling import compare

        self.comparison = found = compare(text, self._facts)
        answer = report.answer(found, ByteUnit.GIB)
        lead = " ".join(part for part in (answer.text, answer.figure) if part)
        self.say(f"{lead}\n{answer.detail}", answer.tone)
        remedies = Prose("remedies", "", ())
        for block in report.page(found, ByteUnit.GIB):
            match block:
                case Table():
                    self.query_one(TableView).show(block)
                case Bars():
                    self.query_one(BarList).show(block)
                case Prose(id="remedies"):
                    remedies = block
        self.query_one("#remedies", ProseView).show(remedies)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        event.stop()
        self.query_one("#quote", Static).update(Content.styled(harmless(event.detail), "$muted"))

    def on_key(self, event: events.Key) -> None:
        if event.key == "s" and self.focused is not self.line and self.comparison is not None:
            event.stop()
            event.prevent_default()
            self.app.push_screen(Prompt("Keep as the profile of the host", "my-host", self._keep))
            return
        super().on_key(event)

    def _keep(self, name: str) -> str:
        """Why the profile cannot be kept, or nothing."""
        if self.comparison is None:
            return "nothing is read yet"
        try:
            path = save_profile(profile_of(self.comparison, name))
        except ScenarioError as error:
            return str(error)
        self.say(f"kept in {path}; infratui reconcile LOG --host {name} uses it", "good")
        return ""
