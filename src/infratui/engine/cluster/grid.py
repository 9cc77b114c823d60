"""Which GPU does what: node, replica, stage, shard and experts of every GPU of a layout."""

from __future__ import annotations

from ...value_types import dataclass
from ..memory.weights import stage_sizes
from ..model.architecture import Model
from .layout import Layout


@dataclass(frozen=True, slots=True)
class GpuPlace:
    """One GPU of a layout. Indices start at 0."""

    index: int
    node: int
    replica: int
    stage: int
    shard: int
    """Rank in its tensor-parallel group."""
    expert_rank: int | None
    """Rank in its expert-parallel group; None without EP."""
    first_layer: int
    last_layer: int

    @property
    def label(self) -> str:
        """`R0 S1 T3`: replica, stage, shard."""
        return f"R{self.replica} S{self.stage} T{self.shard}"


def gpu_grid(model: Model, layout: Layout, gpus_per_node: int, limit: int = 4096) -> tuple[GpuPlace, ...]:
    """Places of the GPUs in rank order: shards of a stage side by side, then stages, then replicas."""
    bounds = []
    first = 0
    for count in stage_sizes(model.layers, layout.pp):
        bounds.append((first, first + count - 1))
        first += count
    places = []
    for index in range(min(layout.gpus, limit)):
        shard = index % layout.tp
        stage = index // layout.tp % layout.pp
        replica = index // layout.gpus_per_replica
        within = shard if layout.ep <= layout.tp else replica * layout.tp + shard
        expert_rank = within % layout.ep if layout.ep > 1 else None
        node = index // gpus_per_node
        places.append(GpuPlace(index, node, replica, stage, shard, expert_rank, *bounds[stage]))
    return tuple(places)
