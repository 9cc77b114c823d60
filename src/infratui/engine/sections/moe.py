"""The MoE section: any dense model beside any mixture of experts, and the router of the latter at work."""

from __future__ import annotations

import math
from typing import ClassVar

from ...value_types import dataclass
from ..case import Case
from ..experts.load import RoutingError
from ..experts.router import RouterResult, route
from ..figures.compare import Better
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason
from ..model.architecture import Model, Part, parameters
from ..model.precision import Precision
from .moe_side import TOUCHED, Served, Side, compare_side, read_bytes, read_parts, shared_budget, sides

EXPERT_SHARE = Formula(
    "share of experts it may read", "(dense_read - always) / routed", Unit.RATIO, term="experts-touched"
)
_RULE = "by the rule of thumb √(active · total); compare on your own tasks"
EVEN = Formula("even batch", "ceil(log2(1 - share) / log2(1 - top_k / experts))", Unit.TOKENS, term="experts-touched")
AS_DENSE = Formula("as dense", "(active * total) ** 0.5", Unit.PARAMETERS, basis=Basis.ASSUMED, term="dense-equivalent")
PER_FLOP = Formula("capability per FLOP", "as_dense / flops", Unit.RATIO, basis=Basis.ASSUMED, term="dense-equivalent")
OFFLOADED = Formula("expert bytes over PCIe per step", "routed * touched / experts", Unit.BYTES, term="pcie")
OFFLOAD_RATE = Formula(
    "tokens/s with experts in host memory", "batch * bandwidth / bytes", Unit.TOKENS_PER_S, term="kv-offload"
)


@dataclass(frozen=True, slots=True)
class Counterparts:
    """Models that stand beside the scenario's where none is named."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    dense: tuple[str, ...]
    """Ids, from small to large."""
    mixture: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class TradeOff:
    """One line of the comparison: who wins it, and by how much."""

    name: str
    dense: float | None
    moe: float | None
    unit: Unit
    better: Better
    words: str = ""
    reason: Reason | None = None
    """Why one side has no figure."""

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

    resident_bytes: int
    """Weights that stay in GPU memory."""
    bytes_per_step: int
    bandwidth: float
    """Bytes/s of one GPU's PCIe link."""
    link: str
    tokens_per_s: float
    """At most: the time of everything but the fetching is left out."""
    in_memory_per_s: float | None
    """Decode rate of the same batch with all experts on the GPUs; None where it does not fit."""
    in_memory_gpus: int
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class EvenBatch:
    """Where the mixture's advantage in bytes ends."""

    tokens: int | None
    """Smallest batch at which it reads as many weight bytes per step as the dense model; None: it never does."""
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class MoeResult:
    """Everything the MoE screen shows."""

    dense: Side
    moe: Side
    precision: Precision
    """Of the scenario; a model as released may differ, see its side."""
    accelerator: str
    batch: int
    budget: int
    """GPUs that both sides get."""
    budget_reason: Reason | None
    """Why that is not the scenario's number; None where it is."""
    currency: str
    """The label that money is shown under."""
    trade_offs: tuple[TradeOff, ...]
    even: EvenBatch
    router: RouterResult
    offload: Offload
    quality_caveat: str

    @property
    def even_batch(self) -> int | None:
        return self.even.tokens

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        speeds = [side.fewest.serving.derivation for side in (self.dense, self.moe) if side.fewest.serving]
        return (
            self.dense.derivation,
            self.moe.derivation,
            self.even.derivation,
            self.router.derivation,
            self.offload.derivation,
            _capability(self.moe)[2],
            *(derivation for derivation in speeds if derivation is not None),
        )


