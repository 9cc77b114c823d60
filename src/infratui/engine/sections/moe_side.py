"""One side of the comparison: a model's parameters and bytes, and what it does on some GPUs in its best layout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..case import deployment_of, load_of, site_of
from ..cluster.layout import Layout
from ..cost.prices import PriceKind, price_range
from ..deployment.placement import Site, judge_layouts, recommend, smallest
from ..facts import Facts
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan
from ..model.architecture import Model, Part, parameters
from ..model.precision import Precision
from ..speed import Plan, Serving, SpeedError, serve
from ..speed.prediction import speed_plan, workload_of

if TYPE_CHECKING:
    from ...scenario import Scenario

WEIGHTS = Formula("weights", "ceil(parameters * bits / 8)", Unit.BYTES, term="weights")
PLAIN = Formula("weights by rule of thumb", "parameters * bytes_per_parameter", Unit.BYTES, term="weights")
TOUCHED = Formula(
    "experts touched",
    "experts * (1 - (1 - top_k / experts) ** batch)",
    Unit.COUNT,
    term="experts-touched",
    basis=Basis.DERIVED,
)
READ = Formula("bytes read per step", "always + routed * touched / experts", Unit.BYTES, term="experts-touched")
READ_PER_TOKEN = Formula("bytes read per token", "read / batch", Unit.BYTES, term="bandwidth-bound")
FLOPS = Formula("FLOPs per token", "2 * active_parameters", Unit.FLOP, term="active-parameters")
PER_MTOK = Formula(
    "cost per 1M output tokens",
    "gpus * usd_per_hour / (tokens_per_s * 3600) * 1000000",
    Unit.USD_PER_MTOK,
    term="per-token-price",
)


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

    @property
    def holds(self) -> bool:
        """The GPUs hold the model with its load."""
        return self.memory is not None and self.memory.fits


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
    plain_bytes: float | None
    """Weights by the rule of thumb, a flat size per parameter; None: this precision has none."""
    kv_bytes_per_token: float
    read_bytes: int
    """Weights that one decode step of the batch reads."""
    read_bytes_per_token: float
    flops_per_token: int
    fewest: Served
    """On the fewest GPUs that hold it with this load."""
    budget: Served
    """On the GPUs that both sides get."""
    derivation: Derivation

    def bytes_of(self, *parts: Part) -> int:
        """Weights in some parts."""
        return sum(size.bytes for size in self.parts if size.part in parts)


@dataclass(frozen=True, slots=True)
class Case:
    """What both sides share: scenario, accelerator and load."""

    scenario: Scenario
    facts: Facts
    site: Site
    load: Sequences
    precision: Precision

    @classmethod
    def of(cls, scenario: Scenario, facts: Facts) -> Case:
        return cls(
            scenario, facts, site_of(scenario, facts), load_of(scenario), facts.precision(scenario.precision)
        )  # fmt: skip

    def deployment(self, name: str) -> Deployment:
        return deployment_of(self.scenario, self.facts, name)


def read_bytes(model: Model, precision: Precision, batch: float, ledger: Ledger) -> int:
    """Weight bytes that one decode step reads: all of a dense model, of the experts only the touched ones.

    The embedding is looked up, not read. Touched by closed form, N·(1−(1−k/N)^B), the share of a uniform router.
    """
    always, routed = read_parts(model, precision)
    mixture = model.mixture
    if mixture is None:
        return int(ledger(READ, always=always, routed=0, touched=0, experts=1))
    touched = ledger(TOUCHED, experts=mixture.experts, top_k=mixture.top_k, batch=batch)
    return math.ceil(ledger(READ, always=always, routed=routed, touched=touched, experts=mixture.experts))


def read_parts(model: Model, precision: Precision) -> tuple[int, int]:
    """Bytes that every step reads, and bytes of all routed experts."""
    count = parameters(model)
    always = sum(
        math.ceil(size * precision.bits_of(part) / 8)
        for part, size in count.parts
        if part not in (Part.EMBEDDING, Part.ROUTED_EXPERTS, Part.EXTRA)
    )
    if model.tied_embeddings:
        always += math.ceil(count.of(Part.EMBEDDING) * precision.bits_of(Part.EMBEDDING) / 8)
    return always, math.ceil(count.of(Part.ROUTED_EXPERTS) * precision.bits_of(Part.ROUTED_EXPERTS) / 8)


def shared_budget(case: Case, names: tuple[str, str]) -> tuple[int, str]:
    """GPUs that both models get: the scenario's, or as many more as hold both; and why, where it is more."""
    gpus = case.scenario.gpus
    needs = []
    for name in names:
        deployment = case.deployment(name)
        found = recommend(deployment, case.site, case.load, gpus)
        if found.plan is not None and found.plan.fits:
            continue
        least = smallest(deployment, case.site, case.load).plan
        if least is not None:
            needs.append((least.layout.gpus, deployment.model.name))
    most, name = max(needs, default=(0, ""))
    if most <= gpus:
        return gpus, ""
    return most, f"{gpus} do not hold {name}, so both get the {most} that do"


