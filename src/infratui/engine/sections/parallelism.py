"""The parallelism section: every layout of the GPUs at hand, which to take, what it sends and how batches run on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from ...value_types import dataclass
from ..case import Case
from ..cluster.grid import GpuPlace, gpu_grid
from ..cluster.hardware import Accelerator, Link
from ..cluster.layout import Layout
from ..cluster.traffic import LinkTime, Traffic, link_times
from ..deployment.answer import deployed
from ..deployment.choose import LayoutChoice
from ..deployment.fewest import Fewest, fewest
from ..deployment.judge import PoolSplit, refused_by, speed_plan
from ..deployment.ladder import recommend
from ..deployment.pools import served
from ..deployment.reasons import ReasonKind
from ..deployment.ways_out import WayOut, ways_out
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason, because
from ..memory.kv_cache import Sequences, kv_demand
from ..memory.plan import MemoryPlan
from ..speed import Band, Plan, Serving, SpeedError
from ..speed.batching import BatchingError, BatchingResult, StepTimes, compare_policies, seeded_requests
from ..speed.step_parts import StepParts, step_parts
from .layout_table import LayoutRow, layout_rows

if TYPE_CHECKING:
    from ..model.architecture import Model

BUBBLE = Formula("bubble", "100 * max(0, 1 - min(batch, pp) / pp)", Unit.PERCENT, term="pipeline-bubble")
FILL = Formula(
    "bubble while filling", "100 * (pp - 1) / (micro_batches + pp - 1)", Unit.PERCENT, term="pipeline-bubble"
)
COPIES = Formula("KV copies", "tp * cache_on_a_rank / cache_on_one_gpu", Unit.RATIO, term="kv-heads")
BATCHING_SLOTS = 4
"""Sequences that the batching timeline runs at a time: as many rows as a screen has room for."""
_BATCHING_REQUESTS = 16
_BATCHING_LOAD = 1.5
"""Arrivals as a multiple of what the slots would finish: so few requests must overlap to show what waiting costs."""
_BATCHING_QUIET = 0.3
"""Likewise where few overlap: a fifth of it."""
_WINDOW_MS = 50.0
"""Milliseconds that dynamic batching waits for company, per second that a request takes: a twentieth of it."""
_CLOSE = 0.03
"""Predictions closer than this are not worth a different layout."""
_TYPICAL_LOAD = Sequences(10, 8192)
"""Ten users of 8K each: what typical deployments are sized for."""


@dataclass(frozen=True, slots=True)
class TypicalDeployment:
    """A row of the reference's typical deployments."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    model: str
    strategy: str
    said: str


@dataclass(frozen=True, slots=True)
class TypicalRow:
    """What the reference lists beside the fewest GPUs by the engine, on the chosen accelerator, in 16 and 8 bits."""

    typical: TypicalDeployment
    model: Model
    sixteen_bit: Layout | None
    recommended: Layout | None
    """In FP8."""
    reason: Reason | None
    """Why FP8 takes more than the bytes alone, or why nothing holds it."""


@dataclass(frozen=True, slots=True)
class StageMemory:
    """Memory of every GPU of a pipeline stage, in bytes."""

    first_layer: int
    last_layer: int
    weights: int
    kv: int
    runtime: int
    requested: int

    @property
    def used(self) -> float:
        """Share of the requested memory; above 1 where it is short."""
        return (self.weights + self.kv + self.runtime) / self.requested


@dataclass(frozen=True, slots=True)
class Chosen:
    """The layout that is drawn: the one that every section shows."""

    layout: Layout
    forced: bool
    reasons: tuple[Reason, ...]
    memory: MemoryPlan
    pools: PoolSplit | None
    """What computes the prompts, where that is apart; everything else here is of what decodes."""
    stages: tuple[StageMemory, ...]
    serving: Serving | None
    parts: StepParts | None
    """The decode step by cause."""
    no_speed: Reason | None
    """Why nothing is predicted; empty where something is."""
    plan: Plan | None
    places: tuple[GpuPlace, ...]
    traffic: Traffic
    fits: bool
    idle: int
    tpot_band: Band | None
    """Error bands where the regime has measured data."""
    ttft_band: Band | None
    throughput_band: Band | None


