"""What groups hold at most, by bytes alone: enough to leave most of them without laying them out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from heapq import heappop, heappush
from typing import NamedTuple

from ..cluster.fabric import Fabric
from ..cluster.layout import Layout
from ..cluster.legal import packs
from ..memory.kv_cache import KvGeometry, Sequences, kv_demand
from ..memory.plan import Deployment
from ..memory.room import KvRoom, room_of, runtime_inside
from ..memory.runtime import Batch, RuntimeConstants
from ..memory.weights import StageWeights, stage_groups
from ..model.architecture import Model, Part, layer_order
from ..model.precision import Precision
from .candidates import MOST_GPUS, groups, usual
from .site import Site

_KINDS = 4
"""Kinds of stages that a bound looks at."""


@lru_cache(maxsize=32)
def _weights_table(
    model: Model, precision: Precision, constants: RuntimeConstants, adapters: tuple[int, int]
) -> dict[tuple[int, int], int]:
    """(TP, experts of a rank, or minus EP within TP) → weights of a replica; filled as it is asked."""
    return {}


@lru_cache(maxsize=32)
def _runtime_table(model: Model, constants: RuntimeConstants, batch: Batch) -> dict[tuple[int, int], int]:
    """(TP, PP) → what the engine's own buffers take of the requested memory of a GPU."""
    return {}


@lru_cache(maxsize=256)
def _stages(model: Model, pp: int) -> tuple[tuple[tuple[str, int], ...], ...]:
    """Kinds of the stages with the most layers: key and number of each layer group."""
    stages = {id(stage): stage for stage in stage_groups(model, pp)}.values()
    kinds = dict.fromkeys(tuple((group.key, count) for group, count in stage) for stage in stages)
    most = max(sum(count for _, count in kind) for kind in kinds)
    return tuple(kind for kind in kinds if sum(count for _, count in kind) == most)[-_KINDS:]


class WeighedGroup(NamedTuple):
    """A group before any load. Bytes are summed over a replica: only uneven stages are left out."""

    layout: Layout
    gpus: int
    replica: int
    """GPUs of one replica."""
    weights: int
    """Of one replica."""
    buffers: int
    """Of one GPU: what the engine takes of the requested memory for itself."""
    cache: tuple[int, int]
    """TP and DCP: groups that agree in them hold as much of a sequence on a rank."""


