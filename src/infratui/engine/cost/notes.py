"""Signals for buying and for renting, judged by the scenario, and the costs that price lists leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Literal

from ...value_types import dataclass
from .options import Option, OptionCost

STEADY_SHARE = 0.6
"""Share of all hours in service above which use counts as steady: about where a one-year reservation pays."""
PEAKY_FACTOR = 3.0
"""Peak over mean from which demand counts as variable."""
MILLIONS = 1_000_000
"""Requests per day that the reference calls consistent high volume."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One circumstance that speaks for buying or for renting."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    side: Literal["buy", "rent"]
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class HiddenCost:
    """A cost that a price list leaves out."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    side: Literal["own", "rent"]
    text: str
    why: str
    counted: str
    """Part of an option's month that holds it; empty: no figure is counted."""


@dataclass(frozen=True, slots=True)
class LeverNote:
    """A lever in words: what it does, what is claimed for it, and what its figure here rests on."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    label: str
    why: str
    claim: str
    basis: str


@dataclass(frozen=True, slots=True)
class CostNotes:
    """The lists as the catalog carries them."""

    signals: tuple[Signal, ...]
    hidden: tuple[HiddenCost, ...]
    levers: tuple[LeverNote, ...]


class CostNote(StrEnum):
    """What should be known before the figures are believed."""

    NO_DEMAND = "no demand"
    MORE_THAN_ANYONE_HAS = "more than anyone has"
    BY_RULE = "by rule"
    UNMEASURED = "unmeasured"
    OWN_SPEED = "own speed"
    RULE_TAKES_MORE = "rule takes more"
    NO_POWER = "no power"
    NO_API_PRICE = "no API price"


@dataclass(frozen=True, slots=True)
class JudgedSignal:
    """A signal and whether it holds here; None: the scenario cannot tell."""

    signal: Signal
    holds: bool | None
    figures: Mapping[str, float | None]
    """What decides, by name; none where it is the user's to judge."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A hidden cost with what it takes per month, where it is counted."""

    cost: HiddenCost
    usd_per_month: float | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the signals ask about."""

    compliance: bool
    requests_per_day: int
    service_share: float
    """Hours in service over all hours."""
    peak_factor: float
    term_years: float
    life_years: float
    staff_usd_per_year: float
    gpus: int
    sold_by: int
    payback_month: float | None


def judge(signals: Sequence[Signal], case: Situation) -> tuple[JudgedSignal, ...]:
    """Say of each signal whether it holds, with the figures that decide; those of none are the user's to judge."""
    term_months = case.term_years * 12
    pays = case.payback_month is not None and case.payback_month <= term_months
    facts: Mapping[str, tuple[bool, Mapping[str, float | None]]] = {
        "rule": (case.compliance, {"on": case.compliance}),
        "steady": (case.service_share >= STEADY_SHARE, {"share": case.service_share}),
        "volume": (case.requests_per_day >= MILLIONS, {"requests_per_day": case.requests_per_day}),
        "payback": (pays, {"month": case.payback_month, "term_months": term_months}),
        "peaky": (case.peak_factor >= PEAKY_FACTOR, {"factor": case.peak_factor}),
        "short": (case.term_years < case.life_years, {"years": case.term_years, "life_years": case.life_years}),
        "no-team": (case.staff_usd_per_year == 0, {"usd_per_year": case.staff_usd_per_year}),
        "small-fleet": (case.gpus < case.sold_by, {"gpus": case.gpus, "sold_by": case.sold_by}),
    }
    return tuple(JudgedSignal(signal, *facts.get(signal.id, (None, {}))) for signal in signals)


def hidden_costs(hidden: Sequence[HiddenCost], options: Mapping[Option, OptionCost]) -> tuple[Hidden, ...]:
    """Put the month's figure beside each cost that an option counts."""
    parts = {part.name: part.monthly for option in options.values() for part in option.parts}
    return tuple(Hidden(cost, parts.get(cost.counted)) for cost in hidden)
