"""The chosen layout under load: percentiles against requests per second, the knee, what holds within the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..deployment.answer import NOTHING_HOLDS, deployed, fleet_of
from ..deployment.demand import Targets, offered_load
from ..deployment.judge import NoReplicaError, plan_on, speed_plan
from ..deployment.reasons import ReasonKind
from ..figures.derivation import Ledger
from ..figures.reason import Reason, because
from ..speed.queueing import QueueChain
from ..speed.serving import queue_service
from ..speed.tails import FirstToken, LoadPoint, Unequal, load_point
from ..speed.workload import SpeedError, Workload, prompt_work

if TYPE_CHECKING:
    from ..case import Case
    from ..speed.constants import Interval
    from ..speed.plan import Plan

_POINTS = 24
_HIGHEST = 0.98
"""Share of what can be held up to which the curve is drawn: beyond, waits grow without end."""
_WAITING = 0.01
"""Share of requests that wait for a slot where the knee is reached at the latest."""
_HALVINGS = 6
SHARES = (50, 90, 99)
_QUIET = Ledger(recording=False)


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """A layout against offered requests per second; all rates are of the whole deployment."""

    layout: Layout
    points: tuple[LoadPoint, ...]
    """From nearly nothing to just below what can be held."""
    most_per_s: float
    """Requests per second that it completes when full: nothing holds beyond."""
    knee: LoadPoint
    """Where load over latency is greatest (Kleinrock's power), or one request in a hundred waits for a slot."""
    mean_per_s: float
    """The demand within its service hours."""
    peak_per_s: float
    mean: LoadPoint | None
    """None: the demand is beyond what can be held."""
    peak: LoadPoint | None
    targets: Targets
    within: Mapping[int, float]
    """Percentile → requests/s up to which TTFT and TPOT of that percentile hold the targets; 0: they never do."""
    unequal: bool = False
    """Prompts and answers are as long as was measured; else all alike."""


def evaluate_load(case: Case) -> LoadCurve:
    """The curve of the layout that every section shows. Raises ValueError in one line where there is none."""
    found = deployed(case)
    best = found.choice.best
    if best is None or not found.holds:
        raise NoReplicaError(NOTHING_HOLDS)
    if found.choice.pools is not None:
        raise NoReplicaError(because(ReasonKind.NOT_APART))
    return load_curve(case, speed_plan(case, case.site, best.layout, best.memory), case.workload())


@dataclass(frozen=True, slots=True)
class FleetLoad:
    """The fleet that is paid for, at the demand of today."""

    layout: Layout
    replicas: int
    mean: LoadPoint | None
    peak: LoadPoint | None
    """None: beyond what it completes."""


def evaluate_fleet_load(case: Case) -> FleetLoad:
    """Latency of the fleet at mean and peak. Raises ValueError in one line where there is no fleet."""
    found = fleet_of(case)
    if found.plan is None:
        raise NoReplicaError(found.reason or NOTHING_HOLDS)
    if found.plan.replica.pools is not None:
        raise NoReplicaError(because(ReasonKind.NOT_APART))
    layout = found.plan.layout
    made = plan_on(case, case.site, layout)
    if isinstance(made, Reason):
        raise NoReplicaError(made)
    queue = queue_of(*made)
    # Each group is a queue of its own: a share of the load tells of all.
    count = found.plan.replicas
    offered = offered_load(case.demand, _QUIET)
    return FleetLoad(
        layout,
        count,
        queue.at(offered.mean_rate / count),
        queue.at(offered.peak_rate / count),
    )


@dataclass(frozen=True, slots=True)
class PeakLoad:
    """The layout that every section shows, at the peak of the demand; the intervals are those published for it."""

    layout: Layout
    per_s: float
    """Requests per second at the peak."""
    most_per_s: float
    """That it completes when full."""
    point: LoadPoint | None
    """None: the peak is beyond that."""
    ttft: Interval | None
    tpot: Interval | None
    rate: Interval | None


def evaluate_peak(case: Case) -> PeakLoad:
    """One point of the curve. Raises ValueError in one line where nothing runs or no speed is predicted."""
    found = deployed(case)
    best = found.choice.best
    if best is None or not found.holds:
        raise NoReplicaError(NOTHING_HOLDS)
    if found.choice.pools is not None:
        raise NoReplicaError(because(ReasonKind.NOT_APART))
    plan, workload = speed_plan(case, case.site, best.layout, best.memory), case.workload()
    _steady(workload)
    queue = queue_of(plan, workload)
    rate = offered_load(case.demand, _QUIET).peak_rate
    bands = [plan.band(quantity) for quantity in ("ttft under load", "tpot", "max throughput")]
    ttft, tpot, most = (band.interval if band else None for band in bands)
    return PeakLoad(plan.layout, rate, queue.chain.capacity_per_s, queue.at(rate), ttft, tpot, most)


def _steady(workload: Workload) -> None:
    if workload.speculation is not None and workload.output_tokens < workload.speculation.tokens_per_step:
        raise SpeedError("answers are shorter than a draft; there is no steady state")


def load_curve(case: Case, plan: Plan, workload: Workload) -> LoadCurve:
    """The curve of a plan. Raises SpeedError where nothing is predicted."""
    _steady(workload)
    queue = queue_of(plan, workload)
    chain, at = queue.chain, queue.at
    most = chain.capacity_per_s
    rates = [most * _HIGHEST * (index + 1) / _POINTS for index in range(_POINTS)]
    points = tuple(point for rate in (most * 1e-3, *rates) if (point := at(rate)) is not None)
    offered = offered_load(case.demand, _QUIET)
    targets = case.targets
    return LoadCurve(
        plan.layout,
        points,
        most,
        _knee(chain, points),
        offered.mean_rate,
        offered.peak_rate,
        at(offered.mean_rate),
        at(offered.peak_rate),
        targets,
        {share: _within(points, at, targets, share) for share in SHARES},
        queue.unequal is not None,
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """A plan as a queue, and what prompts cost in it."""

    chain: QueueChain
    first: FirstToken
    unequal: Unequal | None = None
    """None: all requests are alike."""

    def at(self, requests_per_s: float) -> LoadPoint | None:
        """Percentiles at an offered load; None at or beyond what can be held."""
        return load_point(self.chain, self.first, requests_per_s, self.unequal)


def queue_of(plan: Plan, workload: Workload) -> Queue:
    """A plan as a queue of requests of one shape, or of as many classes as were measured."""
    shape = workload.shape
    service = queue_service(plan, workload, service_cv=shape.answers_cv if shape is not None else 0.0)
    tokens, _ = prompt_work(workload)
    first = FirstToken(
        overhead_s=plan.rates.per_request,
        alone_s=plan.prefill(workload),
        stages_s=service.prefill_s * (plan.load.pp - 1),
        chunks=tokens / workload.max_batched_tokens,
    )
    if shape is None or (len(shape.prompts) == 1 and len(shape.answers) == 1):
        return Queue(QueueChain(service), first)
    prompts = tuple((_prompt(plan, workload, first, factor), share) for factor, share in shape.prompts)
    answers = tuple((max(1.0, factor * workload.output_tokens), share) for factor, share in shape.answers)
    return Queue(QueueChain(service), first, Unequal(prompts, answers, shape.unevenness))


def _prompt(plan: Plan, workload: Workload, mean: FirstToken, factor: float) -> FirstToken:
    """A prompt of so many times the mean length, which attends to no other."""
    if factor == 1:
        return mean
    own = replace(workload, input_tokens=factor * workload.input_tokens, shape=None)
    tokens, _ = prompt_work(own)
    alone = plan.prefill(own)
    return replace(
        mean,
        alone_s=alone,
        chunks=tokens / workload.max_batched_tokens,
        longer_s=(alone - mean.alone_s) / plan.load.pp,
    )


def _knee(chain: QueueChain, points: tuple[LoadPoint, ...]) -> LoadPoint:
    free = [
        point for point in points if chain.seen_on_arrival(point.requests_per_s / chain.service.replicas)[1] <= _WAITING
    ]
    return max(free or points[:1], key=lambda point: point.requests_per_s / point.latency_mean_s)


def _holds(point: LoadPoint, targets: Targets, share: int) -> bool:
    name = f"p{share}"
    return targets.met(getattr(point.ttft, name), getattr(point.tpot, name))


def _within(
    points: tuple[LoadPoint, ...], at: Callable[[float], LoadPoint | None], targets: Targets, share: int
) -> float:
    if not _holds(points[0], targets, share):
        return 0.0
    for before, now in pairwise(points):
        if not _holds(now, targets, share):
            low, high = before.requests_per_s, now.requests_per_s
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                point = at(middle)
                low, high = (middle, high) if point is not None and _holds(point, targets, share) else (low, middle)
            return low
    return points[-1].requests_per_s
