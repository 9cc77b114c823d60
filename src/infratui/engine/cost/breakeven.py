"""Breakevens, solved: hours per day, months of ownership, requests per day against an API price."""

from __future__ import annotations

import math
from enum import StrEnum

from ...value_types import dataclass
from ..figures.derivation import Derivation, Formula, Ledger, Unit
from .demand import DAYS_PER_MONTH, HOURS_PER_MONTH
from .options import Option, OptionCost

HOURS = Formula(
    "breakeven hours per day",
    "reserved_rate * hours_per_month / (on_demand_rate * days_per_month * days_per_week / 7)",
    Unit.HOURS,
    term="breakeven",
)
MONTH = Formula("breakeven month", "capital / (rent - operating)", Unit.MONTHS, term="breakeven")
REQUEST_PRICE = Formula(
    "API price per request", "api_usd_per_mtok * (input_tokens + output_tokens) / 1000000", Unit.USD, term="breakeven"
)
REQUESTS = Formula(
    "breakeven requests per day", "monthly / (request_price * service_days)", Unit.REQUESTS_PER_DAY, term="breakeven"
)


FREE_USD = 1e-9
"""What costs less counts as free: nothing is divided by it."""


class Crossing(StrEnum):
    """Whether two ways to pay cost the same somewhere, and if not, why."""

    MET = "met"
    AT_ONCE = "at once"
    """At practically any use."""
    NEVER = "never"
    FREE = "free"
    """One of the two costs nothing."""
    BEYOND_LIFE = "beyond life"
    """After the hardware is worn out."""
    NO_PRICE = "no price"
    """One of the two has no price."""
    NO_GPU_PRICE = "no GPU price"
    NOT_ASKED = "not asked"
    """An API is no option."""
    CASCADE = "cascade"
    """Two models have no single API price beside them."""


@dataclass(frozen=True, slots=True)
class Breakeven:
    """One threshold. `value` is None where there is none, and `crossing` says why."""

    name: str
    value: float | None
    unit: Unit
    crossing: Crossing
    derivation: Derivation | None = None
    rent: Option | None = None
    """What owning is compared with."""
    takes: float = 0.0
    """Months that paying back would take, or replicas that serve the demand."""
    life_months: float = 0.0


def hours_per_day(on_demand: float | None, reserved: float | None, days_per_week: float, term: str) -> Breakeven:
    """Hours of use per day above which a reservation is cheaper than on demand. Rates in USD per GPU-hour."""
    name = f"on demand = reserved {term}"
    if on_demand is None or reserved is None:
        return Breakeven(name, None, Unit.HOURS, Crossing.NO_PRICE)
    if on_demand < FREE_USD:
        return Breakeven(name, None, Unit.HOURS, Crossing.FREE)
    ledger = Ledger()
    hours = float(
        ledger(
            HOURS,
            reserved_rate=reserved,
            hours_per_month=HOURS_PER_MONTH,
            on_demand_rate=on_demand,
            days_per_month=DAYS_PER_MONTH,
            days_per_week=days_per_week,
        )
    )
    derivation = ledger.derivation(f"Breakeven: {name}")
    if hours > 24:
        return Breakeven(name, None, Unit.HOURS, Crossing.NEVER, derivation)
    if hours < 0.1:
        return Breakeven(name, hours, Unit.HOURS, Crossing.AT_ONCE, derivation)
    return Breakeven(name, hours, Unit.HOURS, Crossing.MET, derivation)


def month(own: OptionCost | None, rent: OptionCost | None, life_years: float = math.inf) -> Breakeven:
    """The month in which cumulative rent overtakes capital plus operating cost; none beyond the hardware's life."""
    name = f"owned = {rent.option.value}" if rent else "owned = rented"
    if own is None or rent is None:
        return Breakeven(name, None, Unit.MONTHS, Crossing.NO_PRICE)
    if rent.running - own.running < FREE_USD:
        return Breakeven(name, None, Unit.MONTHS, Crossing.NEVER, rent=rent.option)
    ledger = Ledger()
    months = float(ledger(MONTH, capital=own.upfront, rent=rent.running, operating=own.running))
    crossing = Crossing.BEYOND_LIFE if months > life_years * 12 else Crossing.MET
    return Breakeven(
        name,
        months if crossing is Crossing.MET else None,
        Unit.MONTHS,
        crossing,
        ledger.derivation(f"Breakeven: {name}"),
        rent.option,
        months,
        life_years * 12,
    )


def requests_per_day(
    monthly_per_replica: float,
    fixed_monthly: float,
    replica_capacity_per_day: float,
    spares: int,
    api_usd_per_mtok: float,
    tokens_per_request: tuple[int, int],
    days_per_week: float,
) -> Breakeven:
    """The smallest demand at which self-hosting costs no more than a per-token API.

    Replicas come whole: the least n is taken whose full load, priced by the API, pays for n replicas and the spares.
    """
    name = "self-hosted = API"
    inputs, outputs = tokens_per_request
    if api_usd_per_mtok <= 0 or inputs + outputs <= 0:
        return Breakeven(name, None, Unit.REQUESTS, Crossing.NO_PRICE)
    ledger = Ledger()
    price = float(ledger(REQUEST_PRICE, api_usd_per_mtok=api_usd_per_mtok, input_tokens=inputs, output_tokens=outputs))
    service_days = DAYS_PER_MONTH * days_per_week / 7
    if monthly_per_replica >= price * service_days * replica_capacity_per_day:
        return Breakeven(name, None, Unit.REQUESTS, Crossing.NEVER, ledger.derivation(f"Breakeven: {name}"))
    surplus = price * service_days * replica_capacity_per_day - monthly_per_replica
    replicas = max(1, math.ceil((fixed_monthly + spares * monthly_per_replica) / surplus))
    monthly = fixed_monthly + (replicas + spares) * monthly_per_replica
    value = float(ledger(REQUESTS, monthly=monthly, request_price=price, service_days=service_days))
    return Breakeven(name, value, Unit.REQUESTS, Crossing.MET, ledger.derivation(f"Breakeven: {name}"), takes=replicas)
