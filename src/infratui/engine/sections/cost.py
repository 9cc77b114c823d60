"""Buy or rent, for one scenario: demand, fleet, five options, breakevens, an API beside them, and what to do."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..case import Case
from ..cluster.hardware import Accelerator
from ..cost import breakeven
from ..cost.api_price import ApiQuote
from ..cost.assumptions import Assumption
from ..cost.bill import at_speed, monthly_band, speeds
from ..cost.breakeven import Breakeven, Crossing
from ..cost.case import CostCase, chosen, hosted
from ..cost.decision import Decision, commitments, decide
from ..cost.demand import HOURS_PER_MONTH, Demand, Fleet, Offered, offered_load, size_fleet
from ..cost.energy import Energy, energy_of
from ..cost.notes import CostNote, Hidden, JudgedSignal, Situation, hidden_costs, judge
from ..cost.options import STAFF, Option, OptionCost, RateBasis, price_options
from ..cost.prices import PriceRange
from ..cost.thumb import thumb_load, thumb_replica
from ..deployment.demand import in_flight
from ..deployment.judge import NoReplicaError, Replica, replica_on
from ..figures.derivation import Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason, because

if TYPE_CHECKING:
    from ...scenario import Scenario

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
    in_flight: float | None
    """Requests that the peak keeps in flight on full replicas; None: no latency is known."""
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
    gpus_band: tuple[int, int] | None
    """GPUs if speed lies at either end of its error band; None where they are given, or nothing measured backs it."""
    monthly_band: tuple[float, float] | None
    """USD per month of the best option on them."""
    per_request: float | None
    per_user: float | None
    """USD per month and concurrent user."""
    signals: tuple[JudgedSignal, ...]
    hidden: tuple[Hidden, ...]
    assumptions: tuple[Assumption, ...]
    notes: tuple[Reason, ...]
    sold_by: int
    energy: Energy | None
    """Of a million tokens; None without demand, or without a published power."""
    derivations: tuple[Derivation, ...]

    def priced(self, option: Option) -> PricedOption:
        """One option's row."""
        return next(entry for entry in self.options if entry.option is option)

    @property
    def costs(self) -> dict[Option, OptionCost]:
        """The options that have a price."""
        return {entry.option: entry.cost for entry in self.options if entry.cost is not None}


def evaluate_cost(case: Case) -> CostResult:
    """Price a scenario. Raises ValueError where nothing can serve it."""
    return priced(explained(CostCase.of(case)))


def explained(case: CostCase) -> CostCase:
    """The same replicas with their derivations."""
    replica, small = case.replica, case.small
    if replica.by_rule or replica.pools is not None or replica.derivation is not None:
        return case
    made = replica_on(case.case, case.site, replica.layout, explain=True)
    if isinstance(made, Replica):
        replica = replace(made, users=replica.users)
    if small is not None:
        light = case.case.with_(model=case.case.scenario.cascade_model, acceptance=0.0)
        made = replica_on(light, case.site, small.layout, explain=True)
        small = replace(made, users=small.users) if isinstance(made, Replica) else small
    return replace(case, replica=replica, small=small)


def priced(case: CostCase) -> CostResult:
    """The section, with its derivations."""
    scenario, facts = case.case.whole, case.case.facts
    today = facts.today
    ledger = Ledger()
    offered = offered_load(case.demand(), ledger)
    fleet = case.fleet(offered, ledger)
    flying = _in_flight(case, offered, ledger)
    sizing = ledger.derivation("Sizing: demand to GPUs")
    why = {
        option: RateBasis(
            entry.words(today),
            "; ".join(entry.sources[:3]),
            entry.basis,
            (entry.estimate,) if entry.estimate else (),
        )
        for option, entry in zip(Option, case.ranges, strict=True)
        if entry is not None
    }
    costs = price_options(fleet, offered, case.rates(), case.own, why, case.rules, beside=case.beside())
    lows, highs = case.costs(pick="low")[2], case.costs(pick="high")[2]
    options = tuple(
        _priced(option, entry, costs, lows, highs, today, _barred(option, scenario))
        for option, entry in zip(Option, case.ranges, strict=True)
    )
    quote = case.quote(offered)
    api = quote if scenario.api else None
    return _decided(case, scenario, offered, fleet, costs, options, api, sizing, flying)