@dataclass(frozen=True, slots=True)
class ParallelismResult:
    """Everything the Parallelism screen shows."""

    model: Model
    accelerator: Accelerator
    gpus: int
    gpus_per_node: int
    node_link: Link | None
    """Between the GPUs of a node."""
    fabric: Link
    """Between nodes."""
    chosen: Chosen | None
    """None where no layout of these GPUs can be built."""
    refused: tuple[Reason, ...]
    """Why there is none."""
    ladder: Layout | None
    ladder_reasons: tuple[Reason, ...]
    fastest: LayoutRow | None
    """The legal layout with the highest predicted throughput."""
    disagreement: Reason | None
    """Why prediction and ladder differ, in words; empty where they agree."""
    rows: tuple[LayoutRow, ...]
    """Legal ones first, fastest first; then the refused."""
    needed: Fewest
    """The fewest GPUs that hold the load."""
    missing_gpus: int
    help: tuple[WayOut, ...]
    """What would let it fit, where it does not: cheapest first."""
    links: tuple[LinkTime, ...]
    attention_dp_saving: int
    """Bytes of cache per user that a replica's ranks hold beyond one copy: what attention data parallelism saves."""
    kv_copies: float
    """Times that a replica of the chosen layout holds each cached token."""
    batching: tuple[BatchingResult, ...]
    quiet_batching: tuple[BatchingResult, ...]
    """The same under a fifth of the arrivals."""
    """Static, dynamic, continuous: the same requests on the chosen layout."""
    typical: tuple[TypicalRow, ...]
    derivations: tuple[Derivation, ...]

    @property
    def serving(self) -> Serving | None:
        """The prediction for the chosen layout."""
        return self.chosen.serving if self.chosen else None

    @property
    def fits(self) -> bool:
        """The chosen layout holds the load."""
        return self.chosen is not None and self.chosen.fits

    def row(self, label: str) -> LayoutRow | None:
        """The row of a layout by its label."""
        return next((row for row in self.rows if row.layout.label == label), None)


def evaluate_parallelism(case: Case) -> ParallelismResult:
    """Lay the scenario's GPUs out in every way. Raises ValueError in words where a name is unknown."""
    deployment, site, load = case.deployment, case.site, case.load
    found = deployed(case)
    choice, needed = found.choice, found.fewest
    ladder = recommend(deployment, site, load, case.gpus)
    rows = layout_rows(case, [plan.layout for plan in (ladder.plan, choice.plan) if plan])
    fastest = next((row for row in rows if row.serving is not None), None)
    chosen = _chosen(case, choice)
    if chosen is not None and choice.pools is not None:
        # What decodes beside its prompts is another deployment than the same layout that does both.
        rows = tuple(_beside(row, choice, chosen) if row.layout == chosen.layout else row for row in rows)
    ladder_layout = ladder.plan.layout if ladder.plan else None
    by_id = {link.id: link for link in case.facts.links()}
    return ParallelismResult(
        model=deployment.model,
        accelerator=site.accelerator,
        gpus=case.gpus,
        gpus_per_node=site.fabric.domain,
        node_link=by_id.get(_inside_link(case)),
        fabric=case.link,
        chosen=chosen,
        refused=choice.refused,
        ladder=ladder_layout,
        ladder_reasons=ladder.reasons,
        fastest=fastest,
        disagreement=_disagreement(ladder_layout, choice, rows),
        rows=rows,
        needed=needed,
        missing_gpus=found.missing_gpus or 0,
        help=() if found.holds else case.part("ways", ways_out),
        links=_links(case, chosen) if chosen else (),
        attention_dp_saving=_copied_bytes(case, chosen.layout) if chosen else 0,
        kv_copies=_copies(case, chosen.layout) if chosen else 1.0,
        batching=_batching(case, chosen, _BATCHING_LOAD) if chosen else (),
        quiet_batching=_batching(case, chosen, _BATCHING_QUIET) if chosen else (),
        typical=case.part("typical", _typical),
        derivations=_derivations(case, chosen),
    )


