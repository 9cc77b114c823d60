"""*Measured demand*: a trace or a server's metrics read, typed beside measured, and taken into the scenario."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from .... import mishaps
from ....report import demand as report
from ....report.show import Block, Lines, Prose, Table
from ....scenario import Scenario
from ...screen.source import SourceScreen
from ...widgets.drawn import LinesView, ProseView
from ...widgets.table import TableView

if TYPE_CHECKING:
    from ....demand.stream import DemandSource
    from ...session import Session

_TAKEN = ("60s", "10s")


class StoppedError(ValueError):
    """Something else is read by now, or the window is closed."""


class DemandScreen(SourceScreen[tuple[Scenario, str]]):
    """Dismisses with the scenario with the measured demand and what was set in words, or None."""

    TITLE_TEXT = "Measured demand"
    KEYS_TEXT = "paste, or paths and enter · enter takes a measured row · esc closes"
    ASK = (
        "Paste what a server's /metrics prints (vLLM, SGLang, TGI, Dynamo), or type the path of a trace: Azure, "
        "BurstGPT, Mooncake, any CSV or JSON lines with prompt and answer tokens. Two paths are two scrapes of one "
        "server."
    )
    DEFAULT_CSS = """
    DemandScreen #strips, DemandScreen #asks, DemandScreen #remarks { margin-top: 1; }
    """

    class Taken(Message):
        """A reading is done: the scenario with it, what was set in words, and what there is to show."""

        def __init__(self, scenario: Scenario, words: str, said: tuple[str, str], blocks: tuple[Block, ...]) -> None:
            super().__init__()
            self.scenario, self.words, self.said, self.blocks = scenario, words, said, blocks

    class Refused(Message):
        """Nothing could be read."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.found: DemandScreen.Taken | None = None

    def compose_found(self) -> ComposeResult:
        yield TableView(id="lengths", limit=2)
        yield LinesView(id="strips")
        yield TableView(id="asks", limit=5)
        yield ProseView(id="remarks")

    @property
    def target(self) -> Widget | None:
        return self.query_one("#asks")

    def take(self, text: str) -> None:
        """Read in a thread: a trace of millions of requests takes seconds."""
        self.say("reading …", "muted")
        self._read(text, self._session.scenario)

    @work(thread=True, exclusive=True, group="demand")
    def _read(self, text: str, scenario: Scenario) -> None:
        worker = get_current_worker()

        def stopped() -> bool:
            return worker.is_cancelled

        try:
            message: Message = self._reading(text, scenario, stopped)
        except StoppedError:
            return
        except Exception as error:
            message = self.Refused(mishaps.told(error, "reading measured demand").words)
        if not worker.is_cancelled:
            self.post_message(message)

    def _reading(self, text: str, scenario: Scenario, stopped: Callable[[], bool]) -> Taken:
        from ....catalog.demand_names import demand_names
        from ....demand.reading import read_demand
        from ....measuring import measured_in

        with ExitStack() as opened:
            found = read_demand(_sources(text, opened, stopped), demand_names())
        changed, words = measured_in(scenario, found)
        answer = report.answer(found)
        said = "\n".join(part for part in (answer.text, answer.figure) if part)
        evaluation = self._session.evaluate(changed)
        effect = report.effect(evaluation.demand_effect, scenario.currency)
        return self.Taken(changed, words, (said, answer.tone), (*report.page(found), *effect))

    def on_demand_screen_taken(self, event: Taken) -> None:
        self.found = event
        line = ""
        for block in event.blocks:
            match block:
                case Table(id="lengths"):
                    self.query_one("#lengths", TableView).show(block)
                case Table(id="measured"):
                    self.query_one("#asks", TableView).show(block)
                case Lines(id="strips"):
                    self.query_one("#strips", LinesView).show(block)
                case Prose(id="remarks"):
                    self.query_one("#remarks", ProseView).show(block)
                case Prose(id="measured"):
                    line = block.sentences[0].text
        words, tone = event.said
        self.say(f"{words}\n{line}", tone)
        self.add_class("-read")
        self.set_focus(self.target)

    def on_demand_screen_refused(self, event: Refused) -> None:
        self.found = None
        self.remove_class("-read")
        self.say(f"✗ {event.reason}", "bad")

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        event.stop()
        if self.found is None or event.table.id != "asks":
            return
        if event.row in _TAKEN:
            self.dismiss((self.found.scenario.with_(peak_window=event.row), self.found.words))
        elif event.row == "typed":
            self.dismiss((self._session.scenario.with_(demand_profile=None), "typed lengths and peak are in force"))
        else:
            self.app.bell()
            self.say("✗ that row only compares; enter on a measured row takes it, on the typed one drops it", "bad")


def _sources(text: str, opened: ExitStack, stopped: Callable[[], bool]) -> list[DemandSource]:
    """The paste itself, or the files of one or two paths; reading ends where nobody waits for it. Raises OSError."""
    from ....demand.stream import DemandSource, file_source

    if "\n" in text:
        return [DemandSource("what was pasted", io.BytesIO(text.encode("utf-8", "replace")).read)]
    names = [text] if " " not in text else _paths(text)

    def watched(source: DemandSource) -> DemandSource:
        def read(size: int) -> bytes:
            if stopped():
                raise StoppedError
            return source.read(size)

        return DemandSource(source.name, read, source.written_s)

    return [watched(file_source(name, opened)) for name in names]


def _paths(text: str) -> list[str]:
    """One path with spaces, or several as a shell would take them apart."""
    import shlex
    from pathlib import Path

    if Path(text).expanduser().exists():
        return [text]
    try:
        return shlex.split(text)
    except ValueError:
        return [text]
