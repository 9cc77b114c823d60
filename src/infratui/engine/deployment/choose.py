"""The layout to take on the GPUs that are given: every group of `candidates`, each judged once.

Bytes prune first; speed is predicted last, where a bound on it leaves a candidate a chance. Neither drops one that
could win.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..cluster.legal import refusals
from ..figures.reason import Reason, because
from ..memory.plan import MemoryPlan
from ..model.architecture import Model
from .bounds import Pace
from .candidates import MOST_GPUS, copies, groups, most_copies, served, short_of, takes_more
from .floor import Floor
from .judge import Judged, PoolSplit, judge
from .reasons import ReasonKind
from .site import FREE_CHOICE, Forced, Site

if TYPE_CHECKING:
    from ..case import Case

CLOSE = 0.05
"""Predictions this near count as equal: then the layout whose loss stops fewer users."""
_NEAR_MOST = 0.8
_LIKELY = 12
"""Layouts that are planned where none holds the load: of equals the widest are likely to come nearest."""
_EVERY_LAYOUT = 64
"""GPUs up to which every layout that could win is predicted."""


@dataclass(frozen=True, slots=True)
class LayoutChoice:
    """The layout to take on the GPUs that are given."""

    best: Judged | None
    """None where no layout can be built."""
    gpus: int
    forced: bool
    reasons: tuple[Reason, ...]
    """Why this one, or why none."""
    candidates: int = 0
    """Legal layouts that bytes leave a chance."""
    refused: tuple[Reason, ...] = ()
    """Why nothing can be built."""
    fastest: Judged | None = None
    """The candidate with the most tokens/s within the targets."""
    pools: PoolSplit | None = None
    """What computes the prompts, where that is pinned apart; `best` then only decodes."""

    @property
    def plan(self) -> MemoryPlan | None:
        return self.best.memory if self.best else None

    @property
    def holds(self) -> bool:
        return self.best is not None and self.best.memory.fits

    @property
    def idle(self) -> int:
        """GPUs that the layout leaves out."""
        used = (self.best.layout.gpus if self.best else 0) + (self.pools.gpus if self.pools else 0)
        return self.gpus - used


def choose(case: Case, gpus: int, forced: Forced = FREE_CHOICE, site: Site | None = None) -> LayoutChoice:
    """The legal layout of `gpus` with the best prediction: targets met first, then tokens/s with all users in flight.

    Of predictions within 5 % the one with fewer GPUs per replica: a lost GPU then stops fewer users. Where nothing
    holds the load, the layout that comes nearest. Beyond 64 GPUs predictions are made for the groups that fleets are
    made of, and for all others only where none of those holds the load.
    """
    site = site or case.site
    deployment, load = case.deployment, case.load
    model, precision = deployment.model, deployment.precision
    if cannot := deployment.refusal(site.accelerator):
        return LayoutChoice(None, gpus, forced.any, (), refused=(cannot,))
    floor = Floor(deployment, site, load)
    open_: list[Layout] = []
    short: list[tuple[int, Layout]] = []
    refused: tuple[Reason, ...] = ()
    # What is set by hand and takes more is refused with its reason.
    most = MOST_GPUS if forced.any else gpus
    for group in groups(model, precision, site.fabric.domain, forced, deployment.engine, most):
        count = most_copies(group, gpus, site.fabric, forced)
        if not count:
            if group.gpus > gpus:
                refused = refused or (takes_more(group, gpus),)
            continue
        layout = copies(group, count)
        if forced.any and (illegal := refusals(model, precision, layout, site.fabric, deployment.engine)):
            refused = refused or illegal
            continue
        if _crowded(model, group, gpus, forced):
            continue
        at_most = floor.users_at_most(group) * layout.dp
        if at_most < load.users:
            short.append((at_most, layout))
        else:
            open_.append(layout)
    common = open_
    if gpus > _EVERY_LAYOUT:
        usual = served(model, precision, site.fabric.domain, forced, deployment.engine)
        kept = {(group.tp, group.pp, group.ep, group.dcp) for group in usual}
        common = [layout for layout in open_ if (layout.tp, layout.pp, layout.ep, layout.dcp) in kept]
    judged = _judged(case, site, common)
    if not judged and common is not open_:
        judged = _judged(case, site, open_)
    if judged:
        return _best(judged, len(open_), gpus, forced)
    short += [(load.users, layout) for layout in open_]
    if short:
        return _nearest(case, site, short, gpus, forced)
    return LayoutChoice(None, gpus, forced.any, (), refused=refused or (because(ReasonKind.NO_MATCH, gpus=gpus),))


def _crowded(model: Model, group: Layout, gpus: int, forced: Forced) -> bool:
    """Redundant experts on fewer ranks than as many groups of the same GPUs could have: those hold no less."""
    if forced.ep or group.ep <= group.tp or model.mixture is None or not model.mixture.experts % group.ep:
        return False
    wider = group.gpus + group.tp * group.pp
    return group.ep + group.tp <= model.mixture.experts and gpus // wider == gpus // group.gpus


def _judged(case: Case, site: Site, found: list[Layout]) -> list[Judged]:
    """Those that hold the load and could be the best: the most promising first, until none of the rest could win."""
    target = case.targets.tpot_s
    pace = Pace(case, site)
    judged: list[Judged] = []
    met = unmet = 0.0
    bounded = [(*pace.tokens_at_most(layout), layout) for layout in found]
    for most, fastest_step, layout in sorted(bounded, key=lambda entry: (-entry[0], entry[2])):
        may_meet = not target or fastest_step <= target
        least = (1 - CLOSE) * (met or (0.0 if may_meet else unmet))
        if (met and not may_meet) or most < least or (least and pace.tokens_within(layout) < least):
            continue
        plan = site.plan(case.deployment, layout, case.load)
        if not plan.fits:
            continue
        entry = judge(case, site, layout, plan)
        judged.append(entry)
        if entry.meets:
            met = max(met, entry.output_per_s or 0.0)
        else:
            unmet = max(unmet, entry.output_per_s or 0.0)
    return judged


def _best(judged: list[Judged], count: int, gpus: int, forced: Forced) -> LayoutChoice:
    predicted = [entry for entry in judged if entry.output_per_s is not None]
    if not predicted:
        # No speed is known: the fewest GPUs per replica, the ladder's own rule.
        best = min(judged, key=lambda entry: (entry.layout.dcp, entry.group, entry.layout.pp, entry.layout))
        return LayoutChoice(best, gpus, forced.any, _why(best, None, count, gpus, forced), count)
    rank = [entry for entry in predicted if entry.meets] or predicted
    fastest = max(rank, key=lambda entry: (entry.output_per_s or 0.0, -entry.group))
    near = [entry for entry in rank if (entry.output_per_s or 0.0) >= (1 - CLOSE) * (fastest.output_per_s or 0.0)]
    # Sharing out the cache is predicted from theory alone: it must gain more than what counts as equal.
    best = min(near, key=lambda entry: (entry.layout.dcp > 1, entry.group, -(entry.output_per_s or 0.0), entry.layout))
    return LayoutChoice(best, gpus, forced.any, _why(best, fastest, count, gpus, forced), count, (), fastest)


def _why(best: Judged, fastest: Judged | None, count: int, gpus: int, forced: Forced) -> tuple[Reason, ...]:
    found = []
    if forced.any:
        found.append(because(ReasonKind.PINNED))
    elif fastest is None:
        found.append(because(ReasonKind.NO_SPEED))
    elif count == 1:
        found.append(because(ReasonKind.ONLY))
    elif best is fastest:
        found.append(because(ReasonKind.FASTEST, layouts=count))
    else:
        gain = (fastest.output_per_s or 0.0) / (best.output_per_s or 1.0) - 1
        found.append(
            because(
                ReasonKind.FEWER_PER_REPLICA, fastest.layout.label, gain=gain, group=best.group, other=fastest.group
            )
        )
    if fastest is not None and not best.meets:
        found.append(because(ReasonKind.MISSES, ttft_s=best.ttft_s or 0.0, tpot_s=best.tpot_s or 0.0))
    if best.layout.dp > 1:
        found.append(because(ReasonKind.REPLICAS, replicas=best.layout.dp))
    if gpus > best.layout.gpus:
        found.append(because(ReasonKind.IDLE, idle=gpus - best.layout.gpus, gpus=gpus))
    return tuple(found)


def _nearest(case: Case, site: Site, short: list[tuple[int, Layout]], gpus: int, forced: Forced) -> LayoutChoice:
    """Of the layouts that come nearest by their bytes, the one that holds most users, else misses the fewest bytes."""
    likely = sorted(short, key=lambda entry: (-entry[0], entry[1].pp, -entry[1].tp, entry[1]))[:_LIKELY]
    plans = [site.plan(case.deployment, layout, case.load) for _, layout in likely]
    most = max(plan.max_users for plan in plans)
    if most:
        good = [plan for plan in plans if plan.max_users >= _NEAR_MOST * most]
        best = min(good, key=lambda plan: (plan.layout.gpus_per_replica, -plan.max_users))
    else:
        # A few bytes more or less per GPU are no reason for another stage.
        least = min(plan.missing for plan in plans)
        near = [plan for plan in plans if plan.missing <= (1 + CLOSE) * least]
        best = min(near, key=lambda plan: (plan.layout.pp, plan.missing, plan.layout))
    reasons = [because(ReasonKind.SHORT, missing=best.missing)]
    if gpus > best.layout.gpus:
        reasons.append(because(ReasonKind.IDLE, idle=gpus - best.layout.gpus, gpus=gpus))
    return LayoutChoice(Judged(best.layout, best, no_speed=short_of(best)), gpus, forced.any, tuple(reasons))


def listed(case: Case, site: Site, gpus: int, forced: Forced = FREE_CHOICE) -> Iterator[Layout]:
    """Every layout that `choose` may take on `gpus`: for tests and tables."""
    for group in groups(case.model, case.precision, site.fabric.domain, forced, case.deployment.engine):
        count = most_copies(group, gpus, site.fabric, forced)
        if count:
            yield copies(group, count)