def _decided(  # noqa: PLR0913 – what the decision rests on, each computed once
    case: CostCase,
    scenario: Scenario,
    offered: Offered,
    fleet: Fleet,
    costs: dict[Option, OptionCost],
    options: tuple[PricedOption, ...],
    api: ApiQuote | None,
    sizing: Derivation,
    flying: float | None,
) -> CostResult:
    facts, rates = case.case.facts, case.rates()
    circumstances = case.circumstances(costs, fleet, api.monthly if api else None)
    month = circumstances.overtakes
    decision = decide(circumstances)
    best = chosen(decision, costs, circumstances)
    hours = tuple(
        breakeven.hours_per_day(rates.on_demand, rate, scenario.days_per_week, term)
        for rate, term in ((rates.reserved_1y, "1 year"), (rates.reserved_3y, "3 years"))
    )
    requests = _requests_breakeven(case, best, fleet, api)
    spread = Ledger()
    per_request = per_user = None
    if best is not None and offered.requests_per_month > 0:
        per_request = float(spread(PER_REQUEST, monthly=best.monthly, requests_per_month=offered.requests_per_month))
    if best is not None:
        per_user = float(spread(PER_USER, monthly=best.monthly, users=scenario.users))
    share = min(1.0, offered.service_hours_per_month / HOURS_PER_MONTH)
    situation = Situation(
        scenario.compliance, scenario.requests_per_day, share, scenario.peak_factor, scenario.term_years,
        scenario.life_years, scenario.staff_usd_per_year, fleet.gpus, circumstances.sold_by, month.value,
    )  # fmt: skip
    found = facts.cost_notes()
    derivations = [sizing]
    derivations += [replica.derivation for replica in (case.replica, case.small) if replica and replica.derivation]
    derivations += [cost.derivation for cost in costs.values()]
    derivations += [api.derivation] if api else []
    derivations += [entry.derivation for entry in (*hours, month, requests) if entry.derivation]
    derivations += [spread.derivation("Cost per request and per user")] if spread.steps else []
    energy = energy_of(fleet.gpus, offered, case.own, case.rules)
    derivations += [energy.derivation] if energy else []
    return CostResult(
        scenario=scenario,
        accelerator=case.accelerator,
        demand=case.demand(),
        offered=offered,
        replica=case.replica,
        small=case.small,
        fleet=fleet,
        in_flight=flying,
        options=options,
        api=api,
        hours=hours,
        month=month,
        requests=requests,
        decision=decision,
        best=best,
        hosted=hosted(circumstances),
        committed=min(commitments(costs, scenario.term_years).values(), key=lambda cost: cost.monthly, default=None),
        gpus_band=_gpus_band(case, offered),
        monthly_band=monthly_band(case, best),
        per_request=per_request,
        per_user=per_user,
        signals=judge(found.signals, situation),
        hidden=hidden_costs(found.hidden, costs),
        assumptions=tuple(case.rules),
        notes=_notes(case, offered, fleet, api),
        sold_by=circumstances.sold_by,
        energy=energy,
        derivations=tuple(derivations),
    )


def _gpus_band(case: CostCase, offered: Offered) -> tuple[int, int] | None:
    found = speeds(case)
    if found is None:
        return None
    few, many = (at_speed(case, share).fleet(offered, Ledger(recording=False)).gpus for share in found)
    return few, many


def _in_flight(case: CostCase, offered: Offered, ledger: Ledger) -> float | None:
    replica = case.replica
    if replica.ttft_s is None:
        return None
    tokens = case.case.scenario.output_tokens
    return in_flight(offered.peak_rate, replica.ttft_s, replica.tpot_s, tokens, ledger)


