"""What a weight or a KV element costs, and what a GPU computes with it: precisions by part of the model."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from ...value_types import Keyed, dataclass
from .architecture import Part

Compute = Literal["fp32", "bf16", "fp8", "int8", "fp4"]
"""The number format that the matrix units compute in."""


@dataclass(frozen=True, slots=True)
class PartBits:
    """Effective bits of one part of the model, where they differ from the rest."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    part: Part
    bits: float


@dataclass(frozen=True, slots=True)
class BlockRows:
    """Bits of a format whose blocks must divide a row: other rows are stored in a wider one (llama.cpp)."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    elements: int
    """Weights of a block."""
    plain: float
    """Bits of most matrices."""
    plain_uneven: float
    """Their bits where blocks do not divide the row."""
    rich: float
    """Bits of the value and down projections, in the mean over layers."""
    rich_uneven: float


@dataclass(frozen=True, slots=True)
class Precision(Keyed):
    """A way to store weights or a KV cache, with its true cost in bits.

    `bits` are effective: scales and zero points of the groups are counted. Parts that checkpoints of this kind leave
    wider (embedding, head, router, norms) stand in `parts`.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    label: str
    bits: float
    family: str = ""
    parts: tuple[PartBits, ...] = field(default=(), hash=False)
    """Told apart by equality alone: figures are looked up by precision thousands of times a search."""
    compute: Compute = "bf16"
    """Format of the matrix products where the GPU has it; else they run at 16 bit."""
    activation_bits: int = 16
    block: int = 0
    """Weights that share a scale along the split dimension; tensor parallelism must not cut through one. 0: none."""
    rows: BlockRows | None = None
    """Where blocks lie within rows and cannot be cut."""
    pad_hidden: int = 1
    """Engines pad the hidden side of expert matrices to a multiple of this, for their kernels."""
    pad_width: int = 1
    """Likewise each rank's share of the expert width; then no block is cut."""
    for_weights: bool = True
    for_kv: bool = False
    rule_of_thumb_bytes: float = 0.0
    """Bytes per parameter of the rule of thumb; 0: `bits` / 8."""
    classic: bool = False
    """One of the four precisions of the classic comparison: FP32, FP16, FP8, INT4."""
    rule_of_thumb_speed: float = 0.0
    """Speed that the rule of thumb promises, as a multiple of FP32; 0: it promises none."""
    rule_of_thumb_quality: Literal["", "baseline", "safe", "caution"] = ""
    """Badge that guides give it; empty: they give none."""
    quality: tuple[str, ...] = ()
    """Method names of the quality evidence that speaks about this precision."""
    kv_quality: tuple[str, ...] = ()
    """Methods or schemes of the evidence that speaks about a KV cache in this precision."""
    format: str = ""
    """Number format id of one element."""
    aliases: tuple[str, ...] = ()
    """Other names that tools and logs use for it."""
    notes: str = ""
    source: str = ""
    origin: str = "built-in"

    def bits_of(self, part: Part) -> float:
        """Effective bits per parameter of a part."""
        for entry in self.parts:
            if entry.part is part:
                return entry.bits
        return self.bits

    @property
    def nominal_bytes(self) -> float:
        """Bytes per parameter as the rule of thumb counts them."""
        return self.rule_of_thumb_bytes or self.bits / 8
