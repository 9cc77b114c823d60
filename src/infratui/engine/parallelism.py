"""The parallelism section: every layout of the GPUs at hand, which to take, what it sends and how batches run on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from .batching import BatchingResult, StepTimes, compare_policies, seeded_requests
from .derivation import Basis, Derivation, Formula, Ledger
from .facts import Facts
from .gpu_grid import GpuPlace, gpu_grid
from .hardware import Accelerator
from .inputs import deployment_of, forced_of, link_of, load_of, site_of
from .kv_cache import Sequences
from .layout import Layout
from .memory import Deployment, MemoryPlan
from .placement import LayoutVerdict, Site, Smallest, judge_layouts, kv_copies, recommend, smallest
from .prediction import speed_plan, workload_of
from .speed import Plan, Serving, SpeedError, serve
from .traffic import LinkTime, Traffic, link_times, traffic_of

if TYPE_CHECKING:
    from ..scenario import Scenario
    from .architecture import Model

FIELDS = (
    "model", "precision", "kv_precision", "users", "context", "mean_fill", "shared_prefix", "accelerator", "gpus",
    "utilization", "engine", "max_batched_tokens", "max_num_seqs", "windowed_kv", "tp", "pp", "dp", "ep", "node_link",
    "input_tokens", "output_tokens", "prefix_hit", "acceptance", "draft_tokens", "router_seed",
)  # fmt: skip
"""Scenario fields that this section depends on."""

BUBBLE = Formula("bubble", "(pp - 1) / (micro_batches + pp - 1)", term="pipeline-bubble")
COPIES = Formula("KV copies", "tp * cache_on_a_rank / cache_on_one_gpu", term="kv-heads")
_BATCHING_REQUESTS = 24
_BATCHING_SLOTS = 6
_CLOSE = 0.03
"""Predictions closer than this are not worth a different layout."""


@dataclass(frozen=True, slots=True)
class TypicalDeployment:
    """A row of the reference's typical deployments."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    model: str
    strategy: str
    said: str


@dataclass(frozen=True, slots=True)
class TypicalRow:
    """What the reference lists beside what the engine recommends on the chosen accelerator."""

    typical: TypicalDeployment
    model: Model
    recommended: Layout | None
    reason: str


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """One layout of the table. Predictions are None where it is refused, with the reason."""

    layout: Layout
    legal: bool
    reason: str
    memory: MemoryPlan | None
    serving: Serving | None
    traffic: Traffic | None
    kv_copies: float

    @property
    def bubble(self) -> float | None:
        return self.serving.bubble if self.serving else None


@dataclass(frozen=True, slots=True)
class Help:
    """One change that would let the load fit, and the GPUs it would then take."""

    words: str
    changes: tuple[tuple[str, object], ...]
    """Scenario fields and values."""
    gpus: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """The layout that is drawn: the forced one, or the recommended one."""

    layout: Layout
    forced: bool
    memory: MemoryPlan
    serving: Serving | None
    plan: Plan | None
    places: tuple[GpuPlace, ...]
    traffic: Traffic
    fits: bool
    idle: int
    band_pct: float | None


