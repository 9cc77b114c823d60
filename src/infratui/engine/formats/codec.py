"""Encode values and groups in any number format, and say what became of each: bits, value, error, neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from infratui.engine.formats.blocks import Block, StoredNumber, encode_blocks
from infratui.engine.formats.description import NumberFormat
from infratui.engine.formats.elements import BitField, FloatElement
from infratui.engine.formats.errors import FormatError, finite, finite_group

from ...value_types import dataclass

GRID_BITS = 8
"""Formats up to this many bits per element can list every value of a block."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One representable value on the number line of a block."""

    value: float
    code: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one value became."""

    value: float
    code: int
    bits: tuple[BitField, ...]
    decoded: float
    absolute_error: float
    """|decoded - value|."""
    relative_error: float | None
    """absolute_error / |value|; None for a value of zero."""
    below: float | None
    """Largest representable value not above the value; None when even the lowest one is above it."""
    above: float | None
    """Smallest representable value not below the value; None when even the highest one is below it."""
    stored: tuple[StoredNumber, ...]
    """Scale, zero point and minimum that the value shares with its block."""
    expression: str
    """The bits worked out: an arithmetic expression whose value is `decoded`."""

    @property
    def is_saturated(self) -> bool:
        """Whether the value is beyond the range and was clamped."""
        return self.below is None or self.above is None


@dataclass(frozen=True, slots=True)
class QuantizedGroup:
    """A group of values in one format."""

    format: NumberFormat
    values: tuple[float, ...]
    codes: tuple[int, ...]
    decoded: tuple[float, ...]
    blocks: tuple[Block, ...]

    @property
    def errors(self) -> tuple[float, ...]:
        """decoded - value of each."""
        return tuple(d - x for d, x in zip(self.decoded, self.values, strict=True))

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio 10 log10(Σ value² / Σ error²) in decibels; None when nothing was lost."""
        return signal_to_noise_db(self.values, self.decoded)

    @property
    def rms_error(self) -> float:
        """Root mean square of the errors."""
        peak = self.max_error
        # Relative to the largest error, since squares of huge ones overflow.
        return peak * (math.hypot(*(e / peak for e in self.errors)) / math.sqrt(len(self.values))) if peak else 0.0

    @property
    def max_error(self) -> float:
        """Largest absolute error."""
        return max(map(abs, self.errors))

    @property
    def flushed(self) -> int:
        """How many values that are not zero became zero."""
        return sum(1 for d, x in zip(self.decoded, self.values, strict=True) if d == 0 and x != 0)

    def block_of(self, index: int) -> Block:
        """The block that holds value `index`."""
        if not 0 <= index < len(self.values):
            raise FormatError(f"weight {index + 1} does not exist; the group has {len(self.values)}")
        return next(block for block in self.blocks if block.start <= index < block.start + block.length)

    def encoded(self, index: int) -> Encoded:
        """Everything about value `index`."""
        block = self.block_of(index)
        value, code, decoded = self.values[index], self.codes[index], self.decoded[index]
        error = abs(decoded - value)
        below, above = self._around(block, code, value, decoded)
        return Encoded(
            value=value,
            code=code,
            bits=self.format.element.fields(code),
            decoded=decoded,
            absolute_error=error,
            relative_error=relative(error, value),
            below=below,
            above=above,
            stored=block.stored,
            expression=_expression(self.format, block, code),
        )

    def number_line(self, index: int, each_side: int = 4) -> tuple[Tick, ...]:
        """The representable values around value `index`, ascending, with the one it became marked."""
        block, element = self.block_of(index), self.format.element
        rank, (first, last) = element.rank_of(self.codes[index]), element.rank_range()
        if not block.scale:
            return (Tick(self.decoded[index], self.codes[index], True),)
        ranks = range(max(first, rank - each_side), min(last, rank + each_side) + 1)
        ticks = [Tick(self._at(block, near), element.code_at(near), near == rank) for near in ranks]
        return tuple(sorted(ticks, key=lambda tick: tick.value))

    def grid(self, index: int) -> tuple[float, ...]:
        """Every value that weight `index` could have taken with its block's scale, ascending.

        Raises:
            FormatError: for elements of more than `GRID_BITS` bits, whose values are too many to list.
        """
        block, element = self.block_of(index), self.format.element
        if element.bits > GRID_BITS:
            raise FormatError(f"{self.format.label} has too many values to list; formats up to {GRID_BITS} bits do")
        first, last = element.rank_range()
        return tuple(sorted({self._at(block, rank) for rank in range(first, last + 1)}))

    def _at(self, block: Block, rank: int) -> float:
        element = self.format.element
        return block.scale * (element.decode(element.code_at(rank)) - block.zero) - block.minimum

    def _around(self, block: Block, code: int, value: float, decoded: float) -> tuple[float | None, float | None]:
        if decoded == value:
            return decoded, decoded
        upward = value > decoded
        first, last = self.format.element.rank_range()
        # A negative scale (Q4_0) turns the number line round.
        rank = self.format.element.rank_of(code) + (1 if upward == (block.scale > 0) else -1)
        other = self._at(block, rank) if block.scale and first <= rank <= last else None
        return (decoded, other) if upward else (other, decoded)


