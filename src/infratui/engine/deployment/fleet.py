"""The cheapest replicas that meet both sides of a demand, over every layout that fleets are made of."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..cluster.legal import packs
from ..figures.derivation import Ledger
from ..figures.reason import Reason
from ..memory.kv_cache import Sequences
from .bounds import Pace
from .candidates import copies, served, short_of, users_held, usual
from .choose import LayoutChoice, choose
from .demand import offered_load
from .floor import Floor
from .judge import NoReplicaError, Replica, TooSlowError, replica_on
from .reasons import ReasonKind
from .site import Site

if TYPE_CHECKING:
    from ..case import Case

_QUIET = Ledger(recording=False)


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
    if refused := deployment.refusal(site.accelerator):
        raise NoReplicaError(refused)
    users = math.ceil(case.load.users * share)
    load = case.load.of(users)
    if case.own_rate(site.accelerator):
        return _like_mine(case, site, load, share)
    peak = offered_load(case.demand, _QUIET).peak_rate * share
    spares = case.scenario.spares
    floor = Floor(deployment, site, load)
    best: FleetPlan | None = None
    reasons: list[Reason] = []
    pace = Pace(case, site)
    bounded = []
    nearest: Layout | None = None
    space = served(deployment.model, deployment.precision, site.fabric.domain, case.forced, deployment.engine)
    if glance and not case.forced.any:
        space = usual(deployment.model, deployment.precision, site.fabric.domain, deployment.engine.without_sharing)
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
        if isinstance(replica, Reason):
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
        if nearest is not None and not reasons and isinstance(found := rated(case, site, nearest), Reason):
            reasons.append(found)
        raise NoReplicaError(_nearest_reason(reasons, case, site))
    return best


def _like_mine(case: Case, site: Site, load: Sequences, share: float) -> FleetPlan:
    """Copies in the layout that is chosen for the scenario's GPUs: a rate was measured on one of them."""
    choice = choose(case, case.gpus, case.forced, site)
    replica = one_copy(case, site, load, choice)
    if choice.best is not None and not replica.users:
        raise NoReplicaError(short_of(choice.best.memory))
    peak = offered_load(case.demand, _QUIET).peak_rate * share
    holding, keeping = math.ceil(load.users / replica.users), max(1, math.ceil(peak / replica.requests_per_s))
    spares = case.scenario.spares
    count = max(holding, keeping) + spares
    return FleetPlan(replica, count, spares, replica.gpus * count, holding, keeping)


def one_copy(case: Case, site: Site, load: Sequences, choice: LayoutChoice) -> Replica:
    """One copy of the chosen layout, at the rate that it holds within the targets, or without them.

    Raises NoReplicaError where nothing runs.
    """
    if choice.best is None:
        raise NoReplicaError(choice.refused[0])
    layout = choice.best.layout
    group = replace(layout, dp=max(1, layout.ep // layout.tp))
    replica = rated(case, site, group)
    if isinstance(replica, Reason):
        replica = replica_on(case.with_(ttft_ms=0.0, tpot_ms=0.0), site, group)
    if isinstance(replica, Reason):
        raise NoReplicaError(replica)
    return replace(replica, users=users_held(case.deployment, site, load, group))


def _cheaper(entry: FleetPlan, best: FleetPlan) -> bool:
    rate, other = (each.replicas * each.replica.requests_per_s for each in (entry, best))
    return (entry.gpus, -rate) < (best.gpus, -other * 1.005)


@dataclass(frozen=True, slots=True)
class _Ceiling:
    """A group that was left because it serves no more than this."""

    requests_per_s: float


def rated(case: Case, site: Site, group: Layout, enough: float = 0.0) -> Replica | Reason:
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


def _no_replicas(case: Case) -> dict[Layout, Replica | Reason | _Ceiling]:
    """A table to be filled group by group. All that a replica is made of is read here: by that it is remembered."""
    _ = case.deployment, case.site, case.workload(), case.targets, case.own_rate(case.accelerator)
    _ = case.scenario.load_pct
    return {}


def _nearest_reason(reasons: list[Reason], case: Case, site: Site) -> Reason:
    """The reason that says most: a missed target over missing memory, of few GPUs over many."""
    missed = [reason for reason in reasons if reason.kind in (ReasonKind.MISSES_TPOT, ReasonKind.MISSES_TTFT)]
    none = Reason(ReasonKind.NO_LAYOUT, case.model.name, where=site.accelerator.name)
    return (missed or reasons or [none])[0]
