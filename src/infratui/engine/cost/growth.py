"""Demand that grows month by month: when the fleet must grow, what it costs by then, and whether to buy now or later.

Each month is priced as the section prices the demand of today: the fleet by the search, rent at the cheapest rental
that the horizon allows, own hardware with capital, interest and resale spread over its life. Hardware that is ordered
arrives a lead time later; until then it is rented.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..deployment.judge import NoReplicaError
from ..figures.derivation import Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason
from .case import CostCase
from .decision import cheapest_rental
from .options import Option, OptionCost

if TYPE_CHECKING:
    from ..case import Case

RATE = Formula("growth per month", "(target / today) ** (1 / months) - 1", Unit.RATIO, term="growth")
DEMAND = Formula("requests/day", "today * (1 + rate) ** month", Unit.REQUESTS_PER_DAY, term="growth")


@dataclass(frozen=True, slots=True)
class GrowthMonth:
    """The demand of one month and what it takes."""

    month: int
    """0: today."""
    requests_per_day: int
    users: int
    gpus: int
    layout: Layout
    """Of one replica."""
    rent: float | None
    """USD of the month at the cheapest rental."""
    own: float | None
    """USD of the month with this fleet owned: capital, interest and resale spread over its life."""
    upfront: float | None
    """USD to buy this fleet."""
    grows: bool = False
    """More GPUs than the month before."""


@dataclass(frozen=True, slots=True)
class GrowthPlan:
    """One way to pay for all months."""

    id: str
    """`rent`, `buy-now`, `buy-as-it-grows` or `rent-until`."""
    total: float
    """USD over the months."""
    owned_from: int | None
    """First month on own hardware; None: never."""
    order_in: int | None
    """Month in which that is ordered."""
    bought_gpus: int
    """GPUs owned in the end."""


@dataclass(frozen=True, slots=True)
class DemandGrowth:
    """The months, and the ways to pay for them, cheapest first."""

    rate: float
    """Growth of each month as a share."""
    months: tuple[GrowthMonth, ...]
    lead_months: int
    plans: tuple[GrowthPlan, ...]
    refusal: Reason | None = None
    """Why the months end early."""
    derivation: Derivation | None = None

    @property
    def steps(self) -> tuple[GrowthMonth, ...]:
        """Months in which the fleet must grow."""
        return tuple(month for month in self.months if month.grows)

    def plan(self, id: str) -> GrowthPlan | None:
        """A plan by its id."""
        return next((entry for entry in self.plans if entry.id == id), None)


def is_growing(case: Case) -> bool:
    """The scenario states growth."""
    return bool(case.scenario.growth_pct or case.scenario.growth_to)


def evaluate_growth(case: Case) -> DemandGrowth:
    """Follow the demand. Raises ValueError in one line where none is stated, or not even today is served."""
    scenario = case.scenario
    if not is_growing(case):
        raise ValueError("no growth is stated; set growth_pct, or growth_to")
    today, count = scenario.requests_per_day, scenario.growth_months
    if scenario.growth_to and today <= 0:
        raise ValueError("growth_to needs a demand of today to grow from; set requests_per_day")
    if scenario.growth_to and scenario.growth_to < today:
        raise ValueError(f"growth_to: {scenario.growth_to:,} is below today's {today:,} requests/day; write more")
    ledger = Ledger()
    rate = scenario.growth_pct / 100
    if scenario.growth_to:
        rate = float(ledger(RATE, target=scenario.growth_to, today=today, months=count))
    ledger(DEMAND, today=today, rate=rate, month=count, note="in the last month")
    months: list[GrowthMonth] = []
    refusal = None
    for month in range(count + 1):
        try:
            months.append(_month(case, month, (1 + rate) ** month, months[-1] if months else None))
        except NoReplicaError as error:
            if not months:
                raise
            refusal = error.reason
            break
    found = tuple(months)
    plans = _plans(found, scenario.lead_months)
    return DemandGrowth(rate, found, scenario.lead_months, plans, refusal, ledger.derivation("Growth"))


def _month(case: Case, month: int, factor: float, before: GrowthMonth | None) -> GrowthMonth:
    scenario = case.scenario
    requests, users = round(scenario.requests_per_day * factor), math.ceil(scenario.users * factor - 1e-9)
    costed = CostCase.of(case.with_(requests_per_day=requests, users=users))
    _, fleet, costs = costed.costs()
    rental = cheapest_rental(costed.circumstances(costs, fleet, None))
    own: OptionCost | None = costs.get(Option.OWNED)
    return GrowthMonth(
        month,
        requests,
        users,
        fleet.gpus,
        costed.replica.layout,
        rental.monthly if rental else None,
        own.monthly if own else None,
        own.upfront if own else None,
        before is not None and fleet.gpus > before.gpus,
    )


def _plans(months: tuple[GrowthMonth, ...], lead: int) -> tuple[GrowthPlan, ...]:
    """The last month is where the demand arrives: it is not paid any more."""
    paid = months[:-1]
    rents = [month.rent for month in paid]
    owns = [month.own for month in paid]
    last = months[-1]
    found = []
    if paid and all(rent is not None for rent in rents):
        found.append(GrowthPlan("rent", _sum(rents), None, None, 0))
    first = min(lead, len(paid))
    rented = rents[:first]
    if paid and first < len(paid) and last.own is not None and all(rent is not None for rent in rented):
        early = _sum(rented)
        rest = len(paid) - first
        found.append(GrowthPlan("buy-now", early + last.own * rest, first, 0, last.gpus))
        found.append(GrowthPlan("buy-as-it-grows", early + _sum(owns[first:]), first, 0, paid[-1].gpus))
        later = [
            (_sum(rents[:month]) + _sum(owns[month:]), month)
            for month in range(first + 1, len(paid))
            if all(rent is not None for rent in rents[:month])
        ]
        if later:
            total, month = min(later)
            found.append(GrowthPlan("rent-until", total, month, month - lead, paid[-1].gpus))
    return tuple(sorted(found, key=lambda plan: plan.total))


def _sum(values: list[float | None]) -> float:
    return math.fsum(value for value in values if value is not None)