def compared(case: Case) -> tuple[str, str]:
    """Names of the dense model and the MoE: the scenario's model on its own side, unless another is named there.

    Beside a mixture stands the dense model nearest to the geometric mean of its active and its total parameters.
    """
    scenario, beside = case.scenario, case.facts.counterparts()
    if not case.model.is_moe:
        return scenario.dense_model or scenario.model, scenario.moe_model or beside.mixture
    moe = scenario.moe_model or scenario.model
    if scenario.dense_model:
        return scenario.dense_model, moe
    count = parameters(case.facts.model(moe))
    wanted = math.log(count.total * count.active) / 2
    sizes = {name: math.log(parameters(case.facts.model(name)).total) for name in beside.dense}
    return min(sizes, key=lambda name: abs(sizes[name] - wanted)), moe


def evaluate_moe(case: Case) -> MoeResult:
    """Compare a dense and a MoE model and run the router. Raises ValueError in words.

    The side of the scenario's own model is that model; the other one is what the scenario sets beside it.
    """
    facts, scenario = case.facts, case.scenario
    names = compared(case)
    dense, moe = (facts.model(name) for name in names)
    if dense.is_moe:
        raise RoutingError(f"{dense.name} is a mixture of experts; choose a dense model for the dense side")
    if not moe.is_moe:
        raise RoutingError(f"{moe.name} is a dense model; choose a mixture of experts for the MoE side")
    if not dense.answers:
        raise RoutingError(f"{dense.name} writes no text: a mixture that does is no alternative to it; set dense_model")
    batch = scenario.router_batch
    router = route(scenario, moe)
    dense_case, moe_case = sides(case, *names)
    budget, budget_reason = shared_budget(dense_case, moe_case)
    first, second = (compare_side(entry, batch, budget) for entry in (dense_case, moe_case))
    return MoeResult(
        dense=first,
        moe=second,
        precision=case.precision,
        currency=case.scenario.currency,
        accelerator=case.site.accelerator.name,
        batch=batch,
        budget=budget,
        budget_reason=budget_reason,
        trade_offs=_trade_offs(first, second, budget),
        even=_even_batch(first, second),
        router=router,
        offload=_offload(moe_case, moe, batch, second),
        quality_caveat=(
            "Parameters are not quality: a mixture of experts usually answers like a dense model between its active "
            "and its total size. Compare both on your own tasks before you buy for one."
        ),
    )


def _even_batch(first: Side, second: Side) -> EvenBatch:
    """Solve always + routed · (1 − (1 − k/N)^B) = what the dense model reads, for B."""
    ledger = Ledger()
    dense, moe = first.model, second.model
    mixture = moe.mixture
    assert mixture is not None
    always, routed = read_parts(moe, second.precision)
    target = read_bytes(dense, first.precision, 1, Ledger(recording=False))
    note = f"so that a step reads no more than {dense.name}"
    share = ledger(EXPERT_SHARE, dense_read=target, always=always, routed=routed, note=note)
    tokens: int | None = None
    if share <= mixture.top_k / mixture.experts:
        tokens = 1
    elif share <= 1 and mixture.top_k < mixture.experts:
        # All experts are only touched in the limit, so a share of exactly one is never reached either.
        tokens = int(ledger(EVEN, share=share, top_k=mixture.top_k, experts=mixture.experts)) if share < 1 else None
    return EvenBatch(tokens, ledger.derivation("Where the bytes meet"))


def _capability(side: Side) -> tuple[float, float, Derivation]:
    """The dense model that a model is said to answer like, by a rule of thumb, and that size over FLOPs per token."""
    ledger = Ledger()
    active = side.active if side.model.is_moe else side.total
    size = ledger(AS_DENSE, active=active, total=side.total, note="circulates since Mixtral; no measurement")
    per_flop = ledger(PER_FLOP, as_dense=size, flops=side.flops_per_token)
    return float(size), float(per_flop), ledger.derivation(f"What {side.model.name} is said to answer like")


