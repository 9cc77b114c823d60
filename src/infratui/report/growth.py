"""What growing demand takes: the months in which the fleet grows, what they cost, and whether to buy now or later."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine.cost.growth import is_growing
from ..engine.figures.units import counted, format_count
from .money import money
from .reasons import error_text, reason_text
from .show import Block, Cell, Chart, Column, Curve, Prose, Row, Rule, Says, Table

if TYPE_CHECKING:
    from ..engine.cost.growth import DemandGrowth, GrowthMonth, GrowthPlan
    from ..engine.evaluate import Evaluation

TITLE = "Growth: when the fleet must grow, and what it costs"
_COLUMNS = (
    Column("month"),
    Column("requests/day", term="growth"),
    Column("users", keep=2, term="concurrency"),
    Column("GPUs", term="node"),
    Column("layout", "left", keep=3),
    Column("rent/month", term="on-demand"),
    Column("own/month", term="owned"),
    Column("to buy it", keep=1, term="owned"),
)
_PLANS = {
    "rent": "rent throughout",
    "buy-now": "buy now what the end needs",
    "buy-as-it-grows": "buy as it grows",
    "rent-until": "rent until month {month}, then buy as it grows",
}


def unasked() -> Prose:
    """What stands there while no growth is stated."""
    return Prose("growth-words", "", (Says("", "no growth is stated: set Growth or Grows to", muted=True),))


def refused(words: str) -> Prose:
    """Why there is no answer."""
    return Prose("growth-words", TITLE, (Says("", words, "No answer", "bad"),))


def of(evaluation: Evaluation) -> tuple[Block, ...]:
    """What an evaluation says of growth; nothing where none is stated."""
    if not is_growing(evaluation.case):
        return ()
    try:
        return page(evaluation.growth, evaluation.scenario.currency)
    except ValueError as error:
        return (refused(error_text(error)),)


def data_of(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values."""
    if not is_growing(evaluation.case):
        return {}
    try:
        return data(evaluation.growth)
    except ValueError as error:
        return {"growth": {"refused": error_text(error)}}


def page(found: DemandGrowth, currency: str = "$") -> tuple[Block, ...]:
    """The chart, what to do, and the months in which something changes."""
    return (chart(found), words(found, currency), table(found, currency))


def chart(found: DemandGrowth) -> Chart:
    """GPUs over the months."""
    points = tuple((float(month.month), float(month.gpus)) for month in found.months)
    lead = (Rule("lead time", float(found.lead_months), "muted", upright=True),) if found.lead_months else ()
    return Chart(
        (Curve("GPUs", points, "weights"),),
        lead,
        "months",
        "GPUs",
        "{:.0f}".format,
        lambda value: f"{value:,.0f}",
        id="growth-chart",
        title=TITLE,
    )


def plan_text(plan: GrowthPlan) -> str:
    """A way to pay, in words."""
    return _PLANS[plan.id].format(month=plan.owned_from)


def words(found: DemandGrowth, currency: str = "$") -> Prose:
    """The growth, its steps and the ways to pay, cheapest first."""
    first, last = found.months[0], found.months[-1]
    steps = ", ".join(f"month {month.month}: {month.gpus:,}" for month in found.steps[:8])
    more = f" and {len(found.steps) - 8} more" if len(found.steps) > 8 else ""
    said = [
        Says(
            "Growth",
            f"{found.rate:.1%} a month: {format_count(first.requests_per_day)} → "
            f"{format_count(last.requests_per_day)} requests/day, {format_count(last.users)} users in month "
            f"{last.month}",
        ),
        Says("Fleet", f"{counted(first.gpus, 'GPU')} today; {steps + more if steps else 'they last to the end'}"),
    ]
    if found.refusal:
        said.append(
            Says("", f"beyond month {last.month} nothing serves: {reason_text(found.refusal)}", "No answer", "bad")
        )
    for at, plan in enumerate(found.plans):
        gap = f", {money(plan.total - found.plans[0].total, currency)} more" if at else ""
        ordered = "" if plan.order_in is None else f"; ordered in month {plan.order_in}, there in {plan.owned_from}"
        said.append(
            Says(
                "" if at else "Cheapest",
                f"{money(plan.total, currency)} over {last.month} months{gap}{ordered}",
                plan_text(plan),
                "good" if not at else "",
            )
        )
    if not found.plans:
        said.append(Says("Cost", "no price is known for this GPU", muted=True))
    else:
        said.append(
            Says(
                "Basis",
                "each month at the cheapest rental of its fleet; own hardware with capital, interest and resale spread "
                f"over its life, {found.lead_months} months after it is ordered; users grow with requests",
                muted=True,
            )
        )
    return Prose("growth-words", "", tuple(said))


def table(found: DemandGrowth, currency: str = "$") -> Table:
    """Today, the months in which the fleet grows, and the last one."""
    kept = {found.months[0].month, found.months[-1].month, *(month.month for month in found.steps)}
    rows = tuple(_row(month, partial(money, currency=currency)) for month in found.months if month.month in kept)
    return Table("growth", TITLE, _COLUMNS, rows)


def _row(month: GrowthMonth, amount: Any) -> Row:
    def usd(value: float | None) -> Cell:
        return Cell("–", "muted") if value is None else Cell(amount(value), rank=value)

    return Row(
        str(month.month),
        (
            Cell(str(month.month), "bold", float(month.month)),
            Cell(format_count(month.requests_per_day), rank=float(month.requests_per_day)),
            Cell(format_count(month.users), rank=float(month.users)),
            Cell(f"{month.gpus:,}", "key" if month.grows else "", float(month.gpus)),
            Cell(month.layout.label),
            usd(month.rent),
            usd(month.own),
            usd(month.upfront),
        ),
    )


def data(found: DemandGrowth) -> dict[str, Any]:
    """The months and plans as plain values; USD."""
    return {
        "growth": {
            "rate_per_month": found.rate,
            "lead_months": found.lead_months,
            "refused": found.refusal,
            "fleet_grows_in_months": [month.month for month in found.steps],
            "months": [
                {
                    "month": month.month,
                    "requests_per_day": month.requests_per_day,
                    "users": month.users,
                    "gpus": month.gpus,
                    "layout": month.layout.label,
                    "rent_usd_per_month": month.rent,
                    "own_usd_per_month": month.own,
                    "purchase_usd": month.upfront,
                    "grows": month.grows,
                }
                for month in found.months
            ],
            "plans": [
                {
                    "plan": plan.id,
                    "usd": plan.total,
                    "owned_from_month": plan.owned_from,
                    "order_in_month": plan.order_in,
                    "gpus_owned": plan.bought_gpus,
                }
                for plan in found.plans
            ],
        }
    }
