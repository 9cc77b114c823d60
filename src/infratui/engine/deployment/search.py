"""The one search: the fewest GPUs that hold a load, the layout to take on given ones, the cheapest fleet for a demand.

All three look through the groups of `candidates` and judge a candidate once (`judge`). Bytes prune first: a group is
only laid out where the bytes it holds at least leave it a chance; speed is predicted last, where a bound on it leaves
one. Neither bound drops a candidate that could win.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..cluster.layout import GPUS, Layout
from ..cluster.legal import packs, refusals
from ..figures.derivation import Ledger
from ..figures.reason import Reason, because
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan
from ..model.architecture import Model
from .bounds import Floor, Pace
from .candidates import MOST_GPUS, copies, groups, most_copies, served, short_of, users_held, usual
from .demand import offered_load
from .judge import Judged, NoReplicaError, Replica, TooSlowError, judge, replica_on
from .reasons import ReasonKind
from .site import FREE_CHOICE, Forced, Site

if TYPE_CHECKING:
    from ..case import Case

CLOSE = 0.05
"""Predictions this near count as equal: then the layout whose loss stops fewer users."""
_NEAR_MOST = 0.8
_EVERY_LAYOUT = 64
"""GPUs up to which every layout that could win is predicted."""
_QUIET = Ledger(recording=False)


# Fewest


@dataclass(frozen=True, slots=True)
class Fewest:
    """The smallest count of one kind of GPU that holds a load."""

    plan: MemoryPlan | None
    """Its layout with the fewest stages, then the most room; None: no count up to 16,384 holds it."""
    reason: str = ""
    """Why none; empty where there is one."""

    @property
    def gpus(self) -> int | None:
        return self.plan.layout.gpus if self.plan else None

    def explain(self, ledger: Ledger) -> None:
        """Record how the count comes about."""
        if self.plan is not None:
            layout = self.plan.layout
            note = "no smaller count has a legal layout that holds the load"
            ledger(GPUS, note=note, tp=layout.tp, pp=layout.pp, dp=layout.dp)


def fewest(deployment: Deployment, site: Site, load: Sequences) -> Fewest:
    """Search every group and its copies; no smaller count of this accelerator has a legal layout that holds `load`."""
    floor = Floor(deployment, site, load)
    model, precision, domain = deployment.model, deployment.precision, site.fabric.domain
    best: MemoryPlan | None = None
    rank: tuple[tuple[int, int, int], int, Layout] | None = None
    # A glance at the usual sizes gives a count to beat; then all that could beat it.
    for space in (usual(model, precision, domain), groups(model, precision, domain)):
        most = best.layout.gpus if best else MOST_GPUS
        bounded = []
        for group in space:
            if group.gpus > most:
                break
            if not packs(group, site.fabric):
                continue
            bound = floor.gpus_at_least(group)
            if 0 < bound <= most and 0 < (closer := floor.gpus_of_whole_layers(group)) <= most:
                bounded.append((closer, group.pp, bound, group))
        for closer, stages, bound, group in sorted(bounded):
            if best is not None and (closer, stages) > (best.layout.gpus, best.layout.pp):
                if closer > best.layout.gpus:
                    break
                continue
            plan = _held(deployment, site, load, group)
            if plan is not None and (rank is None or (_room(plan), bound, group) < rank):
                best, rank = plan, (_room(plan), bound, group)
        if best is not None:
            # Of equals a usual size stays.
            rank = _room(best), 0, best.layout
    if best is not None:
        return Fewest(best)
    if site.plan(deployment, Layout(), load).requested <= site.plan(deployment, Layout(), load).runtime_inside:
        return Fewest(None, "the engine's own buffers fill the GPU; lower max sequences or batched tokens")
    return Fewest(None, _why_none(deployment, site, load))


def _room(plan: MemoryPlan) -> tuple[int, int, int]:
    return plan.layout.gpus, plan.layout.pp, -plan.free


def _held(deployment: Deployment, site: Site, load: Sequences, group: Layout) -> MemoryPlan | None:
    users = users_held(deployment, site, load, group)
    if not users:
        return None
    layout = copies(group, math.ceil(load.users / users))
    if layout.gpus > MOST_GPUS or not packs(layout, site.fabric):
        return None
    plan = site.plan(deployment, layout, load)
    return plan if plan.fits else None


def _why_none(deployment: Deployment, site: Site, load: Sequences) -> str:
    one = load.of(1)
    if load.users > 1 and fewest(deployment, site, one).plan is not None:
        return f"more than {MOST_GPUS:,} of them would be needed"
    return "no layout leaves room for one user; shorten the context or use fewer bits"


# Chosen


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
    refused: tuple[str, ...] = ()
    """Why nothing can be built."""
    fastest: Judged | None = None
    """The candidate with the most tokens/s within the targets."""

    @property
    def plan(self) -> MemoryPlan | None:
        return self.best.memory if self.best else None

    @property
    def holds(self) -> bool:
        return self.best is not None and self.best.memory.fits

    @property
    def idle(self) -> int:
        """GPUs that the layout leaves out."""
        return self.gpus - (self.best.layout.gpus if self.best else 0)


def choose(case: Case, gpus: int, forced: Forced = FREE_CHOICE, site: Site | None = None) -> LayoutChoice:
    """The legal layout of `gpus` with the best prediction: targets met first, then tokens/s with all users in flight.

    Of predictions within 5 % the one with fewer GPUs per replica: a lost GPU then stops fewer users. Where nothing
    holds the load, the layout that comes nearest. Beyond 64 GPUs predictions are made for the groups that fleets are
    made of, and for all others only where none of those holds the load.
    """
    site = site or case.site
    deployment, load = case.deployment, case.load
    model, precision = deployment.model, deployment.precision
    floor = Floor(deployment, site, load)
    open_: list[Layout] = []
    short: list[tuple[int, Layout]] = []
    refused: tuple[str, ...] = ()
    for group in groups(model, precision, site.fabric.domain, forced):
        if group.gpus > gpus and not forced.any:
            break
        count = most_copies(group, gpus, site.fabric, forced)
        if not count:
            if group.gpus > gpus:
                refused = refused or (f"{group.label} takes {group.gpus:,} GPUs; there are {gpus:,}",)
            continue
        layout = copies(group, count)
        if forced.any and (illegal := refusals(model, precision, layout, site.fabric)):
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
        kept = {(group.tp, group.pp, group.ep) for group in served(model, precision, site.fabric.domain, forced)}
        common = [layout for layout in open_ if (layout.tp, layout.pp, layout.ep) in kept]
    judged = _judged(case, site, common)
    if not judged and common is not open_:
        judged = _judged(case, site, open_)
    if judged:
        return _best(judged, len(open_), gpus, forced)
    short += [(load.users, layout) for layout in open_]
    if short:
        return _nearest(case, site, short, gpus, forced)
    return LayoutChoice(
        None, gpus, forced.any, (), refused=refused or (f"no layout of {gpus} GPUs matches what is set",)
    )


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
        best = min(judged, key=lambda entry: (entry.group, entry.layout.pp, entry.layout))
        return LayoutChoice(best, gpus, forced.any, _why(best, None, count, gpus, forced), count)
    rank = [entry for entry in predicted if entry.meets] or predicted
    fastest = max(rank, key=lambda entry: (entry.output_per_s or 0.0, -entry.group))
    near = [entry for entry in rank if (entry.output_per_s or 0.0) >= (1 - CLOSE) * (fastest.output_per_s or 0.0)]
    best = min(near, key=lambda entry: (entry.group, -(entry.output_per_s or 0.0), entry.layout))
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
    likely = sorted(short, key=lambda entry: (-entry[0], entry[1].pp, entry[1]))[:12]
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


# Fleet


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Replicas that meet both sides of a demand with the fewest GPUs, and so at the least cost of one accelerator."""

    replica: Replica
    replicas: int
    """Spares included."""
    spares: int
    gpus: int
    holding: int
    """Replicas that hold the users."""
    keeping: int
    """Replicas that keep up with the peak."""

    @property
    def layout(self) -> Layout:
        """Of one replica."""
        return self.replica.layout

    @property
    def binds(self) -> str:
        """The side of the demand that decides: `hold`, `keep up`, or `one replica` where one does for both."""
        if max(self.holding, self.keeping) <= 1:
            return "one replica"
        return "hold" if self.holding >= self.keeping else "keep up"


