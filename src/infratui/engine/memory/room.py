"""What a GPU has for the cache, whatever the load and the number of copies: requested less weights and runtime."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..cluster.layout import Layout
from ..figures.derivation import Basis, Formula, Ledger, Unit
from ..model.architecture import Model
from .kv_cache import KvDemand, KvGeometry, Sequences, kv_demand, users_within
from .runtime import Batch, RuntimeConstants, RuntimeMemory, runtime_memory
from .weights import StageWeights

if TYPE_CHECKING:
    from .plan import Deployment

REQUESTED = Formula("requested", "floor(visible * utilization)", Unit.BYTES, term="gpu-memory-utilization")
REQUESTED_FREE = Formula(
    "requested",
    "visible - floor((visible - weights - activation - non_torch - graphs) * (1 - utilization))",
    Unit.BYTES,
    term="gpu-memory-utilization",
)
KV_SPACE = Formula("kv_space", "requested - weights - activation - non_torch - graphs", Unit.BYTES, term="kv-cache")


class StageRoom(NamedTuple):
    """A GPU of one kind of pipeline stage. Bytes."""

    weights: StageWeights
    geometry: KvGeometry
    requested: int
    """What the engine takes for weights, runtime and cache."""
    space: int
    """For the cache; negative where weights and runtime alone overflow."""
    overflow: int
    """By which what lies outside the requested memory overflows the GPU."""


class KvRoom(NamedTuple):
    """The GPUs of one replica."""

    runtime: RuntimeMemory
    stages: tuple[StageRoom, ...]
    """One of each kind."""

    def tightest(self, replica: Sequences) -> tuple[StageRoom, KvDemand]:
        """The stage that a replica's load leaves least, and what it needs there."""
        return _tightest(self._needed(replica))

    def _needed(self, replica: Sequences) -> list[tuple[StageRoom, KvDemand]]:
        return [(stage, kv_demand(stage.geometry, replica)) for stage in self.stages]

    def free(self, replica: Sequences) -> int | None:
        """Bytes that nothing needs on the tightest GPU; None where it is short."""
        stage, demand = self.tightest(replica)
        free = stage.space - demand.total
        return None if free < 0 or stage.overflow else free

    def users(self, load: Sequences) -> int | None:
        """Users of one replica at most; None: as many as one likes, for they keep nothing."""
        two = load.of(2)
        needed = self._needed(two)
        stage, demand = _tightest(needed)
        if stage.overflow or demand.total - stage.space > 0 == demand.per_user:
            return 0
        if not demand.per_user:
            return None
        return min(users_within(each.space, each.geometry, two, by_two) for each, by_two in needed)


def _tightest(needed: list[tuple[StageRoom, KvDemand]]) -> tuple[StageRoom, KvDemand]:
    return needed[0] if len(needed) == 1 else min(needed, key=lambda each: each[0].space - each[1].total)


def room_of(deployment: Deployment, visible: int, batch: Batch, layout: Layout) -> KvRoom:
    """What the stages of a layout have on GPUs with so many visible bytes."""
    return _room(deployment, visible, batch, layout.tp, layout.pp, layout.ep, layout.dcp)


@lru_cache(maxsize=1024)
def _room(deployment: Deployment, visible: int, batch: Batch, tp: int, pp: int, ep: int, dcp: int) -> KvRoom:
    layout = Layout(tp, pp, 1, ep, dcp)
    runtime = _runtime(deployment.model, tp, pp, batch, deployment.constants)
    # Stages of a pipeline are often alike, and share a geometry: the first of a kind stands for all of it.
    kinds: dict[object, tuple[StageWeights, KvGeometry]] = {}
    for stage, geometry in zip(deployment.weights(layout).stages, deployment.geometry(layout), strict=True):
        kinds.setdefault((stage.total, id(geometry)), (stage, geometry))
    rooms = []
    for weights, geometry in kinds.values():
        requested, space = kv_space(deployment, visible, weights.total, runtime, Ledger(recording=False))
        overflow = max(0, requested + _outside(deployment.constants, runtime) - visible)
        rooms.append(StageRoom(weights, geometry, requested, space, overflow))
    return KvRoom(runtime, tuple(rooms))


def _outside(constants: RuntimeConstants, runtime: RuntimeMemory) -> int:
    """Bytes of the runtime that lie outside the requested memory."""
    outside = 0 if constants.graphs_reserved else runtime.graphs
    return outside + runtime.activation + runtime.non_torch if constants.budget == "static" else outside


def runtime_inside(deployment: Deployment, batch: Batch, tp: int, pp: int) -> int:
    """Bytes of one GPU that the engine's own buffers take out of the requested memory, whatever the load."""
    runtime = _runtime(deployment.model, tp, pp, batch, deployment.constants)
    return runtime.total - _outside(deployment.constants, runtime)


@lru_cache(maxsize=512)
def _runtime(model: Model, tp: int, pp: int, batch: Batch, constants: RuntimeConstants) -> RuntimeMemory:
    return runtime_memory(model, Layout(tp, pp), batch, constants, Ledger(recording=False))


def kv_space(
    deployment: Deployment, visible: int, weights: int, runtime: RuntimeMemory, ledger: Ledger
) -> tuple[int, int]:
    """Requested memory and KV space of one GPU; the space is negative where weights and runtime alone overflow."""
    constants = deployment.constants
    inside = constants.budget != "static"
    activation = runtime.activation if inside else 0
    non_torch = runtime.non_torch if inside else 0
    graphs = runtime.graphs if constants.graphs_reserved else 0
    if constants.budget == "free":
        requested = ledger(
            REQUESTED_FREE,
            basis=Basis.ASSUMED,
            visible=visible,
            utilization=deployment.utilization,
            weights=weights,
            activation=activation,
            non_torch=non_torch,
            graphs=graphs,
        )
    else:
        requested = ledger(REQUESTED, basis=Basis.ASSUMED, visible=visible, utilization=deployment.utilization)
    space = ledger(
        KV_SPACE,
        band_pct=constants.kv_space_band_pct,
        requested=requested,
        weights=weights,
        activation=activation,
        non_torch=non_torch,
        graphs=graphs,
    )
    return int(requested), int(space)
