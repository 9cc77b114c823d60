"""Why something is as it is: a kind, what it names, and its numbers. The words are a report's."""

from __future__ import annotations

from enum import StrEnum

from ...value_types import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind, what it names, and its numbers in base units."""

    kind: StrEnum
    name: str = ""
    numbers: tuple[tuple[str, float], ...] = ()
    where: str = ""
    """The layout, and the GPU, that it is said of; empty: what the reader looks at."""

    def __str__(self) -> str:
        """For errors of the engine, tersely: `TP3: attention heads do not split (tp 3, heads 64)`."""
        numbers = ", ".join(f"{key} {value:,.6g}" for key, value in self.numbers)
        said = ": ".join(part for part in (self.where, self.name, self.kind.value) if part)
        return f"{said} ({numbers})" if numbers else said

    def number(self, key: str) -> float:
        """Raises KeyError where the kind has no such number."""
        return dict(self.numbers)[key]

    def has(self, key: str) -> bool:
        """Whether a number that is not always known is."""
        return key in dict(self.numbers)


def because(kind: StrEnum, name: str = "", /, **numbers: float | None) -> Reason:
    """A reason of named numbers; what is unknown is left out."""
    return Reason(kind, name, tuple((key, value) for key, value in numbers.items() if value is not None))
