"""What starts the deployment, before it is copied or written: engine, version and form to choose, the text below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from ...catalog.launch_flags import launch_flags
from ...plain_text import harmless
from ...report.draw import lines_of, plain
from ...report.export import free_path
from ...report.launch import FORMS, answer, explained, file_name, remarks_of
from ...report.reasons import error_text
from ...scenario import Scenario
from ...value_types import dataclass
from ..keys import LAUNCHING
from ..widgets.picker import Modal
from .exporting import writer
from .overlays import Prompt

if TYPE_CHECKING:
    from ...launching.command import LaunchCommand
    from ...launching.plan import LaunchPlan
    from ..session import Session

_WIDEST = 112
"""Columns of the window at most."""
_LINES = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": 15, "pageup": -15, "ctrl+d": 15, "ctrl+u": -15}


@dataclass(frozen=True, slots=True)
class LaunchChoice:
    """What is to be started, and as what."""

    engine: str
    version: str
    form: str


@dataclass(frozen=True, slots=True)
class LaunchText:
    """The text for one choice, or why there is none."""

    chosen: LaunchChoice
    text: str = ""
    lead: str = ""
    remarks: tuple[str, ...] = ()
    explained: str = ""
    name: str = ""
    """Of the file that is proposed."""
    refusal: str = ""


class LaunchChoiceLine(Widget):
    """Engine, version and form in one line; the one that arrows change stands out, between its arrows."""

    DEFAULT_CSS = "LaunchChoiceLine { height: 1; text-wrap: nowrap; }"

    chosen: reactive[LaunchChoice | None] = reactive(None)
    at: reactive[int] = reactive(0)

    def render(self) -> Content:
        if self.chosen is None:
            return Content("")
        values = (self.chosen.engine, self.chosen.version, FORMS[self.chosen.form][0])
        parts: list[tuple[str, str]] = []
        for at, (label, value) in enumerate(zip(("Engine", "version", "as"), values, strict=True)):
            here = at == self.at
            parts += [(f"{label} ", "$muted"), ("◂ " if here else "  ", "$key")]
            parts += [(value, "bold $key" if here else ""), (" ▸  " if here else "    ", "$key")]
        return Content.assemble(*parts)


class LaunchScreen(Modal[None]):
    """A window over a screen; it closes without a result."""

    OFFERED = LAUNCHING
    DEFAULT_CSS = """
    LaunchScreen { align: center middle; background: transparent; }
    LaunchScreen > #box { width: 112; max-width: 98%; height: 92%; border: round $key; background: $panel;
        padding: 0 1; border-title-color: $key; border-title-style: bold; border-subtitle-color: $muted; }
    LaunchScreen #lead, LaunchScreen #told { height: auto; }
    LaunchScreen #text { height: 1fr; border-top: solid $muted; }
    """

    class Ready(Message):
        """The text of a choice is there."""

        def __init__(self, started: LaunchText) -> None:
            super().__init__()
            self.started = started

    def __init__(self, session: Session, copy: Callable[[str, str], None], tell: Callable[[str, str], None]) -> None:
        super().__init__()
        self._session, self._copy, self._tell = session, copy, tell
        scenario = session.scenario
        self.chosen = LaunchChoice(
            scenario.engine, scenario.engine_version or launch_flags()[scenario.engine].newest, "sh"
        )
        self.started: LaunchText | None = None
        self._explains = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Launch: what starts it"
            box.border_subtitle = "←→ change · tab · v version · x explain · y copy · enter write · esc"
            yield LaunchChoiceLine()
            yield Static("", id="lead", markup=False)
            with VerticalScroll(id="text", can_focus=False):
                yield Static("", id="lines", markup=False)
            yield Static("", id="told", markup=False)

    def on_mount(self) -> None:
        self._choose(self.chosen)

    # -- choosing

    def _choose(self, chosen: LaunchChoice) -> None:
        self.chosen = chosen
        self.query_one(LaunchChoiceLine).chosen = chosen
        self._make(chosen, self._session.scenario)

    def _step(self, by: int) -> None:
        chosen, tables = self.chosen, launch_flags()
        match self.query_one(LaunchChoiceLine).at:
            case 0:
                engine = _walk(tuple(tables), chosen.engine, by)
                self._choose(LaunchChoice(engine, self._version(engine), chosen.form))
            case 1:
                versions = tables[chosen.engine].versions
                if chosen.version not in versions:
                    versions = (chosen.version, *versions)
                self._choose(LaunchChoice(chosen.engine, _walk(versions, chosen.version, by), chosen.form))
            case _:
                self._choose(LaunchChoice(chosen.engine, chosen.version, _walk(tuple(FORMS), chosen.form, by)))

    def _version(self, engine: str) -> str:
        scenario = self._session.scenario
        stated = scenario.engine_version if engine == scenario.engine else ""
        return stated or launch_flags()[engine].newest

    def _typed(self, text: str) -> str:
        """Take a version that was typed; why it is none."""
        try:
            Scenario(engine_version=text)
        except ValueError as error:
            return error_text(error)
        if not text:
            return "write a version such as 0.25.1"
        self._choose(LaunchChoice(self.chosen.engine, text, self.chosen.form))
        return ""

    # -- the text

    @work(thread=True, exclusive=True, group="launch")
    def _make(self, chosen: LaunchChoice, scenario: Scenario) -> None:
        self.post_message(
            self.Ready(started(self._session, scenario, chosen, max(40, min(self.size.width, _WIDEST) - 8)))
        )

    def on_launch_screen_ready(self, event: Ready) -> None:
        event.stop()
        if event.started.chosen == self.chosen:
            self.started = event.started
            self._show()

    def _show(self) -> None:
        found = self.started
        if found is None:
            return
        lead = f"✗ {found.refusal}" if found.refusal else f"✓ {found.lead}"
        self.query_one("#lead", Static).update(Content.styled(harmless(lead), "$bad" if found.refusal else "$good"))
        text = found.explained if self._explains else found.text
        self.query_one("#lines", Static).update(Content(harmless(text.rstrip("\n"))))
        remarks = "\n".join(f"! {remark}" for remark in found.remarks)
        self.query_one("#told", Static).update(Content.styled(harmless(remarks), "$tight"))
        self.query_one("#text", VerticalScroll).scroll_home(animate=False)

    def _say(self, text: str, tone: str) -> None:
        mark = {"good": "✓ ", "bad": "✗ "}.get(tone, "")
        self.query_one("#told", Static).update(Content.styled(harmless(f"{mark}{text}"), f"${tone}"))
        self._tell(text, tone)

    # -- keys

    def on_key(self, event: events.Key) -> None:
        choices = self.query_one(LaunchChoiceLine)
        match event.key:
            case "escape" | "q":
                self.dismiss(None)
            case "tab" | "shift+tab":
                choices.at = (choices.at + (1 if event.key == "tab" else -1)) % 3
            case "right" | "l" | "left" | "h":
                self._step(1 if event.key in ("right", "l") else -1)
            case "x":
                self._explains = not self._explains
                self._show()
            case "v":
                self.app.push_screen(Prompt(f"Version of {self.chosen.engine}", self.chosen.version, self._typed))
            case "y" | "enter":
                self._keep(copy=event.key == "y")
            case key if key in _LINES:
                self.query_one("#text", VerticalScroll).scroll_relative(y=_LINES[key], animate=False)
            case _:
                return
        event.stop()
        event.prevent_default()

    def _keep(self, *, copy: bool) -> None:
        found = self.started
        if found is None or found.chosen != self.chosen:
            return
        if found.refusal:
            self._say("there is nothing to copy" if copy else "there is nothing to write", "bad")
        elif copy:
            self._copy(found.text, "launch text")
            self._say("copied to the terminal's clipboard", "good")
        else:
            path = free_path(Path.cwd(), found.name)
            self.app.push_screen(Prompt("Write to", str(path), writer(self._say, found.text)))


def _walk(values: tuple[str, ...], value: str, by: int) -> str:
    return values[(values.index(value) + by) % len(values)]


def started(session: Session, scenario: Scenario, chosen: LaunchChoice, width: int) -> LaunchText:
    """The text of a choice, and what is said of it."""
    from ...launching.engines import command
    from ...launching.manifests import written
    from ...launching.plan import for_engine, launch_plan

    try:
        case = session.evaluate(for_engine(scenario, chosen.engine, chosen.version)).case
        plan: LaunchPlan = launch_plan(case)
        made: LaunchCommand = command(plan, launch_flags()[chosen.engine], chosen.version)
        text = written(chosen.form, plan, made)
    except (ValueError, OSError) as error:
        return LaunchText(chosen, refusal=error_text(error))
    found = answer(plan, made)
    lead = f"{found.text} · {found.figure} · {found.detail}"
    told = plain(lines_of(explained(made), width))
    return LaunchText(chosen, text, lead, remarks_of(made), told, file_name(plan, made, chosen.form))
