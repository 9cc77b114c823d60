"""Where a deployment may run, and the layout sizes that the user sets."""

from __future__ import annotations

from ...value_types import Keyed, dataclass
from ..cluster.fabric import Fabric
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan, plan_memory
from ..memory.room import KvRoom, room_of
from ..memory.runtime import RuntimeTable


@dataclass(frozen=True, slots=True)
class Forced:
    """Sizes that the user sets; 0 leaves one open."""

    tp: int = 0
    pp: int = 0
    dp: int = 0
    ep: int = 0
    dcp: int = 0

    def allows(self, layout: Layout) -> bool:
        return (
            self.tp in (0, layout.tp)
            and self.pp in (0, layout.pp)
            and self.dp in (0, layout.dp)
            and self.ep in (0, layout.ep)
            and self.dcp in (0, layout.dcp)
        )

    @property
    def any(self) -> bool:
        return bool(self.tp or self.pp or self.dp or self.ep or self.dcp)


FREE_CHOICE = Forced()


@dataclass(frozen=True, slots=True)
class Site(Keyed):
    """Where a deployment may run: one kind of accelerator, its links, and the constants of the engines."""

    accelerator: Accelerator
    fabric: Fabric
    table: RuntimeTable

    def room(self, deployment: Deployment, layout: Layout) -> KvRoom:
        """What the GPUs of a layout have for the cache, whatever the load."""
        visible = self.table.visible_memory(self.accelerator)
        return room_of(deployment, visible, deployment.batch(self.accelerator), layout)

    def plan(self, deployment: Deployment, layout: Layout, load: Sequences, *, explain: bool = False) -> MemoryPlan:
        """Memory of a layout under a load."""
        return plan_memory(deployment, self.accelerator, layout, load, self.table, explain=explain)
