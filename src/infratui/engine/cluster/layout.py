"""TP × PP × DP × EP, and DCP within TP: how one deployment is laid over GPUs."""

from __future__ import annotations

from ...value_types import dataclass
from ..figures.derivation import Formula, Unit

GPUS = Formula("gpus", "tp * pp * dp", Unit.COUNT, term="replica")


@dataclass(frozen=True, slots=True, order=True)
class Layout:
    """A split. One replica takes `tp` × `pp` GPUs; `dp` replicas serve side by side.

    `ep` GPUs share the experts of one layer: 1, or at most `tp` × `dp`. With EP beyond TP the replicas attend to their
    own requests and exchange tokens (attention data parallelism). `dcp` GPUs of a tensor-parallel group share out the
    cached tokens of every sequence, where each would hold a copy of them (decode context parallelism).
    """

    tp: int = 1
    pp: int = 1
    dp: int = 1
    ep: int = 1
    dcp: int = 1

    @property
    def gpus_per_replica(self) -> int:
        return self.tp * self.pp

    @property
    def gpus(self) -> int:
        return self.tp * self.pp * self.dp

    @property
    def label(self) -> str:
        """`TP8·PP2·DP2`; a single GPU is `TP1`."""
        parts = [f"TP{self.tp}"]
        if self.pp > 1:
            parts.append(f"PP{self.pp}")
        if self.dp > 1:
            parts.append(f"DP{self.dp}")
        if self.ep > 1:
            parts.append(f"EP{self.ep}")
        if self.dcp > 1:
            parts.append(f"DCP{self.dcp}")
        return "·".join(parts)
