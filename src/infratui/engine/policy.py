"""A policy held against a deployment: each limit holds, is broken, or cannot be told where an interval straddles it.

Memory, latency and lost GPUs are those of the layout that every section shows, latency at the peak of the demand; money
is that of the fleet that is priced, at median prices. Intervals are those published for the prediction: of memory the
band of the cache's room, of latency that of its quantity (fitted on means and medians, taken for the 95th percentile as
well), of money that of speed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ..value_types import dataclass
from .cluster.layout import Layout
from .deployment.answer import NOTHING_HOLDS, deployed
from .deployment.candidates import users_held
from .deployment.demand import offered_load
from .deployment.fleet import rated
from .deployment.judge import Judged, NoReplicaError
from .deployment.reasons import ReasonKind
from .figures.derivation import Ledger
from .figures.reason import Reason, because
from .figures.units import counted

if TYPE_CHECKING:
    from ..policy import Policy
    from .case import Case
    from .cost.bill import MonthlyBill
    from .evaluate import Evaluation
    from .sections.load_curve import PeakLoad
    from .speed.constants import Interval


class LimitVerdict(StrEnum):
    """What becomes of a limit."""

    HOLDS = "holds"
    BROKEN = "broken"
    CANNOT_TELL = "cannot tell"


class FigureOf(StrEnum):
    """Whose figure it is, or why there is none."""

    LAYOUT = "layout"
    FLEET = "fleet"
    """Priced by the option of `subject`."""
    OWN_PRICE = "own price"
    """The user's own price has no age."""
    OVERLOADED = "overloaded"
    """More arrives at the peak than is completed: `value` and the limit are requests per second."""
    REFUSED = "refused"
    """There is no figure: `subject` says why."""
    FLAGS = "flags"
    """Of the engine and version of `subject`."""


@dataclass(frozen=True, slots=True)
class JudgedLimit:
    """One limit with its figure, in the unit of the limit's field."""

    limit_id: str
    """Field of the policy."""
    verdict: LimitVerdict
    limit: float | str
    value: float | None
    low: float | None
    high: float | None
    """Ends of the published interval; None: none is published."""
    basis: FigureOf
    subject: str = ""
    """Layout, option, engine, or what an error says."""
    reason: Reason | None = None
    """Why there is no figure."""


@dataclass(frozen=True, slots=True)
class _Figure:
    value: float | None
    low: float | None = None
    high: float | None = None
    basis: FigureOf = FigureOf.LAYOUT
    subject: str = ""
    reason: Reason | None = None
    settled: LimitVerdict | None = None
    """The verdict where no comparison gives it."""


AT_LEAST = frozenset({"fits", "headroom_pct", "survive_gpus"})
"""Limits from below; the others are from above."""


def judge_policy(evaluation: Evaluation, policy: Policy, on: dt.date) -> tuple[JudgedLimit, ...]:
    """Every limit that figures of the engine decide, in the order of the policy. `on`: the day that prices age to."""
    makers: Mapping[str, Callable[[Case], _Figure]] = {
        "fits": _room,
        "headroom_pct": _room,
        "survive_gpus": _survives,
        "ttft_ms_p95": lambda case: _latency(case, lambda load: load.point.ttft.p95 if load.point else None, "ttft"),
        "tpot_ms": lambda case: _latency(case, lambda load: load.point.tpot_mean_s if load.point else None, "tpot"),
        "usd_per_month": lambda case: _money(case, lambda bill: bill.monthly),
        "usd_per_mtok": lambda case: _money(case, lambda bill: bill.per_mtok),
        "prices_max_age_days": lambda case: _price_age(case, on),
    }
    found = []
    for name, limit in policy.stated().items():
        if name in makers:
            try:
                figure = makers[name](evaluation.case)
            except NoReplicaError as error:
                figure = _refused(error.reason)
            except ValueError as error:
                figure = _refused(str(error))
            least = 0.0 if name == "fits" else float(limit)
            verdict = figure.settled or _compared(figure, least, at_least=name in AT_LEAST)
            found.append(
                JudgedLimit(
                    name,
                    verdict,
                    least,
                    figure.value,
                    figure.low,
                    figure.high,
                    figure.basis,
                    figure.subject,
                    figure.reason,
                )
            )
    return tuple(found)


def worst(verdicts: tuple[JudgedLimit, ...]) -> LimitVerdict:
    """Broken over cannot tell over holds."""
    order = (LimitVerdict.BROKEN, LimitVerdict.CANNOT_TELL, LimitVerdict.HOLDS)
    return min((entry.verdict for entry in verdicts), key=order.index, default=LimitVerdict.HOLDS)


