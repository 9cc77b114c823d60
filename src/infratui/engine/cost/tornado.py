"""Which input moves the decision most: the leading option against the runner-up, one input at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from ...value_types import dataclass
from ..case import Case
from ..deployment.fleet import fleet
from ..deployment.judge import NoReplicaError
from ..figures.derivation import Ledger
from ..speed import Interval
from .case import CostCase, ownership
from .decision import commitments, decide
from .demand import offered_load
from .options import Option
from .prices import PriceKind, own_price
from .rents import price_ranges
from .sensitivity import Lever, Swing, tornado

API = "API"
_QUIET = Ledger(recording=False)
_STILL = 1e-9
_SEARCHED = 16
"""Halvings where each value is a search of its own."""
_ENDS = 2
_UNPROVEN = Interval(0.7, 1.3)
"""Percent by which speed is varied where no measured data give a band."""


@dataclass(frozen=True, slots=True)
class Tornado:
    """Swings, widest first. `advantage` is what the leader costs less than the runner-up, USD per month."""

    leader: str
    runner_up: str
    advantage: float
    swings: tuple[Swing, ...]
    idle: tuple[str, ...]
    """Labels of inputs that do not move the two against each other."""


def evaluate_tornado(own: Case) -> Tornado | None:
    """Vary each input alone over its plausible range; None where there is nothing to compare."""
    case = CostCase.of(own)
    scenario = own.scenario
    prices = _prices(case)
    _, fleet_, costs = case.costs()
    circumstances = case.circumstances(costs, fleet_, prices.get(API))
    decision = decide(circumstances)
    leader = decision.option.value if decision.option else API if decision.leaf == "api" else ""
    allowed = {Option.ON_DEMAND.value, Option.OWNED.value, API}
    allowed |= {option.value for option in commitments(costs, scenario.term_years)}
    if not circumstances.someone_waits:
        allowed.add(Option.SPOT.value)
    rivals = {name: usd for name, usd in prices.items() if name in allowed and name != leader}
    if leader not in prices or not rivals:
        return None
    runner_up = min(rivals, key=lambda name: rivals[name])

    def advantage(name: str, value: float) -> float:
        changed = _prices(_CHANGES[name](case, value), value if name == "api" else 0.0)
        return changed[runner_up] - changed[leader]

    levers = [lever for lever in _levers(case, prices) if lever.low < lever.high and _answers(case, lever)]
    swings = tornado(levers, advantage)
    if (kinds := _kinds(case, leader, runner_up)) is not None:
        swings = tuple(sorted((*swings, kinds), key=lambda swing: -swing.width))
    moving = tuple(swing for swing in swings if swing.width > _STILL * prices[leader])
    idle = tuple(swing.lever.label for swing in swings if swing not in moving)
    return Tornado(leader, runner_up, prices[runner_up] - prices[leader], moving, idle)


def _kinds(case: CostCase, leader: str, runner_up: str) -> Swing | None:
    """The two accelerators besides the scenario's own that would serve it for the least, each with its own fleet."""
    if (
        case.units
        or case.small is not None
        or case.replica.by_rule
        or case.replica.pools is not None
        or case.case.forced.any
    ):
        return None
    found = []
    for accelerator in case.case.facts.accelerators():
        ranges = price_ranges(case.case, accelerator)
        if accelerator.id == case.accelerator.id or not any(ranges):
            continue
        try:
            asked = case.case.with_(accelerator=accelerator.id, gpus_per_node=0)
            replica = fleet(asked, asked.site, glance=True).replica
        except ValueError:
            continue
        own = ownership(asked, case.rules, accelerator)
        prices = _prices(CostCase(asked, asked.site, replica, None, ranges, own, case.rules))
        least = min((usd for name, usd in prices.items() if name != API), default=math.inf)
        if {leader, runner_up} <= prices.keys():
            found.append((least, prices[runner_up] - prices[leader], accelerator))
    if len(found) < _ENDS:
        return None
    (_, at_low, low), (_, at_high, high) = sorted(found, key=lambda entry: entry[:2])[:_ENDS]
    lever = Lever("accelerator", "GPU kind", 0.0, 1.0, 2.0, kinds=(case.accelerator, low, high))
    return Swing(lever, at_low, at_high, next((place for place, at in ((1.0, at_low), (2.0, at_high)) if at < 0), None))


def _answers(case: CostCase, lever: Lever) -> bool:
    """Both ends can be served: a tighter target may be one that nothing holds."""
    try:
        for value in (lever.low, lever.high):
            _CHANGES[lever.name](case, value)
    except NoReplicaError:
        return False
    return True


