"""The MoE section: any dense model beside any mixture of experts, and the router of the latter at work."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .architecture import Dense, Mixture, Model, Part, group_counts, layer_order, parameters
from .compare import Better
from .cost.prices import PriceKind, price_range
from .derivation import Basis, Derivation, Formula, Ledger, Unit
from .expert_load import RoutingError
from .expert_placement import Placement, place_experts
from .facts import Facts
from .inputs import deployment_of, load_of, site_of
from .layout import Layout
from .memory import MemoryPlan
from .placement import recommend, smallest
from .precision import Precision
from .prediction import speed_plan, workload_of
from .routing import BatchRouting, Gate, RouterSpec, route_batch
from .speed import Plan, Serving, SpeedError, serve

if TYPE_CHECKING:
    from ..scenario import Scenario
    from .architecture import LayerGroup

FIELDS = (
    "dense_model",
    "moe_model",
    "precision",
    "kv_precision",
    "users",
    "context",
    "mean_fill",
    "shared_prefix",
    "accelerator",
    "gpus",
    "utilization",
    "engine",
    "max_batched_tokens",
    "max_num_seqs",
    "windowed_kv",
    "node_link",
    "input_tokens",
    "output_tokens",
    "prefix_hit",
    "acceptance",
    "draft_tokens",
    "on_demand_usd",
    "ep",
    "router_batch",
    "router_top_k",
    "router_skew",
    "router_layer",
    "router_seed",
    "capacity_factor",
)
"""Scenario fields that this section depends on."""

WEIGHTS = Formula("weights", "ceil(parameters * bits / 8)", Unit.BYTES, term="weights")
TOUCHED = Formula(
    "experts touched", "experts * (1 - (1 - top_k / experts) ** batch)", term="experts-touched", basis=Basis.DERIVED
)
READ = Formula("bytes read per step", "always + routed * touched / experts", Unit.BYTES, term="experts-touched")
READ_PER_TOKEN = Formula("bytes read per token", "read / batch", Unit.BYTES, term="bandwidth-bound")
FLOPS = Formula("FLOPs per token", "2 * active_parameters", Unit.FLOP, term="active-parameters")
PER_MTOK = Formula(
    "cost per 1M output tokens", "gpus * usd_per_hour / (tokens_per_s * 3600) * 1000000", Unit.USD_PER_MTOK
)
OFFLOADED = Formula("expert bytes over PCIe per step", "routed * touched / experts", Unit.BYTES, term="pcie")
OFFLOAD_RATE = Formula("tokens/s with experts in host memory", "batch * bandwidth / bytes", Unit.TOKENS_PER_S)
PCIE_3_X16 = 15.75e9
"""Bytes/s and direction of PCIe 3.0 x16; each generation doubles it."""


@dataclass(frozen=True, slots=True)
class PartSize:
    """One part of a model's weights."""

    part: Part
    parameters: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Served:
    """A model on some GPUs. `serving` is None where `reason` says why."""

    gpus: int
    memory: MemoryPlan | None
    serving: Serving | None
    usd_per_mtok: float | None
    """On-demand price of the GPUs over predicted output tokens; None without a price."""
    reason: str
    band_pct: float | None
    """± percent of the predicted TPOT; None: no measured data."""
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models. Bytes and FLOPs are of the whole model."""

    model: Model
    total: int
    active: int
    embedded: int
    """Embedding parameters: looked up, never multiplied."""
    parts: tuple[PartSize, ...]
    weight_bytes: int
    kv_bytes_per_token: float
    read_bytes: int
    """Weights that one decode step of the batch reads."""
    read_bytes_per_token: float
    flops_per_token: int
    fewest: Served
    """On the fewest GPUs that hold it with this load."""
    budget: Served
    """On the scenario's GPUs."""
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class TradeOff:
    """One line of the comparison: who wins it, and by how much."""

    name: str
    dense: float | None
    moe: float | None
    unit: Unit
    better: Better
    words: str = ""

    @property
    def winner(self) -> str:
        """`dense`, `moe`, `even`, or empty where one side has no figure."""
        if self.dense is None or self.moe is None or self.better is Better.NEITHER:
            return ""
        if math.isclose(self.dense, self.moe, rel_tol=0.005):
            return "even"
        return "dense" if (self.dense < self.moe) is (self.better is Better.LOWER) else "moe"

    @property
    def ratio(self) -> float | None:
        """The larger over the smaller."""
        if not self.dense or not self.moe:
            return None
        return max(self.dense, self.moe) / min(self.dense, self.moe)


