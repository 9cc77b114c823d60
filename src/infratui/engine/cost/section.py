"""Buy or rent, for one scenario: demand, fleet, five options, breakevens, an API beside them, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..compare import Better, Headline
from ..derivation import Derivation, Formula, Ledger, Unit
from ..facts import Facts
from ..hardware import Accelerator
from ..layout import Layout
from . import breakeven
from .api_price import ApiQuote, quote_api
from .assumptions import Assumption, CostRules
from .breakeven import Breakeven
from .decision import Circumstances, Decision, cheapest_rental, commitments, decide
from .demand import HOURS_PER_MONTH, Demand, Fleet, Offered, offered_load, size_fleet
from .notes import Hidden, Judged, Situation, hidden_costs, judge
from .options import Option, OptionCost, Ownership, RateBasis, Rates, price_options
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

FIELDS = (
    *SERVING_FIELDS, "users", "requests_per_day", "hours_per_day", "days_per_week", "peak_factor", "spares",
    "compliance", "term_years", "on_demand_usd", "spot_usd", "reserved_1y_usd", "reserved_3y_usd", "purchase_usd",
    "api_usd_per_mtok", "currency", "electricity_usd_per_kwh", "pue", "hosting_usd_per_kw_month",
    "staff_usd_per_year", "maintenance_pct", "interest_pct", "resale_pct", "life_years",
)  # fmt: skip
"""What the section depends on."""

PER_REQUEST = Formula("cost per request", "monthly / requests_per_month", Unit.USD, term="per-token-price")
PER_USER = Formula("cost per concurrent user", "monthly / users", Unit.USD, term="concurrency")
MORE_THAN_ANYONE_HAS = 1_000_000
"""GPUs beyond which a plan is arithmetic only: no fleet of that size has been announced."""


@dataclass(frozen=True, slots=True)
class PricedOption:
    """One way to pay, at the median price, with what the range of prices makes of it."""

    option: Option
    cost: OptionCost | None
    """None where no price is known; `words` says so."""
    low: float | None
    """USD per month at the low price."""
    high: float | None
    price: PriceRange | None
    words: str
    """Where the price comes from, with its age."""
    stale: bool = False
    barred: str = ""
    """Why this demand cannot be paid so, whatever it costs; empty: it can."""

    @property
    def monthly(self) -> float | None:
        return self.cost.monthly if self.cost else None


@dataclass(frozen=True, slots=True)
class CostResult:
    """The whole section."""

    scenario: Scenario
    accelerator: Accelerator
    demand: Demand
    offered: Offered
    replica: Replica
    small: Replica | None
    """The small model of a cascade, on the same kind of GPU."""
    fleet: Fleet
    """All GPUs, those of the small model included."""
    options: tuple[PricedOption, ...]
    api: ApiQuote | None
    hours: tuple[Breakeven, ...]
    """Hours per day where a reservation starts to pay."""
    month: Breakeven
    """Month in which owning overtakes the cheapest rental."""
    requests: Breakeven
    """Requests per day from which self-hosting costs no more than the API."""
    decision: Decision
    best: OptionCost | None
    """The option to compare with: the decision's, else the cheapest."""
    hosted: OptionCost | None
    """The cheapest of the five that the horizon allows: what an API is compared with."""
    committed: OptionCost | None
    """The cheapest reservation that the horizon covers."""
    per_request: float | None
    per_user: float | None
    """USD per month and concurrent user."""
    signals: tuple[Judged, ...]
    hidden: tuple[Hidden, ...]
    assumptions: tuple[Assumption, ...]
    notes: tuple[str, ...]
    sold_by: int
    derivations: tuple[Derivation, ...]

    def priced(self, option: Option) -> PricedOption:
        """One option's row."""
        return next(entry for entry in self.options if entry.option is option)

    @property
    def costs(self) -> dict[Option, OptionCost]:
        """The options that have a price."""
        return {entry.option: entry.cost for entry in self.options if entry.cost is not None}

    @property
    def headlines(self) -> tuple[Headline, ...]:
        best = self.best
        why = "no price is known" if best is None else ""
        no_tokens = why or "no demand"
        per_mtok = best.per_mtok if best else None
        return (
            Headline("cost", "GPUs in all", self.fleet.gpus, Unit.COUNT, Better.LOWER),
            Headline("cost", "Cost per month", best.monthly if best else None, Unit.USD, Better.LOWER, why),
            Headline("cost", "Cost per 1M tokens", per_mtok, Unit.USD_PER_MTOK, Better.LOWER, no_tokens),
            Headline("cost", "Breakeven month", self.month.value, Unit.MONTHS, Better.LOWER, self.month.words),
        )


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


