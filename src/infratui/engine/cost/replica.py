"""What one replica holds within its latency targets: the layout and batch that serve most requests per GPU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..cluster.legal import Topology, refusals, tensor_refusals
from ..facts import Facts
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, plan_memory
from ..model.architecture import Model
from ..model.precision import Precision
from ..speed import Plan, Speculation, SpeedError, Workload, fabric_of, predict_mix, serve

if TYPE_CHECKING:
    from ...scenario import Scenario

_STEPS = 40
"""More trials than any batch in use needs."""
_PIPELINES = (1, 2, 3, 4, 6, 8)

REPLICA_RATE = Formula(
    "replica rate",
    "output_tokens_per_s / output_tokens * load_pct / 100",
    Unit.REQUESTS_PER_S,
    basis=Basis.CALIBRATED,
    term="throughput",
)


class NoReplicaError(ValueError):
    """Nothing serves the scenario within its targets: the nearest reason, in words."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Latency to hold, in seconds; 0: none."""

    ttft_s: float = 0.0
    tpot_s: float = 0.0

    @property
    def any(self) -> bool:
        return bool(self.ttft_s or self.tpot_s)


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy of a model on its GPUs, at the largest batch that holds the targets."""

    model: Model
    precision: Precision
    accelerator: Accelerator
    layout: Layout
    batch: float
    """Requests in flight."""
    requests_per_s: float
    """What it is sized for: its throughput less the head room for random arrivals."""
    ttft_s: float | None
    """None: the rule of thumb knows none."""
    tpot_s: float
    limited_by: str
    """What keeps the batch from growing, in words."""
    bound: str
    """The term of a decode step that takes most time."""
    band_pct: float | None
    """Mean error of such predictions on measured rows of other sources; None: no measured data."""
    by_rule: bool = False
    """Counted by the rule of thumb instead of predicted."""
    derivation: Derivation | None = None

    @property
    def gpus(self) -> int:
        return self.layout.gpus_per_replica

    @property
    def requests_per_s_per_gpu(self) -> float:
        return self.requests_per_s / self.gpus


@dataclass(frozen=True, slots=True)
class Service:
    """What a replica is asked to do, whatever it runs on."""

    model: Model
    precision: Precision
    kv_precision: Precision
    workload: Workload
    """Without concurrency: the search sets it."""
    targets: Targets
    load_pct: float
    engine: str
    utilization: float
    max_batched_tokens: int
    """0: as the engine sets it on the accelerator; likewise below."""
    max_num_seqs: int
    windowed: bool = True


def service_of(scenario: Scenario, facts: Facts, model: str = "") -> Service:
    """The service that a scenario describes; `model` replaces the scenario's."""
    speculation = None
    if scenario.acceptance > 0 and not model:
        speculation = Speculation(scenario.acceptance / 100, scenario.draft_tokens)
    return Service(
        model=facts.model(model or scenario.model),
        precision=facts.precision(scenario.precision),
        kv_precision=facts.precision(scenario.kv_precision),
        workload=Workload(
            scenario.input_tokens,
            scenario.output_tokens,
            prefix_hit=scenario.prefix_hit / 100,
            # Users arrive at random, not in step.
            lockstep=0.0,
            speculation=speculation,
        ),
        targets=Targets(scenario.ttft_ms / 1000, scenario.tpot_ms / 1000),
        load_pct=facts.cost_rules().load_pct.value,
        engine=scenario.engine,
        utilization=scenario.utilization,
        max_batched_tokens=scenario.max_batched_tokens,
        max_num_seqs=scenario.max_num_seqs,
        windowed=scenario.windowed_kv == "windowed",
    )


