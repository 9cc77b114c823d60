"""What money is computed from for one scenario: replicas, fleet, prices, ownership. What-ifs replace a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from ...value_types import dataclass
from ..case import Case
from ..cluster.hardware import Accelerator
from ..deployment.answer import NOTHING_HOLDS, fleet_of
from ..deployment.fleet import FleetPlan, fleet
from ..deployment.judge import NoReplicaError, Replica
from ..deployment.reasons import ReasonKind
from ..deployment.site import Site
from ..figures.derivation import Ledger, Unit
from ..figures.reason import because
from . import breakeven
from .api_price import ApiQuote, TokenMix, quote_api
from .assumptions import CostRules
from .breakeven import Breakeven, Crossing
from .decision import Circumstances, Decision, cheapest_rental, decide
from .demand import Demand, Fleet, Offered, offered_load, size_fleet
from .options import ByTheGigabyte, Option, OptionCost, OptionRates, Ownership, price_options
from .prices import PriceRange
from .rents import price_ranges
from .thumb import thumb_load, thumb_replica


@dataclass(frozen=True, slots=True)
class CostCase:
    """Everything that money is computed from; replace a field to ask what if."""

    case: Case
    site: Site
    replica: Replica
    small: Replica | None
    """The small model of a cascade, on the same kind of GPU."""
    ranges: tuple[PriceRange | None, ...]
    """In the order of `Option`."""
    own: Ownership
    rules: CostRules
    units: int = 0
    """Replicas that are there, whatever the demand; 0: as many as it needs."""

    @classmethod
    def of(cls, case: Case, site: Site | None = None) -> CostCase:
        """Look up prices and search the fleet. Raises NoReplicaError where nothing serves."""
        site = site or case.site
        rules = case.facts.cost_rules()
        large, small, units = _replicas(case, site)
        own = ownership(case, rules, site.accelerator)
        return cls(case, site, large, small, price_ranges(case, site.accelerator), own, rules, units)

    @property
    def accelerator(self) -> Accelerator:
        return self.site.accelerator

    def demand(self) -> Demand:
        return self.case.demand

    def fleet(self, offered: Offered, ledger: Ledger) -> Fleet:
        """All GPUs: the model's replicas, and with a cascade the small model's beside them."""
        replica, scenario, users = self.replica, self.case.scenario, self.case.load.users
        if replica.by_rule:
            offered = thumb_load(self.demand())
        if self.units:
            rate = replica.requests_per_s
            return Fleet(
                self.units, 0, replica.gpus, self.case.gpus, rate, offered.mean_rate / (self.units * rate), "mine"
            )  # fmt: skip
        if self.small is None:
            return _sized(offered, replica, scenario.spares, users, ledger)
        share = scenario.cascade_pct / 100
        main = _sized(_scaled(offered, 1 - share), replica, scenario.spares, ceil(users * (1 - share)), ledger)
        light = _sized(_scaled(offered, share), self.small, scenario.spares, ceil(users * share), ledger)
        gpus = main.gpus + light.gpus
        held = main.replicas * main.replica_rate + light.replicas * light.replica_rate
        return Fleet(
            main.replicas + light.replicas, main.spares + light.spares, main.gpus_per_replica, gpus,
            main.replica_rate, offered.mean_rate / held, main.binds,
        )  # fmt: skip

    def rates(self, pick: str = "median") -> OptionRates:
        """USD per option at the low, median or high price."""
        return OptionRates(*(None if entry is None else getattr(entry, pick) for entry in self.ranges))

    def costs(self, *, pick: str = "median") -> tuple[Offered, Fleet, dict[Option, OptionCost]]:
        """The month of every option, without derivations."""
        quiet = Ledger(recording=False)
        offered = offered_load(self.demand(), quiet)
        fleet = self.fleet(offered, quiet)
        return (
            offered,
            fleet,
            price_options(fleet, offered, self.rates(pick), self.own, beside=self.beside(), explain=False),
        )

    def beside(self) -> ByTheGigabyte:
        """What is billed by the gigabyte where GPUs are rented."""
        scenario = self.case.scenario
        return ByTheGigabyte(
            scenario.egress_gb, scenario.egress_usd_per_gb, scenario.storage_gb, scenario.storage_usd_per_gb_month
        )

    def quote(self, offered: Offered, own_usd: float = 0.0) -> ApiQuote | None:
        """What an API charges for the same tokens; None without a price. `own_usd` per 1M tokens overrides it."""
        scenario, facts = self.case.scenario, self.case.facts
        mix = TokenMix(scenario.input_tokens, scenario.output_tokens, scenario.prefix_hit / 100)
        listed = facts.api_prices(self.case.model.id)
        return quote_api(listed, own_usd or scenario.api_usd_per_mtok, mix, offered, facts.today)

    def circumstances(
        self,
        costs: Mapping[Option, OptionCost],
        fleet: Fleet,
        api_monthly: float | None,
    ) -> Circumstances:
        """What the decision tree asks about."""
        scenario = self.case.scenario
        case = Circumstances(
            compliance=scenario.compliance,
            requests_per_day=scenario.requests_per_day,
            term_years=scenario.term_years,
            someone_waits=bool(scenario.ttft_ms or scenario.tpot_ms),
            gpus=fleet.gpus,
            sold_by=sold_by(self.accelerator),
            options=costs,
            api_monthly=api_monthly,
            overtakes=Breakeven("", None, Unit.MONTHS, Crossing.NO_PRICE),
        )
        return replace(
            case, overtakes=breakeven.month(costs.get(Option.OWNED), cheapest_rental(case), scenario.life_years)
        )


def _replicas(case: Case, site: Site) -> tuple[Replica, Replica | None, int]:
    """The replica of the model, that of a cascade's small one, and how many there are where GPUs are given."""
    scenario = case.scenario
    share = scenario.cascade_pct / 100
    if scenario.estimator == "rule-of-thumb":
        large = thumb_replica(case, site)
        return large, thumb_replica(case.with_(model=scenario.cascade_model), site) if share else None, 0
    if share and scenario.pools:
        raise NoReplicaError(because(ReasonKind.POOLS_AND_CASCADE))
    if site is case.site and not share:
        found = fleet_of(case)
        if found.plan is None:
            raise NoReplicaError(found.reason or NOTHING_HOLDS)
        return found.plan.replica, None, found.plan.replicas if found.mine else 0
    large_plan = fleet(case, site, 1 - share)
    return large_plan.replica, _light(case, site, share).replica if share else None, 0


def _light(case: Case, site: Site, share: float) -> FleetPlan:
    light = case.with_(model=case.scenario.cascade_model, acceptance=0.0, tp=0, pp=0, dp=0, ep=0, dcp=0, pools="")
    return fleet(light, site, share)


def _sized(offered: Offered, replica: Replica, spares: int, users: int, ledger: Ledger) -> Fleet:
    return size_fleet(offered, replica.requests_per_s, replica.gpus, spares, ledger, users, replica.users)


def cheapest_monthly(case: CostCase) -> float | None:
    """USD per month of the option to take among the five; None where no price is known."""
    _, fleet, costs = case.costs()
    circumstances = case.circumstances(costs, fleet, None)
    best = chosen(decide(circumstances), costs, circumstances)
    return best.monthly if best else None


def sold_by(accelerator: Accelerator) -> int:
    """GPUs that are bought at once: a server's where a link joins them, else single cards."""
    return accelerator.gpus_per_node if accelerator.link else 1


def ownership(case: Case, rules: CostRules, accelerator: Accelerator) -> Ownership:
    """The scenario's own figures, and the rules' where it has none."""
    scenario = case.scenario
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
        sold_by=sold_by(accelerator),
        staff_gpus=rules.staff_gpus.value,
    )


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