@dataclass(frozen=True, slots=True)
class ParallelismResult:
    """Everything the Parallelism screen shows."""

    accelerator: Accelerator
    gpus: int
    gpus_per_node: int
    chosen: Chosen | None
    """None where no layout of these GPUs can be built."""
    ladder: Layout | None
    ladder_reasons: tuple[str, ...]
    fastest: LayoutRow | None
    """The legal layout with the highest predicted throughput."""
    disagreement: str
    """Why prediction and ladder differ, in words; empty where they agree."""
    rows: tuple[LayoutRow, ...]
    """Legal ones first, fastest first; then the refused."""
    needed: Smallest
    """The fewest GPUs that hold the load."""
    missing_gpus: int
    help: tuple[Help, ...]
    """What would let it fit, where GPUs are missing."""
    links: tuple[LinkTime, ...]
    attention_dp_saving: int
    """Bytes of cache per user that a replica's ranks hold beyond one copy: what attention data parallelism saves."""
    batching: tuple[BatchingResult, ...]
    """Static, dynamic, continuous: the same requests on the chosen layout."""
    typical: tuple[TypicalRow, ...]
    derivations: tuple[Derivation, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    scenario: Scenario
    facts: Facts
    deployment: Deployment
    site: Site
    load: Sequences


def evaluate_parallelism(scenario: Scenario, facts: Facts) -> ParallelismResult:
    """Lay the scenario's GPUs out in every way. Raises ValueError in words where a name is unknown."""
    deployment = deployment_of(scenario, facts)
    site = site_of(scenario, facts)
    case = _Case(scenario, facts, deployment, site, load_of(scenario))
    forced = forced_of(scenario)
    ladder = recommend(deployment, site, case.load, scenario.gpus)
    wanted = recommend(deployment, site, case.load, scenario.gpus, forced) if forced.any else ladder
    needed = smallest(deployment, site, case.load)
    rows = layout_rows(scenario, facts)
    legal = [row for row in rows if row.serving is not None]
    fastest = max(legal, key=lambda row: row.serving.output_per_s if row.serving else 0.0, default=None)
    chosen = _chosen(case, wanted.plan, wanted.idle, forced.any)
    ladder_layout = ladder.plan.layout if ladder.plan else None
    missing = 0
    if (chosen is None or not chosen.fits) and needed.plan is not None:
        missing = max(0, needed.plan.layout.gpus - scenario.gpus)
    links = facts.links()
    ledger = Ledger()
    if chosen and chosen.layout.pp > 1 and chosen.serving:
        micro = max(1.0, min(chosen.serving.batch, float(chosen.layout.pp)))
        ledger(BUBBLE, pp=chosen.layout.pp, micro_batches=micro)
    if chosen and chosen.layout.tp > 1:
        _explain_copies(case, chosen.layout.tp, ledger)
    derivations = [chosen.traffic.derivation] if chosen else []
    if ledger.steps:
        derivations.append(ledger.derivation("Bubbles and copies"))
    if chosen and chosen.serving and chosen.serving.derivation:
        derivations.append(chosen.serving.derivation)
    return ParallelismResult(
        accelerator=site.accelerator,
        gpus=scenario.gpus,
        gpus_per_node=site.topology.gpus_per_node,
        chosen=chosen,
        ladder=ladder_layout,
        ladder_reasons=ladder.reasons if not forced.any else (*wanted.reasons, *ladder.reasons),
        fastest=fastest,
        disagreement=_disagreement(ladder_layout, fastest, rows),
        rows=rows,
        needed=needed,
        missing_gpus=missing,
        help=_help(case, needed) if missing or needed.plan is None else (),
        links=link_times(chosen.traffic, links, _links_used(case, chosen)) if chosen else (),
        attention_dp_saving=_copied_bytes(case, chosen.layout.tp) if chosen else 0,
        batching=_batching(scenario, chosen) if chosen and chosen.plan else (),
        typical=_typical(case),
        derivations=tuple(derivations),
    )


def layout_rows(scenario: Scenario, facts: Facts) -> tuple[LayoutRow, ...]:
    """Every layout of the scenario's GPUs: legal ones by predicted throughput, then the refused by name."""
    deployment, site, load = deployment_of(scenario, facts), site_of(scenario, facts), load_of(scenario)
    case = _Case(scenario, facts, deployment, site, load)
    rows = [_row(case, verdict) for verdict in judge_layouts(deployment, site, load, scenario.gpus)]
    return tuple(
        sorted(rows, key=lambda row: (-row.serving.output_per_s if row.serving else math.inf, row.legal, row.layout))
    )


def _row(case: _Case, verdict: LayoutVerdict) -> LayoutRow:
    reason = "; ".join(verdict.reasons)
    if not verdict.legal or verdict.plan is None:
        return LayoutRow(verdict.layout, False, reason, verdict.plan, None, None, 1.0)
    layout = verdict.layout
    serving = None
    try:
        plan = speed_plan(case.scenario, case.facts, case.deployment, case.site, layout, verdict.plan)
        serving = serve(plan, workload_of(case.scenario, case.deployment, case.site.accelerator))
    except SpeedError as error:
        reason = str(error)
    copies = kv_copies(case.deployment, layout.tp) if layout.tp > 1 else 1.0
    return LayoutRow(layout, True, reason, verdict.plan, serving, traffic_of(case.deployment.model, layout), copies)


def _chosen(case: _Case, memory: MemoryPlan | None, idle: int, forced: bool) -> Chosen | None:
    if memory is None:
        return None
    layout = memory.layout
    plan = serving = band = None
    try:
        plan = speed_plan(case.scenario, case.facts, case.deployment, case.site, layout, memory)
        if memory.fits:
            serving = serve(plan, workload_of(case.scenario, case.deployment, case.site.accelerator), explain=True)
        band = plan.band("tpot")
    except SpeedError:
        plan = serving = None
    return Chosen(
        layout=layout,
        forced=forced,
        memory=memory,
        serving=serving,
        plan=plan if serving else None,
        places=gpu_grid(case.deployment.model, layout, case.site.topology.gpus_per_node),
        traffic=traffic_of(case.deployment.model, layout),
        fits=memory.fits,
        idle=idle,
        band_pct=band.mean_ape if band else None,
    )


def _disagreement(ladder: Layout | None, fastest: LayoutRow | None, rows: tuple[LayoutRow, ...]) -> str:
    if ladder is None or fastest is None or fastest.serving is None or fastest.layout == ladder:
        return ""
    own = next((row for row in rows if row.layout == ladder and row.serving), None)
    if own is None or own.serving is None:
        return ""
    gain = fastest.serving.output_per_s / own.serving.output_per_s - 1
    if gain < _CLOSE:
        return ""
    slower = fastest.serving.tpot_s > own.serving.tpot_s
    price = f" and TPOT grows to {fastest.serving.tpot_s * 1e3:,.1f} ms" if slower else ""
    return (
        f"prediction prefers {fastest.layout.label}: {gain:.0%} more tokens/s than the ladder's {ladder.label}, "
        f"since its steps are bound by {own.serving.bound}{price}"
    )


def _help(case: _Case, needed: Smallest) -> tuple[Help, ...]:
    """Single changes that lower the GPUs needed: weights in 8 or 4 bits, the cache in 8, half the context."""
    base = needed.plan.layout.gpus if needed.plan else 1 << 30
    scenario, facts = case.scenario, case.facts
    bits = case.deployment.precision.bits
    tries: list[tuple[str, dict[str, object]]] = []
    for name, words in (("fp8", "weights in FP8"), ("int4", "weights in INT4")):
        if facts.precision(name).bits < bits:
            tries.append((words, {"precision": name}))
    if case.deployment.kv_precision.bits > facts.precision("fp8").bits:
        tries.append(("KV cache in FP8", {"kv_precision": "fp8"}))
    if scenario.context > 1024:
        tries.append((f"a context of {scenario.context // 2:,}", {"context": scenario.context // 2}))
    if scenario.users > 1:
        tries.append((f"{scenario.users // 2:,} users", {"users": scenario.users // 2}))
    found = []
    for words, changes in tries:
        changed = scenario.with_(**changes)
        plan = smallest(deployment_of(changed, facts), case.site, load_of(changed)).plan
        if plan is not None and plan.layout.gpus < base:
            found.append(Help(words, tuple(changes.items()), plan.layout.gpus))
    return tuple(sorted(found, key=lambda entry: entry.gpus))


def _links_used(case: _Case, chosen: Chosen) -> tuple[str, ...]:
    used = []
    layout, node = chosen.layout, case.site.topology.gpus_per_node
    if layout.tp > 1 or min(layout.gpus_per_replica, node) > 1 or layout.ep > 1:
        used.append(case.site.accelerator.link or f"pcie-{case.site.accelerator.pcie_gen or 4}")
    if layout.gpus_per_replica > node or layout.ep > node:
        link = link_of(case.scenario, case.facts)
        used.extend([link.id] if link else [])
    return tuple(used)


def _explain_copies(case: _Case, tp: int, ledger: Ledger) -> None:
    longest = case.deployment.model.max_context
    one = case.deployment.geometry(Layout())[0].sequence_bytes(longest)
    rank = case.deployment.geometry(Layout(tp))[0].sequence_bytes(longest)
    if one:
        ledger(COPIES, tp=tp, cache_on_a_rank=rank, cache_on_one_gpu=one, basis=Basis.DERIVED)


def _copied_bytes(case: _Case, tp: int) -> int:
    """Bytes of cache per user in a TP group beyond a single copy."""
    one = case.deployment.geometry(Layout())[0].sequence_bytes(case.load.tokens)
    rank = case.deployment.geometry(Layout(tp))[0].sequence_bytes(case.load.tokens)
    return max(0, tp * rank - one)


def _batching(scenario: Scenario, chosen: Chosen) -> tuple[BatchingResult, ...]:
    """The three policies on the chosen layout's own step times, at a load that keeps six slots about busy."""
    plan, serving = chosen.plan, chosen.serving
    assert plan is not None
    assert serving is not None
    context = scenario.input_tokens + scenario.output_tokens / 2
    prompt = max(1.0, float(scenario.input_tokens))
    prefill_ms = serving.prefill_s * 1e3 / prompt
    output = float(scenario.output_tokens)
    busy_s = serving.prefill_s + output * plan.decode(_BATCHING_SLOTS, context).total_s
    requests = seeded_requests(
        scenario.router_seed,
        _BATCHING_REQUESTS,
        requests_per_s=_BATCHING_SLOTS / busy_s,
        prompt_tokens=prompt,
        output_tokens=output,
    )
    times = StepTimes(
        step_ms=lambda batch: plan.decode(float(batch), context).total_s * 1e3,
        prefill_ms=lambda tokens: tokens * prefill_ms,
    )
    return compare_policies(requests, _BATCHING_SLOTS, times, window_ms=busy_s * 250)


def _typical(case: _Case) -> tuple[TypicalRow, ...]:
    """The reference's rows with the fewest GPUs that the engine finds for each, ten users of 8K in FP8."""
    rows = []
    load = Sequences(10, 8192)
    precision = case.facts.precision("fp8")
    for typical in case.facts.typical_deployments():
        deployment = replace(case.deployment, model=case.facts.model(typical.model), precision=precision)
        found = smallest(deployment, case.site, load)
        layout = found.plan.layout if found.plan else None
        rows.append(TypicalRow(typical, deployment.model, layout, found.reason))
    return tuple(rows)
