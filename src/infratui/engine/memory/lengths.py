"""Lengths of the sequences that are in flight at one time: what each may be taken to hold among so many."""

from __future__ import annotations

from ...value_types import dataclass
from ..figures.derivation import Basis, Formula, Unit

QUANTILE = 2.326
"""Standard deviations above the mean that a normal quantity stays below 99 times of 100."""
TOKENS = Formula(
    "tokens",
    "max(1, min(longest, mean + quantile * deviation / sqrt(sequences)))",
    Unit.TOKENS,
    basis=Basis.DERIVED,
    term="demand-profile",
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens per sequence over those that are in flight together."""

    mean: float
    deviation: float
    longest: float

    def each(self, sequences: float) -> float:
        """Tokens that each of so many may be taken to hold: all together exceed that once in a hundred moments.

        The sum of many lengths that have nothing to do with each other is nearly normal, its spread the root of their
        number. Of one length it is that length.
        """
        return float(TOKENS.evaluate(**self.quantities(sequences)))

    def quantities(self, sequences: float) -> dict[str, float]:
        """What the formula is made of."""
        return {
            "longest": self.longest,
            "mean": self.mean,
            "quantile": QUANTILE,
            "deviation": self.deviation,
            "sequences": max(1.0, sequences),
        }
