"""The decision tree of buying and renting, walked with the figures of a scenario: which leaf, and by which path."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ...value_types import dataclass
from ..figures.reason import Reason, because
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


class Why(StrEnum):
    """What answers a question of the tree, or leads to its leaf."""

    COMPLIANCE = "compliance"
    MONTHLY = "monthly"
    """What an API and the cheapest hosting cost."""
    TERM = "term"
    OVERTAKES = "overtakes"
    """When owning has paid back: see `Decision.overtakes`."""
    SERVERS = "servers"
    """GPUs of the fleet and of a server."""
    WAITING = "waiting"
    RUNNING = "running"
    """What on demand and a reservation cost."""
    ON_PREMISES = "on premises"
    NO_DEMAND = "no demand"
    WOULD_IDLE = "would idle"
    NO_PRICE = "no price"
    NO_RENTAL = "no rental"
    NOBODY_WAITS = "nobody waits"
    BRIEF = "brief"
    NO_COMMITMENT = "no commitment"
    PAID_ANYWAY = "paid anyway"
    """Reserved hours are paid whether used or not."""
    BUSY = "busy"


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
    answer: bool
    fact: Reason
    """The figures that answer it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A leaf and the path to it."""

    leaf: Leaf
    path: tuple[Fork, ...]
    why: Reason
    overtakes: Breakeven

    @property
    def option(self) -> Option | None:
        """The option to take; None where that is an API or nothing."""
        return OPTION_OF.get(self.leaf)


@dataclass(frozen=True, slots=True)
class Node:
    """A question of the tree; `yes` and `no` are ids of questions or leaves."""

    id: str
    yes: str
    no: str


TREE = (
    Node("must-stay", "own-by-rule", "is-small"),
    Node("is-small", "api", "is-brief"),
    Node("is-brief", "waits-briefly", "overtakes"),
    Node("waits-briefly", "on-demand", "spot"),
    Node("overtakes", "fills-a-node", "is-interactive"),
    Node("fills-a-node", "own", "is-interactive"),
    Node("is-interactive", "runs-little", "spot"),
    Node("runs-little", "on-demand", "is-long"),
    Node("is-long", "reserve-long", "reserve-short"),
)
"""The questions in the order they are asked."""


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

    def __init__(self, overtakes: Breakeven) -> None:
        self.path: list[Fork] = []
        self._overtakes = overtakes

    def ask(self, key: str, answer: bool, fact: Reason) -> bool:
        self.path.append(Fork(key, answer, fact))
        return answer

    def end(self, leaf: Leaf, why: Reason) -> Decision:
        return Decision(leaf, tuple(self.path), why, self._overtakes)


def decide(case: Circumstances) -> Decision:
    """Walk the tree: compliance, volume, certainty, payback, patience, hours."""
    walk = _Walk(case.overtakes)
    term = because(Why.TERM, years=case.term_years)
    if walk.ask("must-stay", case.compliance, because(Why.COMPLIANCE, on=case.compliance)):
        return walk.end(Leaf.OWN_BY_RULE, _by_rule(case))
    if case.requests_per_day == 0:
        return walk.end(Leaf.NOTHING, because(Why.NO_DEMAND))
    rental = cheapest_rental(case)
    own = case.options.get(Option.OWNED)
    best = min((cost for cost in (rental, own) if cost is not None), key=lambda cost: cost.monthly, default=None)
    if case.api_monthly is not None:
        costs = {"api_usd": case.api_monthly, "hosted_usd": best.monthly if best else None}
        dear = best is None or case.api_monthly < best.monthly
        if walk.ask("is-small", dear, because(Why.MONTHLY, **costs)):
            return walk.end(Leaf.API, because(Why.WOULD_IDLE, **costs))
    if best is None:
        return walk.end(Leaf.NOTHING, because(Why.NO_PRICE))
    brief = walk.ask("is-brief", case.term_years < 1, term)
    if not brief and own is not None:
        pays = case.overtakes.value is not None and case.overtakes.value <= case.term_years * 12
        pays = pays and (rental is None or own.monthly < rental.monthly)
        if walk.ask("overtakes", pays, because(Why.OVERTAKES)):
            whole = case.gpus >= case.sold_by
            fact = because(Why.SERVERS, gpus=case.gpus, sold_by=case.sold_by)
            if walk.ask("fills-a-node", whole, fact) or rental is None:
                return walk.end(Leaf.OWN, because(Why.OVERTAKES))
    if rental is None:
        return walk.end(Leaf.OWN, because(Why.NO_RENTAL))
    return _rent(case, rental, brief, walk)


def _rent(case: Circumstances, rental: OptionCost, brief: bool, walk: _Walk) -> Decision:
    on_demand = case.options.get(Option.ON_DEMAND)
    fact = because(Why.WAITING, on=case.someone_waits)
    key = "waits-briefly" if brief else "is-interactive"
    waits = walk.ask(key, case.someone_waits, fact)
    if not waits and rental.option is Option.SPOT:
        return walk.end(Leaf.SPOT, because(Why.NOBODY_WAITS))
    reserved = min(commitments(case.options, case.term_years).values(), key=lambda cost: cost.monthly, default=None)
    if brief or reserved is None:
        return walk.end(Leaf.ON_DEMAND, because(Why.BRIEF if brief else Why.NO_COMMITMENT))
    if on_demand is not None:
        idle = on_demand.monthly <= reserved.monthly
        costs = {"on_demand_usd": on_demand.monthly, "reserved_usd": reserved.monthly}
        if walk.ask("runs-little", idle, because(Why.RUNNING, **costs)):
            return walk.end(Leaf.ON_DEMAND, because(Why.PAID_ANYWAY, **costs))
    long = reserved.option is Option.RESERVED_3Y
    walk.ask("is-long", long, because(Why.TERM, years=case.term_years))
    return walk.end(Leaf.RESERVE_LONG if long else Leaf.RESERVE_SHORT, because(Why.BUSY))


def _by_rule(case: Circumstances) -> Reason:
    """What compliance costs over the cheapest other way, where that is known."""
    own = case.options.get(Option.OWNED)
    if own is None:
        return because(Why.ON_PREMISES, "unpriced")
    rental = cheapest_rental(case)
    others = [cost for cost in (rental.monthly if rental else None, case.api_monthly) if cost is not None]
    return because(Why.ON_PREMISES, premium_usd=own.monthly - min(others) if others else None)
