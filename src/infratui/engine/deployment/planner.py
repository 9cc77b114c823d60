"""The cheapest plan that holds the targets: format × accelerator × count × layout × batch over the whole catalog."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..cluster.hardware import Accelerator
from ..cost.case import SERVING_FIELDS, CostCase, ownership, price_ranges, size_replicas
from ..cost.decision import cheapest_rental
from ..cost.demand import Demand, Offered, offered_load
from ..cost.options import Option, OptionCost
from ..cost.replica import NoReplicaError, Replica, Service, best_replica, plan_on, replica_at, service_of
from ..facts import Facts
from ..figures.derivation import Derivation, Ledger
from ..figures.units import significant
from ..model.precision import Precision
from ..sections.cost import evaluate_cost

if TYPE_CHECKING:
    from ...scenario import Scenario

FIELDS = (
    *SERVING_FIELDS, "requests_per_day", "hours_per_day", "days_per_week", "peak_factor", "spares", "compliance",
    "term_years", "on_demand_usd", "spot_usd", "reserved_1y_usd", "reserved_3y_usd", "purchase_usd",
    "electricity_usd_per_kwh", "pue", "hosting_usd_per_kw_month", "staff_usd_per_year", "maintenance_pct",
    "interest_pct", "resale_pct", "life_years",
)  # fmt: skip
FORMATS = ("bf16", "fp8", "int8", "int4-awq", "nvfp4", "mxfp4")
"""Weight formats that serving engines run on data-centre GPUs today; a model's own format is tried too."""
DEFAULT_BITS = 8.0
"""Narrowest weights that are tried unasked: below it quality needs a look first."""
_SMALLER = (0.5, 0.25, 0.125, 1 / 32)
"""Shares of the largest batch that are tried for speed: fewer users per GPU, each of them served faster."""
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
    loses: str = ""
    """Why the best plan beats it."""

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
    reason: str


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


def plan_demand(scenario: Scenario, facts: Facts, search: Search = EVERYTHING) -> DemandPlan:
    """Search the catalog for the cheapest plan that serves the demand within the TTFT and TPOT targets.

    Each accelerator and format is taken in its best layout and largest batch within the targets, multiplied to the
    demand and paid in the cheapest way that the horizon and compliance allow.
    """
    quiet = Ledger(recording=False)
    service = service_of(scenario, facts)
    found: list[Candidate] = []
    refused: list[Refused] = []
    offered: Offered | None = None
    for accelerator in _accelerators(facts, search):
        ranges = price_ranges(scenario, accelerator, facts)
        if all(entry is None for entry in ranges):
            refused.append(Refused(accelerator, None, "no published price"))
            continue
        rules = facts.cost_rules()
        own = ownership(scenario, rules, accelerator)
        for precision in _precisions(service, accelerator, facts, search):
            asked = replace(service, precision=precision)
            try:
                replica = best_replica(asked, accelerator, facts, scenario.node_link)
            except NoReplicaError as error:
                refused.append(Refused(accelerator, precision, str(error)))
                continue
            case = CostCase(scenario, accelerator, replica, None, ranges, own, rules)
            offered = offered or offered_load(case.demand(), quiet)
            candidate = _candidate(case, facts.today)
            if candidate is None:
                refused.append(Refused(accelerator, precision, "no price for an option that is allowed here"))
            else:
                found.append(candidate)
    found.sort(key=_cost_key)
    best = found[0] if found else None
    everything = (*found, *_smaller_batches(found[:_WIDTH], scenario, service, facts))
    case_load = offered or _offered(scenario, quiet)
    return DemandPlan(
        scenario=scenario,
        offered=case_load,
        best=best,
        candidates=tuple(replace(entry, loses=_why(entry, best)) if best else entry for entry in found),
        pareto=pareto(everything),
        refused=tuple(refused),
        derivations=_derivations(best, scenario, service, facts) if best else (),
    )