def _compared(figure: _Figure, limit: float, *, at_least: bool) -> LimitVerdict:
    if figure.value is None:
        return LimitVerdict.CANNOT_TELL
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    if not at_least:
        # As a limit from below on the negative figure.
        low, high, limit = -high, -low, -limit
    return LimitVerdict.HOLDS if low >= limit else LimitVerdict.BROKEN if high < limit else LimitVerdict.CANNOT_TELL


def _refused(why: Reason | str, settled: LimitVerdict = LimitVerdict.CANNOT_TELL) -> _Figure:
    return _Figure(
        None, basis=FigureOf.REFUSED, subject=str(why), settled=settled, reason=why if isinstance(why, Reason) else None
    )


def _room(case: Case) -> _Figure:
    """Share of what the engine requests that is left on the tightest GPU, percent; negative: so much is missing."""
    plan = deployed(case).plan
    if plan is None:
        return _refused(deployed(case).choice.refused[0], LimitVerdict.BROKEN)
    band = case.deployment.constants.kv_space_band_pct
    share = 100 / max(1, plan.requested)
    left = -plan.missing if plan.missing else plan.kv_space - plan.kv_needed
    spread = None if band is None else plan.kv_space * band / 100
    low, high = (None, None) if spread is None else ((left - spread) * share, (left + spread) * share)
    return _Figure(left * share, low, high, FigureOf.LAYOUT, plan.layout.label)


def _survives(case: Case) -> _Figure:
    """GPUs that may be lost, each in another group, before users or the peak are too many for what remains."""
    choice = deployed(case).choice
    best = choice.best
    if best is None or not choice.holds:
        return _refused(NOTHING_HOLDS, LimitVerdict.BROKEN)
    if choice.pools is not None:
        return _refused(because(ReasonKind.NOT_APART))
    if best.no_speed:
        return _refused(best.no_speed)
    group, count = _group_of(best)
    replica = rated(case, case.site, group)
    if isinstance(replica, Reason):
        return _refused(replica, LimitVerdict.BROKEN)
    held = users_held(case.deployment, case.site, case.load, group)
    peak = offered_load(case.demand, Ledger(recording=False)).peak_rate

    def spare(speed: float) -> float:
        keeping = math.ceil(peak / (replica.requests_per_s * speed))
        return float(count - max(1, keeping, math.ceil(case.load.users / held)))

    around = replica.interval
    low, high = (None, None) if around is None else (spare(around.low), spare(around.high))
    return _Figure(spare(1.0), low, high, FigureOf.LAYOUT, best.layout.label)


def _group_of(best: Judged) -> tuple[Layout, int]:
    """What stops together when a GPU is lost, and how many of them there are."""
    layout = best.layout
    spread = max(1, layout.ep // layout.tp)
    return replace(layout, dp=spread), layout.dp // spread


def _peak(case: Case) -> PeakLoad:
    from .sections.load_curve import evaluate_peak

    return case.part("peak load", evaluate_peak)


def _latency(case: Case, seconds: Callable[[PeakLoad], float | None], quantity: str) -> _Figure:
    if not deployed(case).holds:
        return _refused(NOTHING_HOLDS, LimitVerdict.BROKEN)
    load = _peak(case)
    value = seconds(load)
    if value is None:
        most = load.rate.around(load.most_per_s)[1] if load.rate else load.most_per_s
        settled = LimitVerdict.CANNOT_TELL if load.per_s < most else LimitVerdict.BROKEN
        return _Figure(None, basis=FigureOf.OVERLOADED, subject=load.layout.label, settled=settled)
    around: Interval | None = load.ttft if quantity == "ttft" else load.tpot
    low, high = (None, None) if around is None else around.around(value * 1000)
    return _Figure(value * 1000, low, high, FigureOf.LAYOUT, load.layout.label)


def _bill(case: Case) -> MonthlyBill:
    # Loaded where a limit asks for money.
    from .cost.bill import evaluate_bill

    return case.part("bill", evaluate_bill)


def _money(case: Case, usd: Callable[[MonthlyBill], float | None]) -> _Figure:
    bill = _bill(case)
    value = usd(bill)
    if value is None:
        return _refused("no demand: there are no tokens to share the cost")
    low, high = (None, None) if bill.band is None else (end / bill.monthly * value for end in bill.band)
    return _Figure(value, low, high, FigureOf.FLEET, f"{counted(bill.gpus, 'GPU')}, {bill.option.value}")


def _price_age(case: Case, on: dt.date) -> _Figure:
    bill = _bill(case)
    age = bill.price.age_days(on)
    if age is None:
        return _Figure(None, basis=FigureOf.OWN_PRICE, subject=bill.option.value, settled=LimitVerdict.HOLDS)
    return _Figure(float(age), None, None, FigureOf.FLEET, f"{counted(bill.gpus, 'GPU')}, {bill.option.value}")
