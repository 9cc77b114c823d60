"""Two scenarios side by side: the inputs that differ, and every headline with its difference."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from ...value_types import dataclass
from .derivation import Number, Unit

if TYPE_CHECKING:
    from ...scenario import Scenario

SMALLEST_SHARE = 0.01
"""Differences up to this share of the larger figure change no decision."""


class Better(StrEnum):
    """Which way a figure improves."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure that a section leads with. `value` is None where there is none, and `words` says why."""

    section: str
    """Id of the section; filled in by whoever collects them."""
    name: str
    value: Number | None
    unit: Unit
    better: Better = Better.NEITHER
    words: str = ""


def headline(
    name: str, value: Number | None, unit: Unit = Unit.COUNT, better: Better = Better.LOWER, words: str = ""
) -> Headline:
    """A figure of a section that is yet to be named; words are kept only where there is no value."""
    return Headline("", name, value, unit, better, words if value is None else "")


@dataclass(frozen=True, slots=True)
class InputChange:
    """A field that differs between the pinned scenario and the current one."""

    field: str
    pinned: object
    current: object


@dataclass(frozen=True, slots=True)
class HeadlineChange:
    """A figure before and after."""

    pinned: Headline
    current: Headline

    @property
    def difference(self) -> float | None:
        if self.pinned.value is None or self.current.value is None:
            return None
        return self.current.value - self.pinned.value

    @property
    def relative(self) -> float | None:
        """Difference over the pinned value; None where that is zero or missing."""
        if self.difference is None or not self.pinned.value:
            return None
        return self.difference / abs(self.pinned.value)

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `same` within a hundredth, or empty where neither direction is an improvement."""
        if self.difference is None:
            return ""
        if abs(self.difference) <= SMALLEST_SHARE * max(abs(self.pinned.value or 0), abs(self.current.value or 0)):
            return "same"
        if self.current.better is Better.NEITHER:
            return ""
        improved = (self.difference < 0) is (self.current.better is Better.LOWER)
        return "better" if improved else "worse"


def input_changes(pinned: Scenario, current: Scenario) -> tuple[InputChange, ...]:
    """Every field that differs, in the order of the scenario."""
    before, after = pinned.values(), current.values()
    return tuple(InputChange(name, before[name], after[name]) for name in before if before[name] != after[name])


def headline_changes(pinned: Sequence[Headline], current: Sequence[Headline]) -> tuple[HeadlineChange, ...]:
    """Pair the headlines of two evaluations by section and name; one that only one side has is paired with nothing."""
    before = {(headline.section, headline.name): headline for headline in pinned}
    after = {(headline.section, headline.name): headline for headline in current}
    changes = []
    for key in dict.fromkeys((*before, *after)):
        known = before.get(key) or after[key]
        missing = Headline(known.section, known.name, None, known.unit, known.better, "not applicable")
        changes.append(HeadlineChange(before.get(key, missing), after.get(key, missing)))
    return tuple(changes)
