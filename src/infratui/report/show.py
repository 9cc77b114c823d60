"""What any front end shows, as values: answers, tables, bars, charts and sentences; nobody formats a figure twice.

The app places these in its panels, the command line prints them, the report writes them as Markdown, exports as CSV.
Tones name a meaning (`weights`, `kv`, `good`, `bad` …), never a colour: each front end has its own palette.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

from ..value_types import dataclass

Span: TypeAlias = tuple[str, str]
"""Text and its tone; a tone may begin with `bold `."""
Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Says:
    """A sentence behind a label; `tone` is that of the sentence's `strong` beginning."""

    label: str
    text: str
    strong: str = ""
    """Stands out before the text."""
    tone: str = ""
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a section leads with: the verdict, its figures, then why, and what comes next."""

    text: str = ""
    """The verdict in words; never cut."""
    figure: str = ""
    """Its figures with units and bands, behind the verdict or below it: `361 GB ±2 %`."""
    tone: str = ""
    """`good`, `tight` or `bad`: fits, barely, does not."""
    lines: tuple[Says, ...] = ()
    """What stands below it, each behind its label: why, the next best, what would help."""
    offer: str = ""
    """What a key does about it, said where there are keys: `! takes 11`."""

    @property
    def detail(self) -> str:
        """What stands below the verdict, in one line."""
        return " · ".join(" ".join(part for part in (says.label, says.text) if part) for says in self.lines)

    def until_known(self, before: Answer) -> Answer:
        """Lines without a text are still to come: what an answer before says there stays, else there are three dots."""
        known = {says.label: says for says in before.lines}
        return replace(
            self,
            lines=tuple(
                says if says.text else known.get(says.label) or replace(says, text="…", muted=True)
                for says in self.lines
            ),
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `keep` 0 stays whatever the width, higher ones are dropped first."""

    title: str
    align: Literal["left", "right"] = "right"
    keep: int = 0
    flex: bool = False
    """Takes the width that is left over."""
    sortable: bool = True
    term: str = ""
    """Glossary id of what the column holds."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: text, a tone (`good`, `tight`, `bad`, `muted`, `key`, `bold`), and what it sorts by."""

    text: str
    tone: str = ""
    rank: float | str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row. `tone` colours the whole row, such as `muted` for what does not apply."""

    id: str
    cells: tuple[Cell, ...]
    tone: str = ""
    marked: bool = False
    """The row that the scenario stands on: shown with a dot."""
    detail: str = ""
    """What stands in no column: reasons, notes, source."""
    own: bool = False
    """From the user's own files."""
    aside: bool = False
    """Shown only where it is asked for: the table says how many there are."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. Every row has a cell for every column."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    aside: str = ""
    """What the rows that stand aside have in common: `need more than 8 nodes`."""

    @property
    def left_out(self) -> str:
        """How many rows stand aside, and why; empty where none does."""
        count = sum(row.aside for row in self.rows)
        return f"{count} more {self.aside}" if count else ""

    def matching(self, words: str) -> tuple[Row, ...]:
        """The rows that hold every word, in any column or in their detail; every character counts as itself."""
        wanted = words.casefold().split()
        return tuple(row for row in self.rows if all(word in _haystack(row) for word in wanted))


def _haystack(row: Row) -> str:
    return " ".join((row.id, *(cell.text for cell in row.cells), row.detail)).casefold()


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: label, amount, the text of the amount, the tone of its meaning, and a note behind it."""

    label: str
    amount: float
    text: str
    tone: str = "weights"
    note: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars to one scale, one line each."""

    id: str
    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class StackPart:
    """A part of a whole: its label, its amount, the text of the amount, and the tone of its meaning."""

    label: str
    amount: float
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Stack:
    """One quantity in its parts, beside the capacity that it must stay below."""

    id: str
    title: str
    parts: tuple[StackPart, ...]
    capacity: float = 0.0
    capacity_text: str = ""
    label: str = ""
    """What the bar is of, before it."""
    below: tuple[Says, ...] = ()
    """Lines under the bar, labelled like it."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """Several wholes to one scale, their parts under one legend; amounts stand in the order of the legend."""

    id: str
    title: str
    legend: tuple[Span, ...]
    """Words and tone of each part."""
    wholes: tuple[tuple[str, tuple[float, ...], str], ...]
    """Label, amounts, text of the total."""


@dataclass(frozen=True, slots=True)
class Pillar:
    """A standing bar: the amount above it, the name and the facts below it."""

    id: str
    label: str
    amount: float
    text: str
    facts: tuple[Span, ...] = ()
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Pillars:
    """Standing bars beside each other."""

    id: str
    title: str
    pillars: tuple[Pillar, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from left to right; `label` stands where the curve ends."""

    label: str
    points: tuple[tuple[float, float], ...]
    tone: str = "weights"


@dataclass(frozen=True, slots=True)
class Rule:
    """A level line across the chart, such as a capacity, or an upright one at an x."""

    label: str
    at: float
    tone: str = "tight"
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves with their axes, and how values on them read."""

    curves: tuple[Curve, ...] = ()
    rules: tuple[Rule, ...] = ()
    x_label: str = ""
    y_label: str = ""
    x_text: Callable[[float], str] = "{:g}".format
    y_text: Callable[[float], str] = "{:g}".format
    logarithmic_x: bool = False
    logarithmic_y: bool = False
    top: float | None = None
    """Highest y that is drawn; curves beyond it leave the picture."""
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Prose:
    """Labelled sentences below each other."""

    id: str
    title: str
    sentences: tuple[Says, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are laid out already, such as what an engine will print."""

    id: str
    title: str
    lines: tuple[Line, ...]


Block: TypeAlias = Table | Bars | Stack | Stacks | Pillars | Chart | Prose | Lines
"""One panel's worth of a section: `id` is the panel's name, on screen and in exports."""
