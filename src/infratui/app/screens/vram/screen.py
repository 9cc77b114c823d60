"""The VRAM screen: what a model needs for its users, where that fits, how it grows, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult

from ...screen.section import SectionScreen
from ...widgets.drawn import BarList, LinesView, StackedBar
from ...widgets.line_chart import LineChart
from ...widgets.panel import Panel
from ...widgets.table import TableView
from .layer_strip import LayerStrip

if TYPE_CHECKING:
    from ....engine.sections.vram import VramResult


class VramScreen(SectionScreen["VramResult"]):
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
        "adapters",
        "adapter_rank",
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
    SLOW = True
    CSS = """
    VramScreen StackedBar { margin: 0 1; }
    VramScreen LineChart { height: 11; }
    VramScreen.-huge #body { layout: grid; grid-size: 2; grid-columns: 98 1fr; grid-rows: auto; grid-gutter: 0 1; }
    VramScreen.-huge LineChart { height: 13; }
    VramScreen.-high TableView { height: 20; }
    VramScreen.-huge.-high TableView, VramScreen.-huge.-high LineChart { height: 28; }
    """

    def compose_top(self) -> ComposeResult:
        yield StackedBar(id="total")

    def compose_body(self) -> ComposeResult:
        with Panel("On every accelerator", id="fits"):
            yield TableView(limit=12)
        with Panel("How it grows: all GPUs, by users and context", id="growth"):
            yield LineChart()
        with Panel("KV cache by layer", id="layers"):
            yield LayerStrip()
        with Panel("Weights by part", id="parts"):
            yield BarList()
        with Panel("On the fullest GPU", id="gpu"):
            yield BarList()
        with Panel("What the engine will print, and where KV can wait", id="startup"):
            yield LinesView()

    def show(self, result: VramResult) -> None:
        super().show(result)
        if not self.is_thumb:
            self.query_one(LayerStrip).show(result, self.bytes_as)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        self.note(event.detail, "muted")

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        if self.result is None:
            return
        entry = self.result.row(event.row)
        changes: dict[str, Any] = {"accelerator": event.row}
        if entry.gpus is not None:
            changes["gpus"] = entry.gpus
        if self.change(**changes):
            self.note(f"{entry.gpus or self.scenario.gpus} × {entry.accelerator.name} taken; u undoes it", "good")
