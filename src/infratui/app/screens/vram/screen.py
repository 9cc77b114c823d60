"""The VRAM screen: what a model needs for its users, where that fits, how it grows, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from ....engine.figures.derivation import Derivation
from ....engine.figures.units import (
    GB,
    GIB,
    ByteUnit,
    format_bytes,
    format_count,
    format_seconds,
    format_tokens,
    significant,
)
from ....report.vram import chosen, short_name, summary
from ...screen.section import SectionScreen
from ...terminal.relayout import relayout
from ...widgets.bar_list import Bar, BarList
from ...widgets.line_chart import Chart, Curve, LineChart, Rule
from ...widgets.panel import Panel
from ...widgets.stacked_bar import Segment, StackedBar
from ...widgets.table import Table
from .layer_strip import LayerStrip
from .words import answer, columns, row

if TYPE_CHECKING:
    from ....engine.evaluate import Evaluation
    from ....engine.sections.vram import VramResult

_CURVES = ("good", "key", "weights", "kv", "tight")
"""One colour per context, short to long; each curve is labelled too."""


class VramScreen(SectionScreen):
    """Memory."""

    HELP = (
        "Memory for one replica that holds all users. Change an input and every figure follows; enter on a GPU in the "
        "table takes it, m shows the math."
    )
    FIELDS = (
        "model",
        "precision",
        "kv_precision",
        "users",
        "context",
        "mean_fill",
        "shared_prefix",
        "accelerator",
        "gpus",
        "utilization",
        "engine",
        "max_batched_tokens",
        "max_num_seqs",
        "windowed_kv",
    )
    TERMS = (
        "vram",
        "weights",
        "parameters",
        "precision",
        "kv-cache",
        "overhead",
        "activations",
        "cuda-graphs",
        "gpu-memory-utilization",
        "context-window",
        "concurrency",
        "gqa",
        "sliding-window-attention",
        "mla",
        "prefix-caching",
        "gb-vs-gib",
    )
    CSS = """
    VramScreen StackedBar { margin: 0 1; }
    VramScreen LineChart { height: 11; }
    VramScreen.-huge #body { layout: grid; grid-size: 2; grid-columns: 3fr 2fr; grid-rows: auto; grid-gutter: 0 1; }
    VramScreen.-huge LineChart { height: 13; }
    VramScreen.-high Table { height: 20; }
    VramScreen.-huge.-high Table, VramScreen.-huge.-high LineChart { height: 28; }
    """

    _startup_lines = 0

    def compose_top(self) -> ComposeResult:
        yield StackedBar()

    def compose_body(self) -> ComposeResult:
        with Panel("On every accelerator", id="fits"):
            yield Table(columns(ByteUnit.GB), limit=12)
        with Panel("How it grows: all GPUs, by users and context", id="growth"):
            yield LineChart()
        with Panel("KV cache by layer", id="layers"):
            yield LayerStrip()
        with Panel("Weights by part", id="parts"):
            yield BarList()
        with Panel("On the fullest GPU", id="gpu"):
            yield BarList(id="gpu-parts")
        with Panel("What vLLM will print, and where KV can wait", id="startup"):
            yield Static(id="startup-lines", markup=False)

    def section(self, evaluation: Evaluation) -> VramResult:
        return evaluation.vram

    def show(self, result: VramResult) -> None:
        unit = self.bytes_as
        self.answer(answer(result, unit))
        self._show_bar(result, unit)
        rows = [row(entry, unit, entry.accelerator is result.selected.accelerator) for entry in result.rows]
        self.query_one("#fits Table", Table).show(rows, columns=columns(unit))
        self.query_one(LineChart).show(growth_chart(result, unit))
        self.query_one(LayerStrip).show(result, unit)
        self.query_one("#parts BarList", BarList).show(part_bars(result, unit))
        self.query_one("#gpu-parts", BarList).show(gpu_bars(result, unit))
        self._show_startup(result, unit)

    def _show_bar(self, result: VramResult, unit: ByteUnit) -> None:
        estimate = result.headline
        parts = [
            Segment("weights", estimate.weights, format_bytes(estimate.weights, unit), "weights"),
            Segment("KV cache", estimate.kv_cache, format_bytes(estimate.kv_cache, unit), "kv"),
            Segment("runtime", estimate.runtime, format_bytes(estimate.runtime, unit), "overhead"),
        ]
        least = result.smallest.plan
        capacity = least.requested * least.layout.gpus if least else 0
        accelerator = result.selected.accelerator
        name = short_name(accelerator.name, accelerator.vendor)
        words = f"{least.layout.gpus} × {name}: {format_bytes(capacity, unit)}" if least else ""
        self.query_one(StackedBar).show(parts, capacity, words)

    def _show_startup(self, result: VramResult, unit: ByteUnit) -> None:
        lines: list[Content] = []
        if result.startup is not None:
            lines += [Content.styled(f"INFO  {line}", "$good") for line in result.startup.lines]
        if result.prefix is not None:
            saved = format_bytes(result.prefix.saved, unit)
            lines.append(Content(f"shared prefix of {format_tokens(result.prefix.tokens)}: saves {saved} per GPU"))
        user = format_bytes(result.kv_bytes_per_user, unit)
        per_token = f"{result.kv_bytes_per_token:,.0f} B"
        lines.append(Content(f"one user's cache: {user}, {per_token} per token"))
        for tier in result.tiers:
            compute = "unknown" if tier.recompute_s is None else format_seconds(tier.recompute_s)
            verdict = {True: "restore", False: "recompute", None: "unknown"}[tier.worth_it]
            back = f"{format_seconds(tier.restore_s)} back at {significant(tier.bandwidth / 1e9)} GB/s"
            lines.append(
                Content.assemble(
                    (f"{tier.name:12}", "bold"), f" {back}, {compute} to compute again", (f" → {verdict}", "$key")
                )
            )
        taller = len(lines) != self._startup_lines
        self._startup_lines = len(lines)
        static = self.query_one("#startup-lines", Static)
        static.update(Content("\n").join(lines), layout=False)
        if taller:
            relayout(static)

    def math(self) -> Sequence[Derivation]:
        return self.result.derivations if self.result is not None else ()

    def summary(self) -> str:
        return summary(self.result, self.bytes_as) if self.result is not None else ""

    def on_table_moved(self, event: Table.Moved) -> None:
        entry = self.result.row(event.row)
        self.note(f"{entry.accelerator.name}: {entry.reason or entry.verdict.value}", "muted")

    def on_table_chosen(self, event: Table.Chosen) -> None:
        entry = self.result.row(event.row)
        changes: dict[str, Any] = {"accelerator": event.row}
        if entry.gpus is not None:
            changes["gpus"] = entry.gpus
        if self.change(**changes):
            self.note(f"{entry.gpus or self.scenario.gpus} × {entry.accelerator.name} taken; u undoes it", "good")


def growth_chart(result: VramResult, unit: ByteUnit) -> Chart:
    """Memory of all GPUs against users, one curve per context, the capacity as a rule."""
    size = GB if unit is ByteUnit.GB else GIB
    last = min((line.points[-1][0] for line in result.growth.lines), default=1)
    # A round end of the axis: the picture stands still while the number of users moves a little.
    end = _round_down(last)
    curves = tuple(
        Curve(
            format_tokens(line.context),
            _until([(float(users), total / size) for users, total in line.points], end),
            _CURVES[at % len(_CURVES)],
        )
        for at, line in enumerate(result.growth.lines)
    )
    capacity = result.growth.capacity / size
    return Chart(
        curves=curves,
        rules=(
            *((Rule(chosen(result), capacity, "bad"),) if capacity else ()),
            *((Rule("", float(result.load.users), "muted", upright=True),) if result.load.users <= end else ()),
        ),
        x_label="users",
        y_label=unit.value,
        x_text=lambda value: format_count(round(value)),
        y_text=lambda value: format_count(round(value)),
        top=capacity * 2 if capacity else None,
    )


def _round_down(value: int) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10 ** (len(str(value)) - 1)
    return float(max(step * power for step in (1, 2, 5) if step * power <= value))


def _until(points: list[tuple[float, float]], end: float) -> tuple[tuple[float, float], ...]:
    """The points up to an x, with one on it."""
    kept = [point for point in points if point[0] <= end]
    beyond = next((point for point in points if point[0] > end), None)
    if kept and beyond is not None and kept[-1][0] < end:
        (x, y), (next_x, next_y) = kept[-1], beyond
        kept.append((end, y + (next_y - y) * (end - x) / (next_x - x)))
    return tuple(kept)


def part_bars(result: VramResult, unit: ByteUnit) -> list[Bar]:
    """Weights of the checkpoint by part, with parameters and bits."""
    return [
        Bar(
            entry.part.value.replace("_", " "),
            entry.bytes,
            format_bytes(entry.bytes, unit),
            "weights",
            f"{format_count(entry.parameters)} × {significant(entry.bits)} bit",
        )
        for entry in result.weights_by_part
        if entry.bytes
    ]


def gpu_bars(result: VramResult, unit: ByteUnit) -> list[Bar]:
    """Memory of the tightest GPU of the chosen layout; empty where no layout is legal."""
    plan = result.selected.plan
    if plan is None:
        return []
    experts = sum(entry.bytes for entry in plan.weights.parts if entry.part == "routed_experts")
    amounts = (
        ("weights", plan.weights.total, "weights", f"of them experts {format_bytes(experts, unit)}" if experts else ""),
        ("KV cache", plan.kv_needed, "kv", f"room for {format_bytes(plan.kv_space, unit)}"),
        ("activations", plan.runtime.activation, "overhead", ""),
        ("CUDA graphs", plan.runtime.graphs, "overhead", ""),
        ("non-torch", plan.runtime.non_torch, "overhead", ""),
        ("free", plan.free, "good", f"of {format_bytes(plan.requested, unit)} requested"),
    )
    return [Bar(label, amount, format_bytes(amount, unit), tone, note) for label, amount, tone, note in amounts]