def _trade_offs(dense: Side, moe: Side, budget: int) -> tuple[TradeOff, ...]:
    def pair(
        name: str,
        unit: Unit,
        better: Better,
        values: tuple[float | None, float | None],
        words: str = "",
        reason: Reason | None = None,
    ) -> TradeOff:
        return TradeOff(name, values[0], values[1], unit, better, words, reason)

    def speed(served: Served) -> tuple[float | None, float | None, float | None, float | None]:
        if served.serving is None:
            return None, None, None, None
        serving = served.serving
        return serving.output_per_s, serving.tpot_s, serving.ttft_s, served.usd_per_mtok

    first, second = _capability(dense), _capability(moe)
    lines = [
        pair("parameters, total", Unit.PARAMETERS, Better.NEITHER, (dense.total, moe.total), "what must be learned"),
        pair("parameters, active", Unit.PARAMETERS, Better.LOWER, (dense.active, moe.active), "compute per token"),
        pair("FLOPs per token", Unit.FLOP, Better.LOWER, (dense.flops_per_token, moe.flops_per_token)),
        pair("weights in memory", Unit.BYTES, Better.LOWER, (dense.weight_bytes, moe.weight_bytes), "all experts"),
        pair("bytes read per token", Unit.BYTES, Better.LOWER, (dense.read_bytes_per_token, moe.read_bytes_per_token)),
        pair("KV cache", Unit.BYTES_PER_TOKEN, Better.LOWER, (dense.kv_bytes_per_token, moe.kv_bytes_per_token)),
        pair("answers like, dense", Unit.PARAMETERS, Better.HIGHER, (first[0], second[0]), _RULE),
        pair("quality per FLOP", Unit.RATIO, Better.HIGHER, (1.0, second[1] / first[1]), _RULE),
        pair("fewest GPUs", Unit.COUNT, Better.LOWER, (dense.fewest.gpus or None, moe.fewest.gpus or None)),
    ]
    for name, pair_of in (
        ("fewest", (dense.fewest, moe.fewest)),
        (f"{budget} each", (dense.budget, moe.budget)),
    ):
        left, right = speed(pair_of[0]), speed(pair_of[1])
        reason = next((side.reason for side in pair_of if side.serving is None), None)
        lines += (
            pair(f"tokens/s, {name}", Unit.TOKENS_PER_S, Better.HIGHER, (left[0], right[0]), reason=reason),
            pair(f"TPOT, {name}", Unit.SECONDS, Better.LOWER, (left[1], right[1]), reason=reason),
            pair(f"TTFT, {name}", Unit.SECONDS, Better.LOWER, (left[2], right[2]), reason=reason),
            pair(f"$/1M, {name}", Unit.USD_PER_MTOK, Better.LOWER, (left[3], right[3]), reason=reason),
        )
    return tuple(lines)


def _offload(case: Case, moe: Model, batch: int, side: Side) -> Offload:
    ledger = Ledger()
    mixture = moe.mixture
    assert mixture is not None
    touched = ledger(TOUCHED, experts=mixture.experts, top_k=mixture.top_k, batch=batch)
    routed = side.bytes_of(Part.ROUTED_EXPERTS)
    moved = math.ceil(ledger(OFFLOADED, routed=routed, touched=touched, experts=mixture.experts))
    link = case.facts.link(f"pcie-{case.site.accelerator.pcie_gen or 4}")
    bandwidth = link.bandwidth or 0.0
    note = f"{link.name} at its line rate, nothing kept on the GPU"
    rate = ledger(OFFLOAD_RATE, batch=batch, bandwidth=bandwidth, bytes=moved, note=note)
    served = side.budget if side.budget.plan else side.fewest
    in_memory = None
    if served.plan is not None:
        replicas = served.plan.layout.dp
        context = case.workload().context
        in_memory = batch / served.plan.decode(max(1.0, batch / replicas), context).total_s
    return Offload(
        side.weight_bytes - routed,
        moved,
        bandwidth,
        link.name,
        float(rate),
        in_memory,
        served.gpus,
        ledger.derivation("Experts in host memory"),
    )