def compare_side(case: Case, name: str, batch: int, budget: int) -> Side:
    """One model's figures: exact for bytes and parameters, predicted on the fewest GPUs and on `budget` of them."""
    deployment = case.deployment(name)
    model, precision = deployment.model, case.precision
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
    flat = precision.rule_of_thumb_bytes
    plain = float(ledger(PLAIN, parameters=count.total, bytes_per_parameter=flat)) if flat else None
    read = read_bytes(model, precision, batch, ledger)
    per_token = ledger(READ_PER_TOKEN, read=read, batch=batch)
    flops = ledger(FLOPS, active_parameters=count.active)
    least = smallest(deployment, case.site, case.load)
    fewest = _served(case, deployment, least.plan, least.plan.layout.gpus if least.plan else 0, least.reason, ledger)
    if fewest.gpus == budget:
        same = fewest
    else:
        found = recommend(deployment, case.site, case.load, budget)
        short = f"{budget} GPUs do not hold it: {', '.join(found.reasons)}"
        same = _served(case, deployment, found.plan, budget, short, ledger)
    return Side(
        model=model,
        total=count.total,
        active=count.active,
        embedded=count.of(Part.EMBEDDING),
        parts=tuple(sizes),
        weight_bytes=weight_bytes,
        plain_bytes=plain,
        kv_bytes_per_token=deployment.geometry(Layout())[0].bytes_per_token,
        read_bytes=read,
        read_bytes_per_token=float(per_token),
        flops_per_token=int(flops),
        fewest=fewest,
        budget=same,
        derivation=ledger.derivation(model.name),
    )


def _served(
    case: Case, deployment: Deployment, ladder: MemoryPlan | None, gpus: int, short: str, ledger: Ledger
) -> Served:
    """The layout of these GPUs with the most predicted tokens/s; the memory ladder's own is one of the candidates."""
    if ladder is None or not ladder.fits:
        return Served(gpus, ladder, None, None, short, None)
    plans = [ladder]
    plans += [
        verdict.plan
        for verdict in judge_layouts(deployment, case.site, case.load, gpus)
        if verdict.legal and verdict.plan is not None and verdict.layout != ladder.layout
    ]
    best: tuple[MemoryPlan, Plan, Serving] | None = None
    refusal = ""
    workload = workload_of(case.scenario, deployment, case.site.accelerator)
    for memory in plans:
        try:
            plan = speed_plan(case.scenario, case.facts, deployment, case.site, memory.layout, memory)
            serving = serve(plan, workload)
        except SpeedError as error:
            refusal = refusal or str(error)
            continue
        if best is None or serving.output_per_s > best[2].output_per_s:
            best = memory, plan, serving
    if best is None:
        return Served(gpus, ladder, None, None, refusal, None)
    memory, plan, _ = best
    serving = serve(plan, workload, explain=True)
    band = plan.band("tpot")
    cost = _usd_per_mtok(case, memory.layout.gpus, serving, ledger)
    return Served(memory.layout.gpus, memory, serving, cost, "", band.mean_ape if band else None, plan)


def _usd_per_mtok(case: Case, gpus: int, serving: Serving, ledger: Ledger) -> float | None:
    rate = case.scenario.on_demand_usd
    source = "set in the scenario"
    if not rate:
        found = price_range(case.facts.prices(case.site.accelerator.id), PriceKind.ON_DEMAND)
        if found is None:
            return None
        rate, source = found.median, f"median of {found.rows} on-demand prices, newest {found.newest}"
    speed = serving.output_per_s
    return float(
        ledger(PER_MTOK, source=source, basis=Basis.CALIBRATED, gpus=gpus, usd_per_hour=rate, tokens_per_s=speed)
    )