def evaluate_cost(scenario: Scenario, facts: Facts, sized: Sized | None = None) -> CostResult:
    """Price a scenario. Raises ValueError where nothing can serve it."""
    return CostCase.of(scenario, facts, sized).result(facts)


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

    def result(self, facts: Facts) -> CostResult:
        """The section, with its derivations."""
        scenario, today = self.scenario, facts.today
        ledger = Ledger()
        offered = offered_load(self.demand(), ledger)
        fleet = self.fleet(offered, ledger)
        sizing = ledger.derivation("Sizing: demand to GPUs")
        why = {
            option: RateBasis(
                entry.words(today),
                "; ".join(entry.sources[:3]),
                entry.basis,
                (entry.estimate,) if entry.estimate else (),
            )
            for option, entry in zip(Option, self.ranges, strict=True)
            if entry is not None
        }
        costs = price_options(fleet, offered, self.rates(), self.own, why, self.rules)
        lows, highs = self.costs(pick="low")[2], self.costs(pick="high")[2]
        options = tuple(
            _priced(option, entry, costs, lows, highs, facts, _barred(option, scenario))
            for option, entry in zip(Option, self.ranges, strict=True)
        )
        api = quote_api(
            facts.api_prices(facts.model(scenario.model).id),
            scenario.api_usd_per_mtok,
            scenario.input_tokens,
            scenario.output_tokens,
            offered,
            today,
        )
        return self._decided(facts, offered, fleet, costs, options, api, sizing)

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

    def _decided(
        self,
        facts: Facts,
        offered: Offered,
        fleet: Fleet,
        costs: dict[Option, OptionCost],
        options: tuple[PricedOption, ...],
        api: ApiQuote | None,
        sizing: Derivation,
    ) -> CostResult:
        scenario, rates = self.scenario, self.rates()
        circumstances = self.circumstances(costs, fleet, api.monthly if api else None)
        month = circumstances.overtakes
        decision = decide(circumstances)
        best = _best(decision, costs, circumstances)
        hours = tuple(
            breakeven.hours_per_day(rates.on_demand, rate, scenario.days_per_week, term)
            for rate, term in ((rates.reserved_1y, "1 year"), (rates.reserved_3y, "3 years"))
        )
        requests = self._requests_breakeven(best, fleet, api)
        spread = Ledger()
        per_request = per_user = None
        if best is not None and offered.requests_per_month > 0:
            per_request = float(
                spread(PER_REQUEST, monthly=best.monthly, requests_per_month=offered.requests_per_month)
            )
        if best is not None:
            per_user = float(spread(PER_USER, monthly=best.monthly, users=scenario.users))
        share = min(1.0, offered.service_hours_per_month / HOURS_PER_MONTH)
        situation = Situation(
            scenario.compliance, scenario.requests_per_day, share, scenario.peak_factor, scenario.term_years,
            scenario.life_years, scenario.staff_usd_per_year, fleet.gpus, circumstances.sold_by, month.value,
        )  # fmt: skip
        found = facts.cost_notes()
        derivations = [sizing]
        derivations += [replica.derivation for replica in (self.replica, self.small) if replica and replica.derivation]
        derivations += [cost.derivation for cost in costs.values()]
        derivations += [api.derivation] if api else []
        derivations += [entry.derivation for entry in (*hours, month, requests) if entry.derivation]
        derivations += [spread.derivation("Cost per request and per user")] if spread.steps else []
        return CostResult(
            scenario=scenario,
            accelerator=self.accelerator,
            demand=self.demand(),
            offered=offered,
            replica=self.replica,
            small=self.small,
            fleet=fleet,
            options=options,
            api=api,
            hours=hours,
            month=month,
            requests=requests,
            decision=decision,
            best=best,
            hosted=_hosted(circumstances),
            committed=min(
                commitments(costs, scenario.term_years).values(), key=lambda cost: cost.monthly, default=None
            ),
            per_request=per_request,
            per_user=per_user,
            signals=judge(found.signals, situation),
            hidden=hidden_costs(found.hidden, costs),
            assumptions=tuple(self.rules),
            notes=self._notes(facts, offered, fleet, api),
            sold_by=circumstances.sold_by,
            derivations=tuple(derivations),
        )

    def _requests_breakeven(self, best: OptionCost | None, fleet: Fleet, api: ApiQuote | None) -> Breakeven:
        scenario = self.scenario
        if best is None or api is None:
            missing = "no published API price for this model" if api is None else "no price for this GPU"
            return Breakeven("self-hosted = API", None, Unit.REQUESTS, f"{missing}; set your own")
        if self.small is not None:
            return Breakeven("self-hosted = API", None, Unit.REQUESTS, "a cascade has no single API price beside it")
        fixed = scenario.staff_usd_per_year / 12 if best.option is Option.OWNED else 0.0
        per_replica = (best.monthly - fixed) / fleet.replicas
        # A replica carries its rate at the peak; over the day the mean is the peak factor below it.
        capacity = self.replica.requests_per_s * scenario.hours_per_day * 3600 / scenario.peak_factor
        return breakeven.requests_per_day(
            per_replica,
            fixed,
            capacity,
            scenario.spares,
            api.median,
            (scenario.input_tokens, scenario.output_tokens),
            scenario.days_per_week,
        )

    def _notes(self, facts: Facts, offered: Offered, fleet: Fleet, api: ApiQuote | None) -> tuple[str, ...]:
        scenario = self.scenario
        notes = []
        if scenario.requests_per_day == 0:
            notes.append("No demand: the figures are those of one idle replica, and no cost per token exists.")
        if fleet.gpus > MORE_THAN_ANYONE_HAS:
            notes.append(f"{fleet.gpus:,} GPUs are more than any operator has: the figures are arithmetic only.")
        if self.replica.by_rule:
            notes.append("By the rule of thumb: no batch, no latency targets. The detailed estimator predicts both.")
        elif self.replica.band_pct is None:
            notes.append(f"No measured data for this kind of model on {self.accelerator.name}: speed is unproven.")
        if not self.replica.by_rule and self.small is None and scenario.requests_per_day:
            by_rule = thumb_replica(scenario, facts, explain=False)
            fleet_by_rule = size_fleet(
                offered, by_rule.requests_per_s, by_rule.gpus, scenario.spares, Ledger(recording=False)
            )
            if fleet_by_rule.gpus >= 4 * fleet.gpus:
                notes.append(
                    f"The rule of thumb, one user's speed per instance, takes {fleet_by_rule.gpus:,} GPUs for it: a "
                    f"batch of {self.replica.batch:,.0f} shares every read of the weights."
                )
        if not self.accelerator.tdp_w:
            notes.append(
                f"{self.accelerator.name} has no published power: owning is shown without electricity and hosting."
            )
        if api is None:
            notes.append("No published API price for this model: set one to compare.")
        return tuple(notes)


