"""One judgement per candidate: its own memory, its predicted latency and rate at a demand and at its limit."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..cluster.legal import refusals
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason, because
from ..memory.kv_cache import Sequences
from ..memory.plan import MemoryPlan
from ..model.architecture import Model
from ..model.precision import Precision
from ..speed import Interval, Plan, SpeedError, Workload, predict_mix, serve
from .candidates import short_of
from .demand import Targets
from .reasons import Limit, ReasonKind
from .site import Site

if TYPE_CHECKING:
    from ..case import Case

_STEPS = 40
"""More trials than any batch in use needs."""
_ROUNDING = 1e-9

REPLICA_RATE = Formula(
    "replica rate",
    "output_tokens_per_s / output_tokens * load_pct / 100",
    Unit.REQUESTS_PER_S,
    basis=Basis.CALIBRATED,
    term="throughput",
)


class TooSlowError(Exception):
    """A replica serves fewer requests than it would be taken for: no more than `requests_per_s`."""

    def __init__(self, requests_per_s: float) -> None:
        super().__init__(requests_per_s)
        self.requests_per_s = requests_per_s


class NoReplicaError(ValueError):
    """Nothing serves the scenario within its targets: the nearest reason. Reports word it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


def refused_by(error: Exception) -> Reason:
    """An error as the reason of a result."""
    return error.reason if isinstance(error, NoReplicaError) else because(ReasonKind.REFUSED, str(error))