class Weighed:
    """The groups of a deployment before any load, weighed as they are asked for."""

    def __init__(self, deployment: Deployment, batch: Batch, domain: int) -> None:
        self._deployment, self._batch, self._domain = deployment, batch, domain
        adapters = deployment.adapters, deployment.adapter_rank
        self._weights = _weights_table(deployment.model, deployment.precision, deployment.constants, adapters)
        self._runtime = _runtime_table(deployment.model, deployment.constants, batch)
        self._experts = deployment.model.mixture.experts if deployment.model.mixture else 1
        self._spaces: dict[int, tuple[tuple[Layout, ...], list[WeighedGroup | None]]] = {}

    def of(self, layout: Layout) -> WeighedGroup:
        """One group."""
        tp, pp, ep = layout.tp, layout.pp, layout.ep
        # Spread over more ranks than before, experts weigh no less until a rank holds one fewer.
        held = -(-self._experts // ep) if ep > tp else -ep
        weights = self._weights.get((tp, held))
        if weights is None:
            weights = self._weights[tp, held] = self._deployment.weights(Layout(tp, 1, 1, ep)).replica
        buffers = self._runtime.get((tp, pp))
        if buffers is None:
            buffers = self._runtime[tp, pp] = runtime_inside(self._deployment, self._batch, tp, pp)
        return WeighedGroup(layout, tp * pp * layout.dp, tp * pp, weights, buffers, (tp, layout.dcp))

    def usual(self) -> Iterator[WeighedGroup]:
        """Those of common sizes, fewest GPUs first, whatever nodes they pack."""
        return self._each(0)

    def every(self, most: int) -> Iterator[WeighedGroup]:
        """All of up to `most` GPUs, fewest first, whatever nodes they pack, and some more."""
        return self._each(min(MOST_GPUS, 1 << (most - 1).bit_length()))

    def _each(self, limit: int) -> Iterator[WeighedGroup]:
        if limit not in self._spaces:
            model, precision, engine = self._deployment.model, self._deployment.precision, self._deployment.engine
            found = (
                groups(model, precision, self._domain, engine=engine, most=limit)
                if limit
                else usual(model, precision, self._domain, engine.without_sharing)
            )
            self._spaces[limit] = found, [None] * len(found)
        layouts, made = self._spaces[limit]
        for at, layout in enumerate(layouts):
            if (group := made[at]) is None:
                group = made[at] = self.of(layout)
            yield group


@lru_cache(maxsize=4)
def _weighed(deployment: Deployment, batch: Batch, domain: int) -> Weighed:
    return Weighed(deployment, batch, domain)


class _Needs(NamedTuple):
    """What a user of one load takes; filled as it is asked."""

    replica: dict[tuple[int, int], int]
    """TP and DCP → bytes in a whole replica."""
    layers: dict[tuple[int, int, int], dict[str, tuple[int, int]]]
    """TP, EP and DCP → weights and cache of one layer on one rank, by layer group."""
    ends: dict[tuple[int, int, int], tuple[tuple[int, int], ...]]
    """TP, EP and DCP → weights and cache on one rank of a first and of a last stage of one layer."""
    stages: dict[Layout, tuple[tuple[int, int], ...]]
    """Group → weights and cache of one rank, by kind of stage."""


@lru_cache(maxsize=4)
def _needs(deployment: Deployment, load: Sequences) -> _Needs:
    return _Needs({}, {}, {}, {})


class Floor:
    """What the copies of a group hold at least under a load."""

    def __init__(self, deployment: Deployment, site: Site, load: Sequences) -> None:
        self._deployment = deployment
        self._load = load
        self._visible = site.table.visible_memory(site.accelerator)
        self._of_free = deployment.constants.budget == "free"
        self._requested = self._visible * deployment.utilization
        self._layers = deployment.model.layers
        self._batch = deployment.batch(site.accelerator)
        # Every TP takes whole domains of one GPU: which groups pack the nodes is asked of each.
        self._weighed = _weighed(deployment, self._batch, 1 if deployment.engine.nodes else site.fabric.domain)
        self._needs = _needs(deployment, load)

    def room(self, group: Layout) -> KvRoom:
        """What the GPUs of a group have for the cache."""
        return room_of(self._deployment, self._visible, self._batch, group)

    def bounded(self, most: int, fabric: Fabric, *, glance: bool) -> Iterator[tuple[int, int, int, Layout]]:
        """Groups whose copies may hold the load on `most` GPUs: on how many at least, stages, a looser bound, group.

        In this order, and each is only looked at when it could be the next. `glance`: those of common sizes only.
        """
        waiting: list[tuple[int, int, int, Layout]] = []
        for group in self._weighed.usual() if glance else self._weighed.every(most):
            if group.gpus > most:
                break
            # No group that is still to come takes fewer than this one has.
            while waiting and waiting[0][0] < group.gpus:
                yield heappop(waiting)
            if 0 < (bound := self._gpus_at_least(group)) <= most:
                layout = group.layout
                closer = self._gpus_of_whole_layers(group) if layout.pp > 1 and self._layers > 2 else bound
                if 0 < closer <= most and packs(layout, fabric):
                    heappush(waiting, (closer, layout.pp, bound, layout))
        while waiting:
            yield heappop(waiting)

    def users_at_most(self, layout: Layout) -> int:
        """Users that one replica of a group cannot exceed."""
        return self._users(self._weighed.of(layout))

    def _users(self, group: WeighedGroup) -> int:
        per_user = self._needs.replica.get(group.cache)
        if per_user is None:
            per_user = self._per_user(*group.cache)
        if self._of_free:
            room = (group.replica * (self._visible - group.buffers) - group.weights) * self._deployment.utilization
            room += group.replica
        else:
            room = group.replica * (self._requested - group.buffers) - group.weights
        if room < 0:
            return 0
        return int(room) // per_user if per_user > 0 else self._load.users

    def _per_user(self, tp: int, dcp: int) -> int:
        # Layers of a stage round up on their own: the sum over stages is a byte or so above this.
        rank = self._deployment.geometry(Layout(tp, dcp=dcp))[0]
        found = self._needs.replica[tp, dcp] = tp * (kv_demand(rank, self._load).per_user - 1)
        return found

    def _gpus_at_least(self, group: WeighedGroup) -> int:
        """GPUs that copies of a group cannot go below; 0: no number of them holds the load."""
        held = self._users(group) * group.layout.dp
        return group.gpus * -(-self._load.users // held) if held else 0

    def _gpus_of_whole_layers(self, group: WeighedGroup) -> int:
        """A closer look: layers are not cut, so some stage holds more than an even share of them. 0: as above."""
        layout = group.layout
        stages = self._needs.stages.get(layout)
        if stages is None:
            stages = self._needs.stages[layout] = tuple(self._per_stage(layout))
        users = self._load.users
        budget = (self._visible if self._of_free else self._requested) - group.buffers
        for weights, per_user in stages:
            room = budget - weights
            if self._of_free:
                room = room * self._deployment.utilization + 1
            if room < 0:
                return 0
            if per_user > 0:
                users = min(users, int(room) // per_user)
        held = users * layout.dp
        return group.gpus * -(-self._load.users // held) if held else 0

    def _per_stage(self, layout: Layout) -> Iterator[tuple[int, int]]:
        sizes = self._sizes(layout)
        for stage in _stages(self._deployment.model, layout.pp):
            yield (
                sum(count * sizes[key][0] for key, count in stage),
                sum(count * sizes[key][1] for key, count in stage),
            )
        yield from self._needs.ends[layout.tp, layout.ep, layout.dcp]

    def _sizes(self, layout: Layout) -> dict[str, tuple[int, int]]:
        """Weights and cache per user of one layer on one rank, by layer group: at least."""
        key = layout.tp, layout.ep, layout.dcp
        found = self._needs.layers.get(key)
        if found is None:
            alone = Layout(layout.tp, self._layers, 1, layout.ep, layout.dcp)
            stages, caches = self._deployment.weights(alone).stages, self._deployment.geometry(alone)
            found = dict.fromkeys((entry.key for entry in self._deployment.model.groups), (0, 0))
            # First and last stage hold more than a layer: embedding and head, or tables that no depth divides. Parts
            # and caches of several layers round up together, and one table of positions serves all layers of a stage.
            for place, entry in enumerate(layer_order(self._deployment.model)[1:-1], start=1):
                if found[entry.key] == (0, 0):
                    found[entry.key] = self._least(stages[place], caches[place])
            self._needs.ends[key] = self._least(stages[0], caches[0]), self._least(stages[-1], caches[-1])
            self._needs.layers[key] = found
        return found

    def _least(self, stage: StageWeights, cache: KvGeometry) -> tuple[int, int]:
        least = stage.total - stage.of(Part.POSITIONS) - len(stage.parts)
        return least, max(0, kv_demand(cache, self._load).per_user - 1)
