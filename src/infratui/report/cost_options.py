"""The ways to pay, beside each other: per month, over time, per million tokens, and where each price comes from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..engine.cost.decision import Leaf
from ..engine.cost.options import Option
from ..engine.figures.units import format_count
from .money import money
from .names import short_name
from .show import Bar, Bars, Cell, Chart, Column, Curve, Row, Rule, Table

if TYPE_CHECKING:
    from ..engine.sections.cost import CostResult, PricedOption


TONES = {
    Option.ON_DEMAND: "tight",
    Option.SPOT: "good",
    Option.RESERVED_1Y: "weights",
    Option.RESERVED_3Y: "kv",
    Option.OWNED: "overhead",
}
"""One colour per option, in bars and curves alike."""


_OPTION_COLUMNS = (
    Column("option", "left"),
    Column("month"),
    Column("year", keep=3),
    Column("horizon", keep=4),
    Column("per 1M", keep=1),
    Column("price", "left", keep=2, flex=True, sortable=False),
)


def cards(result: CostResult) -> str:
    """`5 × H100 SXM`."""
    return f"{format_count(result.fleet.gpus)} × {short_name(result.accelerator)}"


def monthly(result: CostResult) -> Bars:
    """One bar per option with a price, and the API's."""
    currency = result.scenario.currency
    bars = [
        Bar(
            entry.option.value,
            entry.cost.monthly,
            money(entry.cost.monthly, currency),
            "weights",
            _range(entry, currency),
            entry.option is result.decision.option,
        )
        for entry in result.options
        if entry.cost is not None
    ]
    api = result.api
    if api is not None:
        note = f"{money(api.monthly_low, currency)} – {money(api.monthly_high, currency)}" if api.providers else "own"
        recommended = result.decision.leaf is Leaf.API
        bars.append(Bar("API", api.monthly, money(api.monthly, currency), "weights", note, recommended))
    bars.sort(key=lambda bar: bar.amount)
    return Bars("options", f"What each way costs per month, {cards(result)} · o price older than 180 days", tuple(bars))


def _range(entry: PricedOption, currency: str) -> str:
    """Low to high, `o` where the price is old, and why the option is out of the question here."""
    own = entry.price is not None and entry.price.own
    if entry.low is None or entry.high is None or entry.high <= entry.low * 1.01:
        text = "own price" if own else ""
    else:
        text = f"{money(entry.low, currency)} – {money(entry.high, currency)}{' o' if entry.stale else ''}"
    return " · ".join(part for part in (text, entry.barred) if part)


def cumulative(result: CostResult) -> Chart:
    """Money spent month by month, one curve per option, the breakeven as an upright rule."""
    months = max(12, math.ceil(result.scenario.term_years * 12))
    if result.month.value is not None and result.month.value <= 120:
        months = max(months, math.ceil(result.month.value * 1.15))
    currency = result.scenario.currency
    curves = tuple(
        Curve(
            entry.option.value,
            tuple((float(at), entry.cost.cumulative(at)) for at in range(months + 1)),
            TONES[entry.option],
        )
        for entry in result.options
        if entry.cost is not None
    )
    rules = []
    if result.month.value is not None and result.month.value <= months:
        rules.append(Rule(f"month {result.month.value:.1f}", result.month.value, "good", upright=True))
    return Chart(
        curves=curves,
        rules=tuple(rules),
        x_label="months",
        y_label="spent",
        x_text=lambda value: f"{value:.0f}",
        y_text=lambda value: money(value, currency),
        id="cumulative",
        title="Money spent, month by month",
    )


def options(result: CostResult) -> Table:
    """The options as a table: totals, cost per token, and where the price comes from."""
    scenario = result.scenario
    currency, rows = scenario.currency, []
    for entry in result.options:
        name = Cell(entry.option.value, "bold" if entry.option is result.decision.option else "")
        words = Cell(entry.words, "tight" if entry.stale else "muted")
        if entry.cost is None:
            none = Cell("–", "muted", math.inf)
            rows.append(Row(entry.option.name, (name, none, none, none, none, words), "muted"))
            continue
        monthly = entry.cost.monthly
        amounts = (monthly, entry.cost.yearly, entry.cost.yearly * scenario.term_years)
        cells = [Cell(money(amount, currency), "", amount) for amount in amounts]
        per_mtok = entry.cost.per_mtok
        each = Cell("–", "muted", math.inf) if per_mtok is None else Cell(money(per_mtok, currency), "", per_mtok)
        marked = entry.option is result.decision.option
        providers = entry.price.providers[:6] if entry.price is not None else ()
        detail = "; ".join((entry.words, *providers))
        rows.append(Row(entry.option.name, (name, *cells, each, words), "", marked, detail))
    api = result.api
    if api is not None:
        totals = (api.monthly, api.monthly * 12, api.monthly * 12 * scenario.term_years)
        cells = [Cell(money(amount, currency), "", amount) for amount in totals]
        source = "your own price" if api.own else f"{len(api.providers)} providers, {api.date}, {api.age_days} days old"
        marked = result.decision.leaf is Leaf.API
        name = Cell("API", "bold" if marked else "")
        tone = "tight" if api.stale else "muted"
        each = Cell(money(api.median, currency), "", api.median)
        rows.append(Row("API", (name, *cells, each, Cell(source, tone)), "", marked))
    return Table("table", "Options and where their prices come from", _OPTION_COLUMNS, tuple(rows))


def per_token(result: CostResult) -> Bars:
    """Cost per 1M tokens: providers cheapest first, with the options among them."""
    currency, api = result.scenario.currency, result.api
    found = [
        Bar(
            entry.option.value,
            entry.cost.per_mtok,
            money(entry.cost.per_mtok, currency),
            TONES[entry.option],
            "on your GPUs",
        )
        for entry in result.options
        if entry.cost is not None and entry.cost.per_mtok is not None
    ]
    if api is not None and api.own:
        found.append(Bar("your API price", api.median, money(api.median, currency), "key", "API"))
    elif api is not None:
        found += [
            Bar(
                entry.provider,
                entry.usd_per_mtok,
                money(entry.usd_per_mtok, currency),
                "key",
                f"{money(entry.input, currency)} in, {money(entry.output, currency)} out",
            )
            for entry in api.providers
        ]
    return Bars("tokens", "Per 1M tokens, beside API prices", tuple(sorted(found, key=lambda bar: bar.amount)))