@dataclass(frozen=True, slots=True)
class Judged:
    """A layout that holds the users, and how it would serve them all at once. Speed is None where none is predicted."""

    layout: Layout
    memory: MemoryPlan
    ttft_s: float | None = None
    tpot_s: float | None = None
    output_per_s: float | None = None
    """Tokens per second over all replicas."""
    meets: bool = False
    """TTFT and TPOT targets hold."""
    no_speed: Reason | None = None

    @property
    def group(self) -> int:
        """GPUs that stop together when one is lost: a replica, or all replicas that share experts."""
        return self.layout.gpus_per_replica * max(1, self.layout.ep // self.layout.tp)


def speed_plan(case: Case, site: Site, layout: Layout, memory: MemoryPlan) -> Plan:
    """A layout with its rates and the cache space that memory leaves it. Raises SpeedError in words."""
    deployment = case.deployment
    return Plan.of(
        deployment.model,
        deployment.precision,
        deployment.kv_precision,
        site.accelerator,
        layout,
        case.speed_constants,
        engine=case.scenario.engine,
        version=case.scenario.engine_version,
        fabric=site.fabric,
        kv_space=float(memory.kv_space),
        windowed=deployment.windowed,
        rules=deployment.constants.kv,
    )


def judge(case: Case, site: Site, layout: Layout, memory: MemoryPlan) -> Judged:
    """Predict a layout with all users in flight."""
    workload = case.workload(site.accelerator, float(case.load.users))
    try:
        mix = predict_mix(speed_plan(case, site, layout, memory), workload)
    except SpeedError as error:
        return Judged(layout, memory, no_speed=refused_by(error))
    # Fewer requests than replicas leave replicas idle.
    busy = min(float(layout.dp), float(case.load.users))
    return Judged(
        layout, memory, mix.ttft_s, mix.tpot_s, mix.per_replica * busy, case.targets.met(mix.ttft_s, mix.tpot_s)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PoolSplit:
    """Replicas that only compute prompts, beside those that decode."""

    layout: Layout
    """Of one of them."""
    replicas: int
    requests_per_s: float
    """That all of them are sized for."""
    prompt_s: float
    transfer_s: float
    """One prompt's cache on its way to those that decode."""

    @property
    def gpus(self) -> int:
        return self.layout.gpus * self.replicas


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy of a model on its GPUs, at the largest batch that holds the targets."""

    model: Model
    precision: Precision
    accelerator: Accelerator
    layout: Layout
    """With experts that replicas share, all of the replicas that share them."""
    batch: float
    """Requests in flight."""
    requests_per_s: float
    """What it is sized for: its throughput less the head room for random arrivals."""
    ttft_s: float | None
    """None: the rule of thumb knows none."""
    tpot_s: float
    limited_by: Limit
    bound: str
    """The term of a decode step that takes most time."""
    interval: Interval | None
    """Around its throughput; None: no measured data."""
    by_rule: bool = False
    """Counted by the rule of thumb instead of predicted."""
    derivation: Derivation | None = None
    users: int = 0
    """Users whose contexts it holds; 0: not asked."""
    pools: PoolSplit | None = None
    """What computes its prompts, where that is apart; `layout` then only decodes."""
    own_per_s: float = 0.0
    """Output tokens/s as the user measured them: they take the place of the predicted; 0: none."""
    predicted_per_s: float = 0.0
    """Output tokens/s as predicted; 0: not known apart from the rate."""

    @property
    def gpus(self) -> int:
        return self.layout.gpus + (self.pools.gpus if self.pools else 0)

    @property
    def requests_per_s_per_gpu(self) -> float:
        return self.requests_per_s / self.gpus


def replica_on(
    case: Case, site: Site, layout: Layout, *, explain: bool = False, enough: float = 0.0
) -> Replica | Reason:
    """The replica on one layout at its largest batch within the targets, or why there is none.

    Raises TooSlowError where it serves fewer than `enough` requests/s.
    """
    try:
        made = plan_on(case, site, layout)
        return made if isinstance(made, Reason) else _at_targets(*made, case, explain, enough)
    except SpeedError as error:
        return refused_by(error)


def plan_on(case: Case, site: Site, layout: Layout) -> tuple[Plan, Workload] | Reason:
    """The speed plan of one layout with the memory that is left for its cache, or why there is none."""
    deployment = case.deployment
    if cannot := deployment.refusal(site.accelerator):
        return cannot
    reasons = refusals(deployment.model, deployment.precision, layout, site.fabric, deployment.engine)
    if reasons:
        return replace(reasons[0], where=layout.label)
    workload = case.workload(site.accelerator)
    tokens = math.ceil(workload.single)
    memory = site.plan(deployment, layout, Sequences(1, tokens))
    if not memory.fits:
        return replace(short_of(memory), where=f"{layout.label} on {site.accelerator.name}")
    return speed_plan(case, site, layout, memory), workload


def _at_targets(plan: Plan, workload: Workload, case: Case, explain: bool, enough: float) -> Replica | Reason:
    """The largest batch within the targets: TTFT, TPOT and the rate grow with the batch."""
    targets = case.targets
    limit = plan.largest_batch(workload)
    top = max(1.0, float(math.floor(limit)))
    by_memory = top < (workload.max_num_seqs or plan.generation.max_num_seqs)
    batch, limited_by = top, Limit.MEMORY if by_memory else Limit.SEQUENCES
    # Tokens/s of a replica below which it is not worth looking.
    least = enough * workload.output_tokens / plan.layout.dp / (case.scenario.load_pct / 100)
    if targets.any or least:
        try:
            batch = _largest_within(plan, workload, targets, top, least)
        except TooSlowError as error:
            raise TooSlowError(error.requests_per_s * (enough / least)) from None
        except _MissedError:
            missed = _missed(plan, workload, targets, 1.0) or because(ReasonKind.NO_LAYOUT, plan.model.name)
            return replace(missed, where=f"{plan.layout.label} on {plan.accelerator.name}")
        if batch < top:
            above = _missed(plan, workload, targets, batch + 1) if explain else None
            limited_by = _LIMITS[above.kind] if above else Limit.TARGETS
    return replica_at(plan, workload, case, batch, limited_by, explain=explain)


class _MissedError(Exception):
    """One request at a time misses a target."""


def replica_at(
    plan: Plan, workload: Workload, case: Case, batch: float, limited_by: Limit, *, explain: bool = False
) -> Replica:
    """The replica with so many requests in flight on each rank that attends to its own."""
    ledger = Ledger(explain)
    chosen = replace(workload, concurrency=batch * plan.layout.dp)
    load_pct, own = case.scenario.load_pct, case.own_rate(plan.accelerator)
    band = None if own else plan.band("throughput")
    if explain:
        serving = serve(plan, chosen, explain=True)
        if serving.derivation is not None:
            ledger.steps.extend(serving.derivation.steps)
        output_per_s, ttft_s, tpot_s = serving.output_per_s, serving.ttft_s, serving.tpot_s
    else:
        mix = predict_mix(plan, chosen)
        output_per_s, ttft_s, tpot_s = mix.per_replica * plan.layout.dp, mix.ttft_s, mix.tpot_s
    note = f"the largest batch within the targets is {chosen.concurrency:,.0f}, limited by {limited_by}"
    rate = ledger(
        REPLICA_RATE,
        basis=Basis.ASSUMED if own else Basis.CALIBRATED,
        band_pct=band.interval.half_pct if band else None,
        note=f"measured by you; {output_per_s:,.0f} are predicted" if own else note,
        output_tokens_per_s=own or output_per_s,
        output_tokens=workload.output_tokens,
        load_pct=load_pct,
    )
    title = f"One replica: {plan.layout.label} on {plan.accelerator.name}"
    return Replica(
        model=plan.model,
        precision=case.precision,
        accelerator=plan.accelerator,
        layout=plan.layout,
        batch=batch * plan.layout.dp,
        requests_per_s=float(rate),
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        limited_by=limited_by,
        bound=plan.decode(batch, workload.context, workload.speculation).bound,
        interval=band.interval if band else None,
        derivation=ledger.derivation(title) if explain else None,
        own_per_s=own,
        predicted_per_s=output_per_s,
    )


def _largest_within(plan: Plan, workload: Workload, targets: Targets, top: float, least: float) -> float:
    """The whole batch below the crossing, by false position (Illinois): the excess is nearly linear in the batch.

    Raises _MissedError where one request misses a target, TooSlowError where batches beyond it make fewer than `least`
    tokens/s.
    """

    def excess(batch: float) -> float:
        """Share by which a batch misses its tightest target; negative: it holds them."""
        mix = predict_mix(plan, replace(workload, concurrency=batch * plan.layout.dp))
        tpot = mix.tpot_s / targets.tpot_s - 1 if targets.tpot_s else -1.0
        found = max(tpot, mix.ttft_s / targets.ttft_s - 1 if targets.ttft_s else -1.0)
        if (found > 0 or batch == top) and mix.per_replica < least * (1 - _ROUNDING):
            raise TooSlowError(mix.per_replica)
        return found

    if targets.ttft_s and (plan.rates.per_request + plan.prefill(workload)) / targets.ttft_s - 1 > 0:
        # A prompt alone takes longer than the first token may.
        raise _MissedError
    low, high = 1.0, top
    above = excess(top)
    if above <= 0:
        return top
    below = excess(1.0)
    if below > 0:
        raise _MissedError
    side = 0
    for _ in range(_STEPS):
        if high - low <= 1:
            break
        middle = min(max(round(low - below * (high - low) / (above - below)), low + 1), high - 1)
        value = excess(middle)
        if value > 0:
            high, above = middle, value
            below = below / 2 if side > 0 else below
            side = 1
        else:
            low, below = middle, value
            above = above / 2 if side < 0 else above
            side = -1
    return math.floor(low)


_LIMITS: dict[StrEnum, Limit] = {ReasonKind.MISSES_TPOT: Limit.TPOT, ReasonKind.MISSES_TTFT: Limit.TTFT}


def _missed(plan: Plan, workload: Workload, targets: Targets, batch: float) -> Reason | None:
    """The target that a batch misses, with the prediction; None: none."""
    mix = predict_mix(plan, replace(workload, concurrency=batch * plan.layout.dp))
    if targets.tpot_s and mix.tpot_s > targets.tpot_s:
        return because(ReasonKind.MISSES_TPOT, seconds=mix.tpot_s, target_s=targets.tpot_s)
    if targets.ttft_s and mix.ttft_s > targets.ttft_s:
        return because(ReasonKind.MISSES_TTFT, seconds=mix.ttft_s, target_s=targets.ttft_s)
    return None
