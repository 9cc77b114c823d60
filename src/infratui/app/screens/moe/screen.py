"""The MoE vs Dense screen: two models beside each other, and the router of the mixture running."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from ....catalog.routing_text import routing_words
from ....report.moe_router import router_title
from ....report.moe_tables import side_by_side
from ....report.show import Table
from ...screen.section import SectionScreen
from ...widgets.drawn import LinesView, ProseView, StacksView
from ...widgets.panel import Panel
from ...widgets.table import TableView
from ...widgets.value_row import ValueRow
from .router_panel import RouterPanel
from .side_cards import SideCards

if TYPE_CHECKING:
    from ....engine.sections.moe import MoeResult
    from ....engine.sections.thumb import ThumbSides

_ROUTER_FIELDS = ("router_batch", "router_top_k", "router_skew", "router_layer", "ep", "capacity_factor", "router_seed")


class MoeScreen(SectionScreen["MoeResult | ThumbSides"]):
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
    KEPT = ("terms", "router")
    CSS = """
    MoeScreen #sides, MoeScreen #left, MoeScreen #right { height: auto; }
    MoeScreen.-huge #sides { layout: horizontal; }
    MoeScreen.-huge #left, MoeScreen.-huge #right { width: 1fr; }
    MoeScreen.-low StacksView { height: 3; }
    MoeScreen.-refused StacksView { display: none; }
    """

    def compose_top(self) -> ComposeResult:
        yield StacksView(id="weights")

    def compose_body(self) -> ComposeResult:
        with Container(id="sides"):
            with Vertical(id="left"):
                with Panel("Router", id="router"):
                    yield RouterPanel()
                with Panel("Side by side", id="cards"):
                    yield SideCards()
            with Vertical(id="right"):
                with Panel("Who wins which line", id="trade"):
                    yield TableView(limit=15)
                with Panel("Experts on GPUs: this batch", id="placement"):
                    yield LinesView()
                    yield ProseView()
                with Panel("When which pays", id="notes"):
                    yield ProseView()

    # -- showing

    def show(self, result: MoeResult | ThumbSides) -> None:
        super().show(result)
        self.query_one(SideCards).show(self._cards(result))
        self.query_one(RouterPanel).show(result.router, routing_words(), motion=self.motion)
        self._title_router()

    def _cards(self, result: MoeResult | ThumbSides) -> Table:
        if not self.is_thumb:
            return side_by_side(cast("MoeResult", result), self.bytes_as)
        from ....report import thumb_moe

        return thumb_moe.side_by_side(cast("ThumbSides", result), self.bytes_as)

    def _title_router(self) -> None:
        if self.result is None:
            return
        panel = self.query_one(RouterPanel)
        title = router_title(self.result.router, whole=panel.whole_batch, pace=panel.pace)
        self.query_one("#router", Panel).border_title = title

    def paced(self) -> None:
        self._title_router()

    # -- what the user does

    def action_motion_view(self) -> None:
        """From the tokens to the whole batch and back."""
        if self.result is None:
            return
        panel = self.query_one(RouterPanel)
        panel.motion_view()
        self._title_router()
        panel.scroll_visible(animate=False)

    def on_router_panel_turned(self, event: RouterPanel.Turned) -> None:
        event.stop()
        self._title_router()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Bring the router into view with an input that is its own."""
        row = event.widget
        if isinstance(row, ValueRow) and row.field in _ROUTER_FIELDS:
            self.query_one("#router").scroll_visible(animate=False, top=True)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        event.stop()
        self.note(event.detail, "muted")

    def on_screen_suspend(self) -> None:
        """Nothing moves where nobody looks."""
        self.query_one(RouterPanel).suspend()
