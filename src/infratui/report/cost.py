"""Buy or rent in words: what to do, what each way costs, and every panel of the section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.cost.decision import Leaf
from ..engine.figures.compare import Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, counted, format_count, format_tokens, significant
from . import growth, load_curve
from .cost_decision import (
    ADVICE,
    QUESTIONS,
    advice_text,
    breakeven_text,
    fork_text,
    note_text,
    signal_text,
    why_text,
)
from .cost_json import data as data
from .cost_levers import lever_data, levers, swings
from .cost_options import cards, cumulative, monthly, options, per_token
from .deployment import placed_label
from .interval import around
from .money import money
from .show import Answer, Block, Line, Lines, Prose, Says
from .workload import FAR

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.cost import CostResult, PricedOption

ASSUMED = (
    "peak_factor", "hours_per_day", "days_per_week", "ttft_ms", "tpot_ms", "spares", "term_years", "life_years",
    "resale_pct", "interest_pct", "pue", "electricity_usd_per_kwh", "staff_usd_per_year",
    "load_pct",
)  # fmt: skip
"""Inputs that the summary rests on without naming them."""


def evaluate(evaluation: Evaluation) -> CostResult:
    """The section's result."""
    return evaluation.cost


def derivations(result: CostResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: CostResult, bytes_as: ByteUnit) -> Answer:
    """What to do and what it costs a month; where that changes, the next best, and what it is not priced for."""
    currency, chosen = result.scenario.currency, result.decision
    tone = "good"
    if chosen.leaf is Leaf.NOTHING:
        tone = "tight"
    elif chosen.option is not None and result.best is None:
        tone = "bad"
    scenario = result.scenario
    written = f" → {format_tokens(scenario.output_tokens)}" if result.replica.model.answers else ""
    sizes = f"{format_tokens(scenario.input_tokens)}{written} tokens"
    asked = f"for {format_count(scenario.requests_per_day)} requests/day of {sizes}"
    if result.replica.by_rule:
        asked = f"{asked}, by the rule of thumb"
    api = chosen.leaf is Leaf.API and result.api is not None
    usd = result.api.monthly if api and result.api else result.best.monthly if result.best else None
    advice = advice_text(chosen)
    text = advice if usd is None else f"{advice}: {money(usd, currency)} a month"
    says = [Says("why", _why(result))]
    if line := next_option(result):
        says.append(Says("or", line))
    if line := far_apart(result):
        says.append(Says("!", line, "", "tight"))
    return Answer(text, asked, tone, tuple(says))


def _why(result: CostResult) -> str:
    currency, found = result.scenario.currency, result.decision
    if found.leaf is Leaf.API and result.hosted is not None:
        even = result.requests.value
        if even is None:
            return breakeven_text(result.requests)
        now = result.scenario.requests_per_day
        above = f"{format_count(round(even))} requests/day"
        return f"hosting it yourself pays above {above}; you are at {now / even:.0%} of that"
    return why_text(found, currency)


def next_option(result: CostResult) -> str:
    """The cheapest way that is not the advice, with its GPUs."""
    currency, found = result.scenario.currency, result.decision
    ways = [
        (entry.cost.monthly, f"{entry.option.value} on {cards(result)}")
        for entry in result.options
        if entry.cost is not None and not entry.barred and entry.option is not found.option
    ]
    if result.api is not None and found.leaf is not Leaf.API:
        ways.append((result.api.monthly, "an API"))
    if not ways:
        return ""
    usd, name = min(ways)
    return f"{name}: {money(usd, currency)} a month"


def far_apart(result: CostResult) -> str:
    """That memory is sized for far longer contexts than the requests that are paid for."""
    scenario = result.scenario
    request = scenario.input_tokens + scenario.output_tokens
    if scenario.context < FAR * request:
        return ""
    users = f"{counted(scenario.users, 'user')} at {format_tokens(scenario.context)} tokens"
    return f"priced for requests of {format_tokens(request)} tokens; memory is sized for {users}"


