"""Two scenarios side by side in words: inputs that differ, headlines with their differences, better or worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.compare import Headline, HeadlineChange, InputChange, headline_changes, input_changes
from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, significant
from ..scenario import INPUTS
from ..value_types import dataclass
from .full import figure_text
from .inputs import input_text
from .markdown import escaped
from .money import figure
from .printed import markdown_block
from .sections import SECTIONS, headlines, outcomes
from .show import Answer, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.facts import Facts

SIGNS = {"better": "✓ better", "worse": "✗ worse", "same": "= same", "": ""}
"""Verdict → what carries it without colour."""
_TONES = {"better": "good", "worse": "bad", "same": "muted", "": ""}
_NAMED = 2
"""Inputs that a comparison of one name is called by."""
_DECIDING = {Unit.COUNT: 0, Unit.USD: 1, Unit.USD_PER_MTOK: 1, Unit.MONTHS: 1}
_OTHER = 2
"""What is counted and paid decides; the rest explains it."""
TITLES = {section.id: section.title for section in SECTIONS}


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """What a section leads with in the pinned scenario and in the current one."""

    section: str
    pinned: Answer
    current: Answer

    @property
    def differs(self) -> bool:
        """Another answer, not only other figures in it."""
        return (self.pinned.text, self.pinned.tone) != (self.current.text, self.current.tone)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The pinned scenario beside the current one."""

    pinned: str
    current: str
    """Names."""
    inputs: tuple[InputChange, ...]
    figures: tuple[HeadlineChange, ...]
    facts: Facts
    currencies: tuple[str, str] = ("$", "$")
    """Labels of the pinned one's amounts and of the current one's."""
    answers: tuple[AnswerChange, ...] = ()
    """What each section leads with, on both sides."""

    def count(self, verdict: str) -> int:
        """Figures of a verdict."""
        return sum(1 for change in self.figures if change.verdict == verdict)


def comparison(pinned: Evaluation, current: Evaluation) -> Comparison:
    """Compare two evaluations. A section that refuses is compared by its words."""
    sides = zip(outcomes(pinned), outcomes(current), strict=True)
    return Comparison(
        pinned.scenario.name,
        current.scenario.name,
        tuple(change for change in input_changes(pinned.scenario, current.scenario) if change.field != "name"),
        headline_changes(headlines(pinned), headlines(current)),
        current.facts,
        (pinned.scenario.currency, current.scenario.currency),
        tuple(AnswerChange(one.section.title, one.answer(), other.answer()) for one, other in sides),
    )


def difference_text(change: HeadlineChange, bytes_as: ByteUnit, currency: str = "$") -> str:
    """`+71.3 GB`, `−2`; empty where one side has no figure."""
    if change.difference is None:
        return ""
    if change.verdict == "same" or not change.difference:
        return "0"
    sign = "+" if change.difference > 0 else "−"
    return sign + figure(abs(change.difference), change.current.unit, bytes_as, currency)


def relative_text(change: HeadlineChange) -> str:
    """`+12 %`, `−3.4 %`, `×4.2` beyond three times."""
    if change.relative is None or not change.difference:
        return ""
    percent = change.relative * 100
    if change.verdict == "same":
        return ""
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
        f"{INPUTS[change.field].label} {input_text(change.field, change.pinned, found.facts, found.currencies[0])} → "
        f"{input_text(change.field, change.current, found.facts, found.currencies[1])}"
        for change in found.inputs
    )
    moved = [change for change in found.figures if change.verdict in ("better", "worse")]
    figures = "; ".join(
        f"{change.current.name} {figure_text(change.pinned, bytes_as, found.currencies[0])} → "
        f"{figure_text(change.current, bytes_as, found.currencies[1])}"
        f" ({relative_text(change) or difference_text(change, bytes_as, found.currencies[1])}, {change.verdict})"
        for change in moved
    )
    return f"“{found.current}” against “{found.pinned}”: {inputs}. {figures or 'No headline moves'}."


