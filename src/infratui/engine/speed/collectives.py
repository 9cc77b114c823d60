"""What communication costs: all-reduce, all-to-all and the hop between pipeline stages, by link and message size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..cluster.hardware import Accelerator, Link
from ..figures.derivation import Basis, Formula, Ledger, Unit
from .constants import Collectives, Constants

LinkKind = Literal["switched", "mesh", "pcie", "none"]
_PCIE_3 = 15.75e9
"""Bytes/s and direction of PCIe 3.0 x16; each generation doubles it."""
_PAIRS = "bridge"

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
HOP = Formula("hop", "latency + bytes / bandwidth", Unit.SECONDS, basis=Basis.CALIBRATED, term="all-reduce")


@dataclass(frozen=True, slots=True)
class Fabric:
    """Links of a deployment. Bandwidth is bytes per second, GPU and direction."""

    kind: LinkKind
    bandwidth: float
    """Between GPUs of a node."""
    gpus_per_node: int = 8
    node_bandwidth: float = 50e9
    """Between nodes, per GPU."""
    pairs_only: bool = False
    """Bridges join two GPUs; larger groups go over PCIe."""
    pcie_bandwidth: float = _PCIE_3 * 2


def fabric_of(
    accelerator: Accelerator, node_link: Link | None = None, link: Link | None = None, gpus_per_node: int = 0
) -> Fabric:
    """The links around an accelerator; `link` overrides the one inside the node, `node_link` is between nodes."""
    pcie = _PCIE_3 * 2.0 ** ((accelerator.pcie_gen or 4) - 3)
    name = link.id if link else accelerator.link
    bandwidth = (link.bandwidth if link else accelerator.link_bandwidth) or 0.0
    kind: LinkKind = "switched"
    if not bandwidth or "pcie" in name or (_PAIRS in name and link is None):
        # Cards can be bridged in pairs, but few servers are: name the link where they are.
        kind, bandwidth = "pcie", bandwidth if "pcie" in name and bandwidth else pcie
    elif "infinity" in name:
        kind = "mesh"
    return Fabric(
        kind,
        bandwidth,
        gpus_per_node or accelerator.gpus_per_node,
        (node_link.bandwidth if node_link else None) or 50e9,
        _PAIRS in name,
        pcie,
    )


@dataclass(frozen=True, slots=True)
class Path:
    """Latency in seconds and effective bandwidth in bytes/s of one collective."""

    latency: float
    bandwidth: float


def all_reduce_path(constants: Constants, fabric: Fabric, ranks: int, collectives: Collectives) -> Path:
    """Cost of an all-reduce among `ranks` GPUs: latency grows with the ranks, bandwidth is a share of the link's."""
    pairs = ranks / 2
    if fabric.kind == "pcie" or (fabric.pairs_only and ranks > 2):
        bandwidth = fabric.bandwidth if fabric.kind == "pcie" else fabric.pcie_bandwidth
        path = Path(constants["pcie_latency"] * pairs**0.5, bandwidth * constants["pcie_share"])
    else:
        style = collectives
        latency = constants[f"{style}_latency"] * pairs ** constants[f"{style}_growth"]
        bandwidth = fabric.bandwidth * constants["link_share"]
        if fabric.kind == "mesh":
            # Point-to-point links: a small group uses only the links among its members.
            latency *= constants["mesh_latency"]
            bandwidth *= min(1.0, (ranks - 1) / 7)
        path = Path(latency, bandwidth)
    if ranks <= fabric.gpus_per_node:
        return path
    # The ring between nodes runs on all GPUs of a node at once.
    between = fabric.node_bandwidth * constants["link_share"] * fabric.gpus_per_node
    return Path(path.latency + constants["node_latency"], min(path.bandwidth, between))


def all_to_all_path(constants: Constants, fabric: Fabric, ranks: int) -> Path:
    """Cost of exchanging tokens among `ranks` GPUs that hold different experts."""
    pairs = ranks / 2
    if fabric.kind == "pcie":
        return Path(constants["pcie_latency"] * pairs**0.5, fabric.bandwidth * constants["pcie_share"])
    bandwidth = fabric.bandwidth * constants["exchange_share"]
    latency = constants["fused_latency"] * pairs**0.5
    if ranks > fabric.gpus_per_node:
        latency += constants["node_latency"]
        bandwidth = min(bandwidth, fabric.node_bandwidth * constants["link_share"])
    return Path(latency, bandwidth)


def hop_path(constants: Constants, fabric: Fabric, tp: int, pp: int) -> Path:
    """Cost of passing activations to the next pipeline stage: inside the node while it fits, else between nodes."""
    if tp * pp > fabric.gpus_per_node:
        return Path(constants["node_latency"], fabric.node_bandwidth * constants["link_share"])
    if fabric.kind == "pcie":
        return Path(constants["pcie_latency"], fabric.bandwidth * constants["pcie_share"])
    return Path(constants["fused_latency"], fabric.bandwidth * constants["link_share"])


def all_reduce_s(path: Path, ranks: int, size: float, ledger: Ledger) -> float:
    """Seconds of one all-reduce of `size` bytes."""
    return ledger(ALL_REDUCE, latency=path.latency, ranks=ranks, bytes=size, bandwidth=path.bandwidth)


def all_to_all_s(path: Path, ranks: int, size: float, ledger: Ledger) -> float:
    """Seconds of one exchange in which each GPU sends `size` bytes."""
    return ledger(ALL_TO_ALL, latency=path.latency, ranks=ranks, bytes=size, bandwidth=path.bandwidth)


def hop_s(path: Path, size: float, ledger: Ledger) -> float:
    """Seconds to hand `size` bytes to the next stage."""
    return ledger(HOP, latency=path.latency, bytes=size, bandwidth=path.bandwidth)
