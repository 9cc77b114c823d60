"""The MoE vs Dense screen: two models beside each other, and the router of the mixture running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from ....catalog.routing_text import routing_words
from ....engine.figures.derivation import Derivation
from ....report.moe import summary
from ...screen.section import SectionScreen
from ...widgets.panel import Panel
from ...widgets.prose import Prose
from ...widgets.table import Table
from ...widgets.value_row import ValueRow
from .router_panel import RouterPanel
from .side_cards import SideCards
from .weight_bars import WeightBars
from .words import (
    answer,
    figures,
    notes,
    placement_loads,
    placement_words,
    router_title,
    trade_columns,
    trade_row,
    trade_words,
    weight_bars,
)

if TYPE_CHECKING:
    from ....engine.evaluate import Evaluation
    from ....engine.sections.moe import MoeResult

_ROUTER_FIELDS = ("router_batch", "router_top_k", "router_skew", "router_layer", "ep", "capacity_factor", "router_seed")


class MoeScreen(SectionScreen):
    """Mixture of experts."""

    HELP = (
        "Any dense model beside any mixture of experts, at the same precision, load and GPUs. Below, the mixture's "
        "router runs: space plays or pauses, . and , step, + and - change the speed, v shows a whole batch instead of "
        "its tokens. Batch, top-k, skew, layer and EP are inputs; m shows the math."
    )
    FIELDS = (
        "dense_model",
        "moe_model",
        "precision",
        "kv_precision",
        "accelerator",
        "gpus",
        "users",
        "context",
        "input_tokens",
        "output_tokens",
        *_ROUTER_FIELDS,
    )
    TERMS = (
        "dense-model",
        "moe",
        "active-parameters",
        "router",
        "top-k",
        "routed-expert",
        "shared-expert",
        "experts-touched",
        "load-imbalance",
        "capacity-factor",
        "expert-parallelism",
        "bandwidth-bound",
        "compute-bound",
        "weights",
        "parameters",
        "tpot",
        "throughput",
    )
    SLOW = True
    ANIMATED = True
    VIEWS = True
    CSS = """
    MoeScreen #sides, MoeScreen #left, MoeScreen #right { height: auto; }
    MoeScreen Static { height: auto; }
    MoeScreen #placement-loads { text-wrap: nowrap; }
    MoeScreen.-huge #sides { layout: horizontal; }
    MoeScreen.-huge #left, MoeScreen.-huge #right { width: 1fr; }
    MoeScreen.-low WeightBars { height: 2; }
    MoeScreen.-refused WeightBars { display: none; }
    """

    def compose_top(self) -> ComposeResult:
        yield WeightBars()

    def compose_body(self) -> ComposeResult:
        with Container(id="sides"):
            with Vertical(id="left"):
                with Panel("Router", id="router"):
                    yield RouterPanel()
                with Panel("Side by side", id="cards"):
                    yield SideCards()
            with Vertical(id="right"):
                with Panel("Who wins which line", id="trade"):
                    yield Table(trade_columns(), limit=15)
                with Panel("Experts on GPUs: this batch", id="placement"):
                    yield Static(id="placement-loads", markup=False)
                    yield Prose()
                with Panel("When which pays", id="notes"):
                    yield Prose()

    def section(self, evaluation: Evaluation) -> MoeResult:
        return evaluation.moe

    # -- showing

    def show(self, result: MoeResult) -> None:
        unit = self.bytes_as
        self.answer(answer(result, unit))
        self.query_one(WeightBars).show(*weight_bars(result, unit))
        names = (result.dense.model.name, result.moe.model.name)
        self.query_one(SideCards).show(names, figures(result, unit))
        rows = [trade_row(line, unit) for line in result.trade_offs]
        self.query_one("#trade Table", Table).show(rows, columns=trade_columns(result))
        self.query_one("#placement-loads", Static).update(Content("\n").join(placement_loads(result.router)))
        self.query_one("#placement Prose", Prose).show(placement_words(result.router))
        self.query_one("#notes Prose", Prose).show(notes(result, unit))
        self.query_one(RouterPanel).show(result.router, routing_words(), motion=self.motion)
        self._title_router()

    def _title_router(self) -> None:
        whole = self.query_one(RouterPanel).whole_batch
        self.query_one("#router", Panel).border_title = router_title(self.result.router, whole=whole)

    # -- what the app asks

    def math(self) -> Sequence[Derivation]:
        return self.result.derivations if self.result is not None else ()

    def summary(self) -> str:
        return summary(self.result, self.bytes_as) if self.result is not None else ""

    # -- what the user does

    def action_motion_view(self) -> None:
        """From the tokens to the whole batch and back."""
        if self.result is None:
            return
        panel = self.query_one(RouterPanel)
        panel.motion_view()
        self._title_router()
        panel.scroll_visible(animate=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Bring the router into view with an input that is its own."""
        row = event.widget
        if isinstance(row, ValueRow) and row.field in _ROUTER_FIELDS:
            self.query_one("#router").scroll_visible(animate=False, top=True)

    def on_table_moved(self, event: Table.Moved) -> None:
        event.stop()
        self._say_line(event.row)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        event.stop()
        self._say_line(event.row)

    def _say_line(self, name: str) -> None:
        line = next((line for line in self.result.trade_offs if line.name == name), None)
        if line is not None:
            self.note(trade_words(line, self.result, self.bytes_as), "muted")

    def on_screen_suspend(self) -> None:
        """Nothing moves where nobody looks."""
        self.query_one(RouterPanel).suspend()