def _beside(row: LayoutRow, choice: LayoutChoice, chosen: Chosen) -> LayoutRow:
    return replace(row, serving=chosen.serving, idle=choice.idle, pools=choice.pools)


def _derivations(case: Case, chosen: Chosen | None) -> tuple[Derivation, ...]:
    if chosen is None:
        return ()
    ledger = Ledger()
    if chosen.serving:
        ledger(BUBBLE, batch=chosen.layout.pp * (1 - chosen.serving.bubble), pp=chosen.layout.pp)
    if chosen.layout.pp > 1 and chosen.serving:
        micro = max(1.0, chosen.layout.pp * (1 - chosen.serving.bubble))
        ledger(FILL, pp=chosen.layout.pp, micro_batches=micro, note="one pass that starts and ends empty")
    if chosen.layout.tp > 1:
        _explain_copies(case, chosen.layout, ledger)
    found = [chosen.traffic.derivation]
    if ledger.steps:
        found.append(ledger.derivation("Bubbles and copies"))
    if chosen.serving and chosen.serving.derivation:
        found.append(chosen.serving.derivation)
    return tuple(found)


def _chosen(case: Case, wanted: LayoutChoice) -> Chosen | None:
    memory = wanted.plan
    if memory is None:
        return None
    layout = memory.layout
    plan = serving = parts = None
    no_speed = None
    try:
        plan = speed_plan(case, case.site, layout, memory)
        if memory.fits:
            workload = case.workload(concurrency=float(case.load.users))
            serving = served(case, wanted, plan)
            parts = step_parts(plan, serving, workload.speculation)
        else:
            no_speed = because(ReasonKind.NOTHING_RUNS)
    except SpeedError as error:
        no_speed = refused_by(error)
    return Chosen(
        layout=layout,
        forced=wanted.forced,
        reasons=wanted.reasons,
        memory=memory,
        pools=wanted.pools,
        stages=_stages(case, memory),
        serving=serving,
        parts=parts,
        no_speed=no_speed,
        plan=plan if serving else None,
        places=gpu_grid(case.deployment.model, layout, case.site.fabric.domain),
        traffic=case.traffic(layout),
        fits=memory.fits,
        idle=wanted.idle,
        tpot_band=plan.band("tpot") if plan else None,
        ttft_band=plan.band("ttft under load" if serving and serving.batch > 1 else "ttft") if plan else None,
        throughput_band=plan.band("throughput") if plan else None,
    )


def _stages(case: Case, memory: MemoryPlan) -> tuple[StageMemory, ...]:
    """Memory of each stage; runtime and what the engine requests are alike on all of them."""
    load = replace(case.load, users=memory.users_per_replica)
    weights = case.deployment.weights(memory.layout).stages
    found = []
    first = 0
    for stage, geometry in zip(weights, case.deployment.geometry(memory.layout), strict=True):
        last = first + stage.layers - 1
        kv = kv_demand(geometry, load).total
        found.append(StageMemory(first, last, stage.total, kv, memory.runtime_inside, memory.requested))
        first = last + 1
    return tuple(found)


def _disagreement(ladder: Layout | None, choice: LayoutChoice, rows: tuple[LayoutRow, ...]) -> Reason | None:
    """What the ladder would lose against the chosen layout; None where it would not."""
    best = choice.best
    if ladder is None or choice.forced or best is None or best.output_per_s is None or best.layout == ladder:
        return None
    own = next((row for row in rows if row.layout == ladder and row.serving), None)
    if own is None or own.serving is None:
        return None
    gain = best.output_per_s / own.serving.output_per_s - 1
    if gain < _CLOSE:
        return None
    slower = best.tpot_s if (best.tpot_s or 0.0) > own.serving.tpot_s else None
    found = because(ReasonKind.SLOWER_LADDER, best.layout.label, gain=gain, tpot_s=slower)
    return replace(found, where=ladder.label)


