"""A figure that explains itself: formulas that are displayed are the formulas that are evaluated."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from enum import StrEnum

from ...value_types import dataclass

Number = int | float

_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "ceil": math.ceil,
    "floor": math.floor,
    "max": max,
    "min": min,
    "log2": math.log2,
    "sqrt": math.sqrt,
}
NAME = re.compile(r"\b[A-Za-z_]\w*\b")
"""A name in an expression."""


class Basis(StrEnum):
    """What a figure rests on."""

    EXACT = "exact"
    """True by definition, or read from the checkpoint."""
    DERIVED = "derived"
    """Arithmetic on published facts."""
    CALIBRATED = "calibrated"
    """Fitted on measured data; carries the error band of that fit."""
    ASSUMED = "assumed"
    """A default the user can change."""


class Unit(StrEnum):
    """Units a figure can have; the formatter turns them into GB or GiB, ms or s."""

    BYTES = "B"
    BYTES_PER_S = "B/s"
    BYTES_PER_TOKEN = "B/token"
    PARAMETERS = "params"
    ELEMENTS = "elements"
    TOKENS = "tokens"
    TOKENS_PER_S = "tokens/s"
    REQUESTS = "requests"
    REQUESTS_PER_S = "requests/s"
    SECONDS = "s"
    FLOP = "FLOP"
    FLOP_PER_S = "FLOP/s"
    FLOP_PER_BYTE = "FLOP/B"
    BITS = "bits"
    USD = "USD"
    USD_PER_HOUR = "USD/h"
    USD_PER_MTOK = "USD/1M tokens"
    WATTS = "W"
    KILOWATTS = "kW"
    KWH = "kWh"
    GRAMS = "g"
    DAYS = "days"
    REQUESTS_PER_DAY = "requests/day"
    SHARE = "share"
    HOURS = "h"
    MONTHS = "months"
    PERCENT = "%"
    RATIO = "×"
    COUNT = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of math: `symbol = expression = substituted = value unit`."""

    symbol: str
    expression: str
    values: tuple[tuple[str, Number], ...]
    """What stands for each name of the expression."""
    value: Number
    unit: Unit
    basis: Basis = Basis.DERIVED
    band_pct: float | None = None
    """Error band of a calibrated step, ± percent."""
    source: str = ""
    term: str = ""
    """Glossary id of the symbol."""
    note: str = ""

    @property
    def substituted(self) -> str:
        """The expression with its numbers put in. Most steps are never shown, and the text takes longest to make."""
        return substitute(self.expression, dict(self.values))


class Derivation:
    """Ordered steps that lead to one figure; a function that makes them is called when they are first asked for."""

    __slots__ = ("_steps", "title")

    def __init__(self, title: str, steps: tuple[Step, ...] | Callable[[], tuple[Step, ...]]) -> None:
        self.title = title
        self._steps = steps

    @property
    def steps(self) -> tuple[Step, ...]:
        """From what is known to the figure."""
        if not isinstance(self._steps, tuple):
            self._steps = self._steps()
        return self._steps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derivation) and (self.title, self.steps) == (other.title, other.steps)

    def __hash__(self) -> int:
        return hash((self.title, self.steps))

    def __repr__(self) -> str:
        return f"Derivation({self.title!r}, {self.steps!r})"

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def value(self) -> Number:
        """The last step's value: the figure that the derivation explains."""
        return self.steps[-1].value


class Formula:
    """An expression over named quantities, compiled once.

    The text is Python arithmetic (`+ - * / // % **`, comparisons, `ceil floor max min log2 sqrt`, conditional
    expressions). Calling it evaluates it; `step` evaluates it and keeps the text with the numbers put in.
    `term` is the glossary id of what it means.

    >>> WEIGHTS = Formula("weights", "params * bits / 8", Unit.BYTES, term="weights")
    >>> WEIGHTS(params=8, bits=4)
    4.0
    """

    __slots__ = ("basis", "evaluate", "expression", "names", "source", "symbol", "term", "unit")

    def __init__(
        self,
        symbol: str,
        expression: str,
        unit: Unit,
        *,
        term: str,
        basis: Basis = Basis.DERIVED,
        source: str = "",
    ) -> None:
        self.symbol = symbol
        self.expression = expression
        self.unit = unit
        self.basis = basis
        self.term = term
        self.source = source
        keywords = {"if", "else", "and", "or", "not"}
        names = (name for name in NAME.findall(expression) if name not in _FUNCTIONS and name not in keywords)
        self.names = tuple(dict.fromkeys(names))
        code = f"lambda *, {', '.join(self.names)}: {expression}" if self.names else f"lambda: {expression}"
        # Expressions are constants of this package, never input.
        self.evaluate: Callable[..., Number] = eval(code, {"__builtins__": {}, **_FUNCTIONS})

    def __call__(self, **values: Number) -> Number:
        return self.evaluate(**values)

    def step(
        self,
        *,
        source: str = "",
        basis: Basis | None = None,
        band_pct: float | None = None,
        note: str = "",
        **values: Number,
    ) -> Step:
        """Evaluate and keep the line that shows it."""
        return Step(
            symbol=self.symbol,
            expression=self.expression,
            values=tuple(values.items()),
            value=self.evaluate(**values),
            unit=self.unit,
            basis=basis or self.basis,
            band_pct=band_pct,
            source=source or self.source,
            term=self.term,
            note=note,
        )


def substitute(expression: str, values: Mapping[str, Number]) -> str:
    """Put numbers in the place of names: `params * 2` with 70553706496 becomes `70_553_706_496 * 2`."""
    return NAME.sub(lambda match: literal(values[match[0]]) if match[0] in values else match[0], expression)


def literal(value: Number) -> str:
    """A number as it stands in a formula: readable, and still a number."""
    if isinstance(value, int):
        return f"{value:_}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):_}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:.6g}"
    return f"{value:.5e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


@dataclass(slots=True)
class Ledger:
    """Evaluates formulas and, when recording, keeps each as a step.

    The same calls serve the fast path (`recording=False`: a number only) and the explained one.
    """

    recording: bool = True
    steps: list[Step] = field(default_factory=list)

    def __call__(
        self,
        formula: Formula,
        *,
        source: str = "",
        basis: Basis | None = None,
        band_pct: float | None = None,
        note: str = "",
        **values: Number,
    ) -> Number:
        if not self.recording:
            return formula.evaluate(**values)
        step = formula.step(source=source, basis=basis, band_pct=band_pct, note=note, **values)
        self.steps.append(step)
        return step.value

    def bytes(self, formula: Formula, *, source: str = "", note: str = "", **values: Number) -> int:
        """A byte count: rounded up to a whole byte."""
        return math.ceil(self(formula, source=source, basis=None, band_pct=None, note=note, **values))

    def derivation(self, title: str) -> Derivation:
        """All that has been recorded, under one title."""
        return Derivation(title, tuple(self.steps))
