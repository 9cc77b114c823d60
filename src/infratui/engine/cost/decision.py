"""The decision tree of buying and renting, walked with the figures of a scenario: which leaf, and by which path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..figures.units import format_usd
from .breakeven import Breakeven
from .options import Option, OptionCost


class Leaf(StrEnum):
    """Where the tree can end; ids as in the reference's tree of the same name."""

    OWN_BY_RULE = "own-by-rule"
    API = "api"
    ON_DEMAND = "on-demand"
    SPOT = "spot"
    OWN = "own"
    RESERVE_SHORT = "reserve-short"
    RESERVE_LONG = "reserve-long"
    NOTHING = "nothing"
    """No demand, or no price: there is nothing to decide."""


OPTION_OF: Mapping[Leaf, Option] = {
    Leaf.OWN_BY_RULE: Option.OWNED,
    Leaf.OWN: Option.OWNED,
    Leaf.ON_DEMAND: Option.ON_DEMAND,
    Leaf.SPOT: Option.SPOT,
    Leaf.RESERVE_SHORT: Option.RESERVED_1Y,
    Leaf.RESERVE_LONG: Option.RESERVED_3Y,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the tree asks about. Money is USD per month."""

    compliance: bool
    requests_per_day: int
    term_years: float
    someone_waits: bool
    """A latency target is set."""
    gpus: int
    sold_by: int
    """GPUs that are bought at once: those of a server, or 1 for cards."""
    options: Mapping[Option, OptionCost]
    api_monthly: float | None
    overtakes: Breakeven
    """Month in which owning overtakes the cheapest rental."""


@dataclass(frozen=True, slots=True)
class Fork:
    """One question on the path and how it was answered."""

    id: str
    question: str
    answer: bool
    fact: str
    """The figures that answer it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A leaf and the path to it."""

    leaf: Leaf
    path: tuple[Fork, ...]
    advice: str
    why: str

    @property
    def option(self) -> Option | None:
        """The option to take; None where that is an API or nothing."""
        return OPTION_OF.get(self.leaf)


@dataclass(frozen=True, slots=True)
class Node:
    """A question of the tree; `yes` and `no` are ids of questions or leaves."""

    id: str
    question: str
    yes: str
    no: str


TREE = (
    Node("must-stay", "Must the data stay on your own premises?", "own-by-rule", "is-small"),
    Node("is-small", "Is an API cheaper at this volume?", "api", "is-brief"),
    Node("is-brief", "Is the need certain for less than a year?", "waits-briefly", "overtakes"),
    Node("waits-briefly", "Does anyone wait for the first token, while it lasts?", "on-demand", "spot"),
    Node("overtakes", "Does owning overtake renting within the horizon?", "fills-a-node", "is-interactive"),
    Node("fills-a-node", "Would you use whole servers?", "own", "is-interactive"),
    Node("is-interactive", "Does anyone wait for the first token?", "runs-little", "spot"),
    Node("runs-little", "Does it run fewer hours than a reservation needs to pay?", "on-demand", "is-long"),
    Node("is-long", "Is the need certain for three years?", "reserve-long", "reserve-short"),
)
"""The questions in the order they are asked."""
_QUESTIONS = {node.id: node.question for node in TREE}

ADVICE = {
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


def commitments(options: Mapping[Option, OptionCost], term_years: float) -> dict[Option, OptionCost]:
    """The reservations that the horizon covers."""
    found = {}
    for option, years in ((Option.RESERVED_1Y, 1), (Option.RESERVED_3Y, 3)):
        if option in options and term_years >= years:
            found[option] = options[option]
    return found


def cheapest_rental(case: Circumstances) -> OptionCost | None:
    """The cheapest way to rent that the horizon and the users allow."""
    rentals = dict(commitments(case.options, case.term_years))
    if Option.ON_DEMAND in case.options:
        rentals[Option.ON_DEMAND] = case.options[Option.ON_DEMAND]
    if Option.SPOT in case.options and not case.someone_waits:
        rentals[Option.SPOT] = case.options[Option.SPOT]
    return min(rentals.values(), key=lambda cost: cost.monthly, default=None)


class _Walk:
    """The path so far."""

    def __init__(self) -> None:
        self.path: list[Fork] = []

    def ask(self, key: str, answer: bool, fact: str) -> bool:
        self.path.append(Fork(key, _QUESTIONS[key], answer, fact))
        return answer

    def end(self, leaf: Leaf, why: str) -> Decision:
        return Decision(leaf, tuple(self.path), ADVICE[leaf], why)


def decide(case: Circumstances) -> Decision:
    """Walk the tree: compliance, volume, certainty, payback, patience, hours."""
    walk = _Walk()
    if walk.ask("must-stay", case.compliance, _rule(case)):
        return walk.end(Leaf.OWN_BY_RULE, _by_rule(case))
    if case.requests_per_day == 0:
        return walk.end(Leaf.NOTHING, "no requests are expected: any rented or bought GPU would idle")
    rental = cheapest_rental(case)
    own = case.options.get(Option.OWNED)
    best = min((cost for cost in (rental, own) if cost is not None), key=lambda cost: cost.monthly, default=None)
    if case.api_monthly is not None:
        fact = f"API {format_usd(case.api_monthly)}" + (f", hosted {format_usd(best.monthly)} a month" if best else "")
        dear = best is None or case.api_monthly < best.monthly
        if walk.ask("is-small", dear, fact):
            return walk.end(Leaf.API, f"at this volume hardware would idle: {fact}")
    if best is None:
        return walk.end(Leaf.NOTHING, "no price is known for this GPU: give your own rates")
    brief = walk.ask("is-brief", case.term_years < 1, _term(case))
    if not brief and own is not None:
        pays = case.overtakes.value is not None and case.overtakes.value <= case.term_years * 12
        pays = pays and (rental is None or own.monthly < rental.monthly)
        if walk.ask("overtakes", pays, case.overtakes.words):
            whole = case.gpus >= case.sold_by
            fact = f"{case.gpus:,} GPUs, sold by {case.sold_by}"
            if walk.ask("fills-a-node", whole, fact) or rental is None:
                return walk.end(Leaf.OWN, f"use is high and certain enough: {case.overtakes.words}")
    if rental is None:
        return walk.end(Leaf.OWN, "no rental price is known")
    return _rent(case, rental, brief, walk)


def _rent(case: Circumstances, rental: OptionCost, brief: bool, walk: _Walk) -> Decision:
    on_demand = case.options.get(Option.ON_DEMAND)
    fact = "a latency target is set" if case.someone_waits else "no latency target"
    key = "waits-briefly" if brief else "is-interactive"
    waits = walk.ask(key, case.someone_waits, fact)
    if not waits and rental.option is Option.SPOT:
        return walk.end(Leaf.SPOT, "nobody waits, so an interruption costs only repeated work")
    reserved = min(commitments(case.options, case.term_years).values(), key=lambda cost: cost.monthly, default=None)
    if brief or reserved is None:
        why = "the need is shorter than any commitment" if brief else "no commitment has a price for this horizon"
        return walk.end(Leaf.ON_DEMAND, why)
    if on_demand is not None:
        idle = on_demand.monthly <= reserved.monthly
        fact = f"on demand {format_usd(on_demand.monthly)}, reserved {format_usd(reserved.monthly)} a month"
        if walk.ask("runs-little", idle, fact):
            return walk.end(Leaf.ON_DEMAND, f"reserved hours are paid whether used or not: {fact}")
    long = reserved.option is Option.RESERVED_3Y
    walk.ask("is-long", long, _term(case))
    return walk.end(Leaf.RESERVE_LONG if long else Leaf.RESERVE_SHORT, "hours are high enough for a commitment")


def _rule(case: Circumstances) -> str:
    return "“Compliance” is on" if case.compliance else "“Compliance” is off"


def _term(case: Circumstances) -> str:
    return f"{case.term_years:g} year{'' if case.term_years == 1 else 's'}"


def _by_rule(case: Circumstances) -> str:
    own = case.options.get(Option.OWNED)
    if own is None:
        return "data must stay on premises; no purchase price is known: give your own"
    rental = cheapest_rental(case)
    others = [cost for cost in (rental.monthly if rental else None, case.api_monthly) if cost is not None]
    if not others:
        return "data must stay on premises"
    premium = own.monthly - min(others)
    if premium <= 0:
        return "data must stay on premises, and owning is the cheapest option anyway"
    return f"data must stay on premises; that costs {format_usd(premium)} a month over the cheapest other option"