def page(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> tuple[Table, Prose, Table]:
    """The inputs that differ, the answers on both sides, and every headline that moves."""
    return differing(found), answers(found), figures(found, bytes_as)


def answers(found: Comparison) -> Prose:
    """What each screen answers on both sides, those that differ first."""
    said = [
        Says(change.section, f"{change.pinned.text} → {change.current.text}", "≠", "key")
        if change.differs
        else Says(change.section, f"= {change.current.text}", muted=True)
        for change in sorted(found.answers, key=lambda change: not change.differs)
    ]
    return Prose("answers", "What changes a decision", tuple(said))


def differing(found: Comparison) -> Table:
    """The inputs that differ."""
    columns = (
        Column("Input", "left", sortable=False),
        Column("Pinned", sortable=False),
        Column("Now", sortable=False),
    )
    rows = tuple(
        Row(
            change.field,
            (
                Cell(INPUTS[change.field].label),
                Cell(input_text(change.field, change.pinned, found.facts, found.currencies[0]), "muted"),
                Cell(input_text(change.field, change.current, found.facts, found.currencies[1]), "bold"),
            ),
        )
        for change in found.inputs
    )
    nothing = Cell("nothing differs; change an input, or choose a preset with p")
    return Table("differing", "Inputs that differ", columns, rows or (Row("none", (nothing, Cell(""), Cell(""))),))


def figures(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> Table:
    """Every headline on both sides, with its difference and whether that is better."""
    columns = (
        Column("Screen", "left", keep=2),
        Column("Figure", "left"),
        Column("Pinned"),
        Column("Now"),
        Column("Difference", keep=1),
        Column("%"),
        Column("", "left"),
    )
    ordered = sorted(found.figures, key=lambda change: _DECIDING.get(change.current.unit, _OTHER))
    rows = tuple(_figure(change, bytes_as, found.currencies) for change in ordered)
    return Table(
        "figures", "Figures, those that decide first", columns, rows, "are the same within 1 %, or have no value"
    )


def _figure(change: HeadlineChange, bytes_as: ByteUnit, currencies: tuple[str, str]) -> Row:
    section, relative = change.current.section, change.relative
    tone = _TONES[change.verdict]
    return Row(
        f"{section}/{change.current.name}",
        (
            Cell(TITLES.get(section, section), "muted"),
            Cell(change.current.name),
            _side(change.pinned, bytes_as, "muted", currencies[0]),
            _side(change.current, bytes_as, "bold", currencies[1]),
            Cell(difference_text(change, bytes_as, currencies[1]), tone, change.difference or 0.0),
            Cell(relative_text(change), tone, 0.0 if relative is None else relative),
            Cell(SIGNS[change.verdict], tone),
        ),
        detail=change.current.words or change.pinned.words,
        aside=change.verdict == "same" or change.pinned.value is change.current.value is None,
    )


def _side(side: Headline, bytes_as: ByteUnit, tone: str, currency: str) -> Cell:
    if side.value is None:
        return Cell("–", "muted")
    return Cell(figure_text(side, bytes_as, currency), tone, float(side.value))


def answer(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> Answer:
    """Whether an answer changes, between which two, and how many figures got better and worse."""
    changed = [change.section for change in found.answers if change.differs]
    moved = found.count("better") + found.count("worse")
    if not changed and not moved:
        lead = "No difference above 1 %"
    elif changed:
        lead = f"{len(changed)} of {len(found.answers)} answers change: {', '.join(changed)}"
    else:
        lead = f"The answers stay; {moved} figures move by more than 1 %"
    return Answer(lead, names(found), "", (Says("", verdict_line(found), muted=True),))


def names(found: Comparison) -> str:
    """The two that are compared: by name, or where they share one by the inputs that differ: `Weights FP8 → INT4`."""
    if found.pinned != found.current or not found.inputs:
        return f"{found.pinned} → {found.current}"
    said = [
        f"{INPUTS[change.field].label} {input_text(change.field, change.pinned, found.facts, found.currencies[0])} → "
        f"{input_text(change.field, change.current, found.facts, found.currencies[1])}"
        for change in found.inputs[:_NAMED]
    ]
    more = len(found.inputs) - _NAMED
    return f"{found.current}: {', '.join(said)}{f' and {more} more' if more > 0 else ''}"


def markdown(found: Comparison, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The comparison as Markdown tables."""
    tables = [text for table in page(found, bytes_as) if (text := markdown_block(table))]
    head = f"## {escaped(names(found))}"
    return "\n\n".join((head, f"{escaped(verdict_line(found))}.", *tables))


def as_json(found: Comparison) -> dict[str, object]:
    """The comparison as plain data; figures in the engine's units."""
    return {
        "pinned": found.pinned,
        "current": found.current,
        "inputs": [
            {"field": change.field, "pinned": change.pinned, "current": change.current} for change in found.inputs
        ],
        "answers": [
            {
                "section": change.section,
                "pinned": change.pinned.text,
                "current": change.current.text,
                "differs": change.differs,
            }
            for change in found.answers
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
