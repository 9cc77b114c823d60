"""The frame of every screen: title line, content, hint and status line, key bar, and the keys that work on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...engine.figures.derivation import Derivation
from ...engine.figures.units import ByteUnit
from ...scenario import Scenario, ScenarioError
from ..keys import Where, bindings
from ..terminal.remembered import forget_lines
from ..widgets.grid_animation import GridAnimation
from ..widgets.term import Terms, TermText
from .chrome import HintLine, KeyBar, TitleBar
from .focus import SMALLEST, WalkedScreen

if TYPE_CHECKING:
    from ..session import Session
    from ..shell import Shell


class Page(WalkedScreen):
    """A screen of the app. Subclasses say what stands between title and hint line, and keep it up with the session.

    - `self.session` holds the scenario and its results, `self.scenario` is the scenario, `self.bytes_as` GB or GiB,
      `self.motion` whether animations may play.
    - `self.change(users=64)` changes the scenario (undoable); `self.note("…", "good")` writes the status line.
    - Widgets with `motion_toggle`, `motion_step`, `motion_speed` (see `GridAnimation`) get the animation keys.
    """

    BINDINGS = bindings(Where.SECTION, Where.MOTION)
    SECTION: ClassVar[str] = ""
    """Id in `screens.SCREENS`; set by the registry."""
    ANIMATED: ClassVar[bool] = False
    """The screen has a `GridAnimation`: its keys work and stand in help."""
    VIEWS: ClassVar[bool] = False
    """The animation has a `motion_view`."""

    # -- what a subclass says

    def compose_page(self) -> ComposeResult:
        """What stands between the title line and the hint line."""
        yield from ()

    def compose_under_title(self) -> ComposeResult:
        """What stands in view below the title line."""
        yield from ()

    def sync(self) -> None:
        """Show the session as it is now; nothing happens where it is shown already."""
        raise NotImplementedError

    @property
    def is_answered(self) -> bool:
        """There is something to copy and to export."""
        return True

    def summary(self) -> str:
        """What the screen says in plain sentences, copied by `y`."""
        return ""

    def markdown(self) -> str:
        """The screen as Markdown, copied by `Y`."""
        return self.summary()

    def math(self) -> Sequence[Derivation]:
        """The derivations behind what is shown."""
        return ()

    def hint_of(self, focused: Widget) -> str | None:
        """What the hint line says about a focused widget; None leaves the line as it is."""
        return str(focused.tooltip or "")

    def walk_term(self, by: int) -> None:
        """To the next or previous term."""

    # -- what a subclass may use

    @property
    def infra(self) -> Shell:
        """The app."""
        return cast("Shell", self.app)

    @property
    def session(self) -> Session:
        """The scenario, its history, its results."""
        return self.infra.session

    @property
    def scenario(self) -> Scenario:
        return self.session.scenario

    @property
    def bytes_as(self) -> ByteUnit:
        return self.infra.settings.bytes_as

    @property
    def motion(self) -> bool:
        return self.infra.settings.motion

    def note(self, text: str, tone: str = "") -> None:
        """Say something in the status line: tone `good`, `bad`, `key`, or none."""
        self.query_one(HintLine).status = (text, tone)

    def hint(self, text: str) -> None:
        """Say what the focused thing means."""
        self.query_one(HintLine).hint = text

    def change(self, **changes: object) -> bool:
        """Change the scenario. False where it was refused, with the reason in the status line."""
        try:
            self.session.change(**changes)
        except ScenarioError as error:
            self.note(str(error), "bad")
            return False
        return True

    # -- composition

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield from self.compose_under_title()
        with Container(id="section"):
            yield from self.compose_page()
        yield HintLine()
        yield KeyBar()
        smallest = f"infratui needs {SMALLEST[0]} × {SMALLEST[1]}"
        yield Static(Content(f"{smallest}; it comes back when the window grows. q quits."), id="too-small")

    def on_mount(self) -> None:
        self.watch(self, "focused", self._focus_moved)

    def on_key(self, event: events.Key) -> None:
        # What was said is said until the next key; what is still being read says so until it has been.
        line = self.query_one(HintLine)
        if line.status[0] and not self.session.checkpoints.reading:
            line.status = ("", "")

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        self.sync()
        self.query_one(KeyBar).sync(self)

    def on_screen_suspend(self) -> None:
        # Below an overlay the screen is still seen.
        if self not in self.app.screen_stack:
            forget_lines(self)

    def sync_title(self) -> None:
        """Show the title line as it is now."""
        self.query_one(TitleBar).title = self.infra.title_line()

    # -- hints and terms

    def _focus_moved(self, focused: Widget | None) -> None:
        line = self.query_one(HintLine)
        line.status = ("", "")
        if focused is None:
            line.hint = ""
            return
        self.remember(focused)
        if line.hint:
            self.say_hint(focused)
        else:
            # The first hint reads a list of terms: not before the screen stands.
            self.infra.once_seen(self, lambda: self.say_hint(focused))

    def say_hint(self, focused: Widget) -> None:
        """Say what a widget means, where it has the focus still."""
        if focused is self.focused and (words := self.hint_of(focused)) is not None:
            self.hint(words)

    def terms_of(self, ids: tuple[str, ...]) -> tuple[TermText, ...]:
        """Terms with their one-line explanations."""
        found = (self.session.term(term_id) for term_id in ids)
        return tuple(TermText(entry.id, entry.name, entry.short) for entry in found if entry)

    def on_terms_walked(self, event: Terms.Walked) -> None:
        event.stop()
        if event.term.short:
            self.hint(f"{event.term.name}: {event.term.short}")

    def on_terms_opened(self, event: Terms.Opened) -> None:
        event.stop()
        self.infra.open_term(event.term.id)

    def action_next_term(self) -> None:
        """To the next term."""
        self.walk_term(1)

    def action_previous_term(self) -> None:
        """To the previous term."""
        self.walk_term(-1)

    # -- keeping

    def action_copy_summary(self) -> None:
        """Copy the summary, with what it assumes and the date."""
        words = self.summary()
        if words:
            from ...report.summary import paragraph

            facts = self.session.facts
            words = paragraph(words, self.SECTION, self.scenario, facts, self.math(), facts.today)
        self.infra.copy(words, "summary")

    def action_copy_markdown(self) -> None:
        """Copy the screen as Markdown."""
        if self.is_answered:
            self.infra.copy(self.markdown(), "Markdown")

    def action_export(self) -> None:
        """Write the screen or the whole report to a file."""
        if self.is_answered:
            from .exporting import offer_export

            offer_export(self)
        else:
            self.note("there is no answer to export yet", "muted")

    def action_launch(self) -> None:
        """Show what starts the deployment."""
        from .exporting import offer_launch

        offer_launch(self)

    # -- animations

    @property
    def key_texts(self) -> Mapping[str, str]:
        """What the key bar says of keys whose meaning changes."""
        plays = self.ANIMATED and any(animation.playing for animation in self.query(GridAnimation))
        return {"motion_toggle": "pause"} if plays else {}

    def _animation(self) -> Any:
        candidates = [self.focused] if self.focused is not None else []
        candidates += [widget for widget in self.query("*") if widget.is_on_screen]
        return next((widget for widget in candidates if hasattr(widget, "motion_toggle")), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "motion_view":
            return self.VIEWS
        if action.startswith("motion_"):
            return self.ANIMATED
        return True

    def on_grid_animation_paced(self, event: GridAnimation.Paced) -> None:
        event.stop()
        self.query_one(KeyBar).sync(self)
        self.paced()

    def paced(self) -> None:
        """An animation plays faster or slower now, or has begun or ended to play."""

    def action_motion_toggle(self) -> None:
        """Play or pause."""
        if (animation := self._animation()) is not None:
            animation.motion_toggle()

    def action_motion_step(self, by: int) -> None:
        """One step on or back."""
        if (animation := self._animation()) is not None:
            animation.motion_step(by)

    def action_motion_speed(self, by: int) -> None:
        """Faster or slower."""
        if (animation := self._animation()) is not None:
            animation.motion_speed(by)

    def action_motion_view(self) -> None:
        """The other view of the animation."""
        view = getattr(self._animation(), "motion_view", None)
        if view is None:
            self.note("this animation has one view", "muted")
        else:
            view()