def fleet(case: Case, site: Site | None = None, share: float = 1.0, *, glance: bool = False) -> FleetPlan:  # noqa: C901, PLR0912, PLR0915 – one walk over the candidates
    """The cheapest replicas that hold `share` of the users and keep up with `share` of the peak, plus spares.

    On one accelerator every price grows with the GPUs, so the fewest cost least; of equals the less loaded.
    `glance`: among common sizes only. Raises NoReplicaError where nothing serves within the targets.
    """
    site = site or case.site
    deployment = case.deployment
    users = math.ceil(case.load.users * share)
    load = case.load.of(users)
    peak = offered_load(case.demand, _QUIET).peak_rate * share
    spares = case.scenario.spares
    floor = Floor(deployment, site, load)
    best: FleetPlan | None = None
    reasons: list[str] = []
    pace = Pace(case, site)
    bounded = []
    nearest: Layout | None = None
    space = served(deployment.model, deployment.precision, site.fabric.domain, case.forced)
    if glance and not case.forced.any:
        space = usual(deployment.model, deployment.precision, site.fabric.domain)
    for group in space:
        held = floor.users_at_most(group) * group.dp
        rate = pace.requests_at_most(group) if held else 0.0
        if held and (nearest is None or pace.alone(group) < pace.alone(nearest)):
            nearest = group
        if rate:
            needed = max(-(-users // held), math.ceil(peak / rate - 1e-9), 1)
            bounded.append((group.gpus * (needed + spares), group.pp, group))
    for bound, _, group in sorted(bounded):
        if best is not None and bound > best.gpus:
            break
        enough = peak / (best.gpus // group.gpus - spares) if best else 0.0
        if not pace.keeps_up(group, enough):
            continue
        held = users_held(deployment, site, load, group)
        if not held:
            continue
        holding = math.ceil(users / held)
        try:
            replica = rated(case, site, group, enough)
        except TooSlowError:
            continue
        if isinstance(replica, str):
            reasons.append(replica)
            continue
        keeping = max(1, math.ceil(peak / replica.requests_per_s)) if replica.requests_per_s > 0 else 0
        if not keeping:
            continue
        count = max(holding, keeping) + spares
        if not packs(copies(group, count), site.fabric):
            continue
        entry = FleetPlan(replace(replica, users=held), count, spares, group.gpus * count, holding, keeping)
        if best is None or _cheaper(entry, best):
            best = entry
    if best is None:
        if nearest is not None and not reasons and isinstance(found := rated(case, site, nearest), str):
            reasons.append(found)
        raise NoReplicaError(_nearest_reason(reasons, case, site))
    return best


def _cheaper(entry: FleetPlan, best: FleetPlan) -> bool:
    rate, other = (each.replicas * each.replica.requests_per_s for each in (entry, best))
    return (entry.gpus, -rate) < (best.gpus, -other * 1.005)


@dataclass(frozen=True, slots=True)
class _Ceiling:
    """A group that was left because it serves no more than this."""

    requests_per_s: float


def rated(case: Case, site: Site, group: Layout, enough: float = 0.0) -> Replica | str:
    """A group at its largest batch within the targets, or why there is none. Kept: no demand or price changes it.

    Raises TooSlowError where it serves fewer than `enough` requests/s.
    """
    if site != case.site:
        return replica_on(case, site, group, enough=enough)
    known = case.part("replicas", _no_replicas)
    found = known.get(group)
    if found is None or (isinstance(found, _Ceiling) and found.requests_per_s >= enough):
        try:
            found = replica_on(case, site, group, enough=enough if found is None else 0.0)
        except TooSlowError as error:
            found = _Ceiling(error.requests_per_s)
        known[group] = found
    if isinstance(found, _Ceiling):
        raise TooSlowError(found.requests_per_s)
    return found


def _no_replicas(case: Case) -> dict[Layout, Replica | str | _Ceiling]:
    """A table to be filled group by group. All that a replica is made of is read here: by that it is remembered."""
    _ = case.deployment, case.site, case.workload(), case.targets
    return {}


def _nearest_reason(reasons: list[str], case: Case, site: Site) -> str:
    """The reason that says most: a missed target over missing memory, of few GPUs over many."""
    missed = [reason for reason in reasons if "target" in reason]
    name = case.model.name
    return (missed or reasons or [f"no layout of {name} holds the load on {site.accelerator.name}"])[0]


def listed(case: Case, site: Site, gpus: int, forced: Forced = FREE_CHOICE) -> Iterator[Layout]:
    """Every layout that `choose` may take on `gpus`: for tests and tables."""
    for group in groups(case.model, case.precision, site.fabric.domain, forced):
        count = most_copies(group, gpus, site.fabric, forced)
        if count:
            yield copies(group, count)
