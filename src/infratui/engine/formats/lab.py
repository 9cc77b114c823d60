"""The bit lab: typed weights, drawn weights, error per format, and what one outlier does to its group."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from infratui.engine.figures.units import plain_float
from infratui.engine.formats.codec import QuantizedGroup, quantize, signal_to_noise_db
from infratui.engine.formats.description import NumberFormat
from infratui.engine.formats.errors import FormatError, finite, finite_group

from ...value_types import dataclass

GROUP_LIMIT = 32
"""Most weights that a typed group may have."""
TENSOR_LIMIT = 65_536
"""Most weights that are drawn at once."""
LAYER_STANDARD_DEVIATION = 0.02
"""Spread of drawn weights: the initializer range of most transformer configurations."""
TAIL_DEGREES_OF_FREEDOM = 4.0
"""Student-t tails that are clearly heavier than Gaussian and still have a variance (it needs more than 2)."""


OUTLIER_FACTOR = 20.0
"""Size of the outlier of the lab in root mean squares of its group: large enough for its harm to be seen at once."""


class Distribution(StrEnum):
    """Where drawn weights come from."""

    GAUSSIAN = "gaussian"
    HEAVY_TAILED = "heavy_tailed"
    """Student-t, scaled to the same standard deviation."""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """How well one format keeps a tensor."""

    format: NumberFormat
    effective_bits: float
    """Bits per value in rows of the tensor's length."""
    snr_db: float | None
    """None when nothing was lost."""
    rms_error: float
    max_error: float
    flushed_share: float
    """Share of the values that became zero without being zero."""


@dataclass(frozen=True, slots=True)
class OutlierEffect:
    """One group without and with an outlier; the figures are those of the other weights."""

    index: int
    before: QuantizedGroup
    after: QuantizedGroup
    others_before_db: float | None
    others_after_db: float | None
    others_flushed_before: int
    others_flushed_after: int


@dataclass(frozen=True, slots=True)
class RotationEffect:
    """A group quantized as it is, and after an orthogonal rotation that spreads outliers over all weights."""

    plain: QuantizedGroup
    rotated: QuantizedGroup
    """The rotated weights, quantized."""
    restored: tuple[float, ...]
    """The quantized rotated weights, rotated back."""
    plain_db: float | None
    rotated_db: float | None


def parse_value(text: str) -> float:
    """Read one number as typed.

    Raises:
        FormatError: for text, nan, infinities and numbers beyond the double range such as 1e400.
    """
    try:
        return finite(plain_float(text.strip().replace("−", "-")))
    except FormatError:
        raise FormatError(f"{text.strip()!r} is not a finite number; give one such as 0.7834") from None
    except ValueError:
        raise FormatError(f"{text.strip()!r} is not a number; give one such as 0.7834") from None


def parse_group(text: str) -> tuple[float, ...]:
    """Read up to `GROUP_LIMIT` weights separated by spaces, commas or semicolons."""
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    if not words:
        raise FormatError("the group is empty; give 1 to 32 weights separated by spaces or commas")
    if len(words) > GROUP_LIMIT:
        raise FormatError(f"the group has {len(words)} weights; give at most {GROUP_LIMIT}")
    return tuple(map(parse_value, words))


def draw_weights(
    distribution: Distribution,
    count: int,
    seed: int,
    *,
    standard_deviation: float = LAYER_STANDARD_DEVIATION,
    degrees_of_freedom: float = TAIL_DEGREES_OF_FREEDOM,
) -> tuple[float, ...]:
    """Draw weights as a layer could have them; the same seed gives the same weights.

    Raises:
        FormatError: for a count outside 1 … `TENSOR_LIMIT`, no spread, or tails without a variance.
    """
    if not 1 <= count <= TENSOR_LIMIT:
        raise FormatError(f"{count} weights cannot be drawn; ask for 1 to {TENSOR_LIMIT}")
    if finite(standard_deviation, "standard deviation") <= 0:
        raise FormatError(f"standard deviation is {standard_deviation:g}; give one above 0")
    if finite(degrees_of_freedom, "degrees of freedom") <= 2:
        raise FormatError(f"degrees of freedom are {degrees_of_freedom:g}; a variance needs more than 2")
    source = random.Random(seed)
    if distribution is Distribution.GAUSSIAN:
        return tuple(source.gauss(0.0, standard_deviation) for _ in range(count))
    # Student-t = Gaussian / sqrt(chi² / ν), whose variance is ν / (ν - 2).
    nu = degrees_of_freedom
    unit = standard_deviation / math.sqrt(nu / (nu - 2))
    return tuple(unit * source.gauss(0.0, 1.0) / math.sqrt(source.gammavariate(nu / 2, 2.0) / nu) for _ in range(count))


