"""What a number format is: the element, the scale that a block of elements shares, and what one value costs in bits."""

from __future__ import annotations

from enum import StrEnum

from infratui.engine.formats.elements import Element, ScaleElement

from ...value_types import dataclass

REFERENCE_ROW = 4096
"""Input features over which a per-channel scale is spread when a single figure of bits per value is wanted."""


class Family(StrEnum):
    """What kind of number a format stores."""

    FLOAT = "float"
    INTEGER = "integer"
    BLOCK_FLOAT = "block_float"
    CODEBOOK = "codebook"
    GGUF = "gguf"


class Fit(StrEnum):
    """How the scale of a block is found from its values."""

    ABSMAX = "absmax"
    """The largest magnitude lands on the largest element; an E8M0 scale takes the power of two below (OCP MX)."""
    MINMAX = "minmax"
    """Smallest and largest value (zero included) land on the ends of the codes; a zero point marks where zero is."""
    GGML_ABSMAX = "ggml_absmax"
    """As absmax, in FP32 and rounding with the scale before it is stored (llama.cpp Q8_0)."""
    GGML_EXTREME = "ggml_extreme"
    """The value of largest magnitude, sign included, lands on the lowest code (llama.cpp Q4_0, Q5_0)."""
    K_SEARCH = "k_search"
    """Scale and minimum of each sub-block by weighted least squares, themselves quantized (llama.cpp K-quants)."""


@dataclass(frozen=True, slots=True)
class ScaleType:
    """The number type a scale is stored in."""

    label: str
    element: ScaleElement

    @property
    def bits(self) -> int:
        """Bits of one stored scale."""
        return self.element.bits


@dataclass(frozen=True, slots=True)
class KSearch:
    """The search of llama.cpp's K-quants: `steps` + 1 trial scales per sub-block, scales and minima in few bits."""

    sub_block: int
    sub_scale_bits: int
    first: float
    """Trial scales divide the range by levels + first + step * i."""
    step: float
    steps: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a block of elements is scaled: value = scale * (element - zero point) - minimum."""

    fit: Fit
    scale: ScaleType
    block: int | None
    """Values that share one scale; None: a whole row (per channel)."""
    zero_point_bits: int = 0
    tensor_scale: ScaleType | None = None
    """A second scale for the whole tensor, on top of the block scales (NVFP4)."""
    search: KSearch | None = None

    def bits_per_value(self, row_length: int) -> float:
        """Bits that scales, zero points and minima add to each value; one scale per tensor counts as nothing."""
        per_block = self.scale.bits + self.zero_point_bits
        if self.search is None:
            return per_block / (self.block or row_length)
        # Scale and minimum of the super-block, and of each of its sub-blocks.
        return 2 * self.scale.bits / (self.block or row_length) + 2 * self.search.sub_scale_bits / self.search.sub_block


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One number format, as the catalog describes it."""

    id: str
    label: str
    family: Family
    element: Element
    scaling: Scaling | None
    stored_bits: int
    """Bits of one element in memory; TF32 uses 19 of 32."""
    native_hardware: tuple[str, ...]
    """Architectures whose matrix units take this format as input; elsewhere it is converted first."""
    used_for: tuple[str, ...]
    """weights, activations, kv, matmul, gradients."""
    evidence: tuple[str, ...]
    """Quality schemes whose published results speak for this format."""
    aliases: tuple[str, ...]
    notes: str
    source: str

    def bits_per_value(self, row_length: int = REFERENCE_ROW) -> float:
        """Bits one value really takes, scales and zero points included, in rows of `row_length` values."""
        return self.stored_bits + (self.scaling.bits_per_value(row_length) if self.scaling else 0.0)

    @property
    def effective_bits(self) -> float:
        """Bits per value in rows of `REFERENCE_ROW` values."""
        return self.bits_per_value()

    @property
    def has_block_scale(self) -> bool:
        """Whether values share a scale, so that a neighbour can change what a weight becomes."""
        return self.scaling is not None

    def is_native_on(self, architecture: str) -> bool:
        """Whether the matrix units of `architecture` compute in this format."""
        return architecture in self.native_hardware
