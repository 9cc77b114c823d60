"""Badges of all precisions for one model: its released one is the reference, and no family inverts its bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..model.precision import Precision
from .quality import RELEASED, Assessment, Badge, QualityBasis, QualityTable, Subject

APART = 0.5
"""Bits from which on a format of a family is the wider one: less is scales and zero points."""
_ORDER = (Badge.SAFE, Badge.CAUTION, Badge.NOTICEABLE)


def badges(
    table: QualityTable,
    precisions: Sequence[tuple[Precision, Sequence[str]]],
    subject: Subject,
    released: str = "",
) -> dict[str, Assessment]:
    """Precision id → what is known of its quality for this model.

    Args:
        precisions: each with the schemes and methods that speak for it.
        released: the precision that the model was published in; empty: not known.
    """
    found = {}
    for precision, names in precisions:
        if precision.id == released and min(precision.bits, *(part.bits for part in precision.parts), 16) < 16:
            found[precision.id] = RELEASED
        else:
            found[precision.id] = table.assess(names, subject, _activations(precision))
    families: dict[str, list[Precision]] = {}
    for precision, _ in precisions:
        if found[precision.id].basis is QualityBasis.TESTS:
            families.setdefault(precision.family, []).append(precision)
    for family in families.values():
        _ordered(family, found)
    return found


def _activations(precision: Precision) -> float | None:
    """Width that rows must have: tests of 4-bit activations say nothing about 16-bit ones."""
    return precision.activation_bits or None


def _ordered(family: list[Precision], found: dict[str, Assessment]) -> None:
    """Until no narrower format of a family has the better badge: of two, the one with fewer tests gives way.

    The model's own tests weigh more than any number of others'.
    """
    for _ in range(len(family) ** 2):
        pair = next(_inverted(family, found), None)
        if pair is None:
            return
        narrow, wide = pair
        if _weight(found[narrow.id]) > _weight(found[wide.id]):
            found[wide.id] = _moved(found[wide.id], found[narrow.id], narrow, QualityBasis.MORE_BITS)
        else:
            found[narrow.id] = _moved(found[narrow.id], found[wide.id], wide, QualityBasis.FEWER_BITS)


def _inverted(family: list[Precision], found: dict[str, Assessment]) -> Iterator[tuple[Precision, Precision]]:
    for narrow in family:
        for wide in family:
            better = _ORDER.index(found[narrow.id].badge) < _ORDER.index(found[wide.id].badge)
            if better and narrow.bits + APART <= wide.bits:
                yield narrow, wide


def _weight(assessment: Assessment) -> tuple[bool, int]:
    return assessment.is_of_the_model, len(assessment.rows)


def _moved(assessment: Assessment, other: Assessment, beside: Precision, basis: QualityBasis) -> Assessment:
    return replace(assessment, badge=other.badge, basis=basis, beside=beside.label)
