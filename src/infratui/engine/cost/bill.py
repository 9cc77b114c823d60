"""What a month costs, alone: the option that is taken, its interval, and the price that it rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from .case import CostCase, chosen
from .decision import decide
from .options import Option, OptionCost
from .prices import PriceRange

if TYPE_CHECKING:
    from ..case import Case


@dataclass(frozen=True, slots=True)
class MonthlyBill:
    """Of the fleet that is priced, by the option that the section on cost compares with."""

    option: Option
    gpus: int
    monthly: float
    """USD."""
    per_mtok: float | None
    """USD per million tokens; None without demand."""
    band: tuple[float, float] | None
    """USD per month if speed lies at either end of its interval; None where the GPUs are given, or nothing measured
    backs it."""
    price: PriceRange


def evaluate_bill(case: Case) -> MonthlyBill:
    """The same figures as the section's, without derivations. Raises ValueError in one line where there are none."""
    costs = CostCase.of(case)
    offered, fleet, options = costs.costs()
    quote = costs.quote(offered) if case.scenario.api else None
    circumstances = costs.circumstances(options, fleet, quote.monthly if quote else None)
    best = chosen(decide(circumstances), options, circumstances)
    if best is None:
        raise ValueError(f"no price is known for {costs.accelerator.name}; set your own")
    price = dict(zip(Option, costs.ranges, strict=True))[best.option]
    assert price is not None
    return MonthlyBill(best.option, fleet.gpus, best.monthly, best.per_mtok, monthly_band(costs, best), price)


def at_speed(case: CostCase, share: float) -> CostCase:
    """The same with replicas that serve a share of their rate."""
    return replace(case, replica=replace(case.replica, requests_per_s=case.replica.requests_per_s * share))


def speeds(case: CostCase) -> tuple[float, float] | None:
    """Both ends of the interval around speed, as shares of the prediction, the faster first."""
    interval = case.replica.interval
    if interval is None or case.units:
        return None
    return interval.high, interval.low


def monthly_band(case: CostCase, best: OptionCost | None) -> tuple[float, float] | None:
    """USD per month of an option at either end of the interval around speed."""
    found = speeds(case)
    if found is None or best is None:
        return None
    low, high = (at_speed(case, share).costs()[2][best.option].monthly for share in found)
    return low, high
