"""The shell of the app: one scenario, the screens that show it, settings, what is drawn, and a clean way out."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.geometry import Region
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from .. import mishaps, store
from ..mishaps import Mishap
from ..scenario import INPUTS, Kind, Scenario, ScenarioError
from . import settings as preferences
from .checkpoints import CheckpointReader
from .screen.chrome import Title
from .screen.fields import FieldBook
from .screen.section import QuietScreen, SectionScreen, forget_lines
from .screens import ASIDE, SCREENS
from .settings import Settings
from .terminal.ascii import AsciiOnly
from .terminal.ending import FAILED, Ending
from .terminal.frame import Frame, FrameUpdate
from .terminal.typeahead import OrderedKeys
from .theme import NIGHT, PAPER, meanings
from .widgets.term import TermText

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..catalog.reference_schema import Term
    from ..engine.evaluate import Evaluation, Evaluator
    from ..report.library import Library
    from .terminal.driver import Terminal

UNDO = 200
"""Scenarios that undo remembers."""


class Shell(OrderedKeys):
    """What holds the screens together; `InfraApp` adds what keys and palette can do.

    `scenario` is the one source of truth: screens ask for changes by `change(...)`, and show what the evaluation of the
    new scenario says.
    """

    CSS_PATH = "infratui.tcss"
    TITLE = "infratui"
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False

    scenario: reactive[Scenario] = reactive(Scenario, init=False)
    settings: reactive[Settings] = reactive(Settings, init=False)

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        facts: Catalog | None = None,
        settings: Settings | None = None,
        start: str | None = None,
    ) -> None:
        # Settings come first: the filters and the theme that the base class sets up ask for them.
        self._ascii = AsciiOnly(enabled=False)
        self._frame = Frame()
        super().__init__()
        self.animation_level = "none"
        self._facts = facts
        self.facts_version = 0
        self._evaluator: Evaluator | None = None
        self._fields: FieldBook | None = None
        self.checkpoints = CheckpointReader(lambda: self.facts, self.call_later)
        self.undo_list: list[Scenario] = []
        self.redo_list: list[Scenario] = []
        self.last_session: Scenario | None = None
        self.problem = ""
        """What the start has to say first: why the user's own facts are left out."""
        self.failure = ""
        """The error that ended the app, in one line."""
        self.ending: Ending | None = None
        """Ends the process where the app does not; None in tests."""
        self.terminal: Terminal | None = None
        self.pinned: Scenario | None = None
        """What the comparison compares with."""
        self.asked_article = ""
        """What the reference shows when it is opened next: `term:kv-cache`; empty: where it was left."""
        self._came_from = ""
        self._library: Library | None = None
        self.register_theme(NIGHT)
        self.register_theme(PAPER)
        chosen = settings or Settings()
        self.set_reactive(Shell.settings, chosen)
        self._ascii.enabled = chosen.ascii_only
        self.theme = chosen.theme if chosen.theme in self.available_themes else NIGHT.name
        self.entries = SCREENS
        for entry in (*self.entries, *ASIDE):
            self.add_mode(entry.id, entry.make)
        if self.entries:
            first = start if start in {entry.id for entry in self.entries} else self.entries[0].id
            self._screen_stacks = {first: []}
            self._current_mode = first
        self.base: Scenario | None = None
        """What `P` goes back to: the preset or file that was opened last."""
        if scenario is None:
            scenario = _first_preset()
        self.base = scenario
        self.set_reactive(Shell.scenario, scenario)

    # -- facts and results

    @property
    def facts(self) -> Catalog:
        """The catalog with the user's own entries."""
        if self._facts is None:
            # After the first frame: the catalog and the engine's types take longer to load than the frame to draw.
            from .own_facts import open_facts

            self._facts, self.problem = open_facts()
        return self._facts

    @property
    def evaluation(self) -> Evaluation:
        """The results of the scenario, evaluated section by section when asked for, and remembered."""
        return self.evaluate(self.scenario)

    def evaluate(self, scenario: Scenario) -> Evaluation:
        """The results of any scenario, over the same catalog."""
        if self._evaluator is None:
            from ..engine.evaluate import Evaluator

            self._evaluator = Evaluator(self.facts)
        return self._evaluator(scenario)

    @property
    def fields(self) -> FieldBook:
        if self._fields is None:
            self._fields = FieldBook(lambda: self.facts, lambda: self._facts is not None)
        return self._fields

    def check_name(self, field: str, value: str) -> None:
        """Raises ValueError where the catalog does not know the name or the checkpoint cannot be read."""
        if not value and INPUTS[field].zero:
            return
        match INPUTS[field].kind:
            case Kind.MODEL:
                self.facts.model(value)
            case Kind.ACCELERATOR:
                self.facts.accelerator(value)
            case Kind.PRECISION | Kind.KV_PRECISION:
                self.facts.precision(value)

    # -- checkpoints on disk

    def awaited(self) -> Mishap | None:
        """Why the scenario has no answer yet: a checkpoint is being read, or was refused. None: nothing is awaited."""
        missing = self.checkpoints.missing(self.scenario)
        if not missing:
            return None
        if (refusal := self.checkpoints.refusal(missing)) is not None:
            return refusal
        self.checkpoints.read(missing, self._have_read)
        self._say_reading()
        return Mishap(f"reading {self.checkpoints.reading} …", "esc stops", waits=True)

    def _have_read(self, _: Mishap | None) -> None:
        self.note("")
        self.facts_version += 1
        self.sync()

    def _say_reading(self) -> None:
        self.note(f"reading {self.checkpoints.reading} …, esc stops", "key")

    def pick_model(self, field: str, name: str) -> None:
        """Change a model; a checkpoint is read first, and takes effect unless something else has by then."""
        before = getattr(self.scenario, field)

        def done(refusal: Mishap | None) -> None:
            if refusal is not None:
                self.note(str(refusal), "bad")
            elif getattr(self.scenario, field) == before:
                try:
                    self.change(**{field: name})
                except ScenarioError as error:
                    self.note(str(error), "bad")
                else:
                    self.note("")

        self.checkpoints.forget()
        self.checkpoints.read((name,), done)
        self._say_reading()

    def stop_reading(self) -> bool:
        """Give up what is being read. False where nothing was."""
        if not self.checkpoints.reading:
            return False
        self.checkpoints.stop(self.checkpoints.missing(self.scenario))
        self.facts_version += 1
        self.sync()
        self.note("reading was stopped")
        return True

    # -- the scenario

    def change(self, **changes: object) -> None:
        """Replace the scenario by a changed copy. Raises ScenarioError; undoable."""
        self.set_scenario(self.scenario.with_(**changes))

    def set_scenario(self, scenario: Scenario) -> None:
        """Replace the scenario; undoable."""
        if scenario != self.scenario:
            self.undo_list = [*self.undo_list[-UNDO + 1 :], self.scenario]
            self.redo_list.clear()
            self.scenario = scenario

    def open_scenario(self, scenario: Scenario, words: str) -> None:
        """Take a whole scenario, which `P` goes back to, and say so."""
        self.base = scenario
        self.checkpoints.forget()
        self.set_scenario(scenario)
        self.sync()
        if not self.checkpoints.reading:
            self.note(words, "good")

    def watch_scenario(self) -> None:
        self.sync()

    def watch_settings(self, settings: Settings) -> None:
        self._ascii.enabled = settings.ascii_only
        if self.theme != settings.theme and settings.theme in self.available_themes:
            self.theme = settings.theme
        self.sync()

    @property
    def section_screen(self) -> SectionScreen | None:
        """The peer screen that is shown, below any overlay."""
        screen = self.screen_stack[0] if self._screen_stacks.get(self.current_mode) else None
        return screen if isinstance(screen, SectionScreen) else None

    def sync(self) -> None:
        """Let the shown screen catch up; the others do when they are shown."""
        if self.is_running and (screen := self.section_screen) is not None and screen.is_mounted:
            screen.sync()

    # -- what the chrome shows

    def title_line(self) -> Title:
        """The title line of the active screen."""
        tabs = tuple((entry.id, entry.title, entry.short) for entry in self.entries)
        changed = self.base is not None and self.scenario != self.base
        notes = (self.scenario.estimator, self.settings.bytes_as.value)
        return Title(tabs, self.current_mode, self.scenario.name, changed, notes)

    def title_of(self, section: str) -> str:
        return next((entry.title for entry in (*self.entries, *ASIDE) if entry.id == section), section)

    def note(self, text: str, tone: str = "") -> None:
        """Say something in the status line."""
        if (screen := self.section_screen) is not None:
            screen.note(text, tone)

    def term(self, term_id: str) -> Term | None:
        """A glossary entry, the user's own included."""
        return self.library.terms.get(term_id)

    @property
    def knows_terms(self) -> bool:
        """The glossary has been read already."""
        return self._library is not None

    @property
    def library(self) -> Library:
        """Terms, pages and trees, the user's own terms included."""
        if self._library is None:
            from ..report.library import Library

            self._library = Library.open(store.config_directory() / "glossary.yaml")
        return self._library

    def terms(self, ids: tuple[str, ...]) -> tuple[TermText, ...]:
        """Terms with their one-line explanations."""
        found = (self.term(term_id) for term_id in ids)
        return tuple(TermText(entry.id, entry.name, entry.short) for entry in found if entry)

    def hint(self, field: str) -> str:
        """One line on a field: what it is, and what it takes."""
        from ..settings_text import describe_range

        spec = INPUTS[field]
        entry = self.term(spec.term) if spec.term else None
        short = f"{entry.name}: {entry.short}" if entry else spec.label
        return f"{short} · {describe_range(field)}" + (f", 0 = {spec.zero}" if spec.zero else "")

    def open_term(self, term_id: str) -> None:
        """Show the whole entry of a term in the reference."""
        if self.term(term_id) is None:
            self.note(f"no entry for {term_id}", "bad")
            return
        self.asked_article = f"term:{term_id}"
        self.step_aside("reference")

    # -- screens and those beside them

    def show_peer(self, name: str) -> None:
        """Show a peer screen, where there is one of that name and nothing lies over this one."""
        if len(self.screen_stack) == 1 and name in {entry.id for entry in self.entries}:
            self.switch_mode(name)

    def step_aside(self, name: str) -> None:
        """Show a screen that leads back to the one that is shown now."""
        if len(self.screen_stack) > 1:
            return
        if self.current_mode in {entry.id for entry in self.entries}:
            self._came_from = self.current_mode
        if self.current_mode == name:
            self.sync()
        else:
            self.switch_mode(name)

    def step_back(self) -> None:
        """Back to where `step_aside` was called."""
        self.switch_mode(self._came_from or self.entries[0].id)

    # -- copying

    def copy(self, text: str, what: str) -> None:
        """Send text to the terminal's clipboard, and to a file for terminals that take none."""
        if not text:
            self.note(f"there is no {what} to copy yet", "bad")
            return
        self.copy_to_clipboard(text)
        path = store.state_directory() / "clipboard.txt"
        try:
            store.write_text(path, text + "\n")
        except ScenarioError as error:
            self.note(f"{what} sent to the terminal's clipboard (OSC 52); no file: {error}", "bad")
            return
        self.note(f"{what} sent to the terminal's clipboard (OSC 52), also in {_home(path)}", "good")

    # -- life

    def on_mount(self) -> None:
        if not self.settings.welcomed and (screen := self.section_screen) is not None:
            from .widgets.welcome import Welcome

            screen.query_one("#main").mount(Welcome())
        self.call_after_refresh(self._offer_last_session)

    def welcomed(self) -> None:
        """The lines for a first start have been read: they stay away from now on."""
        self.settings = self.settings.with_(welcomed=True)
        try:
            preferences.keep(self.settings)
        except ScenarioError as error:
            self.note(f"hidden for this session only: {error}", "bad")

    def _offer_last_session(self) -> None:
        self.last_session = store.last_session()
        if self.ending is not None:
            # What stays until the end is not looked through again: to collect the rest is then soon done.
            gc.freeze()
        if self.facts and self.problem:
            self.note(self.problem, "bad")
        elif self.last_session is not None and self.last_session != self.scenario:
            self.note(f"the last session is kept: R brings “{self.last_session.name}” back", "key")

    def on_paste(self, event: events.Paste) -> None:
        """Text that nothing has taken."""
        if len(self.screen_stack) == 1:
            self.note("pasted text is no keys: enter opens a value to paste into")

    # -- errors of the program's own, and the end

    def exit(self, result: int | None = None, return_code: int = 0, message: Any = None) -> None:
        """Leave, in a few seconds at most."""
        if self.ending is not None:
            self.ending.be_gone(return_code)
        super().exit(result, return_code, message)

    def fail(self, error: BaseException) -> None:
        """Nothing can go on after this error: keep the session, and what to say when the terminal is given back."""
        # A bug must not cost the user what was typed.
        refusal = self.keep_session()
        if not self.failure:
            kept = f"the scenario is lost: {refusal}" if refusal else "the scenario is kept"
            self.failure = f"ended by an error of its own; {kept}; {mishaps.unforeseen(error, 'running the app')}"
        if self.ending is not None:
            self.ending.be_gone(FAILED)

    def _handle_exception(self, error: Exception) -> None:
        self.fail(error)
        super()._handle_exception(error)
        self._return_code = FAILED

    def _fatal_error(self) -> None:
        # What there is to say is in `failure`; the rest is in the log.
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """Leave after an error that has no other way to be told."""
        self.fail(sys.exc_info()[1] or RuntimeError(" ".join(str(renderable) for renderable in renderables)))
        self._return_code = FAILED
        self._close_messages_no_wait()

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: Any) -> bool:
        # One key that fails does not take the app with it.
        try:
            return await super()._dispatch_action(namespace, action_name, params)
        except Exception as error:
            self.note(f"{action_name.replace('_', ' ')}: {mishaps.told(error, f'the action {action_name}')}", "bad")
            return True

    def keep_session(self) -> str:
        """Keep what differs from what was opened; a look leaves the session kept before. Returns why it cannot be."""
        if self.scenario != self.base:
            return store.keep_session(self.scenario)
        return ""

    # -- drawing

    def get_theme_variable_defaults(self) -> dict[str, str]:
        theme = self.available_themes.get(self.theme) if hasattr(self, "_registered_themes") else None
        return meanings(theme or BUILTIN_THEMES["textual-dark"])

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # Compared with what the terminal shows, a repaint shrinks to the cells that changed.
        if isinstance(renderable, LayoutUpdate | ChopsUpdate) and not self.is_inline:
            renderable = FrameUpdate(self._frame, renderable, (self.size.width, self.size.height))
        super()._display(screen, renderable)

    def tidy(self) -> None:
        """Drop the lines of all screens as they were drawn, and what was computed for layouts: both are made again."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                forget_lines(screen)
        # The last of these also keeps every widget that it was ever asked by, with all its lines.
        for cached in (Region.intersection, Region.union, Region.shrink, Region.grow, StylesCache.get_inner_outer):
            cached.cache_clear()
        if self.ending is not None:
            gc.collect()

    def redraw(self) -> None:
        """Send the whole screen again, whatever the terminal shows."""
        self._frame.forget()
        self.screen.refresh(layout=True)

    def get_default_screen(self) -> Screen[Any]:
        return QuietScreen(id="_default")


def _first_preset() -> Scenario:
    known = store.presets()
    wanted = next((preset for preset in known if preset.id == "production"), known[0] if known else None)
    try:
        return store.load_scenario(wanted.path) if wanted else Scenario()
    except ScenarioError:
        return Scenario()


def _home(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