@dataclass(frozen=True, slots=True)
class Offload:
    """Experts in host memory, fetched over PCIe as they are needed."""

    bytes_per_step: int
    bandwidth: float
    tokens_per_s: float
    in_memory_per_s: float | None
    """Decode rate of the same batch with all experts on the GPUs; None where it does not fit."""
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class RouterResult:
    """The router at one layer, one batch."""

    spec: RouterSpec
    layer: int
    """Index among the model's layers."""
    moe_layers: tuple[int, ...]
    """Layers that have a router."""
    batch: BatchRouting
    linear: Placement
    """Experts in order over the GPUs."""
    replicated: Placement
    """Hot experts copied."""
    ep: int


@dataclass(frozen=True, slots=True)
class MoeResult:
    """Everything the MoE screen shows."""

    dense: Side
    moe: Side
    batch: int
    trade_offs: tuple[TradeOff, ...]
    even_batch: int | None
    """Smallest batch at which the MoE reads as many weight bytes per step as the dense model; None: it never does."""
    router: RouterResult
    offload: Offload
    sentence: str
    """Memory is for all experts, speed for the touched ones, with the model's own numbers."""
    quality_caveat: str

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        return (self.dense.derivation, self.moe.derivation, self.offload.derivation)


def evaluate_moe(scenario: Scenario, facts: Facts) -> MoeResult:
    """Compare the scenario's dense and MoE models and run the router. Raises ValueError in words."""
    dense, moe = facts.model(scenario.dense_model), facts.model(scenario.moe_model)
    if dense.is_moe:
        raise RoutingError(f"{dense.name} is a mixture of experts; choose a dense model for the dense side")
    if not moe.is_moe:
        raise RoutingError(f"{moe.name} is a dense model; choose a mixture of experts for the MoE side")
    batch = scenario.router_batch
    precision = facts.precision(scenario.precision)
    router = route(scenario, moe)
    sides = tuple(_side(scenario, facts, model, precision, batch) for model in (dense, moe))
    return MoeResult(
        dense=sides[0],
        moe=sides[1],
        batch=batch,
        trade_offs=_trade_offs(*sides),
        even_batch=_even_batch(dense, moe, precision),
        router=router,
        offload=_offload(scenario, facts, moe, precision, batch, sides[1]),
        sentence=_sentence(sides[1], router),
        quality_caveat=(
            "Parameters are not quality: a mixture of experts usually answers like a dense model between its active "
            "and its total size. Compare both on your own tasks before you buy for one."
        ),
    )


def router_spec(mixture: Mixture, top_k: int = 0) -> RouterSpec:
    """The router of a model's layers; `top_k` replaces the model's own where it is not 0."""
    gate = Gate.SIGMOID_BIAS if mixture.gate.scoring == "sigmoid" else Gate.SOFTMAX
    return RouterSpec(
        experts=mixture.experts,
        top_k=top_k or mixture.top_k,
        gate=gate,
        groups=mixture.gate.groups,
        group_top_k=mixture.gate.top_groups,
        shared_experts=mixture.shared_experts,
        renormalise=mixture.gate.renormalise,
        routed_scaling=mixture.gate.scale,
    )


def route(scenario: Scenario, moe: Model) -> RouterResult:
    """Route one batch through the scenario's layer, or the nearest layer that has a router."""
    layers = tuple(index for index, group in enumerate(layer_order(moe)) if isinstance(group.mlp, Mixture))
    layer = min(layers, key=lambda index: (abs(index - scenario.router_layer), index))
    mixture = layer_order(moe)[layer].mlp
    assert isinstance(mixture, Mixture)
    spec = router_spec(mixture, scenario.router_top_k)
    batch = route_batch(
        spec,
        scenario.router_seed,
        scenario.router_batch,
        layer,
        scenario.router_skew,
        capacity_factor=scenario.capacity_factor or None,
    )
    ep = _expert_ranks(mixture.experts, scenario.ep or scenario.gpus)
    return RouterResult(
        spec,
        layer,
        layers,
        batch,
        place_experts(batch.load, ep, "linear"),
        place_experts(batch.load, ep, "replicated"),
        ep,
    )


def _expert_ranks(experts: int, gpus: int) -> int:
    """The most GPUs, up to `gpus`, over which the experts divide evenly."""
    return max(ranks for ranks in range(1, min(gpus, experts) + 1) if experts % ranks == 0)


