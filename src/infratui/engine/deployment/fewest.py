"""The fewest GPUs of one kind that hold a load: every group of `candidates` and its copies.

Bytes prune first: a group is only laid out where the bytes it holds at least leave it a chance. No bound drops a
candidate that could win.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import GPUS, Layout
from ..cluster.legal import packs
from ..figures.derivation import Ledger
from ..figures.reason import Reason, because
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan
from .bounds import Floor
from .candidates import MOST_GPUS, copies, groups, users_held, usual
from .reasons import ReasonKind
from .site import Site

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Fewest:
    """The smallest count of one kind of GPU that holds a load."""

    plan: MemoryPlan | None
    """Its layout with the fewest stages, then the most room; None: no count up to 16,384 holds it."""
    reason: Reason | None = None
    """Why none; None where there is one."""

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
    refused = deployment.refusal(site.accelerator)
    return Fewest(None, refused) if refused else _fewest(deployment, site, load)


def _fewest(deployment: Deployment, site: Site, load: Sequences) -> Fewest:
    floor = Floor(deployment, site, load)
    model, precision, domain = deployment.model, deployment.precision, site.fabric.domain
    best: MemoryPlan | None = None
    rank: tuple[tuple[int, int, int, int], int, Layout] | None = None
    # A glance at the usual sizes gives a count to beat; then all that could beat it.
    for space in (
        usual(model, precision, domain, deployment.engine.without_sharing),
        groups(model, precision, domain, engine=deployment.engine),
    ):
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
        return Fewest(None, because(ReasonKind.BUFFERS))
    return Fewest(None, _why_none(deployment, site, load))


def _room(plan: MemoryPlan) -> tuple[int, int, int, int]:
    return plan.layout.gpus, plan.layout.pp, plan.layout.dcp, -plan.free


def _held(deployment: Deployment, site: Site, load: Sequences, group: Layout) -> MemoryPlan | None:
    users = users_held(deployment, site, load, group)
    if not users:
        return None
    layout = copies(group, math.ceil(load.users / users))
    if layout.gpus > MOST_GPUS or not packs(layout, site.fabric):
        return None
    plan = site.plan(deployment, layout, load)
    return plan if plan.fits else None


def _why_none(deployment: Deployment, site: Site, load: Sequences) -> Reason:
    one = load.of(1)
    if load.users > 1 and fewest(deployment, site, one).plan is not None:
        return because(ReasonKind.TOO_MANY, most=MOST_GPUS)
    return because(ReasonKind.NO_ROOM)
