"""Every layout of the GPUs at hand: legal with its prediction, or refused with its reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..cluster.traffic import Traffic
from ..deployment.candidates import LayoutVerdict, judge_layouts, kv_copies
from ..deployment.judge import PoolSplit, refused_by, speed_plan
from ..figures.reason import Reason
from ..memory.plan import MemoryPlan
from ..speed import Serving, SpeedError, serve

if TYPE_CHECKING:
    from ..case import Case


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """One layout of the table. Predictions are None where it is refused, with the reason."""

    layout: Layout
    legal: bool
    reasons: tuple[Reason, ...]
    """Why it is refused, or why nothing can be predicted; empty otherwise."""
    memory: MemoryPlan | None
    serving: Serving | None
    traffic: Traffic | None
    kv_copies: float
    """Times that a replica holds each cached token."""
    idle: int = 0
    """GPUs that it leaves out."""
    pools: PoolSplit | None = None
    """What computes the prompts, where that is pinned apart: the layout then only decodes."""

    @property
    def bubble(self) -> float | None:
        return self.serving.bubble if self.serving else None


def layout_rows(case: Case, also: Iterable[Layout] = ()) -> tuple[LayoutRow, ...]:
    """Every layout of the scenario's GPUs, legal ones by predicted throughput, then those refused.

    `also`: layouts that leave GPUs idle and are to be judged beside them.
    """
    gpus = case.gpus
    verdicts = list(judge_layouts(case.deployment, case.site, case.load, gpus))
    extra = [layout for layout in dict.fromkeys(also) if layout.gpus < gpus]
    if extra:
        verdicts += judge_layouts(case.deployment, case.site, case.load, gpus, extra)
    rows = [_row(case, verdict) for verdict in verdicts]
    return tuple(sorted(rows, key=_rank))


def _rank(row: LayoutRow) -> tuple[float, bool, float, Layout]:
    # Layouts that lack memory stand before those that cannot be built at all, the nearest to fitting first.
    speed = -row.serving.output_per_s if row.serving else math.inf
    return speed, not row.legal, row.memory.missing if row.memory else math.inf, row.layout


def _row(case: Case, verdict: LayoutVerdict) -> LayoutRow:
    layout = verdict.layout
    idle = case.gpus - layout.gpus
    reasons = verdict.reasons
    if not verdict.legal or verdict.plan is None:
        return LayoutRow(layout, False, reasons, verdict.plan, None, None, 1.0, idle)
    serving = None
    try:
        plan = speed_plan(case, case.site, layout, verdict.plan)
        serving = serve(plan, case.workload(concurrency=float(case.load.users)))
    except SpeedError as error:
        reasons = (refused_by(error),)
    copies = kv_copies(case.deployment, layout) if layout.tp > 1 else 1.0
    return LayoutRow(layout, True, reasons, verdict.plan, serving, case.traffic(layout), copies, idle)
