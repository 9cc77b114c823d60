"""The screen of a section: its inputs, and what `report/<section>` says of its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.widget import Widget

from ...engine.figures.derivation import Derivation
from ...engine.figures.units import counted
from ...inputs import Kind
from ...report.input_groups import groups
from ...report.inputs import NAMED
from ...report.sections import Report, section
from ...report.workload import WorkloadWords
from ...scenario import INPUTS, Scenario, ScenarioError, bounds
from ...settings_text import parse_value
from ..checkpoints import MODEL_FIELDS
from ..fields import LISTED
from ..widgets.choice import Choice
from ..widgets.group_head import GroupHead
from ..widgets.headline import HeadlineView
from ..widgets.panel import Panel
from ..widgets.picker import Picker
from ..widgets.value_row import ValueRow
from .answer import AnswerScreen, R
from .chrome import KeyBar, WorkloadLine
from .inputs import Inputs

if TYPE_CHECKING:
    from ...engine.evaluate import Evaluation


class SectionScreen(AnswerScreen[R]):
    """One of the peer screens. Subclass it in `app/screens/<name>/screen.py` as `<Name>Screen`.

    A subclass names its inputs and places what the report says; `R` is the result of its section.

    ```python
    class VramScreen(SectionScreen["VramResult"]):
        FIELDS = ("model", "precision", "users", "context")     # inputs, in order
        TERMS = ("kv-cache", "weights")                         # glossary ids walked with `t`
        CSS = "VramScreen TableView { height: 12; }"            # or a screen.tcss nested under the class

        def compose_body(self):                                 # the results, in panels (tab moves between them)
            with Panel("On every accelerator", id="fits"):      # the id of a block of the report
                yield TableView()

        def show(self, result):                                 # only where a widget of its own is to be filled
            super().show(result)
            self.query_one(LayerStrip).show(result, self.bytes_as)
    ```

    - The report's `evaluate` runs in the watcher; `SLOW = True` where it can take over 5 ms.
    - `self.result` is what it last returned. `show` is called again when scenario, unit of bytes or motion change.
    - A ValueError is shown as the headline in the engine's own words; the results are hidden.
    """

    AUTO_FOCUS = "ValueRow"
    FIELDS: ClassVar[tuple[str, ...]] = ()
    KEPT: ClassVar[tuple[str, ...]] = ("terms",)
    """Panels that stand whatever the report has for them."""

    def __init__(self) -> None:
        super().__init__()
        self._label = ""
        """The currency that amounts are shown in."""
        self._profile: tuple[object, str] = (None, "60s")
        """The measured demand that rows are shown with."""
        self._workload: WorkloadWords | None = None
        self._rows: tuple[ValueRow, ...] = ()
        self._left_out: dict[str, str] = {}
        """Titles of the panels that the rule of thumb heads in its own way, or leaves out."""

    # -- what a subclass may say otherwise

    @property
    def report(self) -> Report:
        """The words of the section, for what is shown: the rule of thumb has its own."""
        return section(self.SECTION).report_by(getattr(self.result, "estimator", "detailed"))

    def section(self, evaluation: Evaluation) -> R:
        """The part of the evaluation that this screen shows. Raises ValueError where there is no answer."""
        return cast("R", section(self.SECTION).report_by(evaluation.scenario.estimator).evaluate(evaluation))

    def compose_under_title(self) -> ComposeResult:
        yield WorkloadLine()

    def beside(self, evaluation: Evaluation) -> None:
        # The engine is loaded by now.
        from ...report.deployment import workload

        self._workload = workload(evaluation)

    def show_first(self, evaluation: Evaluation) -> None:
        report = section(self.SECTION).report_by(evaluation.scenario.estimator)
        first = getattr(report, "first", None)
        if first is None or report is not self.report:
            return
        try:
            result = first(evaluation)
            self.beside(evaluation)
        except ValueError:
            # The whole result will say why there is none.
            return
        self.say_workload()
        before = self.query_one(HeadlineView).answer
        self.answer(report.answer(result, self.bytes_as).until_known(before), more_follows=True)
        self.place(*report.lead(result, self.bytes_as))  # type: ignore[attr-defined]

    def show(self, result: R) -> None:
        """Put a result into the widgets: what the section leads with, and every panel that the screen has."""
        self.say_workload()
        blocks = self.report.page(result, self.bytes_as)
        self._leave_out({block.id: block.title for block in blocks} if self.is_thumb else None)
        self.answer(self.report.answer(result, self.bytes_as))
        self.place(*blocks)

    @property
    def is_thumb(self) -> bool:
        """What is shown is the rule of thumb's own result."""
        return self.report is not section(self.SECTION).report

    def _leave_out(self, told: Mapping[str, str] | None) -> None:
        """Head the panels that the rule of thumb fills, hide those that it leaves empty; None: as they were."""
        if told is None and not self._left_out:
            return
        for panel in self.query("#body Panel").results(Panel):
            name = panel.id or ""
            if told is None:
                if name in self._left_out:
                    panel.display, panel.border_title = True, self._left_out[name]
            elif panel.display and name not in self.KEPT and name not in self._left_out:
                self._left_out[name] = str(panel.border_title)
                panel.display = name in told
            if told and name in told:
                panel.border_title = told[name]
        if told is None:
            self._left_out.clear()

    def math(self) -> Sequence[Derivation]:
        return () if self.result is None else self.report.derivations(self.result)

    def summary(self) -> str:
        return "" if self.result is None else self.report.summary(self.result, self.bytes_as)

    def markdown(self) -> str:
        """The screen as Markdown: the summary, then the math."""
        from ...report.markdown import escaped
        from ...report.math import markdown

        title = f"## {self.infra.title_of(self.SECTION)}: {escaped(self.scenario.name)}"
        parts = (title, escaped(self.summary()))
        return "\n\n".join((*parts, markdown(self.math(), self.bytes_as, self.scenario.currency))) + "\n"

    def say_workload(self) -> None:
        """Say what is served, for whom and on what."""
        self.query_one(WorkloadLine).workload = self._workload

    # -- inputs

    def compose_side(self) -> ComposeResult:
        yield Inputs(groups(self.FIELDS), self.scenario, self.make_row)

    @property
    def rows(self) -> Sequence[ValueRow]:
        """Every input of the screen that has been made."""
        if not self._rows:
            self._rows = tuple(self.query(ValueRow))
        return self._rows

    def on_inputs_unfolded(self, event: Inputs.Unfolded) -> None:
        event.stop()
        self._rows = ()

    def make_row(self, field: str) -> ValueRow:
        """A value row for a field of the scenario."""
        book = self.session.fields
        low, high = bounds(field)
        row = ValueRow(
            field,
            INPUTS[field],
            shown=lambda value: self.measured(field) or book.shown(field, value),
            typed=lambda value: book.typed(field, value),
            values=lambda: book.values(field),
            low=low,
            high=high,
            default=Scenario.FIELDS[field].default,
        )
        row.set_reactive(ValueRow.value, getattr(self.scenario, field))
        return row

    def measured(self, field: str) -> str:
        """The value of a field that a measured demand takes the place of; empty where it counts as typed."""
        profile = self.scenario.demand_profile
        if profile is None:
            return ""
        force = profile.in_place(self.scenario.peak_window)
        if field not in force:
            return ""
        value = force[field]
        if isinstance(value, float):
            value = float(f"{value:.3g}")
        text = f"{value:,}" if isinstance(value, int) else self.session.fields.shown(field, value)
        return f"{text} measured"

    def sync_inputs(self) -> None:
        other = self._label != self.scenario.currency
        self._label = self.scenario.currency
        profile = self.scenario.demand_profile, self.scenario.peak_window
        if profile != self._profile:
            self._profile = profile
            for row in self.rows:
                row.refresh()
        self.query_one(Inputs).sync(self.scenario)
        for row in self.rows:
            row.value = getattr(self.scenario, row.field)
            if other and row.spec.kind is Kind.MONEY:
                row.refresh()

    def begun(self) -> None:
        # Rows that could only show ids now show names.
        for row in self.rows:
            if row.spec.kind in NAMED or row.field in LISTED:
                row.refresh()

    def on_value_row_changed(self, event: ValueRow.Changed) -> None:
        event.stop()
        row = event.row
        if self.measured(row.field):
            row.refuse(f"{row.spec.label} is measured; “drop what was measured” in the palette (:) types again")
            return
        try:
            value = parse_value(row.field, event.text) if event.text is not None else event.value
            self.session.change(**{row.field: value})
        except ScenarioError as error:
            row.refuse(str(error))
            return
        if row.typing:
            row.end()
        self.say_hint(row)

    def on_value_row_listed(self, event: ValueRow.Listed) -> None:
        event.stop()
        row = event.row
        model = row.field in MODEL_FIELDS
        free = "path of a checkpoint on disk" if model else ""

        def chosen(value: str | None) -> None:
            if value is None:
                return
            try:
                if model and not self.session.facts.at_hand(value):
                    self.infra.pick_model(row.field, value)
                    return
                self.session.check_name(row.field, value)
                self.session.change(**{row.field: value})
            except (ValueError, OSError) as error:
                self.note(str(error), "bad")

        choices = self.session.fields.choices(row.field)
        if row.field == "model" and self.is_answered:
            from .model_picker import ModelPicker

            self.app.push_screen(ModelPicker(self.session, row.spec.label, choices, str(row.value), free), chosen)
            return
        picker = self._picker_of_effects(row, choices) if self.is_answered else None
        self.app.push_screen(picker or Picker(row.spec.label, choices, str(row.value), free), chosen)

    def _picker_of_effects(self, row: ValueRow, choices: Sequence[Choice]) -> Picker | None:
        """A list that says what each value would do to the answer; None where that is not told."""
        from ...report.consequences import LISTED as TOLD
        from ...report.consequences import asked, consequences
        from .consequence_picker import ConsequencePicker

        field, session, bytes_as = row.field, self.session, self.bytes_as
        if field not in TOLD:
            return None
        scenario = session.scenario

        def effects() -> Mapping[str, str]:
            return consequences(field, session.evaluate(asked(field, scenario)), bytes_as)

        return ConsequencePicker(row.spec.label, choices, str(row.value), effects)

    def on_value_row_ranged(self, event: ValueRow.Ranged) -> None:
        event.stop()
        from .sweeping import SweepScreen, values_of

        field = event.row.field
        values = () if self.measured(field) else values_of(self.session, field)
        if not values or not self.is_answered:
            why = "has no range" if self.is_answered else "has no answer to follow yet"
            self.note(f"{event.row.spec.label} {why}", "bad")
            return

        def taken(value: object) -> None:
            if value is not None and self.change(**{field: value}):
                self.note(
                    f"{event.row.spec.label} {self.session.fields.shown(field, value)} taken; u undoes it", "good"
                )

        self.app.push_screen(SweepScreen(self.session, self.SECTION, field, values, self.bytes_as), taken)

    def on_value_row_noted(self, event: ValueRow.Noted) -> None:
        event.stop()
        self.note(event.text, event.tone if event.text else "")
        self.query_one(KeyBar).sync(self)

    def hint_of(self, focused: Widget) -> str | None:
        if isinstance(focused, GroupHead):
            return focused.hint([INPUTS[field].label for field in focused.group.folded])
        return self.session.hint(focused.field) if isinstance(focused, ValueRow) else super().hint_of(focused)

    def go_to(self, field: str) -> bool:
        """Give the keys to an input, out of a folded group too. False where the screen has no such input."""
        if field not in self.FIELDS:
            return False
        inputs = self.query_one(Inputs)
        inputs.open_for(field)

        def focus() -> None:
            self.set_focus(inputs.row(field))

        self.call_after_refresh(focus)
        return True

    # -- what does not fit

    def action_fit(self) -> None:
        """Take as many GPUs as hold the load."""
        from ...engine.deployment.answer import enough

        try:
            holds, least = enough(self.session.evaluation.case)
        except ValueError as error:
            self.note(str(error), "bad")
            return
        if holds or least is None:
            self.note("these GPUs hold it" if holds else "no number of these GPUs holds it", "muted")
        elif self.change(gpus=max(least, self.scenario.gpus), tp=0, pp=0, dp=0, ep=0, dcp=0):
            self.note(f"{counted(least, 'GPU')} taken; u undoes it", "good")

    # -- leaving

    def left(self) -> None:
        if isinstance(self.focused, ValueRow):
            self.note("")
            return
        inputs = next((panel for panel in self.panels() if isinstance(panel, Inputs)), None)
        if inputs is not None:
            self.enter(inputs)
