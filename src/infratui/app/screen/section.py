"""The screen that every section is built on: inputs, headline, results, math, terms, and what happens between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ... import mishaps
from ...engine.figures.derivation import Derivation
from ...engine.figures.units import ByteUnit
from ...mishaps import Mishap
from ...report.inputs import NAMED
from ...report.sections import Report, section
from ...report.show import Answer, Bars, Block, Chart, Lines, Prose, Stack, Stacks, Table
from ...scenario import INPUTS, Scenario, ScenarioError, bounds
from ...settings_text import parse_value
from ..checkpoints import MODEL_FIELDS
from ..keys import Where, bindings
from ..widgets.columns import ColumnLayout
from ..widgets.derivation_view import DerivationView
from ..widgets.drawn import BarList, LinesView, ProseView, StackedBar, StacksView
from ..widgets.headline import Headline
from ..widgets.line_chart import LineChart
from ..widgets.panel import Panel
from ..widgets.picker import Picker
from ..widgets.table import TableView
from ..widgets.term import Terms, TermText
from ..widgets.value_row import ValueRow
from ..widgets.welcome import Welcome
from .chrome import HintLine, KeyBar, TitleBar
from .fields import LISTED

if TYPE_CHECKING:
    from ...engine.evaluate import Evaluation
    from ..shell import Shell

_VIEWS: Mapping[type, type[Widget]] = {
    Table: TableView,
    Bars: BarList,
    Stack: StackedBar,
    Stacks: StacksView,
    Chart: LineChart,
    Prose: ProseView,
    Lines: LinesView,
}
"""Kind of block → the widget that shows it. `Pillars` are walked: their screen shows them itself."""

SMALLEST = (60, 15)
"""Columns and rows below which a screen only asks for more room."""


class QuietScreen(Screen[Any]):
    """A screen that does not repaint itself when focus moves."""

    focused = Reactive(None, repaint=False)

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (SMALLEST[0], "-narrow"), (100, "-wide"), (160, "-huge")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-low"), (30, "-tall"), (50, "-high")]


def forget_lines(screen: Screen[Any]) -> None:
    """Forget the lines of a screen as they were drawn, and every piece that was cut from them.

    Kept for all screens, they would be most of the memory in use.
    """
    for widget in screen.walk_children(Widget, with_self=True):
        widget._styles_cache.clear()


class Inputs(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The value rows: one column beside the results, or as many columns as fit above them."""

    def __init__(self, rows: Iterable[ValueRow]) -> None:
        super().__init__(*rows, id="inputs")
        self._columns = ColumnLayout()

    @property
    def layout(self) -> ColumnLayout:
        return self._columns