def _prices(case: CostCase, api_usd: float = 0.0) -> dict[str, float]:
    """USD per month by name of the option, the API among them."""
    offered, _, costs = case.costs()
    found = {option.value: cost.monthly for option, cost in costs.items()}
    scenario = case.case.scenario
    quote = case.quote(offered, api_usd)
    if quote is not None and scenario.api and not scenario.compliance:
        found[API] = quote.monthly
    return found


def _levers(case: CostCase, prices: dict[str, float]) -> Iterator[Lever]:
    """What is uncertain, and how far it may plausibly lie off."""
    scenario = case.case.scenario
    for kind, entry in zip(PriceKind, case.ranges, strict=True):
        if entry is not None:
            spread = (entry.low, entry.high) if entry.low < entry.high else (entry.median * 0.7, entry.median * 1.3)
            yield Lever(kind.value, f"{_LABELS[kind]} price", entry.median, *spread)
    if API in prices:
        quote = case.quote(offered_load(case.demand(), _QUIET))
        if quote is not None:
            spread = (quote.low, quote.high) if quote.low < quote.high else (quote.median * 0.5, quote.median * 1.5)
            yield Lever("api", "API price", quote.median, *spread)
    requests = float(scenario.requests_per_day)
    yield Lever("requests_per_day", "Requests/day", requests, requests / 2, requests * 2, _SEARCHED)
    hours = scenario.hours_per_day
    yield Lever("hours_per_day", "Hours/day", hours, hours / 2, min(24.0, hours * 2), _SEARCHED)
    peak = scenario.peak_factor
    yield Lever("peak_factor", "Peak factor", peak, 1.0, max(peak * 1.5, 2.0), _SEARCHED)
    if not case.replica.by_rule and not case.units:
        yield Lever("users", "Users", scenario.users, math.ceil(scenario.users / 2), scenario.users * 2, 0)
        for name, label in (("ttft_ms", "TTFT target"), ("tpot_ms", "TPOT target")):
            if target := getattr(scenario, name):
                yield Lever(name, label, target, target * 0.9, target * 1.1, 0)
    speed = case.replica.interval or _UNPROVEN
    yield Lever("speed", "Speed", 1.0, speed.low, speed.high)
    yield Lever("electricity_usd_per_kwh", "Electricity", scenario.electricity_usd_per_kwh, 0.05, 0.3)
    yield Lever("staff_usd_per_year", "Staff", scenario.staff_usd_per_year, 0.0, scenario.staff_usd_per_year * 2.5)
    yield Lever("interest_pct", "Cost of capital", scenario.interest_pct, 0.0, max(12.0, scenario.interest_pct * 1.5))
    yield Lever("resale_pct", "Resale", scenario.resale_pct, 0.0, max(40.0, scenario.resale_pct))
    yield Lever("life_years", "Life", scenario.life_years, min(3.0, scenario.life_years), max(6.0, scenario.life_years))


_LABELS = {
    PriceKind.ON_DEMAND: "On-demand",
    PriceKind.SPOT: "Spot",
    PriceKind.RESERVED_1Y: "1-year",
    PriceKind.RESERVED_3Y: "3-year",
    PriceKind.PURCHASE: "Purchase",
}


def _with_price(kind: PriceKind) -> Callable[[CostCase, float], CostCase]:
    index = list(PriceKind).index(kind)

    def change(case: CostCase, value: float) -> CostCase:
        ranges = list(case.ranges)
        ranges[index] = own_price(kind, value)
        return replace(case, ranges=tuple(ranges))

    return change


def _with_field(name: str) -> Callable[[CostCase, float], CostCase]:
    def change(case: CostCase, value: float) -> CostCase:
        changed = case.case.with_(**{name: int(value) if name == "users" else value})
        if name in _PRICED:
            return replace(case, case=changed, own=ownership(changed, case.rules, case.accelerator))
        return CostCase.of(changed)

    return change


def _with_speed(case: CostCase, value: float) -> CostCase:
    return replace(case, replica=replace(case.replica, requests_per_s=case.replica.requests_per_s * value))


_PRICED = ("electricity_usd_per_kwh", "staff_usd_per_year", "interest_pct", "resale_pct", "life_years")
"""Inputs that move no GPU."""
_FIELDS = (
    "requests_per_day", "hours_per_day", "peak_factor", "electricity_usd_per_kwh", "staff_usd_per_year",
    "interest_pct", "resale_pct", "life_years",
    "ttft_ms", "tpot_ms", "users",
)  # fmt: skip
_CHANGES: dict[str, Callable[[CostCase, float], CostCase]] = {
    **{kind.value: _with_price(kind) for kind in PriceKind},
    **{name: _with_field(name) for name in _FIELDS},
    "speed": _with_speed,
    "api": lambda case, value: case,
}