def page(result: CostResult, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel that needs no more than the section itself, in reading order."""
    return (
        monthly(result),
        sizing(result),
        decision(result),
        breakevens(result),
        cumulative(result),
        options(result),
        per_token(result),
        signals(result),
        hidden(result),
        assumptions(result),
    )


def rest(evaluation: Evaluation, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """What takes longer: the levers, what moves the decision, and growth where it is stated."""
    currency = evaluation.scenario.currency
    grown = (*load_curve.fleet(evaluation), *growth.of(evaluation))
    return levers(evaluation.cost_levers, currency), swings(evaluation.cost_tornado, currency), *grown


def rest_data(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values."""
    return lever_data(evaluation) | growth.data_of(evaluation) | load_curve.fleet_data(evaluation)


def headlines(evaluation: Evaluation, result: CostResult) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    best = result.best
    why = "no price is known" if best is None else ""
    month = breakeven_text(result.month)
    return (
        headline("GPUs in all", result.fleet.gpus),
        headline("Cost per month", best.monthly if best else None, Unit.USD, words=why),
        headline("Cost per 1M tokens", best.per_mtok if best else None, Unit.USD_PER_MTOK, words=why or "no demand"),
        headline("Breakeven month", result.month.value, Unit.MONTHS, words=month),
    )


def summary(result: CostResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences, for a ticket or a meeting."""
    sentences = [demand_line(result), sizing_line(result), verdict(result) + "."]
    sentences += [f"{option_line(entry, result)}." for entry in result.options if entry.cost is not None]
    sentences.append(f"{breakeven_line(result)}.")
    if result.api is not None:
        sentences.append(api_line(result) + ".")
    sentences += [note_text(note) for note in result.notes]
    stale = [entry.option.value for entry in result.options if entry.stale]
    if stale:
        sentences.append(f"Prices are older than 180 days for {', '.join(stale)}.")
    return " ".join(sentences)


def demand_line(result: CostResult) -> str:
    """What users ask for."""
    demand, offered = result.demand, result.offered
    days = "" if demand.days_per_week == 7 else f", {demand.days_per_week:g} days a week"
    return (
        f"{format_count(demand.requests_per_day)} requests/day of {demand.input_tokens:,} + {demand.output_tokens:,} "
        f"tokens within {demand.hours_per_day:g} h{days}: {significant(offered.mean_rate)} requests/s, "
        f"{significant(offered.peak_rate)} at peak ({format_count(offered.output_tokens_per_s)} output tokens/s)."
    )


def replica_line(result: CostResult) -> str:
    """What one replica is, and what it holds."""
    replica = result.replica
    placed = placed_label(replica.layout, replica.pools)
    serves = f"{placed} in {replica.precision.label} serves {significant(replica.requests_per_s)} requests/s"
    if replica.by_rule or replica.ttft_s is None:
        return f"{serves} by the rule of thumb: {significant(1 / replica.tpot_s)} tokens/s, one user at a time"
    if replica.own_per_s:
        return (
            f"{serves}, by your own {replica.own_per_s:,.0f} tokens/s (predicted {replica.predicted_per_s:,.0f}), at "
            f"{result.scenario.load_pct:g} % of them"
        )
    band = around(replica.requests_per_s, replica.interval, significant) or " (no measured data)"
    later = f", TPOT {replica.tpot_s * 1000:,.0f} ms" if result.demand.output_tokens > 1 else ""
    return (
        f"{serves}{band}: batch {replica.batch:,.0f}, TTFT {replica.ttft_s * 1000:,.0f} ms{later}, "
        f"limited by {replica.limited_by}"
    )


def fleet_line(result: CostResult) -> str:
    """How many of them, and how busy they are."""
    fleet = result.fleet
    spare = f", {fleet.spares} of them spare" if fleet.spares else ""
    small = f", {result.small.model.name} among them" if result.small is not None else ""
    return (
        f"{counted(fleet.replicas, 'replica')}{spare}{small} = {fleet.gpus:,} × "
        f"{result.accelerator.name}, {fleet.utilization:.0%} busy while in service"
    )


def sizing_line(result: CostResult) -> str:
    """Replica and fleet in one sentence."""
    return f"One replica, {replica_line(result)}. That takes {fleet_line(result)}."


def verdict(result: CostResult) -> str:
    """What to do, and why."""
    found = result.decision
    return f"{advice_text(found)}: {why_text(found, result.scenario.currency)}"


def option_line(entry: PricedOption, result: CostResult) -> str:
    """One option with its range."""
    currency = result.scenario.currency
    if entry.cost is None:
        return f"{entry.option.value}: {entry.words}"
    text = f"{entry.option.value} {money(entry.cost.monthly, currency)} a month"
    if entry.low is not None and entry.high is not None and entry.high > entry.low * 1.01:
        text += f" ({money(entry.low, currency)} to {money(entry.high, currency)})"
    if entry.cost.per_mtok is not None:
        text += f", {money(entry.cost.per_mtok, currency)}/1M tokens"
    return text[:1].upper() + text[1:]


def breakeven_line(result: CostResult) -> str:
    """The three breakevens in words."""
    hours = [f"{breakeven_text(entry)} ({entry.name.removeprefix('on demand = reserved ')})" for entry in result.hours]
    return "Breakevens: " + "; ".join((*hours, breakeven_text(result.month), breakeven_text(result.requests)))


def api_line(result: CostResult) -> str:
    """What the same tokens cost at an API."""
    api, currency = result.api, result.scenario.currency
    if api is None:
        return "No published API price for this model"
    if api.own:
        return f"At your own API price the same tokens cost {money(api.monthly, currency)} a month"
    return (
        f"{len(api.providers)} providers ask {money(api.low, currency)} to {money(api.high, currency)} per 1M tokens "
        f"of this mix, {money(api.monthly, currency)} a month at the median ({api.date})"
    )


def sizing(result: CostResult) -> Prose:
    """Demand, replica and fleet, a line each."""
    offered, demand = result.offered, result.demand
    load = (
        f"{significant(offered.mean_rate)} requests/s, {significant(offered.peak_rate)} at peak, "
        f"{format_count(offered.output_tokens_per_s)} output tokens/s; "
        f"{format_count(demand.requests_per_day)} a day within {demand.hours_per_day:g} h"
    )
    lines = [Says("demand", load), Says("replica", replica_line(result)), Says("fleet", fleet_line(result))]
    if result.in_flight is not None:
        flying = (
            f"{significant(result.in_flight)} requests at the peak: arrivals per second times the seconds each stays"
        )
        lines.insert(1, Says("in flight", f"{flying}; memory holds {counted(result.scenario.users, 'user')}"))
    if (small := result.small) is not None:
        rate = significant(small.requests_per_s)
        lines.append(Says("small", f"{small.model.name}: {small.layout.label}, {rate} requests/s"))
    lines += [Says("!", note_text(note), "", "tight") for note in result.notes]
    return Prose("sizing", "What the demand takes", tuple(lines))


def decision(result: CostResult) -> Prose:
    """The questions that were asked, their answers, and where they lead."""
    currency, found = result.scenario.currency, result.decision
    asked = [
        Says("yes" if fork.answer else "no", fork_text(fork, found, currency), QUESTIONS[fork.id])
        for fork in found.path
    ]
    return Prose("decision", "Decision", (*asked, Says("→", why_text(found, currency), ADVICE[found.leaf], "good")))


def breakevens(result: CostResult) -> Prose:
    """The three breakevens and the cost of a request and a user, a line each."""
    currency = result.scenario.currency
    rows = [
        Says(entry.name.replace("on demand = ", "").capitalize(), breakeven_text(entry), muted=entry.value is None)
        for entry in result.hours
    ]
    rows.append(Says("Owning", breakeven_text(result.month), muted=result.month.value is None))
    rows.append(Says("API", breakeven_text(result.requests), muted=result.requests.value is None))
    if result.best is not None and result.per_user is not None:
        request = "" if result.per_request is None else f"{money(result.per_request, currency)} per request, "
        user = f"{money(result.per_user, currency)} a month per concurrent user"
        rows.append(Says("Each", f"{request}{user} ({result.best.option.value})"))
    if result.energy is not None:
        energy = result.energy
        words = (
            f"{significant(energy.kwh)} kWh and {significant(energy.co2_g)} g CO2 per 1M tokens, servers on all month"
        )
        rows.append(Says("Energy", f"{words}, a grid of {energy.grams_per_kwh:.0f} g/kWh"))
    return Prose("breakevens", "Breakevens, and what each request and user costs", tuple(rows))


def signals(result: CostResult) -> Lines:
    """Signals to buy and to rent, those that hold marked."""
    return Lines("signals", "Signals", tuple(_signals(result)))


def _signals(result: CostResult) -> Iterator[Line]:
    for side, title in (("buy", "for buying"), ("rent", "for renting")):
        entries = [entry for entry in result.signals if entry.signal.side == side]
        held = sum(entry.holds is True for entry in entries)
        yield ((f"{title}: {held} of {len(entries)}", "bold"),)
        for entry in entries:
            glyph, tone = {True: ("✓", "good"), False: ("·", "muted"), None: ("?", "tight")}[entry.holds]
            text = (entry.signal.text, "" if entry.holds else "muted")
            yield (f"{glyph} ", tone), text, (f"  {signal_text(entry)}", "muted")


def hidden(result: CostResult) -> Lines:
    """What price lists leave out, with the month's figure where it is counted."""
    return Lines("hidden", "Hidden costs", tuple(_hidden(result)))


def _hidden(result: CostResult) -> Iterator[Line]:
    currency = result.scenario.currency
    for side, title in (("own", "when owning"), ("rent", "when renting")):
        yield ((title, "bold"),)
        for entry in result.hidden:
            if entry.cost.side != side:
                continue
            usd = entry.usd_per_month
            counted = "not counted" if usd is None else f"{money(usd, currency)}/month"
            amount = (counted, "muted" if usd is None else "key")
            yield (f"{entry.cost.text}: ", ""), amount, (f"  {entry.cost.why}", "muted")


def assumptions(result: CostResult) -> Lines:
    """What money rests on besides prices, with its sources; the user's own figures say so."""
    lines: list[Line] = []
    for entry in result.assumptions:
        held = getattr(result.scenario, entry.key) if entry.input else entry.value
        own = held != entry.value
        dollars, _, per = entry.unit.rpartition("$")
        unit = f"{dollars}{result.scenario.currency}{per}" if "$" in entry.unit else entry.unit
        lines.append(
            (
                (f"{entry.label}: ", ""),
                (f"{held:g} {unit}", "bold"),
                (f" [{'yours' if own else entry.basis}] ", "key"),
                ("" if own else entry.source, "muted"),
            )
        )
    return Lines("rates", "Your own prices and assumptions", tuple(lines))
