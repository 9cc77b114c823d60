"""Accelerators, the servers they sit in and the links between them."""

from __future__ import annotations

from typing import ClassVar, Literal

from ...value_types import dataclass
from ..figures.units import GIB
from ..model.precision import Compute

PeakName = Literal["fp32", "tf32", "fp16", "bf16", "fp8", "int8", "fp4"]
LinkKind = Literal["switched", "mesh", "bridge", "pcie"]
"""How a link joins GPUs: all through a switch, each with each, in pairs, or over the host's bus."""
Reach = Literal["host", "node", "domain", "nodes"]
"""What a link joins: a GPU and its host, the GPUs of a server, those of a rack, or servers."""
CPU = "x86"
"""Generation of a server without accelerators: the model runs in its memory."""
PriceKind = Literal["on_demand", "spot", "reserved_1y", "reserved_3y", "purchase"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link between accelerators or nodes. Bandwidth is per direction."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    name: str
    type: str
    """nvlink, pcie, infiniband, ethernet, infinity-fabric …"""
    bandwidth: float | None
    """Bytes per second, per direction and GPU (or port)."""
    peer_bandwidth: float | None = None
    """Bytes per second to one peer, where links are point to point."""
    latency_us: float | None = None
    measured_bandwidth: float | None = None
    scope: str = ""
    reach: Reach | None = None
    """None: as `scope` words it."""
    kind: LinkKind | None = None
    """None: a link between nodes or to the host."""
    shared_by_node: bool = False
    """The bandwidth is that of a whole node."""
    status: str = "available"
    """`available` or `announced`."""
    latency_basis: str = ""
    measured_basis: str = ""
    used_by: str = ""
    notes: str = ""
    source: str = ""
    origin: str = "built-in"

    @property
    def joins(self) -> Reach:
        """What it joins; links that a user adds may say so in their scope alone."""
        return self.reach or ("nodes" if self.scope.startswith("inter-node") else "node")


@dataclass(frozen=True, slots=True, eq=False)
class Accelerator:
    """One accelerator as a driver reports it. Peak rates are dense FLOP/s, never the sparse headline; None: unknown."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    name: str
    vendor: str
    arch: str
    memory_type: str
    memory: int
    """Bytes that the driver reports (marketing size where no report is published)."""
    memory_marketing_gb: float
    bandwidth: float | None
    """Bytes per second."""
    memory_reported: bool = True
    fp32: float | None = None
    tf32: float | None = None
    fp16: float | None = None
    bf16: float | None = None
    fp8: float | None = None
    int8: float | None = None
    fp4: float | None = None
    link: str = ""
    """Id of the link between the accelerators of a node; empty: PCIe only."""
    link_bandwidth: float | None = None
    """Bytes per second and direction between accelerators of a node."""
    link_kind: LinkKind | None = None
    """None: as the link itself is."""
    link_unrated: str = ""
    """A link between the accelerators of a node whose rate nobody publishes; empty: none is known of."""
    link_domain: int = 0
    """Accelerators that the link joins: 2 for a bridge, 72 for a rack; 0: all of a node."""
    pcie_gen: int | None = None
    tdp_w: float | None = None
    wide_sums_halved: bool = False
    """Consumer card: the published 16-bit rate sums at 32 bit, and is twice as high where sums are kept at 16."""
    gpus_per_node: int = 8
    aliases: tuple[str, ...] = ()
    notes: str = ""
    source: str = ""
    origin: str = "built-in"

    def peak(self, compute: Compute) -> float | None:
        """Dense FLOP/s in a format; None where the hardware does not compute it."""
        match compute:
            case "fp32":
                return self.fp32
            case "bf16":
                return self.bf16 or self.fp16
            case "fp8":
                return self.fp8
            case "int8":
                return self.int8
            case "fp4":
                return self.fp4

    @property
    def memory_gib(self) -> float:
        return self.memory / GIB


@dataclass(frozen=True, slots=True)
class System:
    """A server, rack or cloud instance."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    name: str
    vendor: str
    kind: str
    accelerator: str
    """Accelerator id; empty where the catalog does not carry it."""
    gpus: int
    memory_total_gb: float | None = None
    power_kw_max: float | None = None
    scale_up: str = ""
    fabric_nics: int | None = None
    fabric_gbit_s_per_nic: float | None = None
    price_usd_low: float | None = None
    price_usd_high: float | None = None
    price_date: str = ""
    price_basis: str = ""
    notes: str = ""
    source: str = ""
    origin: str = "built-in"


@dataclass(frozen=True, slots=True)
class Price:
    """What one accelerator costs, as one source listed it on one day."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    accelerator: str
    """Accelerator id."""
    kind: PriceKind
    usd: float
    """Per accelerator: dollars per hour when rented, dollars when purchased."""
    provider: str
    date: str
    """Year, year-month or day, as precise as the source is."""
    source: str
    region: str = ""
    quoted: bool = True
    """A price that somebody offered; False: an estimate, a market range, a median or a planning assumption."""
    gpus_in_offer: int | None = None
    """Accelerators that the offer comes with; None: not stated."""
    listed_as: str = ""
    """The part as the source names it."""
    date_basis: str = ""
    notes: str = ""
    origin: str = "built-in"
