"""The Parallelism screen: how the model is split over the GPUs, what each layout sends, and how fast it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.worker import get_current_worker

from ....engine.figures.units import format_seconds
from ....report.parallelism import rest
from ....report.parallelism_tables import link_text
from ....report.reasons import reason_text
from ....report.show import Block
from ....scenario import Scenario
from ...screen.section import SectionScreen
from ...widgets.drawn import LinesView, ProseView
from ...widgets.line_chart import LineChart
from ...widgets.panel import Panel
from ...widgets.table import TableView
from .batch_timeline import BatchTimeline
from .cluster_view import ClusterView
from .frames import Play, TrafficFrame, Words, frames, still, strip
from .picture import Cluster

if TYPE_CHECKING:
    from ....engine.evaluate import Evaluation
    from ....engine.sections.parallelism import Chosen, ParallelismResult
    from ....engine.sections.thumb import ThumbLayouts

_REST_S = 0.08
"""A held key steps a value thirty times a second: what takes longer waits until it rests."""
TWO_COLUMNS = 196
"""Columns from which a node of eight GPUs leaves room for a second column of panels."""


class ParallelismScreen(SectionScreen["ParallelismResult | ThumbLayouts"]):
    """Layouts."""

    HELP = (
        "The GPUs at hand, who holds what, and one decode step played in proportion to its predicted times. Enter on a "
        "layout sets it by hand, enter on it again makes it automatic. space plays, . and , step."
    )
    FIELDS = (
        "model",
        "precision",
        "kv_precision",
        "accelerator",
        "gpus",
        "users",
        "context",
        "input_tokens",
        "output_tokens",
        "tp",
        "pp",
        "dp",
        "ep",
        "dcp",
        "pools",
        "node_link",
        "gpus_per_node",
        "engine",
        "prefix_hit",
        "acceptance",
        "draft_tokens",
        "router_seed",
    )
    TERMS = (
        "tensor-parallelism",
        "pipeline-parallelism",
        "data-parallelism",
        "expert-parallelism",
        "dcp",
        "all-reduce",
        "all-to-all",
        "pipeline-bubble",
        "micro-batch",
        "replica",
        "rank",
        "node",
        "nvlink",
        "infiniband",
        "kv-heads",
        "ttft",
        "tpot",
        "throughput",
        "continuous-batching",
        "static-batching",
        "speculative-decoding",
        "percentile",
        "knee",
    )
    SLOW = True
    ANIMATED = True
    KEPT = ("terms", "cluster")
    CSS = """
    ParallelismScreen #sides, ParallelismScreen #left, ParallelismScreen #right { height: auto; }
    ParallelismScreen.-two #sides { layout: horizontal; }
    ParallelismScreen.-two #left { width: 87; }
    ParallelismScreen.-two #right { width: 1fr; }
    ParallelismScreen #measured { display: none; }
    ParallelismScreen #layouts TableView { max-height: 13; }
    ParallelismScreen #links TableView { max-height: 9; }
    ParallelismScreen #load LineChart { height: 9; }
    ParallelismScreen.-high #layouts TableView { max-height: 27; }
    ParallelismScreen.-high #links TableView { max-height: 19; }
    """

    _step = ""
    """What the animation plays, in words."""

    def compose_body(self) -> ComposeResult:
        with Container(id="sides"):
            with Vertical(id="left"):
                with Panel("Cluster", id="cluster"):
                    yield ClusterView(motion=self.motion)
                with Panel("Measured demand: the typed one beside it", id="measured"):
                    yield ProseView()
                    yield LinesView()
                    yield TableView(limit=5)
                with Panel("Layouts, fastest first: enter sets one by hand", id="layouts"):
                    yield TableView(limit=28)
                with Panel("Why this layout", id="why"):
                    yield ProseView()
                with Panel("Typical deployments, beside the fewest GPUs here", id="typical"):
                    yield TableView(limit=5)
            with Vertical(id="right"):
                with Panel("Batching: the same requests on this layout", id="batching"):
                    yield BatchTimeline()
                with Panel("Load: requests/s against latency", id="load"):
                    yield LineChart(id="load-ttft")
                    yield LineChart(id="load-tpot")
                    yield TableView(limit=4)
                    yield ProseView(id="load-words")
                with Panel("Prefill and decode apart", id="apart"):
                    yield ProseView()
                with Panel("Links: GB/s each way, traffic per token, how long each takes", id="links"):
                    yield TableView(limit=18)
                    yield ProseView()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.set_class(event.size.width >= TWO_COLUMNS, "-two")

    def show(self, result: ParallelismResult | ThumbLayouts) -> None:
        super().show(result)
        if self.is_thumb:
            self._show_split(cast("ThumbLayouts", result))
            return
        result = cast("ParallelismResult", result)
        self._show_cluster(result)
        self.query_one(BatchTimeline).show(result.batching)
        self._await_load(awaited=True)
        self._load(self.scenario, self.session.evaluation)
        for panel in ("#batching", "#links"):
            self.query_one(panel).display = result.chosen is not None
        self.query_one("#links TableView").display = bool(result.links)

    def _await_load(self, *, awaited: bool) -> None:
        for name in ("#load", "#apart"):
            self.query_one(name, Panel).await_result(awaited=awaited)

    def _show_cluster(self, result: ParallelismResult) -> None:
        chosen = result.chosen
        self.query_one("#cluster").display = chosen is not None
        if chosen is None:
            return
        cluster = Cluster(
            chosen.layout,
            chosen.places,
            chosen.stages,
            result.gpus - (chosen.pools.gpus if chosen.pools else 0),
            result.gpus_per_node,
            link_text(result.node_link),
            link_text(result.fabric),
            result.model.layers,
            strip(play) if (play := playing(result, chosen)) is not None else (),
        )
        self.query_one(ClusterView).show(cluster, played(result, chosen, cluster), motion=self.motion)
        serving = chosen.serving
        self._step = "The GPUs"
        if serving:
            kind = "decode step" if serving.output_tokens > 1 else "step"
            self._step = f"One {kind}, {format_seconds(serving.tpot_s)} a token"
        self.paced()

    def _show_split(self, result: ThumbLayouts) -> None:
        """The GPUs as the rule of thumb splits the model over them: what each holds, and nothing that moves."""
        self.query_one("#cluster").display = bool(result.places)
        cluster = Cluster(
            result.split.layout,
            result.places,
            result.stages,
            result.sizing.gpus,
            result.gpus_per_node,
            link_text(result.node_link),
            link_text(result.fabric),
            result.sizing.model.layers,
        )
        from ....report.thumb_parallelism import kind_text

        words = kind_text(result.split)
        self.query_one(ClusterView).show(cluster, (still(cluster.shown, words),), motion=self.motion)
        self._step = "The GPUs"
        self.paced()

    def paced(self) -> None:
        view = self.query_one(ClusterView)
        title = f"{self._step} · {view.pace} · space {'pauses' if view.playing else 'plays'}  . , step  + - speed"
        self.query_one("#cluster", Panel).border_title = title

    class Loaded(Message):
        """What takes longer has been computed: the layout under load, prefill and decode apart."""

        def __init__(self, scenario: Scenario, blocks: tuple[Block, ...]) -> None:
            super().__init__()
            self.scenario, self.blocks = scenario, blocks

    @work(thread=True, exclusive=True, group="load")
    def _load(self, scenario: Scenario, evaluation: Evaluation) -> None:
        """A fifth of a second, beside the screen, once a key rests."""
        worker = get_current_worker()
        time.sleep(_REST_S)
        if worker.is_cancelled:
            return
        blocks = rest(evaluation, self.bytes_as)
        if not worker.is_cancelled:
            self.post_message(self.Loaded(scenario, blocks))

    def on_parallelism_screen_loaded(self, event: Loaded) -> None:
        if event.scenario != self.scenario:
            return
        self._await_load(awaited=False)
        self.query_one("#measured").display = any(block.id == "measured" for block in event.blocks)
        self.query_one("#load").display = any(block.id == "load" for block in event.blocks)
        self.place(*event.blocks)

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        self.note(event.detail, "muted" if event.detail else "")

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        if self.result is None or event.table.parent is not self.query_one("#layouts"):
            return
        row = self.result.row(event.row)
        if row is None:
            return
        layout, scenario = row.layout, self.scenario
        sizes = {name: getattr(layout, name) for name in ("tp", "pp", "dp", "ep", "dcp")}
        if all(getattr(scenario, name) == size for name, size in sizes.items()):
            if self.change(tp=0, pp=0, dp=0, ep=0, dcp=0):
                self.note("the layout is automatic again", "good")
        elif self.change(**sizes):
            self.note(f"{layout.label} set by hand; enter on it again frees it", "good")


def played(result: ParallelismResult, chosen: Chosen, cluster: Cluster) -> tuple[TrafficFrame, ...]:
    """The frames of the chosen layout; a single still one where nothing runs."""
    play = playing(result, chosen)
    return (still(cluster.shown, reason_text(chosen.no_speed)),) if play is None else frames(play, cluster.shown)


def playing(result: ParallelismResult, chosen: Chosen) -> Play | None:
    """What there is to play; None where nothing runs."""
    if chosen.serving is None or chosen.parts is None:
        return None
    mixture = result.model.mixture
    words = Words(
        result.node_link.name if result.node_link else "the node's link",
        result.fabric.name,
        mixture.top_k if mixture else 0,
    )
    # Where stages take turns there is one micro-batch, however many sequences there are.
    at_once = min(chosen.serving.batch, round(chosen.layout.pp * (1 - chosen.serving.bubble), 6))
    return Play(chosen.layout, chosen.parts, at_once, chosen.serving.tpot_s, result.gpus_per_node, words)