def read_bytes(model: Model, precision: Precision, batch: float, ledger: Ledger) -> int:
    """Weight bytes that one decode step reads: all of a dense model, of the experts only the touched ones.

    The embedding is looked up, not read. Touched by closed form, N·(1−(1−k/N)^B), the share of a uniform router.
    """
    count = parameters(model)
    always = sum(
        math.ceil(size * precision.bits_of(part) / 8)
        for part, size in count.parts
        if part not in (Part.EMBEDDING, Part.ROUTED_EXPERTS, Part.EXTRA)
    )
    if model.tied_embeddings:
        always += math.ceil(count.of(Part.EMBEDDING) * precision.bits_of(Part.EMBEDDING) / 8)
    mixture = model.mixture
    if mixture is None:
        return int(ledger(READ, always=always, routed=0, touched=0, experts=1))
    touched = ledger(TOUCHED, experts=mixture.experts, top_k=mixture.top_k, batch=batch)
    routed = math.ceil(count.of(Part.ROUTED_EXPERTS) * precision.bits_of(Part.ROUTED_EXPERTS) / 8)
    return math.ceil(ledger(READ, always=always, routed=routed, touched=touched, experts=mixture.experts))


def _even_batch(dense: Model, moe: Model, precision: Precision) -> int | None:
    quiet = Ledger(recording=False)
    target = read_bytes(dense, precision, 1, quiet)
    limit = 1 << 20
    if read_bytes(moe, precision, limit, quiet) < target:
        return None
    low, high = 1, limit
    while low < high:
        middle = (low + high) // 2
        if read_bytes(moe, precision, middle, quiet) >= target:
            high = middle
        else:
            low = middle + 1
    return low


def _side(scenario: Scenario, facts: Facts, model: Model, precision: Precision, batch: int) -> Side:
    ledger = Ledger()
    count = parameters(model)
    sizes = [PartSize(part, size, math.ceil(size * precision.bits_of(part) / 8)) for part, size in count.parts if size]
    weight_bytes = sum(size.bytes for size in sizes)
    ledger(
        WEIGHTS,
        parameters=count.total,
        bits=weight_bytes * 8 / count.total,
        source=model.source,
        note="bits are effective: scales counted, some parts wider",
    )
    read = read_bytes(model, precision, batch, ledger)
    per_token = ledger(READ_PER_TOKEN, read=read, batch=batch)
    flops = ledger(FLOPS, active_parameters=count.active)
    deployment = replace(deployment_of(scenario, facts, scenario.moe_model), model=model)
    site, load = site_of(scenario, facts), load_of(scenario)
    least = smallest(deployment, site, load)
    found = recommend(deployment, site, load, scenario.gpus)

    def served(gpus: int, memory: MemoryPlan | None, reason: str) -> Served:
        if memory is None or not memory.fits:
            return Served(gpus, memory, None, None, reason, None)
        try:
            plan = speed_plan(scenario, facts, deployment, site, memory.layout, memory)
            serving = serve(plan, workload_of(scenario, deployment, site.accelerator))
        except SpeedError as error:
            return Served(gpus, memory, None, None, str(error), None)
        band = plan.band("tpot")
        cost = _usd_per_mtok(scenario, facts, memory.layout.gpus, serving, ledger)
        return Served(memory.layout.gpus, memory, serving, cost, "", band.mean_ape if band else None, plan)

    short = ", ".join(found.reasons)
    return Side(
        model=model,
        total=count.total,
        active=count.active,
        embedded=count.of(Part.EMBEDDING),
        parts=tuple(sizes),
        weight_bytes=weight_bytes,
        kv_bytes_per_token=deployment.geometry(Layout())[0].bytes_per_token,
        read_bytes=read,
        read_bytes_per_token=float(per_token),
        flops_per_token=int(flops),
        fewest=served(least.plan.layout.gpus if least.plan else 0, least.plan, least.reason),
        budget=served(scenario.gpus, found.plan, f"{scenario.gpus} GPUs do not hold it: {short}"),
        derivation=ledger.derivation(model.name),
    )


def _usd_per_mtok(scenario: Scenario, facts: Facts, gpus: int, serving: Serving, ledger: Ledger) -> float | None:
    rate = scenario.on_demand_usd
    source = "set in the scenario"
    if not rate:
        prices = facts.prices(facts.accelerator(scenario.accelerator).id)
        found = price_range(prices, PriceKind.ON_DEMAND)
        if found is None:
            return None
        rate, source = found.median, f"median of {found.rows} on-demand prices, newest {found.newest}"
    speed = serving.output_per_s
    return float(
        ledger(PER_MTOK, source=source, basis=Basis.CALIBRATED, gpus=gpus, usd_per_hour=rate, tokens_per_s=speed)
    )


