"""The cheapest plan that holds the targets: format × accelerator × count × layout × batch over the whole catalog."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..case import Case
from ..cluster.hardware import Accelerator
from ..cost.case import CostCase, ownership
from ..cost.decision import cheapest_rental
from ..cost.options import Option, OptionCost
from ..cost.rents import price_ranges
from ..figures.derivation import Derivation, Ledger
from ..figures.reason import Reason, because
from ..model.precision import Precision
from .demand import Offered, offered_load
from .fleet import fleet
from .judge import NoReplicaError, Replica, plan_on, replica_at
from .reasons import Limit, ReasonKind

if TYPE_CHECKING:
    from ...scenario import Scenario

FORMATS = ("bf16", "fp8", "int8", "int4-awq", "nvfp4", "mxfp4")
"""Weight formats that serving engines run on data-centre GPUs today; a model's own format is tried too."""
DEFAULT_BITS = 8.0
"""Narrowest weights that are tried unasked: below it quality needs a look first."""
_SMALLER = (0.5, 0.25, 0.125, 1 / 32)
"""Shares of the largest batch that are tried for speed: fewer users per GPU, each of them served faster."""
_SAME_COST = 1.005
_IDLER = 0.9
_WIDTH = 12
"""Cheapest plans whose smaller batches are tried."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One plan that holds the targets."""

    replica: Replica
    replicas: int
    gpus: int
    busy: float
    """Mean load over what the fleet could carry, within the service hours."""
    option: Option
    """The cheapest way to pay for it that the horizon allows."""
    rate: float | None
    """USD per GPU-hour where rented."""
    monthly: float
    usd_per_mtok: float | None
    """None without demand."""
    price: str = ""
    """Where its price comes from, with its age."""
    loses: Reason | None = None
    """Why the best plan beats it; None: it is the best, or nothing is paid."""

    @property
    def accelerator(self) -> Accelerator:
        return self.replica.accelerator

    @property
    def precision(self) -> Precision:
        return self.replica.precision

    @property
    def tokens_per_s_per_user(self) -> float:
        return 1 / self.replica.tpot_s

    @property
    def label(self) -> str:
        """`4 × H100 SXM, FP8, 2 × TP2`."""
        copies = f"{self.replicas} × " if self.replicas > 1 else ""
        return f"{self.gpus:,} × {self.accelerator.name}, {self.precision.label}, {copies}{self.replica.layout.label}"


