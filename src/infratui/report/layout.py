"""Lays articles out for a width: wrapped lines of runs, with the place of every link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..value_types import dataclass
from .article import Article, Block, Data, Grid, Heading, Runs, Text
from .markdown import escaped, markdown_table

if TYPE_CHECKING:
    from .show import Table

_WORD = re.compile(r"\S+|\s+")
_NARROWEST = 8
"""Cells that a column of a grid keeps while others can give."""
_GAP = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A run on one line; `at` is the number of its link among all links of the text, -1 where it is none."""

    text: str
    tone: str = ""
    at: int = -1


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Lines of text between two tables of the catalog, or the name of such a table."""

    lines: tuple[Line, ...] = ()
    data: str = ""


def lay_out(blocks: Sequence[Block], width: int) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
    """The blocks as stretches of lines and tables, and where the numbered links lead."""
    width = max(20, width)
    placed: list[Placed] = []
    lines: list[Line] = []
    links: list[str] = []
    for block in blocks:
        if isinstance(block, Data):
            placed += [Placed(tuple(lines)), Placed(data=block.name)]
            lines = []
            continue
        if lines and not (isinstance(block, Text) and block.close):
            lines.append(())
        lines += _block(block, width, links)
    if lines or not placed:
        placed.append(Placed(tuple(lines)))
    return tuple(entry for entry in placed if entry.lines or entry.data), tuple(links)


def plain(blocks: Sequence[Block], width: int = 88) -> str:
    """The blocks as plain text; tables of the catalog are left to the caller, who gets their names in brackets."""
    placed, _ = lay_out(blocks, width)
    return "\n\n".join(f"[{entry.data}]" if entry.data else plain_lines(entry.lines) for entry in placed)


def plain_lines(lines: Sequence[Line]) -> str:
    """Lines as text, without what stands behind their last character."""
    return "\n".join("".join(piece.text for piece in line).rstrip() for line in lines)


def as_markdown(article: Article, table: Callable[[str], Table]) -> str:
    """An article as Markdown; `table`: a table of the catalog by its name."""
    blocks = [f"# {article.title}"]
    for block in article.blocks:
        if isinstance(block, Heading):
            blocks.append(f"## {block.text}")
        elif isinstance(block, Text):
            if block.drawn:
                blocks.append("\n".join(("```text", *_lines(block), "```")))
                continue
            text = _markdown_runs(block.runs)
            if block.mark == "•":
                text = f"- {text}"
            if block.close and blocks:
                blocks[-1] += f"\n{text}" if block.mark == "•" else f"  \n{text}"
            else:
                blocks.append(text)
        elif isinstance(block, Grid):
            rows = [[_markdown_runs(cell) for cell in row] for row in block.rows]
            blocks.append(markdown_table(block.columns, rows, block.right))
        else:
            found = table(block.name)
            titles = [column.title for column in found.columns]
            right = frozenset(at for at, column in enumerate(found.columns) if column.align == "right")
            rows = [[escaped(cell.text) for cell in row.cells] for row in found.rows]
            blocks.append(markdown_table(titles, rows, right))
    return "\n\n".join(blocks) + "\n"


def _markdown_runs(runs: Runs) -> str:
    return "".join(f"**{escaped(run.text)}**" if run.tone == "bold" and run.text else escaped(run.text) for run in runs)


def _block(block: Heading | Text | Grid, width: int, links: list[str]) -> Iterator[Line]:
    if isinstance(block, Heading):
        yield (Piece(block.text, "heading"),)
    elif isinstance(block, Text):
        room = max(12, width - block.indent)
        if block.drawn:
            yield from ((Piece(f"{' ' * block.indent}{line[:room]}"),) for line in _lines(block))
            return
        mark = block.mark.ljust(block.indent)[: max(block.indent, len(block.mark))]
        for number, line in enumerate(wrap(_numbered(block.runs, links), room)):
            lead = Piece(mark if number == 0 else " " * len(mark), block.mark_tone)
            yield (lead, *line) if mark else line
    else:
        yield from _grid(block, width, links)


def _lines(sketch: Text) -> list[str]:
    return "".join(run.text for run in sketch.runs).split("\n")


def _numbered(runs: Runs, links: list[str]) -> list[Piece]:
    pieces = []
    for run in runs:
        if run.link:
            links.append(run.link)
        pieces.append(Piece(run.text, run.tone, len(links) - 1 if run.link else -1))
    return pieces


def wrap(pieces: Sequence[Piece], width: int) -> list[Line]:
    """Pieces broken into lines of at most `width` cells, between words where that is possible."""
    lines: list[list[Piece]] = [[]]
    used = 0
    glued: list[Piece] = []
    """Words without a blank between them: `[[scale]]s` stays together."""

    def flush() -> None:
        nonlocal used
        size = sum(len(piece.text) for piece in glued)
        if used and used + size > width:
            _strip(lines[-1])
            lines.append([])
            used = 0
        for piece in glued:
            text = piece.text
            while used + len(text) > width:
                head, text = text[: width - used], text[width - used :]
                lines[-1].append(replace(piece, text=head))
                lines.append([])
                used = 0
            lines[-1].append(replace(piece, text=text))
            used += len(text)
        glued.clear()

    for piece in pieces:
        for match in _WORD.finditer(piece.text):
            word = match[0]
            if not word.isspace():
                glued.append(replace(piece, text=word))
                continue
            flush()
            if "\n" in word:
                lines.append([])
                used = 0
            elif used and used + 1 <= width:
                lines[-1].append(replace(piece, text=" "))
                used += 1
    flush()
    return [_merged(line) for line in lines]


def _strip(line: list[Piece]) -> None:
    while line and line[-1].text.isspace():
        line.pop()


def _merged(line: list[Piece]) -> Line:
    merged: list[Piece] = []
    for piece in line:
        if merged and (merged[-1].tone, merged[-1].at) == (piece.tone, piece.at):
            merged[-1] = replace(merged[-1], text=merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return tuple(merged)


def _grid(grid: Grid, width: int, links: list[str]) -> Iterator[Line]:
    cells = [[_numbered(cell, links) for cell in row] for row in grid.rows]
    natural = [
        max(len(title), *(sum(len(piece.text) for piece in row[at]) for row in cells))
        for at, title in enumerate(grid.columns)
    ]
    words = [
        max(len(word) for text in (title, *_texts(cells, at)) for word in text.split() or [""])
        for at, title in enumerate(grid.columns)
    ]
    widths = _shares(natural, words, width - _GAP * (len(natural) - 1))
    head = [wrap([Piece(title, "muted")], size) for title, size in zip(grid.columns, widths, strict=True)]
    yield from _row(head, widths, grid.right)
    rule: Line = (Piece("─" * min(width, sum(widths) + _GAP * (len(widths) - 1)), "line"),)
    yield rule
    wrapped = [[wrap(cell, size) for cell, size in zip(row, widths, strict=True)] for row in cells]
    # Rows that take several lines are set apart; single lines stay dense.
    tall = [any(len(cell) > 1 for cell in row) for row in wrapped]
    for number, row in enumerate(wrapped):
        if number and (tall[number] or tall[number - 1]):
            yield ()
        yield from _row(row, widths, grid.right)


def _texts(cells: list[list[list[Piece]]], at: int) -> Iterator[str]:
    return ("".join(piece.text for piece in row[at]) for row in cells)


def _row(cells: list[list[Line]], widths: Sequence[int], right: frozenset[int]) -> Iterator[Line]:
    for number in range(max(len(cell) for cell in cells)):
        line: list[Piece] = []
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            pieces = cell[number] if number < len(cell) else ()
            space = Piece(" " * (width - sum(len(piece.text) for piece in pieces)))
            line += [space, *pieces] if at in right else [*pieces, space]
            if at < len(widths) - 1:
                line.append(Piece(" " * _GAP))
        yield _merged([piece for piece in line if piece.text])


def _shares(natural: list[int], words: list[int], room: int) -> list[int]:
    """Widths of columns: what each needs where it fits, else the wide ones give first, down to their longest word."""
    widths = list(natural)
    floors = [min(size, max(_NARROWEST, word)) for size, word in zip(natural, words, strict=True)]
    while sum(widths) > room:
        givers = [at for at, size in enumerate(widths) if size > floors[at]]
        if not givers:
            givers = [at for at, size in enumerate(widths) if size > 3]
            if not givers:
                break
        widths[max(givers, key=lambda at: widths[at])] -= 1
    return widths
