"""What money is computed from for one scenario: replicas, fleet, prices, ownership. What-ifs replace a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..facts import Facts
from ..figures.derivation import Ledger, Unit
from . import breakeven
from .assumptions import CostRules
from .breakeven import Breakeven
from .decision import Circumstances, Decision, cheapest_rental, decide
from .demand import Demand, Fleet, Offered, offered_load, size_fleet
from .options import Option, OptionCost, Ownership, Rates, price_options
from .prices import PriceKind, PriceRange, committed, own_price, price_range
from .replica import Replica, best_replica, service_of
from .thumb import thumb_replica

if TYPE_CHECKING:
    from ...scenario import Scenario

SERVING_FIELDS = (
    "estimator",
    "model", "precision", "kv_precision", "accelerator", "utilization", "engine", "max_batched_tokens",
    "max_num_seqs", "windowed_kv", "tp", "pp", "ep", "node_link", "input_tokens", "output_tokens", "prefix_hit",
    "acceptance", "draft_tokens", "ttft_ms", "tpot_ms", "cascade_pct", "cascade_model",
)  # fmt: skip
"""What decides how much one replica holds."""


@dataclass(frozen=True, slots=True)
class Sized:
    """What serves the scenario: it does not depend on demand or prices."""

    replica: Replica
    small: Replica | None = None
    """The small model of a cascade, on the same kind of GPU."""


def size_replicas(scenario: Scenario, facts: Facts, *, explain: bool = True) -> Sized:
    """The best replica of each model, or the rule of thumb's. Raises NoReplicaError where nothing can serve."""
    if scenario.estimator == "rule-of-thumb":
        large = thumb_replica(scenario, facts, explain=explain)
        cascade = scenario.cascade_model if scenario.cascade_pct else ""
        return Sized(large, thumb_replica(scenario, facts, cascade, explain=explain) if cascade else None)
    accelerator = facts.accelerator(scenario.accelerator)
    forced = None
    if scenario.tp or scenario.pp:
        forced = Layout(scenario.tp or 1, scenario.pp or 1, 1, min(scenario.ep or 1, scenario.tp or 1))
    service = service_of(scenario, facts)
    replica = best_replica(service, accelerator, facts, scenario.node_link, forced, explain=explain)
    if not scenario.cascade_pct:
        return Sized(replica)
    light = service_of(scenario, facts, scenario.cascade_model)
    return Sized(replica, best_replica(light, accelerator, facts, scenario.node_link, explain=explain))


@dataclass(frozen=True, slots=True)
class CostCase:
    """Everything that money is computed from; replace a field to ask what if."""

    scenario: Scenario
    accelerator: Accelerator
    replica: Replica
    small: Replica | None
    ranges: tuple[PriceRange | None, ...]
    """In the order of `Option`."""
    own: Ownership
    rules: CostRules

    @classmethod
    def of(cls, scenario: Scenario, facts: Facts, sized: Sized | None = None) -> CostCase:
        """Look up prices; size the replicas unless they are given."""
        accelerator = facts.accelerator(scenario.accelerator)
        sized = sized or size_replicas(scenario, facts, explain=False)
        rules = facts.cost_rules()
        own = ownership(scenario, rules, accelerator)
        ranges = price_ranges(scenario, accelerator, facts)
        return cls(scenario, accelerator, sized.replica, sized.small, ranges, own, rules)

    def demand(self) -> Demand:
        scenario = self.scenario
        return Demand(
            scenario.requests_per_day,
            scenario.input_tokens,
            scenario.output_tokens,
            scenario.hours_per_day,
            scenario.days_per_week,
            scenario.peak_factor,
        )

    def fleet(self, offered: Offered, ledger: Ledger) -> Fleet:
        """All GPUs: the model's replicas, and with a cascade the small model's beside them."""
        scenario = self.scenario
        if self.small is None:
            return size_fleet(offered, self.replica.requests_per_s, self.replica.gpus, scenario.spares, ledger)
        share = scenario.cascade_pct / 100
        main = size_fleet(
            _scaled(offered, 1 - share), self.replica.requests_per_s, self.replica.gpus, scenario.spares, ledger
        )
        light = size_fleet(_scaled(offered, share), self.small.requests_per_s, self.small.gpus, scenario.spares, ledger)
        gpus = main.gpus + light.gpus
        held = main.replicas * main.replica_rate + light.replicas * light.replica_rate
        return Fleet(
            main.replicas + light.replicas, main.spares + light.spares, main.gpus_per_replica, gpus,
            main.replica_rate, offered.mean_rate / held,
        )  # fmt: skip

    def rates(self, pick: str = "median") -> Rates:
        """USD per option at the low, median or high price."""
        return Rates(*(None if entry is None else getattr(entry, pick) for entry in self.ranges))

    def costs(self, *, pick: str = "median") -> tuple[Offered, Fleet, dict[Option, OptionCost]]:
        """The month of every option, without derivations."""
        quiet = Ledger(recording=False)
        offered = offered_load(self.demand(), quiet)
        fleet = self.fleet(offered, quiet)
        return offered, fleet, price_options(fleet, offered, self.rates(pick), self.own, explain=False)

    def circumstances(
        self,
        costs: Mapping[Option, OptionCost],
        fleet: Fleet,
        api_monthly: float | None,
        month: Breakeven | None = None,
    ) -> Circumstances:
        """What the decision tree asks about."""
        scenario = self.scenario
        case = Circumstances(
            compliance=scenario.compliance,
            requests_per_day=scenario.requests_per_day,
            term_years=scenario.term_years,
            someone_waits=bool(scenario.ttft_ms or scenario.tpot_ms),
            gpus=fleet.gpus,
            sold_by=sold_by(self.accelerator),
            options=costs,
            api_monthly=api_monthly,
            overtakes=Breakeven("", None, Unit.MONTHS, ""),
        )
        return replace(
            case, overtakes=breakeven.month(costs.get(Option.OWNED), cheapest_rental(case), scenario.life_years)
        )


