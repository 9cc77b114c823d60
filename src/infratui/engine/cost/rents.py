"""What GPUs are rented for: the user's figures, published prices, or an estimate, and what they come to in a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..deployment.demand import HOURS_PER_MONTH
from .prices import PriceKind, PriceRange, committed, own_price, price_range

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster.hardware import Accelerator


def price_ranges(case: Case, accelerator: Accelerator) -> tuple[PriceRange | None, ...]:
    """One range per option, in the order of `Option`: the user's figure, else published prices, else an estimate.

    The user's figures are of the scenario's own accelerator: they price no other.
    """
    scenario, facts = case.scenario, case.facts
    rules, listed = facts.cost_rules(), facts.prices(accelerator.id)
    found = {kind: price_range(listed, kind) for kind in PriceKind}
    own = {
        PriceKind.ON_DEMAND: scenario.on_demand_usd,
        PriceKind.SPOT: scenario.spot_usd,
        PriceKind.RESERVED_1Y: scenario.reserved_1y_usd,
        PriceKind.RESERVED_3Y: scenario.reserved_3y_usd,
        PriceKind.PURCHASE: scenario.purchase_usd,
    }
    mine = case.accelerator.id == accelerator.id
    for kind, usd in own.items():
        if usd > 0 and mine:
            found[kind] = own_price(kind, usd)
    for kind, discount in (
        (PriceKind.RESERVED_1Y, rules.discount_1y_pct),
        (PriceKind.RESERVED_3Y, rules.discount_3y_pct),
    ):
        found[kind] = committed(found[kind], found[PriceKind.ON_DEMAND], kind, discount.value, discount.source)
    return tuple(found[kind] for kind in PriceKind)


def monthly_rents(case: Case) -> dict[str, float]:
    """Accelerator → USD per GPU and month, on demand or by a reservation that the horizon covers."""
    found = {}
    for accelerator in case.facts.accelerators():
        ranges = dict(zip(PriceKind, price_ranges(case, accelerator), strict=True))
        kinds = [PriceKind.ON_DEMAND]
        kinds += [PriceKind.RESERVED_1Y] if case.scenario.term_years >= 1 else []
        kinds += [PriceKind.RESERVED_3Y] if case.scenario.term_years >= 3 else []
        rates = [entry.median for kind in kinds if (entry := ranges[kind]) is not None]
        if rates:
            found[accelerator.id] = min(rates) * HOURS_PER_MONTH
    return found
