"""The fewest GPUs of one kind that hold a load: every group of `candidates` and its copies.

Bytes prune first: a group is only laid out where the bytes it holds at least leave it a chance. No bound drops a
candidate that could win.
"""

from __future__ import annotations

import math

from ...value_types import dataclass
from ..cluster.fabric import Fabric
from ..cluster.layout import GPUS, Layout
from ..cluster.legal import packs
from ..figures.derivation import Ledger
from ..figures.reason import Reason, because
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan
from ..memory.room import KvRoom
from .candidates import MOST_GPUS, copies, held_in
from .floor import Floor
from .reasons import ReasonKind
from .site import Site


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
    floor, fabric = Floor(deployment, site, load), site.fabric
    best: Layout | None = None
    rank: tuple[tuple[int, int, int, int], int, Layout] | None = None
    # A glance at the usual sizes gives a count to beat; then all that could beat it.
    for glance in (True, False):
        most = best.gpus if best else MOST_GPUS
        for closer, stages, bound, group in floor.bounded(most, fabric, glance=glance):
            if best is not None and (closer, stages) > (best.gpus, best.pp):
                if closer > best.gpus:
                    break
                continue
            found = _held(floor.room(group), load, group, fabric)
            if found is not None and (rank is None or (found[1], bound, group) < rank):
                best, rank = found[0], (found[1], bound, group)
        if best is not None and rank is not None:
            # Of equals a usual size stays.
            rank = rank[0], 0, best
    if best is not None:
        return Fewest(site.plan(deployment, best, load))
    if site.plan(deployment, Layout(), load).requested <= site.plan(deployment, Layout(), load).runtime_inside:
        return Fewest(None, because(ReasonKind.BUFFERS))
    return Fewest(None, _why_none(deployment, site, load))


def _held(
    room: KvRoom, load: Sequences, group: Layout, fabric: Fabric
) -> tuple[Layout, tuple[int, int, int, int]] | None:
    """The copies of a group that hold the load, and how they rank: fewest, then the most room."""
    users = held_in(room, load, group)
    if not users:
        return None
    layout = copies(group, math.ceil(load.users / users))
    if layout.gpus > MOST_GPUS or not packs(layout, fabric):
        return None
    free = room.free(load.of(math.ceil(load.users / layout.dp)))
    return None if free is None else (layout, (layout.gpus, layout.pp, layout.dcp, -free))


def _why_none(deployment: Deployment, site: Site, load: Sequences) -> Reason:
    one = load.of(1)
    if load.users > 1 and fewest(deployment, site, one).plan is not None:
        return because(ReasonKind.TOO_MANY, most=MOST_GPUS)
    return because(ReasonKind.NO_ROOM)