def cheapest_monthly(case: CostCase) -> float | None:
    """USD per month of the option to take among the five; None where no price is known."""
    _, fleet, costs = case.costs()
    circumstances = case.circumstances(costs, fleet, None)
    best = chosen(decide(circumstances), costs, circumstances)
    return best.monthly if best else None


def sold_by(accelerator: Accelerator) -> int:
    """GPUs that are bought at once: a server's where a link joins them, else single cards."""
    return accelerator.gpus_per_node if accelerator.link else 1


def ownership(scenario: Scenario, rules: CostRules, accelerator: Accelerator) -> Ownership:
    """The scenario's own figures, and the rules' where it has none."""
    return Ownership(
        watts_per_gpu=accelerator.tdp_w or 0.0,
        server_pct=rules.server_pct.value,
        network_pct=rules.network_pct.value,
        host_factor=rules.host_factor.value,
        idle_pct=rules.idle_pct.value,
        interruption_pct=rules.interruption_pct.value,
        pue=scenario.pue,
        electricity_usd_per_kwh=scenario.electricity_usd_per_kwh,
        hosting_usd_per_kw_month=scenario.hosting_usd_per_kw_month,
        staff_usd_per_year=scenario.staff_usd_per_year,
        maintenance_pct=scenario.maintenance_pct,
        interest_pct=scenario.interest_pct,
        resale_pct=scenario.resale_pct,
        life_years=scenario.life_years,
        active_pct=rules.active_pct.value,
    )


def price_ranges(scenario: Scenario, accelerator: Accelerator, facts: Facts) -> tuple[PriceRange | None, ...]:
    """One range per option, in the order of `Option`: the user's figure, else published prices, else an estimate.

    The user's figures are of the scenario's own accelerator: they price no other.
    """
    rules, listed = facts.cost_rules(), facts.prices(accelerator.id)
    found = {kind: price_range(listed, kind) for kind in PriceKind}
    own = {
        PriceKind.ON_DEMAND: scenario.on_demand_usd,
        PriceKind.SPOT: scenario.spot_usd,
        PriceKind.RESERVED_1Y: scenario.reserved_1y_usd,
        PriceKind.RESERVED_3Y: scenario.reserved_3y_usd,
        PriceKind.PURCHASE: scenario.purchase_usd,
    }
    mine = facts.accelerator(scenario.accelerator).id == accelerator.id
    for kind, usd in own.items():
        if usd > 0 and mine:
            found[kind] = own_price(kind, usd)
    for kind, discount in (
        (PriceKind.RESERVED_1Y, rules.discount_1y_pct),
        (PriceKind.RESERVED_3Y, rules.discount_3y_pct),
    ):
        found[kind] = committed(found[kind], found[PriceKind.ON_DEMAND], kind, discount.value, discount.source)
    return tuple(found[kind] for kind in PriceKind)


def _scaled(offered: Offered, share: float) -> Offered:
    return Offered(
        offered.mean_rate * share,
        offered.peak_rate * share,
        offered.input_tokens_per_s * share,
        offered.output_tokens_per_s * share,
        offered.requests_per_month * share,
        offered.tokens_per_month * share,
        offered.service_hours_per_month,
    )


def chosen(decision: Decision, costs: Mapping[Option, OptionCost], case: Circumstances) -> OptionCost | None:
    """The decision's option, else the cheapest that the horizon allows."""
    if decision.option is not None:
        return costs.get(decision.option)
    return hosted(case)


def hosted(case: Circumstances) -> OptionCost | None:
    choices = (cheapest_rental(case), case.options.get(Option.OWNED))
    return min((cost for cost in choices if cost is not None), key=lambda cost: cost.monthly, default=None)
