"""What the Buy vs Rent screen says: headline, bars, table rows, chart and lists."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from ....engine.cost.decision import Leaf
from ....engine.cost.levers import CostLever
from ....engine.cost.options import Option
from ....engine.deployment.planner import DemandPlan
from ....engine.figures.units import format_count, significant
from ....engine.sections.cost import CostResult, PricedOption
from ....report.cost import fleet_line, labelled, money, replica_line
from ...widgets.bar_list import Bar
from ...widgets.headline import Answer
from ...widgets.line_chart import Chart, Curve, Rule
from ...widgets.table import Cell, Column, Row

TONES = {
    Option.ON_DEMAND: "tight",
    Option.SPOT: "good",
    Option.RESERVED_1Y: "weights",
    Option.RESERVED_3Y: "kv",
    Option.OWNED: "overhead",
}
"""One colour per option, in bars and curves alike."""

OPTION_COLUMNS = (
    Column("option", "left"),
    Column("month"),
    Column("year", keep=3),
    Column("horizon", keep=4),
    Column("per 1M", keep=1),
    Column("price", "left", keep=2, flex=True, sortable=False),
)
LEVER_COLUMNS = (
    Column("", "left", sortable=False),
    Column("lever", "left"),
    Column("saves"),
    Column("share", keep=1),
    Column("says", "left", keep=2, flex=True, sortable=False),
)

PLAN_COLUMNS = (
    Column("plan", "left", flex=True),
    Column("month"),
    Column("per 1M", keep=2),
    Column("tok/s·user", keep=1),
    Column("paid", "left", keep=3),
    Column("against it", "left", keep=4, sortable=False),
)
SEARCH = "search"
"""Id of the row that starts the search."""


def answer(result: CostResult) -> Answer:
    """The headline: what it costs a month, what to do, and why."""
    currency, decision = result.scenario.currency, result.decision
    figure = ""
    if decision.leaf is Leaf.API and result.api is not None:
        figure = f"{money(result.api.monthly, currency)}/month"
    elif result.best is not None:
        figure = f"{money(result.best.monthly, currency)}/month"
    tone = "good"
    if decision.leaf is Leaf.NOTHING:
        tone = "tight"
    elif decision.option is not None and result.best is None:
        tone = "bad"
    cards = f"{format_count(result.fleet.gpus)} × {short(result.accelerator.name, result.accelerator.vendor)}"
    if decision.leaf is Leaf.API and result.hosted is not None:
        hosted = money(result.hosted.monthly, currency)
        return Answer(figure, decision.advice, tone, f"serving it yourself: {cards}, {hosted}; {result.requests.words}")
    per_mtok = result.best.per_mtok if result.best else None
    each = f" · {money(per_mtok, currency)}/1M tokens" if per_mtok is not None else ""
    why = labelled(decision.why, currency)
    return Answer(figure, decision.advice, tone, f"{why} · {cards}{each}")


def short(name: str, vendor: str) -> str:
    """An accelerator's name without its maker."""
    return name.removeprefix(vendor).strip() or name


def sizing(result: CostResult) -> Content:
    """Demand, replica and fleet, a line each."""
    offered, demand = result.offered, result.demand
    load = (
        f"{significant(offered.mean_rate)} requests/s, {significant(offered.peak_rate)} at peak, "
        f"{format_count(offered.output_tokens_per_s)} output tokens/s; "
        f"{format_count(demand.requests_per_day)} a day within {demand.hours_per_day:g} h"
    )
    lines = [("demand ", load), ("replica", replica_line(result)), ("fleet  ", fleet_line(result))]
    if (small := result.small) is not None:
        rate = significant(small.requests_per_s)
        lines.append(("small  ", f"{small.model.name}: {small.layout.label}, {rate} requests/s"))
    found = [Content.assemble((f"{label} ", "bold"), text) for label, text in lines]
    found += [Content.assemble(("! ", "$tight"), (note, "$tight")) for note in result.notes]
    return Content("\n").join(found)


