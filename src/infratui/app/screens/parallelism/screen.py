"""The Parallelism screen: how the model is split over the GPUs, what each layout sends, and how fast it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from ....engine.figures.derivation import Derivation
from ....report.parallelism import bubble_line, communication_line, copies_line, ladder_lines, summary
from ...screen.section import SectionScreen
from ...widgets.panel import Panel
from ...widgets.prose import Prose, Says
from ...widgets.table import Table
from .batch_timeline import BatchTimeline
from .cluster_view import ClusterView
from .frames import Frame, Play, Words, frames, still
from .picture import Cluster
from .words import (
    LAYOUT_COLUMNS,
    LINK_COLUMNS,
    TYPICAL_COLUMNS,
    answer,
    layout_row,
    link_row,
    link_text,
    typical_row,
)

if TYPE_CHECKING:
    from ....engine.evaluate import Evaluation
    from ....engine.sections.parallelism import Chosen, ParallelismResult

TWO_COLUMNS = 190
"""Columns from which a node of eight GPUs leaves room for a second column of panels."""


class ParallelismScreen(SectionScreen):
    """Layouts."""

    HELP = (
        "The GPUs at hand, who holds what, and one decode step played in proportion to its predicted times. Enter on a "
        "layout sets it by hand, enter on it again leaves the choice to the ladder. space plays, . and , step."
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
        "node_link",
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
    )
    SLOW = True
    ANIMATED = True
    CSS = """
    ParallelismScreen #sides, ParallelismScreen #left, ParallelismScreen #right { height: auto; }
    ParallelismScreen.-two #sides { layout: horizontal; }
    ParallelismScreen.-two #left { width: 82; }
    ParallelismScreen.-two #right { width: 1fr; }
    ParallelismScreen #layouts Table { max-height: 13; }
    ParallelismScreen #links Table { max-height: 9; }
    ParallelismScreen.-high #layouts Table { max-height: 27; }
    ParallelismScreen.-high #links Table { max-height: 19; }
    """

    def compose_body(self) -> ComposeResult:
        with Container(id="sides"):
            with Vertical(id="left"):
                with Panel("Cluster", id="cluster"):
                    yield ClusterView(motion=self.motion)
                with Panel("Why this layout", id="why"):
                    yield Prose()
                with Panel("Layouts: enter sets one by hand", id="layouts"):
                    yield Table(LAYOUT_COLUMNS, limit=28)
            with Vertical(id="right"):
                with Panel("Batching: the same requests on this layout", id="batching"):
                    yield BatchTimeline()
                with Panel("Links: what a token sends, and each link's time for it", id="links"):
                    yield Table(LINK_COLUMNS, limit=18)
                    yield Prose()
                with Panel("Typical deployments, beside the fewest GPUs here", id="typical"):
                    yield Table(TYPICAL_COLUMNS, limit=5)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.set_class(event.size.width >= TWO_COLUMNS, "-two")

    def section(self, evaluation: Evaluation) -> ParallelismResult:
        return evaluation.parallelism

    def show(self, result: ParallelismResult) -> None:
        unit = self.bytes_as
        self.answer(answer(result, unit))
        self._show_cluster(result)
        self._show_why(result)
        rows = [layout_row(row, result, unit) for row in result.rows]
        # The layout that is drawn stands first, so that it is in view beside the fastest.
        self.query_one("#layouts Table", Table).show(sorted(rows, key=lambda row: not row.marked))
        self.query_one(BatchTimeline).show(result.batching)
        for panel in ("#batching", "#links"):
            self.query_one(panel).display = result.chosen is not None
        links = self.query_one("#links Table", Table)
        links.show([link_row(time) for time in result.links])
        links.display = bool(result.links)
        self.query_one("#typical Table", Table).show([typical_row(row) for row in result.typical])

    def _show_cluster(self, result: ParallelismResult) -> None:
        chosen = result.chosen
        self.query_one("#cluster").display = chosen is not None
        if chosen is None:
            return
        cluster = Cluster(
            chosen.layout,
            chosen.places,
            chosen.stages,
            result.gpus,
            result.gpus_per_node,
            link_text(result.node_link),
            link_text(result.fabric),
        )
        self.query_one(ClusterView).show(cluster, played(result, chosen, cluster), motion=self.motion)

    def _show_why(self, result: ParallelismResult) -> None:
        lines = [*ladder_lines(result), ("bubble", bubble_line(result))]
        lines.append(("KV copies", copies_line(result, self.bytes_as)))
        self.query_one("#why Prose", Prose).show([Says(label, line) for label, line in lines if line])
        sent = communication_line(result)
        self.query_one("#links Prose", Prose).show([Says("predicted", sent, muted=True)] if sent else [])

    def math(self) -> Sequence[Derivation]:
        result: ParallelismResult | None = self.result
        return result.derivations if result is not None else ()

    def summary(self) -> str:
        return summary(self.result, self.bytes_as) if self.result is not None else ""

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table.id is None and event.table.parent is self.query_one("#layouts"):
            row = self.result.row(event.row)
            if row is not None and row.reason:
                self.note(f"{event.row}: {row.reason}", "muted")
            else:
                self.note("")
        elif event.table.parent is self.query_one("#links"):
            time = next(time for time in self.result.links if time.link.id == event.row)
            link = time.link
            self.note(" · ".join(part for part in (link.name, link.used_by, link.notes) if part), "muted")

    def on_table_chosen(self, event: Table.Chosen) -> None:
        if event.table.parent is not self.query_one("#layouts"):
            return
        row = self.result.row(event.row)
        if row is None:
            return
        layout, scenario = row.layout, self.scenario
        if (scenario.tp, scenario.pp, scenario.dp, scenario.ep) == (layout.tp, layout.pp, layout.dp, layout.ep):
            if self.change(tp=0, pp=0, dp=0, ep=0):
                self.note("layout is free again: the ladder chooses", "good")
        elif self.change(tp=layout.tp, pp=layout.pp, dp=layout.dp, ep=layout.ep):
            self.note(f"{layout.label} set by hand; enter on it again frees it", "good")


def played(result: ParallelismResult, chosen: Chosen, cluster: Cluster) -> tuple[Frame, ...]:
    """The frames of the chosen layout; a single still one where nothing runs."""
    places = cluster.shown
    if chosen.serving is None or chosen.parts is None:
        return (still(places, chosen.no_speed),)
    mixture = result.model.mixture
    words = Words(
        result.node_link.name if result.node_link else "the node's link",
        result.fabric.name,
        mixture.top_k if mixture else 0,
    )
    play = Play(chosen.layout, chosen.parts, chosen.serving.batch, chosen.serving.tpot_s, result.gpus_per_node, words)
    return frames(play, places)
