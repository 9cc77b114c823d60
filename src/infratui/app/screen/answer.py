"""A screen that answers: headline, results, math and terms, computed from the scenario where that has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from ... import mishaps
from ...mishaps import Mishap
from ...report.show import Answer, Block, Says
from ...scenario import Scenario
from ..terminal.remembered import forget_places
from ..widgets.derivation_view import DerivationView
from ..widgets.headline import HeadlineView
from ..widgets.panel import Panel
from ..widgets.term import Terms, TermText
from .body import Body
from .chrome import HintLine, PolicyStrip
from .pace import FRAME_S, KeyPace
from .page import Page
from .term_walk import TermMark, spots
from .views import VIEWS, by_panel

if TYPE_CHECKING:
    from ...checking import CheckedPolicy
    from ...engine.evaluate import Evaluation

_LONGEST_VEIL_S = 0.3
"""A screen is drawn after this long, whatever it waits for."""

R = TypeVar("R")
"""What a screen computes."""


class AnswerScreen(Page, Generic[R]):
    """A page with a result: it is computed when the scenario has changed, shown, or refused in one line."""

    TERMS: ClassVar[tuple[str, ...]] = ()
    """Glossary ids that are walked with `t`."""
    SLOW: ClassVar[bool] = False
    """Computing can take over 5 ms: it happens in a thread, once keys rest, and what comes late is dropped."""

    PARTS: ClassVar[tuple[str, ...]] = ()
    """What `section` asks of the evaluation beside the section's own part."""

    def __init__(self) -> None:
        super().__init__()
        self.result: R | None = None
        """What `section` last returned; None where it refused."""
        self._shown: tuple[object, ...] = ()
        self._begun = self._opened = False
        self._presented = False
        self._policy: CheckedPolicy | None = None
        self._pace = KeyPace()
        self._veil = ExitStack()
        """While it is open, nothing of the screen is laid out or drawn."""
        self._views: Mapping[str, Sequence[Widget]] | None = None
        """Name of a block → the widgets that may show it: to look for them takes longer than to draw them."""
        self._terms_marked = False
        self._before_terms: Widget | None = None
        """What had the focus when the terms were underlined."""
        self._before_math: Widget | None = None
        """What had the focus when the math was opened."""

    # -- what a subclass says

    def compose_side(self) -> ComposeResult:
        """What stands beside the results."""
        yield from ()

    def compose_top(self) -> ComposeResult:
        """What stays in view under the headline, such as the picture of the answer; a few lines at most."""
        yield from ()

    def compose_body(self) -> ComposeResult:
        """The results, in panels."""
        yield from ()

    def section(self, evaluation: Evaluation) -> R:
        """What the screen shows of an evaluation. Raises ValueError where there is no answer."""
        raise NotImplementedError

    def show_first(self, evaluation: Evaluation) -> None:
        """Show at once what can be had within a frame; the whole result follows."""

    def beside(self, evaluation: Evaluation) -> None:
        """Compute what stands around the result, where the result is computed."""

    def show(self, result: R) -> None:
        """Put a result into the widgets."""
        raise NotImplementedError

    def sync_inputs(self) -> None:
        """Show the scenario in what stands beside the results."""

    def begun(self) -> None:
        """The first result is shown."""

    # -- what a subclass may use

    @property
    def is_answered(self) -> bool:
        return self.result is not None

    @property
    def is_known(self) -> bool:
        """The result is at hand: nothing has to be computed for it."""
        return all(self.session.knows(part) for part in (self.SECTION, *self.PARTS))

    def answer(self, answer: Answer, *, more_follows: bool = False) -> None:
        """Set the headline."""
        self.query_one(HeadlineView).show(answer, more_follows=more_follows)

    def place(self, *blocks: Block) -> None:
        """Put blocks of the report into the widgets of the panels of the same name; others are left out."""
        if self._views is None:
            self._views = by_panel(self)
        for block in blocks:
            kind = VIEWS.get(type(block))
            for widget in self._views.get(block.id, ()):
                if kind is not None and isinstance(widget, kind):
                    cast("Any", widget).show(block)

    # -- composition

    def compose_page(self) -> ComposeResult:
        yield from self.compose_side()
        with Vertical(id="main"):
            yield HeadlineView()
            yield PolicyStrip()
            yield from self.compose_top()
            with Body(id="body"):
                yield from self.compose_body()
                if self.TERMS:
                    with Panel("Terms", id="terms"):
                        yield Terms([TermText(term, term.replace("-", " "), "") for term in self.TERMS])
            with Panel("Math", id="math"):
                yield DerivationView()

    # -- keeping up with the scenario

    def forget(self) -> None:
        """What is shown is out of date, whatever the scenario says."""
        self._shown = ()

    def sync(self) -> None:
        """Show the scenario as it is now; nothing happens where it is shown already."""
        self.sync_title()
        session = self.session
        key = (session.scenario, self.bytes_as, self.motion, session.facts_version)
        if key == self._shown:
            return
        first, self._begun = not self._begun, True
        fresh = not self._shown or key[0] != self._shown[0] or key[3] != self._shown[3]
        self._shown = key
        self.sync_inputs()
        if first and self.is_known:
            # Laid out and sent once, with its answer.
            self._veil.enter_context(self.app.batch_update())
            self.set_timer(_LONGEST_VEIL_S, self._veil.close)
            self.call_after_refresh(self._begin)
        elif first:
            # The frame and the inputs are on screen while the engine is still being loaded.
            self.infra.once_seen(self, self._begin)
        else:
            self._update(fresh=fresh)

    def _begin(self) -> None:
        if not all(widget.is_mounted for widget in self.query("*")):
            # A widget that is not mounted yet forgets that it asked for another height.
            self.call_after_refresh(self._begin)
            return
        if self.session.facts:
            self._update(fresh=True)
        else:
            self._open_rows()
        self._veil.close()

    def _open_rows(self) -> None:
        # With the first answer, in one repaint.
        if not self._opened:
            self._opened = True
            self.begun()

    def _update(self, *, fresh: bool) -> None:
        session = self.session
        if not fresh and self.result is not None:
            self._present(self.result, None)
        elif (awaited := self.infra.awaited()) is not None:
            self._present(None, awaited)
        elif (self.SLOW or session.scenario.policy) and not self.is_known:
            self._pace.changed()
            led = self._lead(session.evaluation) if self.result is not None and self._pace.leads else None
            self._compute(session.scenario, session.evaluation, led)
        else:
            self._present(*self._answer(session.evaluation))

    def _lead(self, evaluation: Evaluation) -> bool:
        """Whether what leads is drawn; else the next frame draws it."""
        with self._pace.leading():
            self.show_first(evaluation)
            return self.draw_now()

    def _answer(self, evaluation: Evaluation) -> tuple[R | None, Mishap | None]:
        try:
            self._policy = _held(evaluation)
            result = self.section(evaluation)
            self.beside(evaluation)
            return result, None
        except Exception as error:
            from ...report.reasons import error_text

            return None, mishaps.told(error, f"evaluating {self.SECTION}", error_text)

    # Without a description Textual writes the whole scenario into one, at every key.
    @work(exclusive=True, group="section", description="the section")
    async def _compute(self, scenario: Scenario, evaluation: Evaluation, led: bool | None) -> None:
        if self._pace.overdue:
            # In a thread it would come too late again.
            with self._pace.catching_up():
                self._present(*self._answer(evaluation))
            return
        # At a start there is nothing to be drawn first, and nobody holds a key where nothing is drawn at all.
        if self.result is not None and not self.app.is_headless:
            rest = self._pace.rest
            await asyncio.sleep(rest)
            drawn = self._lead(evaluation) if led is None else led or rest > 0
            if not drawn:
                # A thread that computes would hold up what leads.
                await self.infra.seen(self, FRAME_S)
        result, error = await asyncio.to_thread(self._answer, evaluation)
        # On the way out there is nothing left to show it in.
        if scenario == self.scenario and self.app.is_running:
            self._present(result, error)

    def _present(self, result: R | None, error: Mishap | None) -> None:
        self.result = result
        self._pace.shown()
        self._open_rows()
        self.query_one(PolicyStrip).checked = self._policy if self.scenario.policy else None
        self.set_class(error is not None, "-refused")
        if error is not None or result is None:
            self._refuse(error or Mishap("there is no result"))
            return
        try:
            self.show(result)
        except Exception as failure:
            self._present(None, mishaps.told(failure, f"showing {self.SECTION}"))
            return
        if not self._presented:
            self._presented = True
            forget_places(self)
        if self.has_class("-math"):
            self.query_one(DerivationView).show(self.math(), self.bytes_as, self.scenario.currency)

    def _refuse(self, error: Mishap) -> None:
        ways = " · ".join(filter(None, (error.kept, "change an input, or undo with u")))
        text, tone = (error.words, "") if error.waits else (f"No answer: {error.words}", "bad")
        self.answer(Answer(text, "", tone, (Says("", ways, muted=True),)))

    # -- how far it is scrolled

    def on_mount(self) -> None:
        super().on_mount()
        body = self.query_one(Body)
        for name in ("scroll_y", "virtual_size", "size"):
            self.watch(body, name, self._moved, init=False)

    def _moved(self) -> None:
        # What scrolls away from under its marks is no longer marked.
        self._unmark_terms()
        # Height and content change one after the other: what counts is what both have come to.
        self.call_after_refresh(self._say_place)

    def _say_place(self) -> None:
        self.query_one(HintLine).more = self.query_one(Body).place

    def laid_out(self) -> Iterable[Widget]:
        if not self.query(Body):
            return ()
        self._say_place()
        return (self.query_one(HintLine),)

    # -- hints and terms

    def hint_of(self, focused: Widget) -> str | None:
        if isinstance(focused, TermMark):
            return f"{focused.term.name}: {focused.term.short}"
        if not isinstance(focused, Terms):
            return super().hint_of(focused)
        if not any(term.short for term in focused.terms):
            focused.terms = self.terms_of(self.TERMS)
        return f"{focused.current.name}: {focused.current.short}" if focused.current else None

    def walk_term(self, by: int) -> None:
        """To the next term in view; the first time all of them are underlined where they stand."""
        marks = list(self.query(TermMark))
        if not marks:
            self._mark_terms()
        elif isinstance(self.focused, TermMark):
            self.set_focus(marks[(marks.index(self.focused) + by) % len(marks)], scroll_visible=False)

    def _mark_terms(self) -> None:
        library = self.infra.library
        names = {
            name.casefold(): term.id for term in library.terms.values() for name in (term.name, *term.aliases) if name
        }
        found = [
            TermMark(spot, TermText(term.id, term.name, term.short))
            for spot in spots(self, names)
            if (term := library.terms.get(spot.term_id)) is not None
        ]
        if not found:
            self.note("no term is in view here", "muted")
            return
        self._before_terms = self.focused
        self._terms_marked = True
        self.mount(*found)
        self.call_after_refresh(self.set_focus, found[0], scroll_visible=False)

    def _unmark_terms(self) -> None:
        if self._terms_marked:
            self._terms_marked = False
            self.query(TermMark).remove()

    def on_term_mark_stepped(self, event: TermMark.Stepped) -> None:
        event.stop()
        self.walk_term(event.by)

    def on_term_mark_asked(self, event: TermMark.Asked) -> None:
        event.stop()
        self.infra.open_term(event.term.id)

    def remember(self, focused: Widget) -> None:
        if isinstance(focused, TermMark):
            return
        self._unmark_terms()
        super().remember(focused)

    # -- moving and seeing

    def action_page(self, by: int) -> None:
        """Scroll the results."""
        body = self.query_one("#body")
        body.scroll_relative(y=by * max(1, body.size.height - 2), animate=False)

    def action_math(self) -> None:
        """Show or hide the math."""
        opened = not self.has_class("-math")
        self.set_class(opened, "-math")
        view = self.query_one(DerivationView)
        if opened:
            self._before_math = self.focused
            if self.result is not None:
                view.show(self.math(), self.bytes_as, self.scenario.currency)
            view.top = 0
            # Hidden until the next layout, it cannot take the focus before.
            self.call_after_refresh(self.set_focus, view)
        elif view.has_focus:
            before = self._before_math
            self.set_focus(before if before is not None and before in self.focus_chain else None)
            if before is None:
                self.call_after_refresh(self.leave)

    def leave(self) -> None:
        """Leave what is on top: the terms, the zoom, or the math."""
        if self.query(TermMark):
            before = self._before_terms
            self._unmark_terms()
            self.set_focus(before if before is not None and before.is_attached else None, scroll_visible=False)
        elif self.maximized is not None:
            self.minimize()
        elif self.has_class("-math"):
            self.action_math()
        else:
            self.left()

    def left(self) -> None:
        """Nothing is on top of the results any more."""

    def action_leave(self) -> None:
        """Leave what is on top: a checkpoint that is read, the zoom, the math, then the panel."""
        if not self.infra.stop_reading():
            self.leave()


def _held(evaluation: Evaluation) -> CheckedPolicy | None:
    """What the scenario's policy comes to; None where it has none."""
    if not evaluation.scenario.policy:
        return None
    from ...checking import checked_policy

    return checked_policy(evaluation, evaluation.facts.today)
