"""What communication costs: all-reduce, all-to-all and the hop between pipeline stages, by link and message size."""

from __future__ import annotations

from ...value_types import dataclass
from ..cluster.fabric import Fabric
from ..figures.derivation import Basis, Formula, Ledger, Unit
from .constants import Collectives, Constants

ALL_REDUCE = Formula(
    "all_reduce",
    "latency + 2 * (ranks - 1) / ranks * bytes / bandwidth",
    Unit.SECONDS,
    basis=Basis.CALIBRATED,
    term="all-reduce",
)
ALL_TO_ALL = Formula(
    "all_to_all",
    "latency + (ranks - 1) / ranks * bytes / bandwidth",
    Unit.SECONDS,
    basis=Basis.CALIBRATED,
    term="all-to-all",
)
CONTEXT_EXCHANGE = Formula(
    "context_exchange",
    "3 * latency + (ranks - 1) / ranks * bytes / bandwidth",
    Unit.SECONDS,
    basis=Basis.DERIVED,
    term="dcp",
)
HOP = Formula("hop", "latency + bytes / bandwidth", Unit.SECONDS, basis=Basis.CALIBRATED, term="all-reduce")


@dataclass(frozen=True, slots=True)
class Path:
    """Latency in seconds and effective bandwidth in bytes/s of one collective."""

    latency: float
    bandwidth: float


def all_reduce_path(constants: Constants, fabric: Fabric, ranks: int, collectives: Collectives) -> Path:
    """Cost of an all-reduce among `ranks` GPUs: latency grows with the ranks, bandwidth is a share of the link's."""
    pairs = ranks / 2
    if fabric.kind == "pcie" or fabric.link_group < min(ranks, fabric.gpus_per_node):
        bandwidth = fabric.bandwidth if fabric.kind == "pcie" else fabric.pcie_bandwidth
        path = Path(constants["pcie_latency"] * pairs**0.5, bandwidth * constants["pcie_share"])
    else:
        growth = constants["ring_growth" if collectives == "ring" else "fused_growth"]
        latency = constants[f"{collectives}_latency"] * pairs**growth
        bandwidth = fabric.bandwidth * constants["link_share"]
        if fabric.kind == "mesh":
            # Point-to-point links: a small group uses only the links among its members.
            latency *= constants["mesh_latency"]
            bandwidth *= min(1.0, (ranks - 1) / 7)
        path = Path(latency, bandwidth)
    if ranks <= fabric.domain:
        return path
    # The ring between nodes runs on all GPUs of a node at once.
    between = fabric.node_bandwidth * constants["link_share"] * fabric.domain
    return Path(path.latency + constants["node_latency"], min(path.bandwidth, between))


def all_to_all_path(constants: Constants, fabric: Fabric, ranks: int) -> Path:
    """Cost of exchanging tokens among `ranks` GPUs that hold different experts."""
    pairs = ranks / 2
    if fabric.kind == "pcie":
        bandwidth = fabric.bandwidth * constants["pcie_share"]
        latency = constants["pcie_latency"] * pairs**0.5
    else:
        bandwidth = fabric.bandwidth * constants["exchange_share"]
        latency = constants["fused_latency"] * pairs**0.5
    if ranks > fabric.domain:
        latency += constants["node_latency"]
        bandwidth = min(bandwidth, fabric.node_bandwidth * constants["link_share"])
    return Path(latency, bandwidth)


def hop_path(constants: Constants, fabric: Fabric, tp: int, pp: int) -> Path:
    """Cost of passing activations to the next pipeline stage: inside the node while it fits, else between nodes."""
    if tp * pp > fabric.domain:
        return Path(constants["node_latency"], fabric.node_bandwidth * constants["link_share"])
    if fabric.kind == "pcie":
        return Path(constants["pcie_latency"], fabric.bandwidth * constants["pcie_share"])
    return Path(constants["fused_latency"], fabric.bandwidth * constants["link_share"])


def all_reduce_s(path: Path, ranks: int, size: float, ledger: Ledger) -> float:
    """Seconds of one all-reduce of `size` bytes."""
    return ledger(ALL_REDUCE, latency=path.latency, ranks=ranks, bytes=size, bandwidth=path.bandwidth)


def context_exchange_s(path: Path, ranks: int, size: float, ledger: Ledger) -> float:
    """Seconds of one layer's exchange among ranks that share out its cache: queries and sums in, outputs back."""
    return ledger(CONTEXT_EXCHANGE, latency=path.latency, ranks=ranks, bytes=size, bandwidth=path.bandwidth)


def all_to_all_s(path: Path, ranks: int, size: float, ledger: Ledger) -> float:
    """Seconds of one exchange in which each GPU sends `size` bytes."""
    return ledger(ALL_TO_ALL, latency=path.latency, ranks=ranks, bytes=size, bandwidth=path.bandwidth)


def hop_s(path: Path, size: float, ledger: Ledger) -> float:
    """Seconds to hand `size` bytes to the next stage."""
    return ledger(HOP, latency=path.latency, bytes=size, bandwidth=path.bandwidth)
