"""A section on paper: its answer, its panels and its math as text for a terminal or a pipe, and as Markdown."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from ..engine.figures.units import ByteUnit
from ..plain_text import harmless
from . import draw, math
from .markdown import escaped, fenced, markdown_table
from .show import Answer, Bars, Block, Chart, Line, Lines, Pillars, Prose, Stack, Stacks, Table

if TYPE_CHECKING:
    from .sections import Outcome

WIDTH = 100
"""Columns where the output is no terminal; tables may be wider: a pipe has no edge."""
_UNBOUNDED = 10_000


def section_lines(found: Outcome, bytes_as: ByteUnit, width: int) -> tuple[Line, ...]:
    """The answer, then every panel under its title."""
    lines = [*answer_lines(found.answer(bytes_as), width)]
    for block in (*found.page(bytes_as), *found.rest(bytes_as)):
        lines += block_lines(block, width)
    return tuple(lines)


def answer_lines(answer: Answer, width: int) -> tuple[Line, ...]:
    """The verdict with its figures, and why."""
    return draw.answer(answer, max(20, width))


def block_lines(block: Block, width: int) -> tuple[Line, ...]:
    """A panel under its title; nothing for one that is empty, nor for a chart where nobody looks at it."""
    if isinstance(block, Chart) and not sys.stdout.isatty():
        return ()
    body = draw.lines_of(block, _UNBOUNDED if isinstance(block, Table) and not sys.stdout.isatty() else width)
    if not body or (isinstance(block, Table) and not block.rows):
        return ()
    return ((), ((block.title, "bold key"),), *body) if block.title else ((), *body)


def write(lines: Sequence[Line], stream: TextIO | None = None) -> None:
    """Print lines: in colour to a terminal, plain elsewhere. Nothing of a file's controls the terminal."""
    stream = stream or sys.stdout
    clean = [tuple((harmless(text), tone) for text, tone in line) for line in lines]
    if not stream.isatty():
        stream.write(draw.plain(clean) + "\n")
        return
    # Only where there are colours to show: Rich takes longer to load than a section to compute.
    from rich.console import Console

    from .rich_lines import RichLines

    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, highlight=False, soft_wrap=True)
    console.print(RichLines(lambda _: tuple(clean)), end="")
    # A stream that lets nothing steer the terminal must be told that these are our own colours.
    getattr(stream, "write_drawn", stream.write)(drawn.getvalue())


def markdown(found: Outcome, bytes_as: ByteUnit) -> str:
    """The summary, the panels as Markdown tables and lists, and the math."""
    blocks = [escaped(found.summary(bytes_as))]
    blocks += [text for block in found.page(bytes_as) if (text := markdown_block(block))]
    blocks.append(math.markdown(found.derivations(), bytes_as, found.evaluation.scenario.currency))
    return "\n\n".join(block for block in blocks if block)


def markdown_block(block: Block) -> str:
    """One panel as Markdown; pictures are left out."""
    match block:
        case Table():
            if not block.rows:
                return ""
            right = frozenset(at for at, column in enumerate(block.columns) if column.align == "right")
            head = [escaped(column.title) for column in block.columns]
            body = markdown_table(head, [[escaped(cell.text) for cell in row.cells] for row in block.rows], right)
        case Bars():
            body = _pairs([(bar.label, bar.text, bar.note) for bar in block.bars])
        case Stack():
            body = _pairs([(part.label, part.text, "") for part in block.parts])
        case Stacks():
            body = _pairs([(label, text, "") for label, _, text in block.wholes])
        case Pillars():
            facts = [" · ".join(words for words, _ in entry.facts) for entry in block.pillars]
            rows = zip(block.pillars, facts, strict=True)
            body = _pairs([(entry.label, entry.text, words) for entry, words in rows])
        case Prose():
            body = "\n".join(
                f"- {escaped(' '.join(part for part in (entry.label, entry.strong, entry.text) if part))}"
                for entry in block.sentences
            )
        case Lines():
            body = fenced(draw.plain(block.lines)) if block.lines else ""
        case Chart():
            body = ""
    return f"### {escaped(block.title)}\n\n{body}" if body and block.title else body


def _pairs(rows: Sequence[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    return markdown_table(("", "", ""), [[escaped(cell) for cell in row] for row in rows], frozenset({1}))