def error_table(formats: Iterable[NumberFormat], values: Sequence[float]) -> tuple[ErrorRow, ...]:
    """Quantize the same values in every format; the rows keep the order of `formats`."""
    numbers = finite_group(values)
    rows = []
    for number_format in formats:
        group = quantize(number_format, numbers)
        rows.append(
            ErrorRow(
                format=number_format,
                effective_bits=number_format.bits_per_value(len(numbers)),
                snr_db=group.snr_db,
                rms_error=group.rms_error,
                max_error=group.max_error,
                flushed_share=group.flushed / len(numbers),
            )
        )
    return tuple(rows)


def outlier_effect(
    number_format: NumberFormat, values: Sequence[float], index: int, factor: float = OUTLIER_FACTOR
) -> OutlierEffect:
    """Give weight `index` `factor` times the root mean square of the group and see what that does to the others.

    The weight keeps its sign; in a group of zeros the outlier is `factor` itself.
    """
    numbers = finite_group(values)
    if not 0 <= index < len(numbers):
        raise FormatError(f"weight {index + 1} does not exist; the group has {len(numbers)}")
    if len(numbers) < 2:
        raise FormatError("an outlier needs other weights beside it; give at least two")
    peak = max(map(abs, numbers))
    mean_square = math.fsum((x / peak) ** 2 for x in numbers) / len(numbers) if peak else 1.0
    size = finite(factor, "outlier factor") * math.sqrt(mean_square) * (peak or 1.0)
    outlier = math.copysign(finite(size, "outlier"), numbers[index])
    before = quantize(number_format, numbers)
    after = quantize(number_format, (*numbers[:index], outlier, *numbers[index + 1 :]))
    return OutlierEffect(
        index=index,
        before=before,
        after=after,
        others_before_db=_others_db(before, index),
        others_after_db=_others_db(after, index),
        others_flushed_before=_others_flushed(before, index),
        others_flushed_after=_others_flushed(after, index),
    )


def rotation_effect(number_format: NumberFormat, values: Sequence[float]) -> RotationEffect:
    """Quantize after a Hadamard rotation, as QuaRot and SpinQuant do, and rotate back.

    Raises:
        FormatError: unless the group has a power of two of weights.
    """
    numbers = finite_group(values)
    plain, rotated = quantize(number_format, numbers), quantize(number_format, hadamard(numbers))
    restored = hadamard(rotated.decoded)
    return RotationEffect(
        plain=plain,
        rotated=rotated,
        restored=restored,
        plain_db=plain.snr_db,
        rotated_db=signal_to_noise_db(numbers, restored),
    )


def hadamard(values: Sequence[float]) -> tuple[float, ...]:
    """Orthonormal Walsh-Hadamard transform, which is its own inverse.

    Raises:
        FormatError: unless the number of values is a power of two.
    """
    count = len(values)
    if count < 1 or count & (count - 1):
        raise FormatError(f"a rotation needs 1, 2, 4, 8, 16 or 32 … weights; the group has {count}")
    numbers = list(values)
    width = 1
    while width < count:
        for start in range(0, count, 2 * width):
            for at in range(start, start + width):
                a, b = numbers[at], numbers[at + width]
                numbers[at], numbers[at + width] = a + b, a - b
        width *= 2
    return tuple(number / math.sqrt(count) for number in numbers)


def _others_db(group: QuantizedGroup, index: int) -> float | None:
    return signal_to_noise_db(_without(group.values, index), _without(group.decoded, index))


def _others_flushed(group: QuantizedGroup, index: int) -> int:
    pairs = zip(_without(group.decoded, index), _without(group.values, index), strict=True)
    return sum(1 for decoded, value in pairs if decoded == 0 and value != 0)


def _without(values: Sequence[float], index: int) -> tuple[float, ...]:
    return (*values[:index], *values[index + 1 :])