def replica_layouts(
    service: Service, accelerator: Accelerator, forced: Layout | None = None, max_gpus: int = 64
) -> Iterator[Layout]:
    """Layouts of one replica: TP within a node, pipelines of nodes where one does not hold it. `forced` wins."""
    if forced is not None:
        yield forced
        return
    node = min(accelerator.gpus_per_node or 8, 8)
    sizes = [tp for tp in (1, 2, 4, 8) if tp <= node and not tensor_refusals(service.model, service.precision, tp)]
    for pp in _PIPELINES:
        for tp in sizes if pp == 1 else sizes[-1:]:
            if tp * pp > max_gpus or pp > service.model.layers:
                continue
            yield Layout(tp, pp)
            mixture = service.model.mixture
            if mixture is not None and tp > 1 and mixture.experts % tp == 0:
                yield Layout(tp, pp, 1, tp)


def best_replica(
    service: Service,
    accelerator: Accelerator,
    facts: Facts,
    node_link: str = "",
    forced: Layout | None = None,
    *,
    explain: bool = False,
) -> Replica:
    """The replica that serves most requests per GPU within the targets. Raises NoReplicaError.

    Pipelines are tried only while nothing smaller holds the model: a stage more never serves more per GPU.
    """
    best: Replica | None = None
    reasons: list[str] = []
    depth = 0
    for layout in replica_layouts(service, accelerator, forced):
        if best is not None and layout.pp > depth:
            break
        found = replica_on(service, accelerator, layout, facts, node_link)
        if isinstance(found, str):
            reasons.append(found)
            continue
        depth = layout.pp
        if best is None or found.requests_per_s_per_gpu > best.requests_per_s_per_gpu * 1.005:
            best = found
    if best is None:
        raise NoReplicaError(_nearest(reasons, service, accelerator))
    if explain:
        explained = replica_on(service, accelerator, best.layout, facts, node_link, explain=True)
        assert isinstance(explained, Replica)
        return explained
    return best


def _nearest(reasons: list[str], service: Service, accelerator: Accelerator) -> str:
    """The reason that says most: a missed target over missing memory, the last over the first."""
    missed = [reason for reason in reasons if "target" in reason]
    return (missed or reasons or [f"no layout of {service.model.name} fits on {accelerator.name}"])[-1]


def replica_on(
    service: Service,
    accelerator: Accelerator,
    layout: Layout,
    facts: Facts,
    node_link: str = "",
    *,
    explain: bool = False,
) -> Replica | str:
    """The replica on one layout, or why there is none."""
    try:
        made = plan_on(service, accelerator, layout, facts, node_link)
        return made if isinstance(made, str) else _at_targets(*made, service, explain)
    except SpeedError as error:
        return str(error)


def plan_on(
    service: Service, accelerator: Accelerator, layout: Layout, facts: Facts, node_link: str = ""
) -> tuple[Plan, Workload] | str:
    """The speed plan of one layout with the memory that is left for its cache, or why there is none."""
    link = facts.link(node_link) if node_link else None
    topology = Topology(accelerator.gpus_per_node, accelerator.link_bandwidth, link.bandwidth if link else None)
    reasons = refusals(service.model, service.precision, layout, topology)
    if reasons:
        return f"{layout.label}: {reasons[0]}"
    table = facts.runtime()
    deployment = Deployment(
        service.model,
        service.precision,
        service.kv_precision,
        table.of(service.engine),
        service.utilization,
        service.max_batched_tokens,
        service.max_num_seqs,
        service.windowed,
    )
    tokens = math.ceil(service.workload.input_tokens + service.workload.output_tokens)
    memory = plan_memory(deployment, accelerator, layout, Sequences(1, tokens), table)
    if not memory.fits:
        return f"{layout.label} on {accelerator.name}: memory short by {memory.missing / 1e9:,.1f} GB per GPU"
    plan = Plan.of(
        service.model,
        service.precision,
        service.kv_precision,
        accelerator,
        layout,
        facts.speed(),
        engine=service.engine,
        fabric=fabric_of(accelerator, link),
        kv_space=float(memory.kv_space),
        windowed=service.windowed,
        rules=deployment.constants.kv,
    )
    batch = deployment.batch(accelerator)
    return plan, replace(service.workload, max_num_seqs=batch.max_num_seqs, max_batched_tokens=batch.max_batched_tokens)