@dataclass(frozen=True, slots=True)
class Refused:
    """An accelerator and format without a plan."""

    accelerator: Accelerator
    precision: Precision | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class DemandPlan:
    """The answer of the planner."""

    scenario: Scenario
    offered: Offered
    best: Candidate | None
    candidates: tuple[Candidate, ...]
    """The best layout of each accelerator and format, cheapest first."""
    pareto: tuple[Candidate, ...]
    """Plans that nothing beats in both cost and speed per user, cheapest first; smaller batches included."""
    refused: tuple[Refused, ...]
    derivations: tuple[Derivation, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What the planner may choose from."""

    accelerators: tuple[str, ...] = ()
    """Ids; empty: every accelerator with a price."""
    precisions: tuple[str, ...] = ()
    """Ids; empty: the formats in use, down to `min_bits`."""
    min_bits: float = DEFAULT_BITS
    max_gpus_per_replica: int = 64


EVERYTHING = Search()


def plan_demand(case: Case, search: Search = EVERYTHING) -> DemandPlan:
    """Search the catalog for the cheapest plan that holds the users and serves the demand within TTFT and TPOT.

    Each accelerator and format is taken with the fleet that the search finds for it, paid in the cheapest way that the
    horizon and compliance allow.
    """
    if case.scenario.estimator != "detailed":
        raise NoReplicaError(because(ReasonKind.RULE_HAS_NO_PLANS))
    offered = offered_load(case.demand, Ledger(recording=False))
    found: list[tuple[Candidate, CostCase]] = []
    refused: list[Refused] = []
    rules = case.facts.cost_rules()
    free = case.with_(tp=0, pp=0, dp=0, ep=0, dcp=0, pools="", fleet_basis="needs")
    for accelerator in _accelerators(case, search):
        ranges = price_ranges(case, accelerator)
        if all(entry is None for entry in ranges):
            refused.append(Refused(accelerator, None, because(ReasonKind.NO_PRICE)))
            continue
        own = ownership(case, rules, accelerator)
        at_home = accelerator.id == case.accelerator.id
        for precision in _precisions(case, accelerator, search):
            base = case if at_home and precision.id == case.precision.id else free
            rate = case.scenario.own_tokens_per_s if base is case else 0.0
            asked = base.with_(precision=precision.id, accelerator=accelerator.id, own_tokens_per_s=rate)
            if not at_home:
                asked = asked.with_(gpus_per_node=0)
            site = asked.site
            try:
                # The scenario's own accelerator is searched as the Cost section does it.
                replica = fleet(asked, site, glance=not at_home).replica
            except NoReplicaError as error:
                refused.append(Refused(accelerator, precision, error.reason))
                continue
            costed = CostCase(asked, site, replica, None, ranges, own, rules)
            candidate = _candidate(costed)
            if candidate is None:
                refused.append(Refused(accelerator, precision, because(ReasonKind.NO_OPTION_PRICE)))
            else:
                found.append((candidate, costed))
    found.sort(key=lambda entry: _cost_key(entry[0]))
    # Those that may be the best are searched in full; the others only show how far they are.
    found[:_WIDTH] = [_in_full(costed) for _, costed in found[:_WIDTH]]
    found.sort(key=lambda entry: _cost_key(entry[0]))
    best = found[0][0] if found else None
    everything = (*(entry for entry, _ in found), *_smaller_batches([costed for _, costed in found[:_WIDTH]]))
    return DemandPlan(
        scenario=case.whole,
        offered=offered,
        best=best,
        candidates=tuple(replace(entry, loses=_why(entry, best)) if best else entry for entry, _ in found),
        pareto=pareto(everything),
        refused=tuple(refused),
        derivations=_derivations(best, found[0][1]) if best else (),
    )


def pareto(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other beats in both cost and speed per user, cheapest first.

    A fleet that costs the same with fewer requests in flight is one plan, not two: its fastest batch stands for it.
    """
    fleets: dict[tuple[str, float], Candidate] = {}
    for entry in candidates:
        key = entry.label, round(entry.monthly, 2)
        if key not in fleets or entry.tokens_per_s_per_user > fleets[key].tokens_per_s_per_user:
            fleets[key] = entry
    front: list[Candidate] = []
    fastest = -math.inf
    for entry in sorted(fleets.values(), key=lambda each: (*_cost_key(each), -each.tokens_per_s_per_user)):
        if entry.tokens_per_s_per_user > fastest:
            front.append(entry)
            fastest = entry.tokens_per_s_per_user
    return tuple(front)


def _cost_key(entry: Candidate) -> tuple[float, float]:
    """Cheapest first; where two fleets cost the same, the less loaded one."""
    return entry.monthly, entry.busy


def _accelerators(case: Case, search: Search) -> Iterator[Accelerator]:
    if search.accelerators:
        for name in search.accelerators:
            yield case.facts.accelerator(name)
    else:
        yield from case.facts.accelerators()


def _precisions(case: Case, accelerator: Accelerator, search: Search) -> Iterator[Precision]:
    """Formats worth trying: no wider than released, no narrower than asked, and computed by the hardware."""
    facts = case.facts
    if search.precisions:
        for name in search.precisions:
            yield facts.precision(name)
        return
    released = facts.precision(case.model.weight_precision)
    seen = set()
    for name in (released.id, *FORMATS):
        precision = facts.precision(name)
        if precision.id in seen:
            continue
        seen.add(precision.id)
        own = precision.id == released.id
        if not own and (precision.bits > released.bits or precision.bits < search.min_bits - 0.5):
            continue
        if precision.compute == "int8" and accelerator.fp8 is not None and not own:
            # As many bytes, as fast, and it needs calibration: FP8 stands for both.
            continue
        if precision.compute != "bf16" and accelerator.peak(precision.compute) is None and not own:
            continue
        yield precision


def _candidate(case: CostCase) -> Candidate | None:
    _, fleet, costs = case.costs()
    circumstances = case.circumstances(costs, fleet, None)
    own = costs.get(Option.OWNED)
    compliance = case.case.scenario.compliance
    choices: list[OptionCost | None] = [own] if compliance else [cheapest_rental(circumstances), own]
    paid = min((cost for cost in choices if cost is not None), key=lambda cost: cost.monthly, default=None)
    if paid is None:
        return None
    price = case.ranges[list(Option).index(paid.option)]
    rate = price.median if price is not None and paid.option is not Option.OWNED else None
    words = price.words(case.case.facts.today) if price is not None else ""
    return Candidate(
        case.replica,
        fleet.replicas,
        fleet.gpus,
        fleet.utilization,
        paid.option,
        rate,
        paid.monthly,
        paid.per_mtok,
        words,
    )


def _in_full(costed: CostCase) -> tuple[Candidate, CostCase]:
    costed = replace(costed, replica=fleet(costed.case, costed.site).replica)
    candidate = _candidate(costed)
    assert candidate is not None
    return candidate, costed


def _smaller_batches(cheapest: Sequence[CostCase]) -> Iterator[Candidate]:
    """The same plans with fewer requests in flight: fewer users per GPU, each of them served faster."""
    for costed in cheapest:
        replica = costed.replica
        made = plan_on(costed.case, costed.site, replica.layout)
        if isinstance(made, Reason):
            continue
        each = replica.batch / replica.layout.dp
        for share in _SMALLER:
            batch = max(1.0, math.floor(each * share))
            if batch >= each:
                continue
            slower = replica_at(*made, costed.case, batch, Limit.CHOICE)
            candidate = _candidate(replace(costed, replica=replace(slower, users=replica.users)))
            if candidate is not None:
                yield candidate


def _why(entry: Candidate, best: Candidate) -> Reason | None:
    """What a runner-up has against it: price, speed per GPU, or GPUs that idle."""
    if entry is best:
        return None
    share = entry.monthly / best.monthly if best.monthly > 0 else None
    if share is not None and share < _SAME_COST:
        return because(ReasonKind.SAME_COST)
    busy = entry.busy if entry.busy < best.busy * _IDLER else None
    return because(
        ReasonKind.COSTS_MORE,
        entry.option.value if entry.option is not best.option else "",
        share=share,
        price=entry.rate / best.rate if entry.rate and best.rate else None,
        speed=entry.replica.requests_per_s_per_gpu / best.replica.requests_per_s_per_gpu,
        busy=busy,
    )


def _derivations(best: Candidate, costed: CostCase) -> tuple[Derivation, ...]:
    """The math of the winner, from the speed of one replica to its price."""
    from ..sections.cost import explained, priced

    result = priced(explained(costed))
    wanted = ("Sizing", "One replica", f"Cost: {best.option.value}")
    return tuple(entry for entry in result.derivations if entry.title.startswith(wanted))
