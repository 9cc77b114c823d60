"""What one stored number is: floating point, integer, table index or power of two, each with its exact codec.

Every element maps codes (the stored bits) to values and rounds any real number to the nearest value, ties to the even
code unless the format says otherwise, clamping what is out of range. Ranks order the representable values: rank + 1 is
the next larger value, so the neighbours of a value on the number line are the neighbours of its rank.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from infratui.engine.formats.errors import FormatError

from ...value_types import dataclass


@dataclass(frozen=True, slots=True)
class BitField:
    """A run of bits with one meaning, most significant field first."""

    letter: str
    """S sign, E exponent, M mantissa, V value."""
    name: str
    bits: str
    value: str
    """What these bits say, e.g. `2**-1`."""


class Specials(StrEnum):
    """Which codes of a floating-point element are not numbers."""

    IEEE = "ieee"
    """The top exponent holds the infinities and NaN."""
    FN = "fn"
    """No infinities; only the code with all bits set is NaN."""
    FNUZ = "fnuz"
    """No infinities, no negative zero: its code is the only NaN."""
    NONE = "none"
    """Every code is a finite number."""


class Rounding(StrEnum):
    """Which way a value exactly between two integers goes."""

    HALF_EVEN = "half_even"
    HALF_AWAY = "half_away"
    HALF_UP = "half_up"


class Coding(StrEnum):
    """How an integer stands in its bits."""

    TWOS_COMPLEMENT = "twos_complement"
    OFFSET = "offset"
    """The code is the distance from the lowest value."""


@dataclass(frozen=True, slots=True)
class FloatElement:
    """Sign, exponent and mantissa; value = ±2**(E - bias) * 1.M, or ±2**(1 - bias) * 0.M when E is 0."""

    exponent_bits: int
    mantissa_bits: int
    bias: int
    specials: Specials

    @property
    def bits(self) -> int:
        """Bits of one code."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def highest_code(self) -> int:
        """Code of the largest finite value."""
        codes = 1 << (self.exponent_bits + self.mantissa_bits)
        if self.specials is Specials.IEEE:
            return codes - 1 - (1 << self.mantissa_bits)
        return codes - 2 if self.specials is Specials.FN else codes - 1

    @property
    def highest(self) -> float:
        """Largest finite value."""
        return self.decode(self.highest_code)

    @property
    def lowest(self) -> float:
        """Most negative finite value."""
        return -self.highest

    @property
    def smallest_normal(self) -> float:
        """Smallest positive value that keeps the full mantissa."""
        return math.ldexp(1.0, 1 - self.bias)

    @property
    def smallest_subnormal(self) -> float:
        """Smallest positive value."""
        return math.ldexp(1.0, 1 - self.bias - self.mantissa_bits)

    def decode(self, code: int) -> float:
        """Value of a code; nan or an infinity where the format has them."""
        _require_code(code, self.bits)
        sign_bit = 1 << (self.bits - 1)
        magnitude = code & (sign_bit - 1)
        if self.specials is Specials.FNUZ and code == sign_bit:
            return math.nan
        if magnitude > self.highest_code:
            infinite = self.specials is Specials.IEEE and magnitude == self.highest_code + 1
            return math.copysign(math.inf, -1.0 if code & sign_bit else 1.0) if infinite else math.nan
        exponent, mantissa = divmod(magnitude, 1 << self.mantissa_bits)
        if exponent:
            mantissa += 1 << self.mantissa_bits
        value = math.ldexp(mantissa, max(exponent, 1) - self.bias - self.mantissa_bits)
        return -value if code & sign_bit else value

    def round_many(self, numbers: Sequence[float]) -> tuple[list[int], list[float]]:
        """Codes and values nearest to `numbers`, ties to the even code, saturating at ±highest."""
        mantissa_bits, lowest_exponent = self.mantissa_bits, 1 - self.bias
        highest_code, highest = self.highest_code, self.highest
        sign_bit = 1 << (self.bits - 1)
        has_negative_zero = self.specials is not Specials.FNUZ
        frexp, ldexp, copysign = math.frexp, math.ldexp, math.copysign
        codes, values = [], []
        for number in numbers:
            size = abs(number)
            if size >= highest:
                code, value = highest_code, highest
            elif size:
                exponent = frexp(size)[1] - 1
                if exponent < lowest_exponent:
                    exponent = lowest_exponent
                # The mantissa as an integer; a carry out of it moves into the exponent field by itself.
                steps = round(ldexp(size, mantissa_bits - exponent))
                code = ((exponent - lowest_exponent) << mantissa_bits) + steps
                value = ldexp(steps, exponent - mantissa_bits)
            else:
                code, value = 0, 0.0
            if copysign(1.0, number) < 0 and (code or has_negative_zero):
                code, value = code | sign_bit, -value
            codes.append(code)
            values.append(value)
        return codes, values

    def rank_of(self, code: int) -> int:
        """Position among the finite values, 0 for both zeros."""
        sign_bit = 1 << (self.bits - 1)
        return -(code & (sign_bit - 1)) if code & sign_bit else code

    def code_at(self, rank: int) -> int:
        """Code of a position."""
        return rank if rank >= 0 else -rank | (1 << (self.bits - 1))

    def rank_range(self) -> tuple[int, int]:
        """Positions of the lowest and the highest value."""
        return -self.highest_code, self.highest_code

    def fields(self, code: int) -> tuple[BitField, ...]:
        """The sign, exponent and mantissa bits of a code."""
        text = format(code, f"0{self.bits}b")
        stored = int(text[1 : 1 + self.exponent_bits] or "0", 2)
        mantissa = int(text[1 + self.exponent_bits :] or "0", 2) / (1 << self.mantissa_bits)
        return (
            BitField("S", "sign", text[0], "-1" if text[0] == "1" else "1"),
            BitField("E", "exponent", text[1 : 1 + self.exponent_bits], f"2**{max(stored, 1) - self.bias}"),
            BitField("M", "mantissa", text[1 + self.exponent_bits :], f"{mantissa + (1 if stored else 0)!r}"),
        )