def _at_targets(plan: Plan, workload: Workload, service: Service, explain: bool) -> Replica | str:
    """The largest batch within the targets: TTFT and TPOT grow with the batch."""
    targets = service.targets
    limit = plan.largest_batch(workload)
    top = max(1.0, float(math.floor(limit)))
    by_memory = top < (workload.max_num_seqs or plan.generation.max_num_seqs)
    batch, limited_by = top, "memory" if by_memory else "the engine's sequence limit"
    if targets.any and _excess(plan, workload, targets, top) > 0:
        first = _excess(plan, workload, targets, 1.0)
        if first > 0:
            missed = _missed(plan, workload, targets, 1.0)
            return f"{plan.layout.label} on {plan.accelerator.name} misses {missed} even for one user at a time"
        batch = _largest_within(plan, workload, targets, top, first)
        limited_by = _missed(plan, workload, targets, batch + 1).partition(":")[0] or "the targets"
    return replica_at(plan, workload, service, batch, limited_by, explain=explain)


def replica_at(
    plan: Plan, workload: Workload, service: Service, batch: float, limited_by: str, *, explain: bool = False
) -> Replica:
    """The replica with so many requests in flight."""
    chosen = replace(workload, concurrency=batch)
    ledger = Ledger(explain)
    serving = serve(plan, chosen, explain=explain)
    if serving.derivation is not None:
        ledger.steps.extend(serving.derivation.steps)
    band = plan.band("throughput")
    rate = ledger(
        REPLICA_RATE,
        band_pct=band.mean_ape if band else None,
        note=f"the largest batch within the targets is {batch:,.0f}, limited by {limited_by}",
        output_tokens_per_s=serving.output_per_s,
        output_tokens=workload.output_tokens,
        load_pct=service.load_pct,
    )
    title = f"One replica: {plan.layout.label} on {plan.accelerator.name}"
    return Replica(
        model=service.model,
        precision=service.precision,
        accelerator=plan.accelerator,
        layout=plan.layout,
        batch=batch,
        requests_per_s=float(rate),
        ttft_s=serving.ttft_s,
        tpot_s=serving.tpot_s,
        limited_by=limited_by,
        bound=serving.bound,
        band_pct=band.mean_ape if band else None,
        derivation=ledger.derivation(title) if explain else None,
    )


def _largest_within(plan: Plan, workload: Workload, targets: Targets, top: float, first: float) -> float:
    """The whole batch below the crossing, by false position (Illinois): the excess is nearly linear in the batch."""
    low, high = 1.0, top
    below, above = first, _excess(plan, workload, targets, top)
    side = 0
    for _ in range(_STEPS):
        if high - low <= 1:
            break
        middle = min(max(round(low - below * (high - low) / (above - below)), low + 1), high - 1)
        value = _excess(plan, workload, targets, middle)
        if value > 0:
            high, above = middle, value
            below = below / 2 if side > 0 else below
            side = 1
        else:
            low, below = middle, value
            above = above / 2 if side < 0 else above
            side = -1
    return math.floor(low)


def _excess(plan: Plan, workload: Workload, targets: Targets, batch: float) -> float:
    """Share by which a batch misses its tightest target; negative: it holds them."""
    mix = predict_mix(plan, replace(workload, concurrency=batch))
    tpot = mix.tpot_s / targets.tpot_s - 1 if targets.tpot_s else -1.0
    return max(tpot, mix.ttft_s / targets.ttft_s - 1 if targets.ttft_s else -1.0)


def _missed(plan: Plan, workload: Workload, targets: Targets, batch: float) -> str:
    """The target that a batch misses, with the prediction; empty: none."""
    mix = predict_mix(plan, replace(workload, concurrency=batch))
    if targets.tpot_s and mix.tpot_s > targets.tpot_s:
        return f"the TPOT target: {mix.tpot_s * 1000:,.0f} ms of {targets.tpot_s * 1000:,.0f} ms"
    if targets.ttft_s and mix.ttft_s > targets.ttft_s:
        return f"the TTFT target: {mix.ttft_s * 1000:,.0f} ms of {targets.ttft_s * 1000:,.0f} ms"
    return ""
