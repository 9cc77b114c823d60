"""Two scenarios side by side in words: inputs that differ, headlines with their differences, better or worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.figures.compare import Headline, HeadlineChange, InputChange, headline_changes, input_changes
from ..engine.figures.units import ByteUnit, format_value, significant
from ..scenario import INPUTS
from .full import figure_text
from .headlines import headlines
from .inputs import input_text
from .layout import escaped, markdown_table
from .sections import SECTIONS

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.facts import Facts

SIGNS = {"better": "✓ better", "worse": "✗ worse", "same": "= same", "": ""}
"""Verdict → what carries it without colour."""
TITLES = {section.id: section.title for section in SECTIONS}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The pinned scenario beside the current one."""

    pinned: str
    current: str
    """Names."""
    inputs: tuple[InputChange, ...]
    figures: tuple[HeadlineChange, ...]
    facts: Facts

    def count(self, verdict: str) -> int:
        """Figures of a verdict."""
        return sum(1 for change in self.figures if change.verdict == verdict)


def comparison(pinned: Evaluation, current: Evaluation) -> Comparison:
    """Compare two evaluations. A section that refuses is compared by its words."""
    return Comparison(
        pinned.scenario.name,
        current.scenario.name,
        tuple(change for change in input_changes(pinned.scenario, current.scenario) if change.field != "name"),
        headline_changes(headlines(pinned), headlines(current)),
        current.facts,
    )


def difference_text(change: HeadlineChange, bytes_as: ByteUnit) -> str:
    """`+71.3 GB`, `−2`; empty where one side has no figure."""
    if change.difference is None:
        return ""
    if change.verdict == "same" or not change.difference:
        return "0"
    sign = "+" if change.difference > 0 else "−"
    return sign + format_value(abs(change.difference), change.current.unit, bytes_as)


def relative_text(change: HeadlineChange) -> str:
    """`+12 %`, `−3.4 %`, `×4.2` beyond three times."""
    if change.relative is None or not change.difference:
        return ""
    percent = change.relative * 100
    if abs(percent) >= 200 and change.pinned.value and change.current.value:
        return f"×{significant(change.current.value / change.pinned.value)}"
    sign = "+" if percent > 0 else "−"
    return f"{sign}{abs(percent):.0f} %" if abs(percent) >= 10 else f"{sign}{abs(percent):.1f} %"


def verdict_line(found: Comparison) -> str:
    """How many figures got better and worse."""
    inputs = f"{len(found.inputs)} input{'s' if len(found.inputs) != 1 else ''} differ{'s' * (len(found.inputs) == 1)}"
    return f"{inputs}; {found.count('better')} figures better, {found.count('worse')} worse, {found.count('same')} same"


def summary(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The comparison in a paragraph: what differs, and the headlines that move."""
    if not found.inputs:
        return f"“{found.current}” and “{found.pinned}” have the same inputs."
    inputs = ", ".join(
        f"{INPUTS[change.field].label} {input_text(change.field, change.pinned, found.facts)} → "
        f"{input_text(change.field, change.current, found.facts)}"
        for change in found.inputs
    )
    moved = [change for change in found.figures if change.verdict in ("better", "worse")]
    figures = "; ".join(
        f"{change.current.name} {figure_text(change.pinned, bytes_as)} → {figure_text(change.current, bytes_as)}"
        f" ({relative_text(change) or difference_text(change, bytes_as)}, {change.verdict})"
        for change in moved
    )
    return f"“{found.current}” against “{found.pinned}”: {inputs}. {figures or 'No headline moves'}."


def text(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The comparison as plain tables."""
    lines = [f"{found.pinned} → {found.current}: {verdict_line(found)}", ""]
    inputs = [
        (
            INPUTS[change.field].label,
            input_text(change.field, change.pinned, found.facts),
            input_text(change.field, change.current, found.facts),
        )
        for change in found.inputs
    ]
    if inputs:
        lines += [*_table(("Input", "A", "B"), inputs), ""]
    lines += _table(("Figure", "A", "B", "difference", "", ""), [*_figure_rows(found, bytes_as)])
    return "\n".join(lines)


def markdown(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The comparison as Markdown tables."""
    inputs = [
        [
            escaped(INPUTS[change.field].label),
            escaped(input_text(change.field, change.pinned, found.facts)),
            escaped(input_text(change.field, change.current, found.facts)),
        ]
        for change in found.inputs
    ]
    figures = [[escaped(cell) for cell in row] for row in _figure_rows(found, bytes_as)]
    head = ("Figure", escaped(found.pinned), escaped(found.current), "Difference", "Relative", "")
    return "\n\n".join(
        [
            f"## {escaped(found.pinned)} → {escaped(found.current)}",
            escaped(verdict_line(found)) + ".",
            markdown_table(("Input", escaped(found.pinned), escaped(found.current)), inputs, frozenset()),
            markdown_table(head, figures, frozenset({1, 2, 3, 4})),
        ]
    )


def as_json(found: Comparison) -> dict[str, object]:
    """The comparison as plain data; figures in the engine's units."""
    return {
        "pinned": found.pinned,
        "current": found.current,
        "inputs": [
            {"field": change.field, "pinned": change.pinned, "current": change.current} for change in found.inputs
        ],
        "figures": [
            {
                "section": change.current.section,
                "name": change.current.name,
                "unit": change.current.unit.value,
                "pinned": change.pinned.value,
                "current": change.current.value,
                "difference": change.difference,
                "relative": change.relative,
                "verdict": change.verdict,
                "words": change.current.words or change.pinned.words,
            }
            for change in found.figures
        ],
    }


def _figure_rows(found: Comparison, bytes_as: ByteUnit) -> Iterator[tuple[str, ...]]:
    for change in found.figures:
        section = TITLES.get(change.current.section, change.current.section)
        yield (
            f"{section}: {change.current.name}",
            _value(change.pinned, bytes_as),
            _value(change.current, bytes_as),
            difference_text(change, bytes_as),
            relative_text(change),
            SIGNS[change.verdict],
        )


def _value(headline: Headline, bytes_as: ByteUnit) -> str:
    return "–" if headline.value is None else figure_text(headline, bytes_as)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [min(40, max(len(row[at]) for row in (head, *rows))) for at in range(len(head))]
    for row in (head, *rows):
        cells = (
            cell[:width].ljust(width) if at in (0, 5) else cell[:width].rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
