"""The shell of the app: the screens that show the session, settings, what is said, and a clean way out."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual.filter import ANSIToTruecolor, LineFilter
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from .. import COLLECTED, mishaps
from ..mishaps import Mishap
from ..scenario import Scenario, ScenarioError
from . import settings as preferences
from .screen.chrome import KeyBar, Title
from .screen.focus import QuietScreen
from .screen.page import Page
from .screens import ASIDE, SCREENS
from .session import Session
from .settings import Settings
from .terminal.ascii import AsciiOnly
from .terminal.ending import FAILED, Ending
from .terminal.host import Host
from .theme import NIGHT, PAPER, meanings

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..engine.evaluate import Evaluation
    from ..report.library import Library


_ASIDE_KEYS = {"reference": "r", "compare": "c"}
_SETTLED_S = 1.0
"""Seconds after the first frame until everything that a start makes is there."""


class Shell(Host):
    """What holds the screens together; `InfraApp` adds what keys and palette can do.

    `session` is the one source of truth. `scenario` mirrors its scenario, so that Textual tells when it changes: nobody
    but `_mirror` sets it.
    """

    CSS_PATH = "infratui.tcss"
    TITLE = "infratui"
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False

    scenario: reactive[Scenario] = reactive(Scenario, init=False, repaint=False)
    settings: reactive[Settings] = reactive(Settings, init=False, repaint=False)

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
        super().__init__()
        self.animation_level = "none"
        self.session = Session(scenario, facts=facts, on_change=self._mirror, later=self.call_later)
        self.set_reactive(Shell.scenario, self.session.scenario)
        self._asks = scenario is None and not (settings or Settings()).welcomed
        """It is the first start, and nobody said what of."""
        self.failure = ""
        """The error that ended the app, in one line."""
        self.ending: Ending | None = None
        """Ends the process where the app does not; None in tests."""
        self.asked_article = ""
        """What the reference shows when it is opened next: `term:kv-cache`; empty: where it was left."""
        self._came_from = ""
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
            self.start_in(start if start in {entry.id for entry in self.entries} else self.entries[0].id)

    # -- the session

    def _mirror(self, scenario: Scenario) -> None:
        self.scenario = scenario

    @property
    def facts(self) -> Catalog:
        """The catalog with the user's own entries."""
        return self.session.facts

    @property
    def evaluation(self) -> Evaluation:
        """The results of the scenario, evaluated section by section when asked for, and remembered."""
        return self.session.evaluation

    @property
    def library(self) -> Library:
        """Terms, pages and trees, the user's own terms included."""
        return self.session.library

    def change(self, **changes: object) -> None:
        """Replace the scenario by a changed copy. Raises ScenarioError; undoable."""
        self.session.change(**changes)

    def set_scenario(self, scenario: Scenario) -> None:
        """Replace the scenario; undoable."""
        self.session.replace(scenario)

    # -- checkpoints on disk

    def awaited(self) -> Mishap | None:
        """Why the scenario has no answer yet: a checkpoint is being read, or was refused. None: nothing is awaited."""
        mishap = self.session.awaited(self._have_read)
        if mishap is not None and mishap.waits:
            self._say_reading()
        return mishap

    def _have_read(self) -> None:
        self.note("")
        self.sync()

    def _say_reading(self) -> None:
        self.note(f"reading {self.session.checkpoints.reading} …, esc stops", "key")

    def pick_model(self, field: str, name: str) -> None:
        """Change a model; a checkpoint is read first, and takes effect unless something else has by then."""
        self.session.pick_model(field, name, lambda refusal: self.note(str(refusal or ""), "bad" if refusal else ""))
        self._say_reading()

    def stop_reading(self) -> bool:
        """Give up what is being read. False where nothing was."""
        if not self.session.stop_reading():
            return False
        self.sync()
        self.note("reading was stopped")
        return True

    # -- keeping up

    def opened(self, words: str) -> None:
        """A whole scenario has been opened: say so, unless there is a checkpoint to be read first."""
        self.sync()
        if not self.session.checkpoints.reading:
            self.note(words, "good")

    def watch_scenario(self) -> None:
        self.sync()

    def watch_settings(self, settings: Settings) -> None:
        self._ascii.enabled = settings.ascii_only
        if self.theme != settings.theme and settings.theme in self.available_themes:
            self.theme = settings.theme
        self.sync()

    @property
    def page(self) -> Page | None:
        """The screen that is shown, below any overlay."""
        return screen if isinstance(screen := self.bottom_screen, Page) else None

    def sync(self) -> None:
        """Let the shown screen catch up; the others do when they are shown."""
        if self.is_running and (screen := self.page) is not None and screen.is_mounted:
            screen.sync()

    # -- what the chrome shows

    def title_line(self) -> Title:
        """The title line of the active screen."""
        tabs = tuple((entry.id, entry.title, entry.short) for entry in self.entries)
        notes = (self.scenario.estimator, self.settings.bytes_as.value)
        aside = next(
            ((_ASIDE_KEYS[entry.id], entry.title, entry.short) for entry in ASIDE if entry.id == self.current_mode),
            ("", "", ""),
        )
        return Title(tabs, self.current_mode, aside, self.scenario.name, self.session.is_changed, notes)

    def title_of(self, section: str) -> str:
        return next((entry.title for entry in (*self.entries, *ASIDE) if entry.id == section), section)

    def note(self, text: str, tone: str = "") -> None:
        """Say something in the status line."""
        if (screen := self.page) is not None:
            screen.note(text, tone)

    def tell_keys(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Show the keys of what lies over the screen."""
        if (screen := self.page) is not None and len(self.screen_stack) > 1:
            screen.query_one(KeyBar).shown = pairs

    def open_term(self, term_id: str) -> None:
        """Show the whole entry of a term in the reference."""
        if self.session.term(term_id) is None:
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
        try:
            path = self.session.keep_copied(text)
        except ScenarioError as error:
            self.note(f"{what} sent to the terminal's clipboard (OSC 52); no file: {error}", "bad")
            return
        self.note(f"{what} sent to the terminal's clipboard (OSC 52), also in {_home(path)}", "good")

    # -- life

    def on_mount(self) -> None:
        if (page := self.page) is not None:
            self.once_seen(page, self._offer_last_session)

    def welcomed(self) -> None:
        """The first start has asked: it does not again."""
        self.settings = self.settings.with_(welcomed=True)
        try:
            preferences.keep(self.settings)
        except ScenarioError as error:
            self.note(f"it asks again next time: {error}", "bad")

    def _offer_last_session(self) -> None:
        kept = self.session.recall()
        if self.ending is not None:
            self.set_timer(_SETTLED_S, self._settled)
        if self.facts and self.session.problem:
            self.note(self.session.problem, "bad")
        elif kept is not None:
            self.note(f"the last session is kept: R brings “{kept.name}” back", "key")
        elif self._asks:
            self._ask_first()

    def _ask_first(self) -> None:
        from .screen.first_start import FirstStart

        def answered(section: str | None) -> None:
            self.welcomed()
            if section is not None:
                self.show_peer(section)

        if len(self.screen_stack) == 1:
            self.push_screen(FirstStart(self.session), answered)

    def _settled(self) -> None:
        # What is loaded next takes the room of what the first frames have left.
        super().tidy()
        _collect_again()
        self.run_worker(self._warm(), group="warming")

    async def _warm(self) -> None:
        from .warming import parts, warm

        others = tuple(entry for entry in self.entries if entry.id != self.current_mode)
        await warm(parts(others, self.session), lambda: self.quiet_s)
        gc.freeze()

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
        refusal = self.session.keep()
        if not self.failure:
            kept = f"the scenario is lost: {refusal}" if refusal else "the scenario is kept"
            self.failure = f"ended by an error of its own; {kept}; {mishaps.unforeseen(error, 'running the app')}"
        if self.ending is not None:
            self.ending.be_gone(FAILED)

    def action_failed(self, name: str, error: Exception) -> None:
        """One key that fails does not take the app with it."""
        self.note(f"{name.replace('_', ' ')}: {mishaps.told(error, f'the action {name}')}", "bad")

    # -- drawing

    def get_theme_variable_defaults(self) -> dict[str, str]:
        # Textual asks for them once before any theme is registered.
        known = getattr(self, "available_themes", {})
        return meanings(known.get(self.theme) or BUILTIN_THEMES["textual-dark"])

    def get_line_filters(self) -> list[LineFilter]:
        # Whether a colour is one of the terminal's own is settled by the theme, and need not be asked for every line.
        found = [entry for entry in super().get_line_filters() if not isinstance(entry, ANSIToTruecolor)]
        return [*found, self._ascii] if self._ascii.enabled else found

    def tidy(self) -> None:
        """Drop what is only remembered to be faster; it is made again."""
        super().tidy()
        if self.ending is not None:
            gc.collect()
            _give_back()

    def get_default_screen(self) -> Screen[Any]:
        return QuietScreen(id="_default")


def _collect_again() -> None:
    """What stays until the end is not looked through again: to collect the rest is then soon done."""
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    gc.enable()


def _give_back() -> None:
    """Return to the system what has been freed: the allocator of glibc keeps it for itself, others need no asking."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _home(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