def _inside_link(case: Case) -> str:
    """The link between the GPUs of a node, as speed is predicted with it: bridges join few servers, PCIe all."""
    accelerator = case.accelerator
    if case.site.fabric.kind == "pcie" and accelerator.link_kind != "pcie":
        return f"pcie-{accelerator.pcie_gen or 4}"
    return accelerator.link


def _links(case: Case, chosen: Chosen) -> tuple[LinkTime, ...]:
    own = _inside_link(case)
    used = []
    if chosen.traffic.inside.bytes:
        used.append(own)
    if chosen.traffic.between.bytes:
        used.append(case.link.id)
    return link_times(chosen.traffic, case.facts.links(), used, own, case.site.fabric.domain)


def _copies(case: Case, layout: Layout) -> float:
    one, rank = _cache_of_longest(case, layout)
    return layout.tp * rank / one if one else 1.0


def _cache_of_longest(case: Case, layout: Layout) -> tuple[int, int]:
    """Bytes of the longest sequence on one GPU alone, and on a rank of TP."""
    longest = case.deployment.model.max_context
    one = case.deployment.geometry(Layout())[0].sequence_bytes(longest)
    return one, case.deployment.geometry(Layout(layout.tp, dcp=layout.dcp))[0].sequence_bytes(longest)


def _explain_copies(case: Case, layout: Layout, ledger: Ledger) -> None:
    one, rank = _cache_of_longest(case, layout)
    if one:
        ledger(COPIES, tp=layout.tp, cache_on_a_rank=rank, cache_on_one_gpu=one, basis=Basis.DERIVED)


def _copied_bytes(case: Case, layout: Layout) -> int:
    """Bytes of cache per user in a TP group beyond a single copy."""
    one = case.deployment.geometry(Layout())[0].sequence_bytes(case.load.tokens)
    rank = case.deployment.geometry(Layout(layout.tp, dcp=layout.dcp))[0].sequence_bytes(case.load.tokens)
    return max(0, layout.tp * rank - one)


def _batching(case: Case, chosen: Chosen, load: float) -> tuple[BatchingResult, ...]:
    """The three policies on the chosen layout's own step times; `load` 1 brings what busy slots would finish."""
    plan, serving, scenario = chosen.plan, chosen.serving, case.scenario
    if plan is None or serving is None:
        return ()
    context = case.workload().context
    prompt = max(1.0, float(scenario.input_tokens))
    prefill_ms = serving.prefill_s * 1e3 / prompt
    output = float(scenario.output_tokens)
    busy_s = serving.prefill_s + output * plan.decode(BATCHING_SLOTS, context).total_s
    times = StepTimes(
        step_ms=lambda batch: plan.decode(float(batch), context).total_s * 1e3,
        prefill_ms=lambda tokens: tokens * prefill_ms,
    )
    try:
        requests = seeded_requests(
            scenario.router_seed,
            _BATCHING_REQUESTS,
            requests_per_s=load * BATCHING_SLOTS / busy_s,
            prompt_tokens=prompt,
            output_tokens=output,
        )
        return compare_policies(requests, BATCHING_SLOTS, times, window_ms=busy_s * _WINDOW_MS)
    except BatchingError:
        return ()


def _typical(case: Case) -> tuple[TypicalRow, ...]:
    """The reference's rows with the fewest GPUs that the engine finds for each: ten users of 8K."""
    rows = []
    for typical in case.facts.typical_deployments():
        model = case.facts.model(typical.model)
        found = [
            fewest(
                replace(case.deployment, model=model, precision=case.facts.precision(name)), case.site, _TYPICAL_LOAD
            )
            for name in ("fp16", "fp8")
        ]
        layouts = [entry.plan.layout if entry.plan else None for entry in found]
        rows.append(TypicalRow(typical, model, layouts[0], layouts[1], found[1].reason))
    return tuple(rows)