def _trade_offs(dense: Side, moe: Side) -> tuple[TradeOff, ...]:
    def pair(
        name: str, unit: Unit, better: Better, values: tuple[float | None, float | None], words: str = ""
    ) -> TradeOff:
        return TradeOff(name, values[0], values[1], unit, better, words)

    def speed(served: Served) -> tuple[float | None, float | None, float | None]:
        if served.serving is None:
            return None, None, None
        return served.serving.output_per_s, served.serving.tpot_s, served.usd_per_mtok

    lines = [
        pair("parameters, total", Unit.PARAMETERS, Better.NEITHER, (dense.total, moe.total), "what must be learned"),
        pair("parameters, active", Unit.PARAMETERS, Better.LOWER, (dense.active, moe.active), "compute per token"),
        pair("FLOPs per token", Unit.FLOP, Better.LOWER, (dense.flops_per_token, moe.flops_per_token)),
        pair("weights in memory", Unit.BYTES, Better.LOWER, (dense.weight_bytes, moe.weight_bytes), "all experts"),
        pair("bytes read per token", Unit.BYTES, Better.LOWER, (dense.read_bytes_per_token, moe.read_bytes_per_token)),
        pair("KV cache", Unit.BYTES_PER_TOKEN, Better.LOWER, (dense.kv_bytes_per_token, moe.kv_bytes_per_token)),
        pair("fewest GPUs", Unit.COUNT, Better.LOWER, (dense.fewest.gpus or None, moe.fewest.gpus or None)),
    ]
    for name, sides in (("fewest GPUs", (dense.fewest, moe.fewest)), ("same GPUs", (dense.budget, moe.budget))):
        first, second = speed(sides[0]), speed(sides[1])
        reason = next((side.reason for side in sides if side.serving is None), "")
        lines += (
            pair(f"tokens/s, {name}", Unit.TOKENS_PER_S, Better.HIGHER, (first[0], second[0]), reason),
            pair(f"TPOT, {name}", Unit.SECONDS, Better.LOWER, (first[1], second[1]), reason),
            pair(f"$/1M, {name}", Unit.USD_PER_MTOK, Better.LOWER, (first[2], second[2]), reason),
        )
    return tuple(lines)


def _offload(scenario: Scenario, facts: Facts, moe: Model, precision: Precision, batch: int, side: Side) -> Offload:
    ledger = Ledger()
    mixture = moe.mixture
    assert mixture is not None
    touched = ledger(TOUCHED, experts=mixture.experts, top_k=mixture.top_k, batch=batch)
    routed = next(size.bytes for size in side.parts if size.part is Part.ROUTED_EXPERTS)
    moved = math.ceil(ledger(OFFLOADED, routed=routed, touched=touched, experts=mixture.experts))
    accelerator = facts.accelerator(scenario.accelerator)
    bandwidth = PCIE_3_X16 * 2.0 ** ((accelerator.pcie_gen or 4) - 3)
    rate = ledger(
        OFFLOAD_RATE,
        batch=batch,
        bandwidth=bandwidth,
        bytes=moved,
        note=f"PCIe {accelerator.pcie_gen or 4}.0 x16 at its line rate, nothing kept on the GPU",
    )
    plan = side.budget.plan or side.fewest.plan
    in_memory = batch / plan.decode(batch, scenario.input_tokens + scenario.output_tokens / 2).total_s if plan else None
    return Offload(moved, bandwidth, float(rate), in_memory, ledger.derivation("Experts in host memory"))


def _sentence(side: Side, router: RouterResult) -> str:
    share = router.batch.touched / router.spec.experts
    return (
        f"All {router.spec.experts} experts of each layer must be in memory "
        f"({side.weight_bytes / 1e9:,.0f} GB of weights); "
        f"a token computes with {side.active / 1e9:,.1f}B of {side.total / 1e9:,.1f}B parameters, and this batch of "
        f"{router.batch.batch} reads {router.batch.touched} experts of the layer ({share:.0%})."
    )


def dense_layers(model: Model) -> int:
    """Layers whose MLP is dense, as the first ones of many mixtures are."""
    counts: tuple[tuple[LayerGroup, int], ...] = group_counts(model)
    return sum(count for group, count in counts if isinstance(group.mlp, Dense))
