"""The one error of the number formats: a value, group, scale or description that cannot be used."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence


class FormatError(ValueError):
    """A single line: what is wrong, where, and what would be right."""


def finite(value: float, what: str = "value") -> float:
    """Return `value` as a float, or refuse it when it is no finite number.

    Raises:
        FormatError: for nan, an infinity, or a number beyond the double range.
    """
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise FormatError(f"{what} {value!r} is not a number; give a decimal number such as 0.7834") from None
    if math.isnan(number):
        raise FormatError(f"{what} is nan; quantization needs a finite number")
    if math.isinf(number):
        raise FormatError(f"{what} is infinite or above {sys.float_info.max:.3g}; give a finite number")
    return number


def finite_group(values: Sequence[float]) -> tuple[float, ...]:
    """Return the group as floats, or refuse it when it is empty or holds a number that is not finite.

    Raises:
        FormatError: naming the position of the first bad weight.
    """
    if not len(values):
        raise FormatError("the group is empty; give at least one weight")
    try:
        numbers = tuple(map(float, values))
    except (OverflowError, TypeError, ValueError):
        numbers = ()
    if numbers and math.isfinite(math.fsum(abs(number) * 2.0**-64 for number in numbers)):
        return numbers
    return tuple(finite(value, f"weight {position}") for position, value in enumerate(values, start=1))
