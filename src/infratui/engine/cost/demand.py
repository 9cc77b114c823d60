"""Replicas that carry a peak, and the GPUs that they take."""

from __future__ import annotations

import math

from ...value_types import dataclass
from ..deployment.demand import DAYS_PER_MONTH, HOURS_PER_MONTH, Demand, Offered, offered_load
from ..figures.derivation import Formula, Ledger, Unit

__all__ = ["DAYS_PER_MONTH", "HOURS_PER_MONTH", "Demand", "Fleet", "Offered", "offered_load", "size_fleet"]

REPLICAS = Formula(
    "replicas",
    "max(1, ceil(peak_rate / replica_rate), ceil(users / replica_users)) + spares",
    Unit.COUNT,
    term="replica",
)
KEEPING = Formula("replicas", "max(1, ceil(peak_rate / replica_rate)) + spares", Unit.COUNT, term="replica")
GPUS = Formula("GPUs", "replicas * gpus_per_replica", Unit.COUNT, term="node")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Replicas that hold the users and carry the peak, plus spares."""

    replicas: int
    spares: int
    gpus_per_replica: int
    gpus: int
    replica_rate: float
    """Requests per second one replica holds within the targets."""
    utilization: float
    """Mean load over what all replicas could carry, within the service hours."""
    binds: str = ""
    """What decides the count: `hold` or `keep up`, `one replica` for both, or `mine` where the GPUs are given."""


def size_fleet(
    offered: Offered,
    replica_rate: float,
    gpus_per_replica: int,
    spares: int,
    ledger: Ledger,
    users: int = 0,
    replica_users: int = 0,
) -> Fleet:
    """Replicas for the peak and for the users. `replica_rate` is requests/s that one holds within its targets.

    Raises ValueError where the replica holds no load at all.
    """
    if not (replica_rate > 0 and math.isfinite(replica_rate)):
        raise ValueError("no load meets the latency targets on this layout; relax TTFT or TPOT, or take faster GPUs")
    keeping = math.ceil(offered.peak_rate / replica_rate)
    holding = math.ceil(users / replica_users) if replica_users else 0
    if replica_users:
        replicas = ledger(
            REPLICAS,
            peak_rate=offered.peak_rate,
            replica_rate=replica_rate,
            users=users,
            replica_users=replica_users,
            spares=spares,
        )
    else:
        replicas = ledger(KEEPING, peak_rate=offered.peak_rate, replica_rate=replica_rate, spares=spares)
    gpus = int(ledger(GPUS, replicas=replicas, gpus_per_replica=gpus_per_replica))
    utilization = offered.mean_rate / (replicas * replica_rate)
    binds = "one replica" if max(holding, keeping) <= 1 else "hold" if holding >= keeping else "keep up"
    return Fleet(int(replicas), spares, gpus_per_replica, gpus, replica_rate, utilization, binds)