class Body(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The results; they scroll as a whole where the window is low."""


class SectionScreen(QuietScreen):
    """One of the peer screens. Subclass it in `app/screens/<name>/screen.py` as `<Name>Screen`.

    A subclass names its inputs and says three things: what it computes, how it shows it, and the math behind it.

    ```python
    class VramScreen(SectionScreen):
        FIELDS = ("model", "precision", "users", "context")     # inputs, in order
        TERMS = ("kv-cache", "weights")                         # glossary ids walked with `t`
        CSS = "VramScreen TableView { height: 12; }"                # or a screen.tcss nested under the class

        def compose_body(self):                                 # the results, in Panels (tab moves between them)
            with Panel("On every accelerator", id="fits"):
                yield TableView(COLUMNS, id="table")

        def section(self, evaluation):                          # evaluation → result; pure, may raise ValueError
            return evaluation.vram

        def show(self, result):                                 # put values into widgets, never compute
            self.answer(Answer("361 GB ±2 %", "5 × H100 hold it", "good", "second line"))
            self.query_one(TableView).show(rows)

        def math(self):                                         # the derivations behind what is shown
            return self.result.derivations

        def summary(self):                                      # plain sentences, copied by `y`
            return vram_summary(self.result)
    ```

    - `section` runs in the watcher; set `SLOW = True` where it can take over 5 ms: it then runs in an exclusive thread
      worker, and a late result never overwrites a newer one.
    - `self.result` is what `section` last returned, `self.scenario` the scenario it belongs to, `self.bytes_as` GB or
      GiB, `self.motion` whether animations may play. `show` is called again when one of these changes.
    - A ValueError of `section` is shown as the headline in the engine's own words; the results are hidden.
    - `self.change(users=64)` changes the scenario (undoable); `self.note("…", "good")` writes the status line.
    - Widgets with `motion_toggle`, `motion_step`, `motion_speed` (see `GridAnimation`) get the animation keys.
    """

    BINDINGS = bindings(Where.SECTION, Where.MOTION)
    AUTO_FOCUS = "ValueRow"
    SECTION: ClassVar[str] = ""
    """Id in `screens.SCREENS`; set by the registry."""
    FIELDS: ClassVar[tuple[str, ...]] = ()
    TERMS: ClassVar[tuple[str, ...]] = ()
    SLOW: ClassVar[bool] = False
    ANIMATED: ClassVar[bool] = False
    """The screen has a `GridAnimation`: its keys work and stand in help."""
    VIEWS: ClassVar[bool] = False
    """The animation has a `motion_view`."""

    class Ready(Message):
        """A slow section has been computed."""

        def __init__(self, scenario: Scenario, result: Any, error: Mishap | None) -> None:
            super().__init__()
            self.scenario, self.result, self.error = scenario, result, error

    def __init__(self) -> None:
        super().__init__()
        self.result: Any = None
        self._shown: tuple[object, ...] = ()
        self._presented = False
        self._places: dict[Widget, Widget] = {}
        self._last_focus: Widget | None = None

    # -- what a subclass says

    def compose_top(self) -> ComposeResult:
        """What stays in view under the headline, such as the picture of the answer; a few lines at most."""
        yield from ()

    def compose_body(self) -> ComposeResult:
        """The results, in panels."""
        yield from ()

    @property
    def report(self) -> Report:
        """The words of the section."""
        return section(self.SECTION).report

    def section(self, evaluation: Evaluation) -> Any:
        """The part of the evaluation that this screen shows. Raises ValueError where there is no answer."""
        return self.report.evaluate(evaluation)

    def show(self, result: Any) -> None:
        """Put a result into the widgets: what the section leads with, and every panel that the screen has."""
        self.answer(self.report.answer(result, self.bytes_as))
        self.place(*self.report.page(result, self.bytes_as))

    def math(self) -> Sequence[Derivation]:
        """The derivations behind what is shown."""
        return () if self.result is None else self.report.derivations(self.result)

    def summary(self) -> str:
        """The answer in plain sentences."""
        return "" if self.result is None else self.report.summary(self.result, self.bytes_as)

    def place(self, *blocks: Block) -> None:
        """Put blocks of the report into the widgets of the panels of the same name; others are left out."""
        for block in blocks:
            view = _VIEWS.get(type(block))
            if view is not None:
                name = view.__name__
                for widget in self.query(f"#{block.id} {name}, {name}#{block.id}"):
                    cast("Any", widget).show(block)

    def markdown(self) -> str:
        """The screen as Markdown: the summary, then the math."""
        from ...report.layout import escaped
        from ...report.math import markdown

        title = f"## {self.infra.title_of(self.SECTION)}: {escaped(self.scenario.name)}"
        parts = (title, escaped(self.summary()))
        return "\n\n".join((*parts, markdown(self.math(), self.bytes_as))) + "\n"

    # -- what a subclass may use

    @property
    def infra(self) -> Shell:
        return cast("Shell", self.app)

    @property
    def scenario(self) -> Scenario:
        return self.infra.scenario

    @property
    def bytes_as(self) -> ByteUnit:
        return self.infra.settings.bytes_as

    @property
    def motion(self) -> bool:
        return self.infra.settings.motion

    def answer(self, answer: Answer) -> None:
        """Set the headline."""
        self.query_one(Headline).answer = answer

    def note(self, text: str, tone: str = "") -> None:
        """Say something in the status line: tone `good`, `bad`, `key`, or none."""
        self.query_one(HintLine).status = (text, tone)

    def change(self, **changes: object) -> bool:
        """Change the scenario. False where it was refused, with the reason in the status line."""
        try:
            self.infra.change(**changes)
        except ScenarioError as error:
            self.note(str(error), "bad")
            return False
        return True

    # -- composition

    def compose(self) -> ComposeResult:
        yield TitleBar()
        with Container(id="section"):
            yield Inputs(self.make_row(field) for field in self.FIELDS)
            with Vertical(id="main"):
                yield Headline()
                yield from self.compose_top()
                with Body(id="body"):
                    yield from self.compose_body()
                    if self.TERMS:
                        with Panel("Terms", id="terms"):
                            yield Terms([TermText(term, term.replace("-", " "), "") for term in self.TERMS])
                with Panel("Math", id="math"):
                    yield DerivationView()
        yield HintLine()
        yield KeyBar()
        smallest = f"infratui needs {SMALLEST[0]} × {SMALLEST[1]}"
        yield Static(Content(f"{smallest}; it comes back when the window grows. q quits."), id="too-small")

    def make_row(self, field: str) -> ValueRow:
        """A value row for a field of the scenario."""
        book = self.infra.fields
        low, high = bounds(field)
        row = ValueRow(
            field,
            INPUTS[field],
            shown=lambda value: book.shown(field, value),
            typed=lambda value: book.typed(field, value),
            values=lambda: book.values(field),
            low=low,
            high=high,
            default=Scenario.model_fields[field].default,
        )
        row.set_reactive(ValueRow.value, getattr(self.scenario, field))
        return row

    # -- keeping up with the scenario

    def on_mount(self) -> None:
        self.watch(self, "focused", self._focus_moved)

    def on_screen_resume(self) -> None:
        self.sync()

    def on_screen_suspend(self) -> None:
        # Below an overlay the screen is still seen.
        if self not in self.app.screen_stack:
            forget_lines(self)

    def sync(self) -> None:
        """Show the scenario as it is now; nothing happens where it is shown already."""
        app = self.infra
        self.query_one(TitleBar).title = app.title_line()
        key = (app.scenario, self.bytes_as, self.motion, app.facts_version)
        if key == self._shown:
            return
        first = not self._shown
        fresh = first or key[0] != self._shown[0] or key[3] != self._shown[3]
        self._shown = key
        for row in self.query(ValueRow):
            row.value = getattr(app.scenario, row.field)
        if first:
            # The frame and the inputs are on screen while the engine is still being loaded.
            self.call_after_refresh(self._begin)
        else:
            self._update(fresh=fresh)

    def _begin(self) -> None:
        """The first results; rows that could only show ids now show names."""
        if not all(widget.is_mounted for widget in self.query("*")):
            # A widget that is not mounted yet forgets that it asked for another height.
            self.call_after_refresh(self._begin)
            return
        if self.infra.facts:
            self._update(fresh=True)
        for row in self.query(ValueRow):
            if row.spec.kind in NAMED or row.field in LISTED:
                row.refresh()

    def _update(self, *, fresh: bool) -> None:
        app = self.infra
        if not fresh and self.result is not None:
            self._present(self.result, None)
        elif (awaited := app.awaited()) is not None:
            self._present(None, awaited)
        elif self.SLOW:
            self._compute(app.scenario, app.evaluation)
        else:
            self._present(*self._answer(app.evaluation))

    def _answer(self, evaluation: Evaluation) -> tuple[Any, Mishap | None]:
        try:
            return self.section(evaluation), None
        except Exception as error:
            return None, mishaps.told(error, f"evaluating {self.SECTION}")

    @work(thread=True, exclusive=True, group="section")
    def _compute(self, scenario: Scenario, evaluation: Evaluation) -> None:
        result, error = self._answer(evaluation)
        self.post_message(self.Ready(scenario, result, error))

    def on_section_screen_ready(self, event: Ready) -> None:
        if event.scenario == self.scenario:
            self._present(event.result, event.error)

    def _present(self, result: Any, error: Mishap | None) -> None:
        self.result = result
        self.set_class(error is not None, "-refused")
        if error is not None:
            ways = " · ".join(filter(None, (error.kept, "change an input, or undo with u")))
            figure, tone = ("…", "") if error.waits else ("No answer", "bad")
            self.answer(Answer(figure, error.words, tone, ways))
            return
        try:
            self.show(result)
        except Exception as failure:
            self._present(None, mishaps.told(failure, f"showing {self.SECTION}"))
            return
        if not self._presented:
            # Heights that were asked for while the first layout was on its way may have been dropped.
            self._presented = True
            for container in self.query(Widget):
                container._clear_arrangement_cache()
            self.refresh(layout=True)
        if self.has_class("-math"):
            self.query_one(DerivationView).show(self.math(), self.bytes_as)

    # -- values

    def on_value_row_changed(self, event: ValueRow.Changed) -> None:
        event.stop()
        row = event.row
        try:
            value = parse_value(row.field, event.text) if event.text is not None else event.value
            self.infra.change(**{row.field: value})
        except ScenarioError as error:
            row.refuse(str(error))
            return
        if row.typing:
            row.accept()
        self._hint(row)

    def on_value_row_listed(self, event: ValueRow.Listed) -> None:
        event.stop()
        row = event.row
        model = row.field in MODEL_FIELDS
        free = "path of a checkpoint on disk" if model else ""

        def chosen(value: str | None) -> None:
            if value is None:
                return
            try:
                if model and not self.infra.facts.at_hand(value):
                    self.infra.pick_model(row.field, value)
                    return
                self.infra.check_name(row.field, value)
                self.infra.change(**{row.field: value})
            except (ValueError, OSError) as error:
                self.note(str(error), "bad")

        choices = self.infra.fields.choices(row.field)
        self.app.push_screen(Picker(row.spec.label, choices, str(row.value), free), chosen)

    def on_value_row_noted(self, event: ValueRow.Noted) -> None:
        event.stop()
        self.note(event.text, event.tone if event.text else "")
        self.query_one(KeyBar).sync(self)

    # -- focus, hints and terms

    def _focus_moved(self, focused: Widget | None) -> None:
        line = self.query_one(HintLine)
        line.status = ("", "")
        if focused is None:
            line.hint = ""
        else:
            self._last_focus = focused
            panel = self._panel_of(focused)
            if panel is not None:
                self._places[panel] = focused
            if line.hint or self.infra.knows_terms or self.app.is_headless:
                self.call_after_refresh(self._hint, focused)
            else:
                # The first hint reads the glossary: not before the screen stands.
                self.set_timer(0.25, lambda: self._hint(focused))

    def _hint(self, focused: Widget) -> None:
        if focused is not self.focused:
            return
        line = self.query_one(HintLine)
        if isinstance(focused, ValueRow):
            line.hint = self.infra.hint(focused.field)
        elif isinstance(focused, Terms):
            self._name_terms(focused)
        else:
            line.hint = str(focused.tooltip or "")

    def _name_terms(self, terms: Terms) -> None:
        if not any(term.short for term in terms.terms):
            terms.terms = self.infra.terms(self.TERMS)
        if terms.current:
            self.query_one(HintLine).hint = f"{terms.current.name}: {terms.current.short}"

    def on_terms_walked(self, event: Terms.Walked) -> None:
        event.stop()
        if event.term.short:
            self.query_one(HintLine).hint = f"{event.term.name}: {event.term.short}"

    def on_terms_opened(self, event: Terms.Opened) -> None:
        event.stop()
        self.infra.open_term(event.term.id)

    def _walk_term(self, by: int) -> None:
        found = self.query(Terms)
        if not found:
            return
        terms = found.first()
        if terms.has_focus:
            terms.action_walk(by)
        else:
            terms.focus()

    def action_next_term(self) -> None:
        """To the next term."""
        self._walk_term(1)

    def action_previous_term(self) -> None:
        """To the previous term."""
        self._walk_term(-1)

    # -- moving

    def _panel_of(self, widget: Widget) -> Widget | None:
        return next((node for node in widget.ancestors_with_self if isinstance(node, Panel | Inputs)), None)

    def panels(self) -> list[Widget]:
        """The panels that can take the focus, in reading order."""
        found: list[Widget] = []
        for widget in self.focus_chain:
            panel = self._panel_of(widget)
            if panel is not None and panel not in found:
                found.append(panel)
        return found

    def enter(self, panel: Widget) -> None:
        """Focus a panel where it was left."""
        chain = [widget for widget in self.focus_chain if self._panel_of(widget) is panel]
        place = self._places.get(panel)
        if chain:
            self.set_focus(place if place in chain else chain[0])

    def _next_panel(self, by: int) -> None:
        panels = self.panels()
        if panels:
            here = self._panel_of(self.focused) if self.focused else None
            self.enter(panels[(panels.index(here) + by) % len(panels)] if here and here in panels else panels[0])

    def action_next_panel(self) -> None:
        """To the next panel."""
        self._next_panel(1)

    def action_previous_panel(self) -> None:
        """To the previous panel."""
        self._next_panel(-1)

    def _next_field(self, by: int) -> None:
        # Textual's focus chain reads across; columns of inputs read down.
        rows = list(self.query(ValueRow))
        if isinstance(self.focused, ValueRow):
            self.set_focus(rows[(rows.index(self.focused) + by) % len(rows)])
        elif rows:
            self.set_focus(rows[0])

    def action_next_field(self) -> None:
        """To the next field."""
        self._next_field(1)

    def action_previous_field(self) -> None:
        """To the previous field."""
        self._next_field(-1)

    def action_page(self, by: int) -> None:
        """Scroll the results."""
        body = self.query_one("#body")
        body.scroll_relative(y=by * max(1, body.size.height - 2), animate=False)

    def action_leave(self) -> None:
        """Leave what is on top: a checkpoint that is read, the zoom, the math, then the panel."""
        if self.infra.stop_reading():
            return
        if welcome := self.query(Welcome):
            welcome.remove()
            self.infra.welcomed()
        elif self.maximized is not None:
            self.minimize()
        elif self.has_class("-math"):
            self.action_math()
        elif not isinstance(self.focused, ValueRow):
            inputs = next((panel for panel in self.panels() if isinstance(panel, Inputs)), None)
            if inputs is not None:
                self.enter(inputs)
        else:
            self.note("")

    # -- seeing and keeping

    def action_math(self) -> None:
        """Show or hide the math."""
        opened = not self.has_class("-math")
        self.set_class(opened, "-math")
        view = self.query_one(DerivationView)
        if opened and self.result is not None:
            view.show(self.math(), self.bytes_as)
        elif view.has_focus:
            self.call_after_refresh(self.action_leave)

    def action_zoom(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None and (panel := self._panel_of(self.focused)) is not None:
            self.maximize(panel)

    def action_copy_summary(self) -> None:
        """Copy the summary, with what it assumes and the date."""
        words = self.summary()
        if words:
            from ...report.summary import paragraph

            facts = self.infra.facts
            words = paragraph(words, self.SECTION, self.scenario, facts, self.math(), facts.today)
        self.infra.copy(words, "summary")

    def action_copy_markdown(self) -> None:
        """Copy the screen as Markdown."""
        if self.result is not None:
            self.infra.copy(self.markdown(), "Markdown")

    def action_export(self) -> None:
        """Write the screen or the whole report to a file."""
        if self.result is not None:
            from .exporting import offer_export

            offer_export(self)

    # -- animations

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

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1], "-too-small")
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        # A widget that a small window hides loses the focus; where it comes back it gets it back.
        last = self._last_focus
        if self.focused is None and last is not None and last in self.focus_chain:
            self.set_focus(last)
