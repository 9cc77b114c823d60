"""Buying and renting in words: the questions of the tree, what answers them, where they lead, and the breakevens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.cost.breakeven import Crossing
from ..engine.cost.decision import Leaf, Why
from ..engine.cost.notes import CostNote
from ..engine.figures.derivation import Unit
from ..engine.figures.units import counted
from .money import money

if TYPE_CHECKING:
    from ..engine.cost.breakeven import Breakeven
    from ..engine.cost.decision import Decision, Fork
    from ..engine.cost.notes import JudgedSignal
    from ..engine.figures.reason import Reason

QUESTIONS: Mapping[str, str] = {
    "must-stay": "Must the data stay on your own premises?",
    "is-small": "Is an API cheaper at this volume?",
    "is-brief": "Is the need certain for less than a year?",
    "waits-briefly": "Does anyone wait for the first token, while it lasts?",
    "overtakes": "Does owning overtake renting within the horizon?",
    "fills-a-node": "Would you use whole servers?",
    "is-interactive": "Does anyone wait for the first token?",
    "runs-little": "Does it run fewer hours than a reservation needs to pay?",
    "is-long": "Is the need certain for three years?",
}
"""What each node of the tree asks."""
ADVICE: Mapping[Leaf, str] = {
    Leaf.OWN_BY_RULE: "buy: your data must stay on premises",
    Leaf.API: "use an API",
    Leaf.ON_DEMAND: "rent on demand and shut down outside hours",
    Leaf.SPOT: "rent spot capacity with restartable jobs",
    Leaf.OWN: "buy",
    Leaf.RESERVE_SHORT: "reserve for one year",
    Leaf.RESERVE_LONG: "reserve for three years",
    Leaf.NOTHING: "rent nothing yet",
}
"""What each leaf says."""
_PLAIN: Mapping[Why, str] = {
    Why.NO_DEMAND: "no requests are expected: any rented or bought GPU would idle",
    Why.NO_PRICE: "no price is known for this GPU: give your own rates",
    Why.NO_RENTAL: "no rental price is known",
    Why.NOBODY_WAITS: "nobody waits, so an interruption costs only repeated work",
    Why.BRIEF: "the need is shorter than any commitment",
    Why.NO_COMMITMENT: "no commitment has a price for this horizon",
    Why.BUSY: "hours are high enough for a commitment",
}


def advice_text(decision: Decision) -> str:
    """What to do, as a sentence begins."""
    advice = ADVICE[decision.leaf]
    return f"{advice[:1].upper()}{advice[1:]}"


def fork_text(fork: Fork, decision: Decision, currency: str = "$") -> str:
    """What answers a question of the path."""
    return _words(fork.fact, decision, currency)


def why_text(decision: Decision, currency: str = "$") -> str:
    """What leads to the advice."""
    words = _words(decision.why, decision, currency)
    return f"use is high and certain enough: {words}" if decision.why.kind is Why.OVERTAKES else words


def _words(reason: Reason, decision: Decision, currency: str) -> str:
    match reason.kind:
        case Why.OVERTAKES:
            return breakeven_text(decision.overtakes)
        case Why.MONTHLY:
            return _monthly(reason, currency)
        case Why.WOULD_IDLE:
            return f"at this volume hardware would idle: {_monthly(reason, currency)}"
        case Why.RUNNING:
            return _running(reason, currency)
        case Why.PAID_ANYWAY:
            return f"reserved hours are paid whether used or not: {_running(reason, currency)}"
        case Why.ON_PREMISES:
            return f"data must stay on premises{_premium(reason, currency)}"
    return _PLAIN.get(Why(reason.kind)) or _circumstance(reason)


def _circumstance(reason: Reason) -> str:
    number = reason.number
    match reason.kind:
        case Why.COMPLIANCE:
            return f"“Compliance” is {'on' if number('on') else 'off'}"
        case Why.TERM:
            return f"{number('years'):g} year{'' if number('years') == 1 else 's'}"
        case Why.SERVERS:
            return f"{counted(number('gpus'), 'GPU')}, sold by {number('sold_by'):.0f}"
    return "a latency target is set" if number("on") else "no latency target"


def _monthly(reason: Reason, currency: str) -> str:
    api = f"API {money(reason.number('api_usd'), currency)}"
    if not reason.has("hosted_usd"):
        return api
    return f"{api}, hosted {money(reason.number('hosted_usd'), currency)} a month"


def _running(reason: Reason, currency: str) -> str:
    on_demand, reserved = (money(reason.number(key), currency) for key in ("on_demand_usd", "reserved_usd"))
    return f"on demand {on_demand}, reserved {reserved} a month"


def _premium(reason: Reason, currency: str) -> str:
    if reason.name:
        return "; no purchase price is known: give your own"
    if not reason.has("premium_usd"):
        return ""
    premium = reason.number("premium_usd")
    if premium <= 0:
        return ", and owning is the cheapest option anyway"
    return f"; that costs {money(premium, currency)} a month over the cheapest other option"


def breakeven_text(found: Breakeven) -> str:
    """Where two ways to pay cost the same, or why nowhere."""
    match found.unit:
        case Unit.HOURS:
            return _hours(found)
        case Unit.MONTHS:
            return _month(found)
    return _requests(found)


def _hours(found: Breakeven) -> str:
    match found.crossing:
        case Crossing.MET:
            return f"reserve above {found.value:.1f} h/day"
        case Crossing.AT_ONCE:
            return "reserving pays at practically any use"
        case Crossing.FREE:
            return "on demand is free, so a reservation never pays"
        case Crossing.NEVER:
            return "on demand stays cheaper even around the clock"
    return "needs both an on-demand and a reserved price"


def _month(found: Breakeven) -> str:
    rent = found.rent.value if found.rent else "renting"
    match found.crossing:
        case Crossing.MET:
            return f"owning overtakes {rent} after {found.takes:.1f} months"
        case Crossing.NEVER:
            return f"owning never pays back: running it costs as much as {rent}"
        case Crossing.BEYOND_LIFE:
            life = f"longer than the hardware's life of {found.life_months:,.0f}"
            return f"paying back takes {found.takes:,.0f} months, {life}"
    return "needs a purchase price and a rental price"


def _requests(found: Breakeven) -> str:
    match found.crossing:
        case Crossing.MET:
            replicas = f"{found.takes:.0f} replica{'' if found.takes == 1 else 's'}"
            return f"self-hosting pays above {found.value:,.0f} requests/day ({replicas})"
        case Crossing.NEVER:
            return "a full replica costs more than the API would charge for the same tokens: the API stays cheaper"
        case Crossing.NOT_ASKED:
            return "an API is no option here"
        case Crossing.CASCADE:
            return "a cascade has no single API price beside it"
        case Crossing.NO_GPU_PRICE:
            return "no price for this GPU; set your own"
    return "no published API price for this model; set your own"


def note_text(note: Reason) -> str:
    """What should be known before the figures are believed."""
    match note.kind:
        case CostNote.NO_DEMAND:
            return "No demand: the figures are those of one idle replica, and no cost per token exists."
        case CostNote.MORE_THAN_ANYONE_HAS:
            gpus = note.number("gpus")
            return f"{gpus:,.0f} GPUs are more than any operator has: the figures are arithmetic only."
        case CostNote.BY_RULE:
            return (
                "By the rule of thumb: a day spread over its 24 hours without a peak, no batch, no users to hold, no "
                "latency targets. The detailed estimator counts all of them (D)."
            )
        case CostNote.UNMEASURED:
            return f"No measured data for this kind of model on {note.name}: speed is unproven."
        case CostNote.OWN_SPEED:
            own, predicted = note.number("own"), note.number("predicted")
            return (
                f"Your own {own:,.0f} tokens/s of one copy take the place of the {predicted:,.0f} that are predicted; "
                "latencies stay predicted."
            )
        case CostNote.RULE_TAKES_MORE:
            gpus, batch = note.number("gpus"), note.number("batch")
            return (
                f"A calculator without batching would say {gpus:,.0f} GPUs; {batch:,.0f} requests share each read of "
                "the weights, so fewer do."
            )
        case CostNote.NO_POWER:
            return f"{note.name} has no published power: owning is shown without electricity and hosting."
    return "No published API price for this model: set one to compare."


def signal_text(judged: JudgedSignal) -> str:
    """The figures by which a signal holds or not."""
    given = {key: value for key, value in judged.figures.items() if value is not None}
    match judged.signal.id:
        case "rule":
            return f"compliance is {'on' if given['on'] else 'off'}"
        case "steady":
            return f"{given['share']:.0%} of all hours in service"
        case "volume":
            return f"{given['requests_per_day']:,.0f} requests/day"
        case "payback":
            month = given.get("month")
            return "never" if month is None else f"month {month:.1f} of {given['term_months']:.0f}"
        case "peaky":
            return f"peaks {given['factor']:g} times the mean"
        case "short":
            return f"{given['years']:g} years of {given['life_years']:g}"
        case "no-team":
            return "staff is budgeted" if given["usd_per_year"] else "no staff is budgeted"
        case "small-fleet":
            return f"{counted(given['gpus'], 'GPU')}, sold by {given['sold_by']:.0f}"
    return "yours to judge"