def relative(error: float, value: float) -> float | None:
    """An error as a share of a value; None beside zero, and where the share is beyond what a number holds."""
    share = error / abs(value) if value else math.inf
    return share if math.isfinite(share) else None


def quantize(
    number_format: NumberFormat,
    values: Sequence[float],
    *,
    scale: float | None = None,
    tensor_absmax: float | None = None,
) -> QuantizedGroup:
    """Quantize a group of values; blocks follow each other from the first value, the last may be shorter.

    Args:
        scale: the scale to use for every block instead of the fitted one.
        tensor_absmax: largest magnitude of the tensor the group is a part of, for formats with a tensor scale
            (NVFP4); without it the group is the tensor.

    Raises:
        FormatError: for an empty group, a number that is not finite, or a scale that is not positive.

    Example:
        >>> quantize(int8, [0.5, -1.27], scale=0.01).codes
        (50, 129)
    """
    numbers = finite_group(values)
    if scale is not None:
        scale = finite(scale, "scale")
        if scale <= 0:
            raise FormatError(f"scale is {scale:g}; give a scale above 0")
    if tensor_absmax is not None:
        tensor_absmax = finite(tensor_absmax, "largest magnitude of the tensor")
        if tensor_absmax < 0:
            raise FormatError(f"largest magnitude of the tensor is {tensor_absmax:g}; it cannot be negative")
    coded = encode_blocks(number_format, numbers, scale, tensor_absmax)
    return QuantizedGroup(
        format=number_format,
        values=numbers,
        codes=tuple(code for part in coded for code in part.codes),
        decoded=tuple(value for part in coded for value in part.decoded),
        blocks=tuple(part.block for part in coded),
    )


def encode_value(number_format: NumberFormat, value: float, *, scale: float | None = None) -> Encoded:
    """Encode one value on its own; in a format with block scales it is then the whole block.

    Example:
        >>> encode_value(e4m3, 0.7834).decoded
        0.8125
    """
    return quantize(number_format, (finite(value),), scale=scale).encoded(0)


def decode_code(number_format: NumberFormat, code: int) -> float:
    """Value of a code before any scale; nan and infinities where the format has them."""
    return number_format.element.decode(code)


def signal_to_noise_db(values: Sequence[float], decoded: Sequence[float]) -> float | None:
    """10 log10(Σ value² / Σ (decoded - value)²) in decibels.

    Returns:
        None when nothing was lost; 0 when all values are zero and their decoded values are not.
    """
    noise = _log10_norm([d - x for d, x in zip(decoded, values, strict=True)])
    signal = _log10_norm(values)
    if noise is None:
        return None
    return 0.0 if signal is None else 20 * (signal - noise)


def _log10_norm(values: Sequence[float]) -> float | None:
    """log10 of the Euclidean norm, None for zeros; by the largest magnitude, since the sum of squares may overflow."""
    peak = max(map(abs, values))
    return math.log10(peak) + math.log10(math.hypot(*(x / peak for x in values))) if peak else None


def _expression(number_format: NumberFormat, block: Block, code: int) -> str:
    element = number_format.element
    if isinstance(element, FloatElement):
        text = " * ".join(field.value for field in element.fields(code))
    else:
        fields = [field.value for field in element.fields(code)]
        text = " + ".join(fields) if len(fields) > 1 else fields[0]
    if number_format.scaling is None:
        return text
    if block.zero:
        text = f"{text} - {block.zero}"
    if number_format.scaling.search is not None:
        scale, minimum, d, d_min = block.stored
        return f"{d.value!r} * {scale.code} * ({text}) - {d_min.value!r} * {minimum.code}"
    factor = " * ".join(repr(number.value) for number in block.stored if number.name != "zero point")
    return f"{factor} * ({text})"