def cheapest_monthly(case: CostCase) -> float | None:
    """USD per month of the option to take among the five; None where no price is known."""
    _, fleet, costs = case.costs()
    circumstances = case.circumstances(costs, fleet, None)
    best = _best(decide(circumstances), costs, circumstances)
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


def _best(decision: Decision, costs: Mapping[Option, OptionCost], case: Circumstances) -> OptionCost | None:
    """The decision's option, else the cheapest that the horizon allows."""
    if decision.option is not None:
        return costs.get(decision.option)
    return _hosted(case)


def _hosted(case: Circumstances) -> OptionCost | None:
    choices = (cheapest_rental(case), case.options.get(Option.OWNED))
    return min((cost for cost in choices if cost is not None), key=lambda cost: cost.monthly, default=None)


def _priced(
    option: Option,
    price: PriceRange | None,
    costs: Mapping[Option, OptionCost],
    lows: Mapping[Option, OptionCost],
    highs: Mapping[Option, OptionCost],
    facts: Facts,
    barred: str,
) -> PricedOption:
    if price is None:
        return PricedOption(option, None, None, None, None, "no published price; set your own", barred=barred)
    today = facts.today
    return PricedOption(
        option,
        costs[option],
        lows[option].monthly,
        highs[option].monthly,
        price,
        price.words(today),
        price.stale(today),
        barred,
    )


def _barred(option: Option, scenario: Scenario) -> str:
    if scenario.compliance:
        return "" if option is Option.OWNED else "data must stay on premises"
    if option is Option.SPOT and (scenario.ttft_ms or scenario.tpot_ms):
        return "users wait"
    years = {Option.RESERVED_1Y: 1, Option.RESERVED_3Y: 3}.get(option, 0)
    return f"need is certain for {scenario.term_years:g} years" if scenario.term_years < years else ""
