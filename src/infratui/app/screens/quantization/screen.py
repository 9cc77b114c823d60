"""The Quantization screen: what each way to store the weights saves and costs, down to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from ....engine.figures.derivation import Derivation
from ....engine.figures.units import ByteUnit
from ....report import bit_lab, precision_tables, published
from ....report import quantization as report
from ....value_types import dataclass
from ...screen.chrome import KeyBar
from ...screen.section import SectionScreen
from ...widgets.drawn import ProseView
from ...widgets.panel import Panel
from ...widgets.table import TableView
from ...widgets.value_row import ValueRow
from .bit_lab import BitLab
from .format_bars import FormatBars

if TYPE_CHECKING:
    from ....engine.evaluate import Evaluation
    from ....engine.sections.bit_lab import LabResult
    from ....engine.sections.quantization import QuantizationResult


@dataclass(frozen=True, slots=True)
class Shown:
    """Both sections of the screen; a lab that has no answer says why."""

    trade: QuantizationResult
    lab: LabResult | None
    refused: str = ""


class QuantizationScreen(SectionScreen[Shown]):
    """Precisions and number formats."""

    HELP = (
        "Every way to store the weights: bytes, GPUs, predicted speed beside the rule of thumb, published quality. "
        "←→ on the bars walk the formats and enter takes one; Formats switches between the classic four and all. "
        "In the bit lab ←→ walk the number formats, ↑↓ the weights of the group, enter types a weight."
    )
    FIELDS = (
        "model",
        "precision",
        "kv_precision",
        "shown_formats",
        "accelerator",
        "gpus",
        "users",
        "context",
        "input_tokens",
        "output_tokens",
        "lab_value",
        "lab_format",
        "lab_scale",
        "lab_group",
        "lab_distribution",
        "lab_outlier",
        "lab_seed",
    )
    TERMS = (
        "quantization",
        "precision",
        "effective-bits",
        "scale",
        "zero-point",
        "group-size",
        "sign-exponent-mantissa",
        "rounding",
        "subnormal",
        "saturation",
        "signal-to-noise",
        "outlier",
        "calibration-data",
        "quality-badge",
        "perplexity",
        "bandwidth-bound",
        "compute-bound",
        "gptq",
        "awq",
        "smoothquant",
        "rotation",
        "bitsandbytes",
        "fp8-e4m3",
        "mxfp4",
        "nvfp4",
        "k-quants",
    )
    SLOW = True
    PARTS = ("lab",)
    CSS = """
    QuantizationScreen #sides, QuantizationScreen #left, QuantizationScreen #right { height: auto; }
    QuantizationScreen FormatBars { height: 9; }
    QuantizationScreen.-tall FormatBars { height: 15; }
    QuantizationScreen.-high FormatBars { height: 20; }
    QuantizationScreen Panel.-maximized { height: 1fr; }
    QuantizationScreen Panel.-maximized FormatBars, QuantizationScreen Panel.-maximized TableView { height: 1fr; }
    QuantizationScreen.-huge #sides { layout: horizontal; }
    QuantizationScreen.-huge #left, QuantizationScreen.-huge #right { width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._at = ""
        self._method = ""
        self._was = ""
        self._drawn: tuple[QuantizationResult, ByteUnit] | None = None
        self._lab: LabResult | None = None

    def compose_body(self) -> ComposeResult:
        with Container(id="sides"):
            with Vertical(id="left"):
                with Panel("Weights in each precision: enter takes one", id="bars"):
                    yield FormatBars()
                with Panel("Trade-offs", id="trade"):
                    yield TableView(limit=10)
                with Panel("Why", id="why"):
                    yield ProseView()
                with Panel("Published quality", id="evidence"):
                    yield TableView(limit=6)
                with Panel("KV cache, apart from the weights", id="kv"):
                    yield TableView(limit=6)
            with Vertical(id="right"):
                with Panel("Bit lab", id="lab"):
                    yield BitLab()
                with Panel("The value in every number format", id="snaps"):
                    yield TableView(limit=8)
                with Panel("Where the error comes from, and one outlier", id="outlier"):
                    yield ProseView()
                with Panel("Methods", id="methods"):
                    yield TableView(limit=9)
                    yield ProseView()

    def section(self, evaluation: Evaluation) -> Shown:
        trade = evaluation.quantization
        try:
            return Shown(trade, evaluation.lab)
        except ValueError as error:
            return Shown(trade, None, str(error))

    # -- showing

    def show(self, result: Shown) -> None:
        self.say_workload()
        # The engine remembers: what is the same object is on screen already.
        drawn = (result.trade, self.bytes_as)
        if drawn != self._drawn:
            self._show_trade(result.trade)
        if drawn != self._drawn or result.lab is None or result.lab is not self._lab:
            self._show_lab(result)
        self._drawn, self._lab = drawn, result.lab

    def _show_trade(self, trade: QuantizationResult) -> None:
        unit = self.bytes_as
        self.answer(report.answer(trade, unit))
        known = {row.precision.id for row in trade.rows}
        chosen = trade.chosen.precision.id
        if self._at not in known or chosen != self._was:
            self._at = chosen
        self._was = chosen
        self.query_one(FormatBars).show(precision_tables.pillars(trade, unit), self._at)
        table = precision_tables.trade_offs(trade, unit)
        self._title("#trade", table.title)
        self.place(table, precision_tables.kv_cache(trade, unit), published.methods(trade))
        self._explain()
        self._show_method()

    def _explain(self) -> None:
        """Show what is behind the precision under the cursor."""
        if self.result is None:
            return
        trade = self.result.trade
        row = trade.row(self._at)
        why, evidence = report.explanation(row, trade, self.bytes_as), published.evidence(row, trade)
        self._title("#why", why.title)
        self._title("#evidence", evidence.title)
        self.place(why, evidence)
        self.query_one("#evidence").display = bool(evidence.rows)

    def _show_lab(self, result: Shown) -> None:
        lab, trade = result.lab, result.trade
        for panel in ("#snaps", "#outlier"):
            self.query_one(panel).display = lab is not None
        self.query_one(BitLab).display = lab is not None
        self._title("#lab", "Bit lab" if lab else f"Bit lab: {result.refused}")
        if lab is None:
            return
        self.query_one(BitLab).show(lab)
        self.place(*bit_lab.page(lab, trade))

    def _show_method(self) -> None:
        if self.result is None:
            return
        methods = self.result.trade.methods
        method = next((entry for entry in methods if entry.id == self._method), methods[0])
        self.place(published.method(method))

    def _title(self, selector: str, text: str) -> None:
        panel = self.query_one(selector, Panel)
        # A title that is set again repaints its panel.
        if panel.border_title != text:
            panel.border_title = text

    # -- what the app asks

    def math(self) -> Sequence[Derivation]:
        if self.result is None:
            return ()
        trade, lab = self.result.trade, self.result.lab
        bits = lab.derivations(self.query_one(BitLab).at) if lab else ()
        return (*trade.derivations(trade.row(self._at)), *bits)

    def summary(self) -> str:
        if self.result is None:
            return ""
        parts = [report.summary(self.result.trade, self.bytes_as)]
        if self.result.lab is not None:
            parts.append(bit_lab.summary(self.result.lab))
        return "\n".join(parts)

    # -- what the user does

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Bring what an input changes into view with it."""
        row = event.widget
        if isinstance(row, ValueRow):
            lab = row.field.startswith("lab_")
            self.query_one("#lab" if lab else "#bars").scroll_visible(animate=False, top=True)

    def _look_at(self, precision_id: str) -> None:
        if self.result is None or precision_id == self._at:
            return
        self._at = precision_id
        bars = self.query_one(FormatBars)
        bars.at = precision_id
        self._explain()

    def _take(self, precision_id: str) -> None:
        if self.result is None:
            return
        label = self.result.trade.row(precision_id).precision.label
        if self.change(precision=precision_id):
            self.note(f"weights in {label}; u undoes it", "good")

    def on_format_bars_moved(self, event: FormatBars.Moved) -> None:
        event.stop()
        self._look_at(event.id)

    def on_format_bars_chosen(self, event: FormatBars.Chosen) -> None:
        event.stop()
        self._take(event.id)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        event.stop()
        panel = event.table.parent
        if panel is None:
            return
        if panel.id == "trade":
            self._look_at(event.row)
        elif panel.id == "methods":
            self._method = event.row
            self._show_method()
        elif panel.id == "evidence":
            self.note(event.detail, "muted")

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        event.stop()
        panel = event.table.parent
        where = panel.id if panel is not None else ""
        if where == "trade":
            self._take(event.row)
        elif where == "kv":
            if self.change(kv_precision=event.row):
                self.note(f"KV cache in {self.session.facts.precision(event.row).label}; u undoes it", "good")
        elif where == "snaps":
            self.change(lab_format=event.row)

    def on_bit_lab_format_wanted(self, event: BitLab.FormatWanted) -> None:
        event.stop()
        self.change(lab_format=event.id)

    def on_bit_lab_weight_typed(self, event: BitLab.WeightTyped) -> None:
        event.stop()
        from ....engine.formats.lab import parse_value

        lab: LabResult | None = self.result.lab if self.result else None
        if lab is None:
            return
        try:
            value = parse_value(event.text)
        except ValueError as error:
            self.note(str(error), "bad")
            return
        beside = list(lab.group.values[1:])
        if event.index:
            beside[event.index - 1] = value
            changed = self.change(lab_group=" ".join(f"{weight:.12g}" for weight in beside))
        else:
            changed = self.change(lab_value=value)
        if changed:
            event.lab.end()

    def on_bit_lab_noted(self, event: BitLab.Noted) -> None:
        event.stop()
        self.note(event.text, event.tone if event.text else "")
        self.query_one(KeyBar).sync(self)