def option_bars(result: CostResult) -> list[Bar]:
    """One bar per option with a price, and the API's."""
    currency = result.scenario.currency
    bars = [
        Bar(
            entry.option.value,
            entry.cost.monthly,
            money(entry.cost.monthly, currency),
            TONES[entry.option],
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
        bars.append(Bar("API", api.monthly, money(api.monthly, currency), "key", note, recommended))
    return bars


def _range(entry: PricedOption, currency: str) -> str:
    """Low to high, `!` where the price is stale, and why the option is out of the question here."""
    own = entry.price is not None and entry.price.own
    if entry.low is None or entry.high is None or entry.high <= entry.low * 1.01:
        text = "own price" if own else ""
    else:
        text = f"{money(entry.low, currency)} – {money(entry.high, currency)}{' !' if entry.stale else ''}"
    return " · ".join(part for part in (text, entry.barred) if part)


def option_rows(result: CostResult) -> list[Row]:
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
        rows.append(Row(entry.option.name, (name, *cells, each, words), "", marked))
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
    return rows


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
    )


def breakevens(result: CostResult) -> Content:
    """The three breakevens and the cost of a request and a user, a line each."""
    currency = result.scenario.currency
    rows = [
        (entry.name.replace("on demand = ", "").capitalize(), entry.words, entry.value is not None)
        for entry in result.hours
    ]
    rows.append(("Owning", result.month.words, result.month.value is not None))
    rows.append(("API", result.requests.words, result.requests.value is not None))
    if result.best is not None and result.per_user is not None:
        request = "" if result.per_request is None else f"{money(result.per_request, currency)} per request, "
        user = f"{money(result.per_user, currency)} a month per concurrent user"
        rows.append(("Each", f"{request}{user} ({result.best.option.value})", True))
    width = max(len(name) for name, _, _ in rows)
    return Content("\n").join(
        Content.assemble((f"{name:{width}}  ", "bold"), (words, "" if known else "$muted"))
        for name, words, known in rows
    )


def token_bars(result: CostResult) -> list[Bar]:
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
    return sorted(found, key=lambda bar: bar.amount)


def lever_rows(levers: Sequence[CostLever], currency: str) -> list[Row]:
    """The levers as switches."""
    rows = []
    for entry in levers:
        saves, share = entry.saves, entry.share
        tone = "" if saves is None or abs(share or 0) < 0.005 else "good" if saves > 0 else "bad"
        claim = f"; {entry.note.claim}" if entry.note.claim else ""
        rows.append(
            Row(
                entry.note.id,
                (
                    Cell("[x]" if entry.on else "[ ]", "key" if entry.on else ""),
                    Cell(entry.note.label, "bold" if entry.on else ""),
                    Cell("–" if saves is None else money(saves, currency), tone, -math.inf if saves is None else saves),
                    Cell("–" if share is None else f"{share:.0%}", tone, share),
                    Cell(f"{labelled(entry.words, currency)}{claim}", "muted"),
                ),
                "" if entry.turn else "muted",
            )
        )
    return rows


def search_row() -> Row:
    """What stands in the table of plans before they are searched."""
    text = "enter: search"
    blank = Cell("", "muted")
    return Row(SEARCH, (Cell(text, "key"), blank, blank, blank, blank, blank))


def plan_rows(plan: DemandPlan, shown: int = 40) -> list[Row]:
    """The best layout of each accelerator and format, cheapest first; `?` where no measured data back the speed."""
    scenario, rows = plan.scenario, []
    for entry in plan.candidates[:shown]:
        here = entry.accelerator.id == scenario.accelerator and entry.precision.id == scenario.precision
        unproven = "" if entry.replica.band_pct is not None else " ?"
        per_mtok = entry.usd_per_mtok
        rows.append(
            Row(
                f"{entry.accelerator.id} {entry.precision.id}",
                (
                    Cell(f"{'● ' if here else ''}{entry.label.replace('NVIDIA ', '')}", "bold" if here else ""),
                    Cell(money(entry.monthly, scenario.currency), "", entry.monthly),
                    Cell("–" if per_mtok is None else money(per_mtok, scenario.currency), "", per_mtok),
                    Cell(f"{entry.tokens_per_s_per_user:,.0f}{unproven}", "", entry.tokens_per_s_per_user),
                    Cell(entry.option.value),
                    Cell(entry.loses or "cheapest", "muted" if entry.loses else "good"),
                ),
            )
        )
    return rows


def signals(result: CostResult, width: int) -> Content:
    """Signals to buy and to rent, those that hold marked."""
    lines: list[Content] = []
    for side, title in (("buy", "for buying"), ("rent", "for renting")):
        entries = [entry for entry in result.signals if entry.signal.side == side]
        held = sum(entry.holds is True for entry in entries)
        lines.append(Content.styled(f"{title}: {held} of {len(entries)}", "bold"))
        for entry in entries:
            glyph, tone = {True: ("✓", "$good"), False: ("·", "$muted"), None: ("?", "$tight")}[entry.holds]
            lines.append(
                Content.assemble(
                    (f"{glyph} ", tone),
                    (entry.signal.text, "" if entry.holds else "$muted"),
                    (f"  {entry.fact}", "$muted"),
                )
            )
    return Content("\n").join(line[:width] if len(line) > width else line for line in lines)


def hidden(result: CostResult) -> Content:
    """What price lists leave out, with the month's figure where it is counted."""
    currency = result.scenario.currency
    lines: list[Content] = []
    for side, title in (("own", "when owning"), ("rent", "when renting")):
        lines.append(Content.styled(title, "bold"))
        for entry in result.hidden:
            if entry.cost.side != side:
                continue
            usd = entry.usd_per_month
            counted = "not counted" if usd is None else f"{money(usd, currency)}/month"
            lines.append(
                Content.assemble(
                    f"{entry.cost.text}: ",
                    (counted, "$muted" if usd is None else "$key"),
                    (f"  {entry.cost.why}", "$muted"),
                )
            )
    return Content("\n").join(lines)


def assumptions(result: CostResult) -> Content:
    """What money rests on besides prices, with its sources; the user's own figures say so."""
    lines = []
    for entry in result.assumptions:
        held = getattr(result.scenario, entry.key) if entry.input else entry.value
        own = held != entry.value
        lines.append(
            Content.assemble(
                f"{entry.label}: ",
                (f"{held:g} {entry.unit}", "bold"),
                (f" [{'yours' if own else entry.basis}] ", "$key"),
                ("" if own else entry.source, "$muted"),
            )
        )
    return Content("\n").join(lines)
