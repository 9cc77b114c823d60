"""One side of the comparison: a model's parameters and bytes, and what it does on some GPUs in its best layout."""

from __future__ import annotations

import math

from ...value_types import dataclass
from ..case import Case
from ..cluster.layout import Layout
from ..cost.prices import PriceKind, price_range
from ..deployment.answer import deployed, fewest_of
from ..deployment.choose import choose
from ..deployment.judge import PoolSplit, refused_by, speed_plan
from ..deployment.pools import served
from ..deployment.reasons import ReasonKind
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason, because
from ..memory.plan import MemoryPlan
from ..model.architecture import Model, Part, parameters
from ..model.precision import Precision
from ..speed import Interval, Plan, Serving, SpeedError

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
    reason: Reason | None
    interval: Interval | None
    """Around the predicted TPOT; None: no measured data."""
    plan: Plan | None = None
    pools: PoolSplit | None = None
    """What computes the prompts, where that is pinned apart."""

    @property
    def holds(self) -> bool:
        """The GPUs hold the model with its load."""
        return self.memory is not None and self.memory.fits


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models. Bytes and FLOPs are of the whole model."""

    model: Model
    precision: Precision
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


def sides(case: Case, dense: str, moe: str) -> tuple[Case, Case]:
    """The scenario with either model: its own keeps its layout, the other one is free to find its own."""
    own = case.model

    def side(name: str) -> Case:
        if case.facts.model(name) is own:
            return case
        return case.with_(model=name, tp=0, pp=0, dp=0, ep=0, dcp=0, pools="")

    return side(dense), side(moe)


def shared_budget(first: Case, second: Case) -> tuple[int, Reason | None]:
    """GPUs that both models get: the scenario's, or as many more as hold both; and why, where it is more."""
    gpus = first.gpus
    needs = [
        (least, case.model.name)
        for case in (first, second)
        if not deployed(case).holds and (least := fewest_of(case).gpus) is not None
    ]
    most, name = max(needs, default=(0, ""))
    if most <= gpus:
        return gpus, None
    return most, because(ReasonKind.SHARED_GPUS, name, gpus=gpus, most=most)


def compare_side(case: Case, batch: int, budget: int) -> Side:
    """One model's figures: exact for bytes and parameters, predicted on the fewest GPUs and on `budget` of them."""
    deployment = case.deployment
    model, precision = deployment.model, deployment.precision
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
    least = fewest_of(case)
    least.explain(ledger)
    fewest = _served(case, least.gpus or 0, least.reason, ledger)
    short = deployment.refusal(case.site.accelerator) or because(ReasonKind.GIVEN_GPUS, gpus=budget)
    same = fewest if fewest.gpus == budget else _served(case, budget, short, ledger)
    return Side(
        model=model,
        precision=precision,
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


def on_fewest(case: Case) -> Served:
    """A model on the fewest GPUs that hold it with this load."""
    least = fewest_of(case)
    return _served(case, least.gpus or 0, least.reason, Ledger(recording=False))


def _served(case: Case, gpus: int, short: Reason | None, ledger: Ledger) -> Served:
    """The layout that the search takes on so many GPUs: on the scenario's own, the one that every section shows."""
    if not gpus:
        return Served(0, None, None, None, short, None)
    own = gpus == case.gpus
    found = deployed(case).choice if own else choose(case, gpus)
    memory = found.plan
    if memory is None or not memory.fits:
        return Served(gpus, memory, None, None, short, None)
    try:
        plan = speed_plan(case, case.site, memory.layout, memory)
        serving = served(case, found, plan)
    except SpeedError as error:
        return Served(gpus, memory, None, None, refused_by(error), None)
    band = plan.band("tpot")
    cost = _usd_per_mtok(case, gpus, serving, ledger)
    return Served(gpus, memory, serving, cost, None, band.interval if band else None, plan, found.pools)


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