def pareto(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other beats in both cost and speed per user, cheapest first."""
    front: list[Candidate] = []
    fastest = -math.inf
    for entry in sorted(candidates, key=lambda each: (*_cost_key(each), -each.tokens_per_s_per_user)):
        if entry.tokens_per_s_per_user > fastest:
            front.append(entry)
            fastest = entry.tokens_per_s_per_user
    return tuple(front)


def _cost_key(entry: Candidate) -> tuple[float, float]:
    """Cheapest first; where two fleets cost the same, the less loaded one."""
    return entry.monthly, entry.busy


def _accelerators(facts: Facts, search: Search) -> Iterator[Accelerator]:
    if search.accelerators:
        for name in search.accelerators:
            yield facts.accelerator(name)
    else:
        yield from facts.accelerators()


def _precisions(service: Service, accelerator: Accelerator, facts: Facts, search: Search) -> Iterator[Precision]:
    """Formats worth trying: no wider than released, no narrower than asked, and computed by the hardware."""
    if search.precisions:
        for name in search.precisions:
            yield facts.precision(name)
        return
    released = facts.precision(service.model.weight_precision)
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


def _candidate(case: CostCase, today: dt.date) -> Candidate | None:
    _, fleet, costs = case.costs()
    circumstances = case.circumstances(costs, fleet, None)
    own = costs.get(Option.OWNED)
    choices: list[OptionCost | None] = [own] if case.scenario.compliance else [cheapest_rental(circumstances), own]
    paid = min((cost for cost in choices if cost is not None), key=lambda cost: cost.monthly, default=None)
    if paid is None:
        return None
    price = case.ranges[list(Option).index(paid.option)]
    rate = price.median if price is not None and paid.option is not Option.OWNED else None
    words = price.words(today) if price is not None else ""
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


def _smaller_batches(
    cheapest: Sequence[Candidate], scenario: Scenario, service: Service, facts: Facts
) -> Iterator[Candidate]:
    """The same plans with fewer requests in flight, and on more GPUs per replica."""
    rules = facts.cost_rules()
    for entry in cheapest:
        asked = replace(service, precision=entry.precision)
        made = plan_on(asked, entry.accelerator, entry.replica.layout, facts, scenario.node_link)
        if isinstance(made, str):
            continue
        own = ownership(scenario, rules, entry.accelerator)
        ranges = price_ranges(scenario, entry.accelerator, facts)
        for share in _SMALLER:
            batch = max(1.0, math.floor(entry.replica.batch * share))
            if batch >= entry.replica.batch:
                continue
            replica = replica_at(*made, asked, batch, "the choice of a smaller batch")
            candidate = _candidate(
                CostCase(scenario, entry.accelerator, replica, None, ranges, own, rules), facts.today
            )
            if candidate is not None:
                yield candidate


def _why(entry: Candidate, best: Candidate) -> str:
    """What a runner-up has against it: price, speed per GPU, or GPUs that idle."""
    if entry is best:
        return ""
    if best.monthly <= 0:
        return "costs more"
    share = entry.monthly / best.monthly
    if share < 1.005:
        return "costs the same"
    reasons = []
    speed = entry.replica.requests_per_s_per_gpu / best.replica.requests_per_s_per_gpu
    if entry.rate and best.rate:
        reasons.append(f"{significant(entry.rate / best.rate, 2)}× the price per GPU-hour")
    reasons.append(f"{significant(speed, 2)}× the requests per GPU")
    if entry.busy < best.busy * 0.9:
        reasons.append(f"only {entry.busy:.0%} busy")
    if entry.option is not best.option:
        reasons.append(f"no better price than {entry.option.value}")
    return f"costs {significant(share, 3)}×: " + ", ".join(reasons)


def _offered(scenario: Scenario, ledger: Ledger) -> Offered:
    return offered_load(
        Demand(
            scenario.requests_per_day, scenario.input_tokens, scenario.output_tokens, scenario.hours_per_day,
            scenario.days_per_week, scenario.peak_factor,
        ),
        ledger,
    )  # fmt: skip


def _derivations(best: Candidate, scenario: Scenario, service: Service, facts: Facts) -> tuple[Derivation, ...]:
    """The math of the winner, from the speed of one replica to its price."""
    chosen = scenario.model_copy(
        update={
            "accelerator": best.accelerator.id,
            "precision": best.precision.id,
            "tp": best.replica.layout.tp,
            "pp": best.replica.layout.pp,
            "ep": best.replica.layout.ep if best.replica.layout.ep > 1 else 0,
        }
    )
    result = evaluate_cost(chosen, facts, size_replicas(chosen, facts))
    wanted = ("Sizing", "One replica", f"Cost: {best.option.value}")
    return tuple(entry for entry in result.derivations if entry.title.startswith(wanted))