def _requests_breakeven(case: CostCase, best: OptionCost | None, fleet: Fleet, api: ApiQuote | None) -> Breakeven:
    scenario = case.case.scenario
    if best is None or api is None:
        crossing = Crossing.NO_GPU_PRICE
        if api is None:
            crossing = Crossing.NO_PRICE if scenario.api else Crossing.NOT_ASKED
        return Breakeven("self-hosted = API", None, Unit.REQUESTS, crossing)
    if case.small is not None:
        return Breakeven("self-hosted = API", None, Unit.REQUESTS, Crossing.CASCADE)
    # What is rented comes replica by replica, what is bought server by server.
    together, fixed = 1, case.beside().monthly
    per_unit = (best.monthly - fixed) / fleet.replicas
    if best.option is Option.OWNED:
        gpus, sold_by = case.replica.gpus, case.own.sold_by
        together = max(1, sold_by // gpus)
        servers = math.ceil(together * gpus / sold_by), math.ceil(fleet.gpus / sold_by)
        staff = sum(part.monthly for part in best.parts if part.name == STAFF)
        fixed = staff if fleet.gpus <= case.own.staff_gpus else 0.0
        per_unit = (best.monthly - fixed) * servers[0] / servers[1]
    # A replica carries its rate at the peak; over the day the mean is the peak factor below it.
    capacity = together * case.replica.requests_per_s * scenario.hours_per_day * 3600 / scenario.peak_factor
    return breakeven.requests_per_day(
        per_unit,
        fixed,
        capacity,
        math.ceil(scenario.spares / together),
        api.median,
        (scenario.input_tokens, scenario.output_tokens),
        scenario.days_per_week,
    )


def _notes(case: CostCase, offered: Offered, fleet: Fleet, api: ApiQuote | None) -> tuple[Reason, ...]:
    scenario, name = case.case.scenario, case.accelerator.name
    notes = []
    if scenario.requests_per_day == 0:
        notes.append(because(CostNote.NO_DEMAND))
    if fleet.gpus > MORE_THAN_ANYONE_HAS:
        notes.append(because(CostNote.MORE_THAN_ANYONE_HAS, gpus=fleet.gpus))
    if case.replica.by_rule:
        notes.append(because(CostNote.BY_RULE))
    elif case.replica.own_per_s:
        notes.append(because(CostNote.OWN_SPEED, own=case.replica.own_per_s, predicted=case.replica.predicted_per_s))
    elif case.replica.interval is None:
        engine = case.case.abilities.name
        notes.append(because(CostNote.UNMEASURED, f"{name} under {engine}" if _never_measured(case) else name))
    by_rule = _gpus_by_rule(case)
    if by_rule >= 4 * fleet.gpus:
        notes.append(because(CostNote.RULE_TAKES_MORE, gpus=by_rule, batch=case.replica.batch))
    if not case.accelerator.tdp_w:
        notes.append(because(CostNote.NO_POWER, name))
    if api is None and scenario.api:
        notes.append(because(CostNote.NO_API_PRICE))
    return tuple(notes)


def _never_measured(case: CostCase) -> bool:
    scenario = case.case.scenario
    found = case.case.speed_constants.generation(scenario.engine, scenario.engine_version)
    return found.unmeasured or found.measured_alone


def _gpus_by_rule(case: CostCase) -> int:
    """GPUs that the rule of thumb would buy; 0 where it has no answer, or is the answer."""
    if case.replica.by_rule or case.small is not None or case.case.scenario.requests_per_day == 0:
        return 0
    try:
        replica = thumb_replica(case.case, case.site, explain=False)
    except NoReplicaError:
        return 0
    even = thumb_load(case.demand())
    return size_fleet(
        even, replica.requests_per_s, replica.gpus, case.case.scenario.spares, Ledger(recording=False)
    ).gpus


def _priced(
    option: Option,
    price: PriceRange | None,
    costs: Mapping[Option, OptionCost],
    lows: Mapping[Option, OptionCost],
    highs: Mapping[Option, OptionCost],
    today: dt.date,
    barred: str,
) -> PricedOption:
    if price is None:
        return PricedOption(option, None, None, None, None, "no published price; set your own", barred=barred)
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
        return "" if option is Option.OWNED else "not on premises"
    if option is Option.SPOT and (scenario.ttft_ms or scenario.tpot_ms):
        return "users wait"
    years = {Option.RESERVED_1Y: 1, Option.RESERVED_3Y: 3}.get(option, 0)
    return f"need is certain for {scenario.term_years:g} years" if scenario.term_years < years else ""