@dataclass(frozen=True, slots=True)
class IntegerElement:
    """A whole number from `lowest` to `highest`."""

    bits: int
    lowest: int
    highest: int
    coding: Coding
    rounding: Rounding = Rounding.HALF_EVEN

    def decode(self, code: int) -> float:
        """Whole number of a code, before scale and zero point."""
        _require_code(code, self.bits)
        if self.coding is Coding.OFFSET:
            return float(code + self.lowest)
        return float(code - (1 << self.bits) if code >> (self.bits - 1) else code)

    def round_many(self, numbers: Sequence[float]) -> tuple[list[int], list[float]]:
        """Codes and whole numbers nearest to `numbers`, saturating."""
        low, high = self.lowest, self.highest
        # Clamping first is the same as clamping after, since the bounds are whole; and it keeps infinities out.
        inside = [low if x < low else high if x > high else x for x in numbers]
        if self.rounding is Rounding.HALF_EVEN:
            whole = list(map(round, inside))
        elif self.rounding is Rounding.HALF_AWAY:
            whole = [math.floor(x + 0.5) if x >= 0 else -math.floor(0.5 - x) for x in inside]
        else:
            whole = [min(math.floor(x + 0.5), high) for x in inside]
        if self.coding is Coding.OFFSET:
            codes = [x - low for x in whole]
        else:
            mask = (1 << self.bits) - 1
            codes = [x & mask for x in whole]
        return codes, list(map(float, whole))

    def rank_of(self, code: int) -> int:
        """Position on the number line: the whole number itself."""
        return int(self.decode(code))

    def code_at(self, rank: int) -> int:
        """Code of a whole number."""
        return rank - self.lowest if self.coding is Coding.OFFSET else rank & ((1 << self.bits) - 1)

    def rank_range(self) -> tuple[int, int]:
        """Lowest and highest whole number."""
        return self.lowest, self.highest

    def fields(self, code: int) -> tuple[BitField, ...]:
        """Sign and value bits in two's complement, value bits alone otherwise."""
        text = format(code, f"0{self.bits}b")
        if self.coding is Coding.OFFSET:
            shift = f"{code} - {-self.lowest}" if self.lowest else str(code)
            return (BitField("V", "value", text, shift),)
        weight = -(1 << (self.bits - 1)) * int(text[0])
        return (
            BitField("S", "sign", text[0], str(weight)),
            BitField("V", "value", text[1:], str(int(text[1:] or "0", 2))),
        )


@dataclass(frozen=True, slots=True)
class CodebookElement:
    """An index into a fixed ascending table of values."""

    values: tuple[float, ...]

    @property
    def bits(self) -> int:
        """Bits of one index."""
        return (len(self.values) - 1).bit_length()

    @property
    def highest(self) -> float:
        """Largest value of the table."""
        return self.values[-1]

    @property
    def lowest(self) -> float:
        """Smallest value of the table."""
        return self.values[0]

    def decode(self, code: int) -> float:
        """Value of an index."""
        _require_code(code, self.bits)
        if code >= len(self.values):
            raise FormatError(f"index {code} is beyond the table of {len(self.values)} values")
        return self.values[code]

    def round_many(self, numbers: Sequence[float]) -> tuple[list[int], list[float]]:
        """Indexes and values nearest to `numbers`; a number exactly between two entries takes the lower one."""
        middles, values = _middles(self.values), self.values
        codes = [bisect_left(middles, x) for x in numbers]
        return codes, [values[code] for code in codes]

    def rank_of(self, code: int) -> int:
        """Position on the number line: the index itself."""
        return code

    def code_at(self, rank: int) -> int:
        """Index of a position."""
        return rank

    def rank_range(self) -> tuple[int, int]:
        """First and last index."""
        return 0, len(self.values) - 1

    def fields(self, code: int) -> tuple[BitField, ...]:
        """The index bits, with the table's value."""
        return (BitField("V", "index", format(code, f"0{self.bits}b"), repr(self.values[code])),)


@dataclass(frozen=True, slots=True)
class PowerOfTwoElement:
    """An unsigned exponent alone: 2**(code - bias); the all-ones code is NaN (OCP MX v1.0, E8M0)."""

    bits: int = 8
    bias: int = 127

    @property
    def highest(self) -> float:
        """Largest power of two."""
        return math.ldexp(1.0, (1 << self.bits) - 2 - self.bias)

    def decode(self, code: int) -> float:
        """Power of two of a code; nan for the all-ones code."""
        _require_code(code, self.bits)
        return math.nan if code == (1 << self.bits) - 1 else math.ldexp(1.0, code - self.bias)

    def at_exponent(self, exponent: int) -> int:
        """Code of 2**exponent, clamped to the range."""
        return min(max(exponent + self.bias, 0), (1 << self.bits) - 2)

    def fields(self, code: int) -> tuple[BitField, ...]:
        """The exponent bits."""
        return (BitField("E", "exponent", format(code, f"0{self.bits}b"), f"2**{code - self.bias}"),)


Element = FloatElement | IntegerElement | CodebookElement
ScaleElement = FloatElement | PowerOfTwoElement | IntegerElement


@lru_cache(maxsize=32)
def _middles(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple((a + b) / 2 for a, b in pairwise(values))


def _require_code(code: int, bits: int) -> None:
    if not 0 <= code < 1 << bits:
        raise FormatError(f"code {code} does not fit in {bits} bits; codes run from 0 to {(1 << bits) - 1}")
