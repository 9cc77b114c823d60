"""*Your hardware*: node × card × count × memory as reported × busy × link; enter takes the cards into the scenario."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.widget import Widget

from ....catalog.load import Catalog
from ....hosts import apply_hardware
from ....reality.host.reading import HostReading
from ....report import host as report
from ....scenario import Scenario, ScenarioError
from ...screen.source import SourceScreen
from ...widgets.drawn import ProseView
from ...widgets.table import TableView


class HostScreen(SourceScreen[tuple[Scenario, str]]):
    """Dismisses with the scenario on the chosen hardware and what was set in words, or None."""

    TITLE_TEXT = "Your hardware"
    KEYS_TEXT = "paste, or a path and enter · enter takes a row · esc closes"
    ASK = (
        "Paste what nvidia-smi, nvidia-smi topo -m, amd-smi, rocm-smi, kubectl get nodes -o json, kubectl describe "
        "node, scontrol show node or sinfo print; or type a file's path, or an instance type such as p5.48xlarge."
    )

    def __init__(self, scenario: Callable[[], Scenario], facts: Catalog) -> None:
        super().__init__()
        self._scenario = scenario
        self._facts = facts
        self.reading: HostReading | None = None

    def compose_found(self) -> ComposeResult:
        yield TableView(limit=12)
        yield ProseView()

    @property
    def target(self) -> Widget | None:
        return self.query_one(TableView)

    def read(self, text: str) -> None:
        from ....catalog.host_names import host_tables
        from ....reality.host import read_host

        self.reading = reading = read_host(text, host_tables(), self._facts)
        answer = report.answer(reading)
        self.say(answer.text, answer.tone)
        table, remarks = report.page(reading)
        self.query_one(TableView).show(table)  # type: ignore[arg-type]
        self.query_one(ProseView).show(remarks)  # type: ignore[arg-type]

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        event.stop()
        if self.reading is None:
            return
        device = self.reading.devices[int(event.row)]
        try:
            taken = apply_hardware(self._scenario(), self.reading, self._facts, device)
        except ScenarioError as error:
            self.say(f"✗ {error}", "bad")
            return
        self.dismiss(taken)
