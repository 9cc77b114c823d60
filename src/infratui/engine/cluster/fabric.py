"""The one picture of a cluster: GPUs per node, the domain that a fast link joins, and the links within and between."""

from __future__ import annotations

from ...value_types import Keyed, dataclass
from .hardware import Accelerator, Link, LinkKind

_PCIE_3 = 15.75e9
"""Bytes/s and direction of PCIe 3.0 x16; each generation doubles it."""
_BETWEEN = 50e9
"""Bytes/s and GPU between nodes where nothing is said: InfiniBand NDR, one port per GPU."""


@dataclass(frozen=True, slots=True)
class Fabric(Keyed):
    """Links of a deployment. Bandwidth is bytes per second, GPU and direction."""

    kind: LinkKind = "switched"
    """How the GPUs of a domain are joined; bridges join pairs only, and few servers have them: those count as PCIe."""
    bandwidth: float = 450e9
    """Within a domain."""
    gpus_per_node: int = 8
    """GPUs of one server."""
    node_bandwidth: float = _BETWEEN
    """Between nodes, per GPU."""
    pcie_bandwidth: float = _PCIE_3 * 2
    rack: int = 0
    """GPUs of a rack that one link joins across its servers; 0: servers stand alone."""
    linked: int = 0
    """GPUs of a server that the link joins, where it does not join all: the others are reached over PCIe; 0: all."""

    @property
    def domain(self) -> int:
        """GPUs that reach each other without the network: those of a server, or of a rack that one link joins."""
        return max(self.gpus_per_node, self.rack, 1)

    @property
    def link_group(self) -> int:
        """GPUs that the fast link itself joins."""
        return self.linked or self.domain

    def domains(self, gpus: int) -> int:
        """Domains that so many GPUs take."""
        return -(-gpus // self.domain)


def fabric_of(
    accelerator: Accelerator, inside: Link | None = None, between: Link | None = None, gpus_per_node: int = 0
) -> Fabric:
    """The links around an accelerator. `gpus_per_node` replaces the catalog's; `inside` tells what its link is."""
    pcie = _PCIE_3 * 2.0 ** ((accelerator.pcie_gen or 4) - 3)
    bandwidth = accelerator.link_bandwidth or 0.0
    kind: LinkKind = accelerator.link_kind or (inside.kind if inside else None) or "switched"
    if not bandwidth or kind in ("bridge", "pcie"):
        # Cards can be bridged in pairs, but few servers are.
        kind, bandwidth = "pcie", bandwidth if kind == "pcie" and bandwidth else pcie
    node = gpus_per_node or accelerator.gpus_per_node or 8
    joined = accelerator.link_domain if kind != "pcie" else 0
    return Fabric(
        kind=kind,
        bandwidth=bandwidth,
        gpus_per_node=node,
        node_bandwidth=per_gpu(between, node) or _BETWEEN,
        pcie_bandwidth=pcie,
        rack=joined if joined > accelerator.gpus_per_node else 0,
        linked=joined if 0 < joined < node else 0,
    )


def per_gpu(link: Link | None, gpus_per_node: int) -> float | None:
    """Bytes per second and GPU of a link between nodes; some are listed for a whole node."""
    if link is None or not link.bandwidth:
        return None
    return link.bandwidth / gpus_per_node if link.shared_by_node else link.bandwidth
