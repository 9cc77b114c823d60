"""How a block of values gets its scale, zero point or minimum, and the codes of its elements."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Sequence

from infratui.engine.formats.description import Fit, NumberFormat, ScaleType, Scaling
from infratui.engine.formats.elements import (
    BitField,
    Coding,
    FloatElement,
    IntegerElement,
    PowerOfTwoElement,
    ScaleElement,
    Specials,
)
from infratui.engine.formats.errors import FormatError
from infratui.engine.formats.kquant import sub_block_fit

from ...value_types import dataclass

FP32 = FloatElement(exponent_bits=8, mantissa_bits=23, bias=127, specials=Specials.IEEE)


@dataclass(frozen=True, slots=True)
class StoredNumber:
    """A number that a block stores beside its elements: scale, zero point, minimum."""

    name: str
    type: str
    element: ScaleElement
    code: int
    value: float

    @property
    def bits(self) -> tuple[BitField, ...]:
        """Its bits by field."""
        return self.element.fields(self.code)


@dataclass(frozen=True, slots=True)
class Block:
    """Values that share one scale: value = scale * (element - zero) - minimum."""

    start: int
    length: int
    scale: float
    zero: int
    minimum: float
    stored: tuple[StoredNumber, ...]


@dataclass(frozen=True, slots=True)
class CodedBlock:
    """A block with the codes and the decoded values of its elements."""

    block: Block
    codes: list[int]
    decoded: list[float]


def encode_blocks(
    number_format: NumberFormat, values: Sequence[float], scale: float | None, tensor_absmax: float | None
) -> list[CodedBlock]:
    """Encode finite `values` block by block.

    Args:
        scale: the scale to use in every block instead of the fitted one.
        tensor_absmax: largest magnitude of the tensor that the values come from, for formats with a tensor scale.
    """
    scaling = number_format.scaling
    if scaling is None:
        if scale is not None:
            raise FormatError(f"{number_format.label} has no scale; leave the scale out")
        codes, decoded = number_format.element.round_many(values)
        return [CodedBlock(Block(0, len(values), 1.0, 0, 0.0, ()), codes, decoded)]
    tensor: StoredNumber | None = None
    if scaling.tensor_scale is not None:
        tensor = _tensor_scale(number_format, scaling, values, scale, tensor_absmax)
    fit = _FITS[scaling.fit]
    size = scaling.block or len(values)
    coded: list[CodedBlock] = []
    for start in range(0, len(values), size):
        coded += fit(number_format, scaling, start, values[start : start + size], scale, tensor)
    return coded


def float32(numbers: Sequence[float]) -> list[float]:
    """The numbers rounded to FP32, saturating: the arithmetic of llama.cpp and of stored scales."""
    limit = FP32.highest
    return array("f", [limit if x > limit else -limit if x < -limit else x for x in numbers]).tolist()


def _tensor_scale(
    number_format: NumberFormat,
    scaling: Scaling,
    values: Sequence[float],
    scale: float | None,
    tensor_absmax: float | None,
) -> StoredNumber:
    """The scale that lets the block scales use their whole range: absmax / (element max * scale max)."""
    assert scaling.tensor_scale is not None
    absmax = max(map(abs, values)) if tensor_absmax is None else tensor_absmax
    ideal = absmax / (number_format.element.highest * scaling.scale.element.highest) if scale is None else 1.0
    return _store("tensor scale", scaling.tensor_scale, ideal)


def _store(name: str, scale_type: ScaleType, ideal: float) -> StoredNumber:
    element = scale_type.element
    assert isinstance(element, FloatElement)
    (code,), (value,) = element.round_many([ideal])
    return StoredNumber(name, scale_type.label, element, code, value)


def _block_scale(
    number_format: NumberFormat, scaling: Scaling, absmax: float, scale: float | None, tensor: StoredNumber | None
) -> tuple[float, tuple[StoredNumber, ...]]:
    """The multiplier of a block whose largest magnitude (or code range) is `absmax`, and what is stored for it."""
    element, scale_type = number_format.element, scaling.scale
    if isinstance(scale_type.element, PowerOfTwoElement):
        # OCP MX v1.0: floor(log2(absmax)) less the exponent of the largest element; 2**-127 for a block of zeros.
        largest = absmax if scale is None else scale
        exponent = math.frexp(largest)[1] - 1 if largest else -scale_type.element.bias
        if scale is None and largest:
            exponent -= math.frexp(element.highest)[1] - 1
        code = scale_type.element.at_exponent(exponent)
        value = scale_type.element.decode(code)
        stored = StoredNumber("scale", scale_type.label, scale_type.element, code, value)
        return value, (stored,)
    ideal = absmax / element.highest if scale is None else scale
    if tensor is not None:
        ideal = ideal / tensor.value if tensor.value else 0.0
    stored = _store("scale", scale_type, ideal)
    if scale is not None and stored.value == 0.0:
        raise FormatError(f"scale {scale:g} rounds to 0 in {scale_type.label}; give a larger scale")
    if tensor is not None:
        return stored.value * tensor.value, (stored, tensor)
    return stored.value, (stored,)


def _finish(number_format: NumberFormat, block: Block, units: Sequence[float]) -> CodedBlock:
    """Round `units` (values in steps of the block's scale) to elements and decode them again."""
    codes, elements = number_format.element.round_many(units)
    scale, zero, minimum = block.scale, block.zero, block.minimum
    return CodedBlock(block, codes, [scale * (x - zero) - minimum for x in elements])


def _fit_absmax(
    number_format: NumberFormat,
    scaling: Scaling,
    start: int,
    values: Sequence[float],
    scale: float | None,
    tensor: StoredNumber | None,
) -> list[CodedBlock]:
    multiplier, stored = _block_scale(number_format, scaling, max(map(abs, values)), scale, tensor)
    block = Block(start, len(values), multiplier, 0, 0.0, stored)
    units = [x / multiplier for x in values] if multiplier else [x * 0.0 for x in values]
    return [_finish(number_format, block, units)]


def _fit_minmax(
    number_format: NumberFormat,
    scaling: Scaling,
    start: int,
    values: Sequence[float],
    scale: float | None,
    tensor: StoredNumber | None,
) -> list[CodedBlock]:
    element = number_format.element
    assert isinstance(element, IntegerElement)
    low, high = min(0.0, *values), max(0.0, *values)
    spread = min(high - low, sys.float_info.max)
    multiplier, stored = _block_scale(number_format, scaling, spread, scale, tensor)
    most = (1 << scaling.zero_point_bits) - 1
    zero = min(max(round(min(-low / multiplier, most)), 0), most) if multiplier else 0
    kind = IntegerElement(scaling.zero_point_bits, 0, most, Coding.OFFSET)
    stored = (*stored, StoredNumber("zero point", f"UINT{scaling.zero_point_bits}", kind, zero, float(zero)))
    block = Block(start, len(values), multiplier, zero, 0.0, stored)
    units = [x / multiplier + zero for x in values] if multiplier else [float(zero)] * len(values)
    return [_finish(number_format, block, units)]


def _fit_ggml(
    number_format: NumberFormat,
    scaling: Scaling,
    start: int,
    values: Sequence[float],
    scale: float | None,
    tensor: StoredNumber | None,
) -> list[CodedBlock]:
    element = number_format.element
    numbers = float32(values)
    if scale is not None:
        step = scale
    elif scaling.fit is Fit.GGML_ABSMAX:
        step = max(map(abs, numbers)) / element.highest
    else:
        step = max(numbers, key=abs) / element.lowest
    (step,) = float32([step])
    stored = _store("scale", scaling.scale, step)
    if scale is not None and stored.value == 0.0:
        raise FormatError(f"scale {scale:g} rounds to 0 in {scaling.scale.label}; give a larger scale")
    block = Block(start, len(values), stored.value, 0, 0.0, (stored,))
    # The codes use the scale before it is stored, by its FP32 reciprocal, as llama.cpp does.
    inverse = 1.0 / step if step else 0.0
    (inverse,) = float32([inverse])
    units = float32([x * inverse for x in numbers])
    if scaling.fit is Fit.GGML_EXTREME:
        # Codes are cut off from FP32 sums with this shift; its rounding decides values beside a tie.
        shift = 0.5 - element.lowest
        units = [x - shift for x in float32([x + shift for x in units])]
    return [_finish(number_format, block, units)]


def _fit_k_search(
    number_format: NumberFormat,
    scaling: Scaling,
    start: int,
    values: Sequence[float],
    scale: float | None,
    tensor: StoredNumber | None,
) -> list[CodedBlock]:
    search, element = scaling.search, number_format.element
    assert search is not None
    assert isinstance(element, IntegerElement)
    if scale is not None:
        raise FormatError(f"{number_format.label} finds its own scales; leave the scale out")
    numbers = float32(values)
    parts = [numbers[at : at + search.sub_block] for at in range(0, len(numbers), search.sub_block)]
    fits = [sub_block_fit(part, search, element.highest) for part in parts]
    top = (1 << search.sub_scale_bits) - 1
    most_scale, most_minimum = max(fit.scale for fit in fits), max(fit.minimum for fit in fits)
    d = _store("super-block scale", scaling.scale, most_scale / top)
    d_min = _store("super-block minimum", scaling.scale, most_minimum / top)
    kind = IntegerElement(search.sub_scale_bits, 0, top, Coding.OFFSET)
    coded = []
    for part, fit in zip(parts, fits, strict=True):
        scale_code = min(max(round(fit.scale * top / most_scale), 0), top) if most_scale > 0 else 0
        minimum_code = min(round(fit.minimum * top / most_minimum), top) if most_minimum > 0 else 0
        stored = (
            StoredNumber("sub-block scale", f"UINT{search.sub_scale_bits}", kind, scale_code, float(scale_code)),
            StoredNumber("sub-block minimum", f"UINT{search.sub_scale_bits}", kind, minimum_code, float(minimum_code)),
            d,
            d_min,
        )
        step, minimum = d.value * scale_code, d_min.value * minimum_code
        block = Block(start, len(part), step, 0, minimum, stored)
        units = [(x + minimum) / step for x in part] if step else [0.0] * len(part)
        coded.append(_finish(number_format, block, units))
        start += len(part)
    return coded


_FitFunction = Callable[
    [NumberFormat, Scaling, int, Sequence[float], float | None, StoredNumber | None], list[CodedBlock]
]
_FITS: dict[Fit, _FitFunction] = {
    Fit.ABSMAX: _fit_absmax,
    Fit.MINMAX: _fit_minmax,
    Fit.GGML_ABSMAX: _fit_ggml,
    Fit.GGML_EXTREME: _fit_ggml,
    Fit.K_SEARCH: _fit_k_search,
}
