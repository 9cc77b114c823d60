"""Values of `show` as lines of toned text for a width: bars, tables and sentences, the same for every front end."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .line_chart import chart_lines
from .names import fitting
from .show import Answer, Bar, Bars, Block, Chart, Column, Line, Lines, Pillars, Prose, Row, Stack, Stacks, Table

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_RISING = " ▁▂▃▄▅▆▇█"
PART_GLYPHS = "█▓▒░"
"""One per part, in order: parts stay apart without colour."""
_OVER = 1.05
"""Beyond this share of the capacity a bar is over it: what engines take outside their budget stays below."""
BETWEEN = " · "
"""Between the parts of a line."""
GAP = 2
"""Cells between columns."""
_FLEX = 18
"""Cells that a flexible column gives up or takes on at most."""
_LEAST = 6
"""Cells of a flexible column in any case."""
_EXTRA = 3
"""From this `keep` on a column is shown only where all names are whole."""


def lines_of(block: Block, width: int) -> tuple[Line, ...]:
    """A block as lines of at most `width` cells."""
    match block:
        case Bars():
            return bars(block, width)
        case Stack():
            return stack(block, width)
        case Stacks():
            return stacks(block, width)
        case Pillars():
            return bars(_laid_down(block), width)
        case Table():
            return table(block, width)
        case Prose():
            return prose(block, width)
        case Lines():
            return tuple(part for line in block.lines for part in wrapped(line, width))
        case Chart():
            return chart_lines(block, width)


VERDICTS = {"good": "✓ ", "tight": "! ", "bad": "✗ "}
"""Tone → the glyph that carries it without colour."""


def answer(shown: Answer, width: int, *, brief: bool = False, keys: bool = False) -> tuple[Line, ...]:
    """The verdict, whole, with its figures behind it or below; then why and what is next, none of it cut.

    `brief`, where there is little room: what is muted is left out, and of reasons in several clauses as many are
    said as fit into a line, the first one at least. `keys`: also what a key does about it.
    """
    glyph = VERDICTS.get(shown.tone, "")
    indent = " " * len(glyph)
    strong = f"bold {shown.tone}".strip()
    room = max(12, width - len(glyph))
    verdict = BETWEEN.join(part for part in (shown.text, shown.offer if keys else "") if part)
    head = textwrap.wrap(verdict, room) or [""]
    lines: list[Line] = [((glyph if at == 0 else indent, strong), (text, strong)) for at, text in enumerate(head)]
    if shown.figure and len(head[-1]) + len(shown.figure) + 3 <= room:
        lines[-1] = (*lines[-1], ("   ", ""), (shown.figure, ""))
    elif shown.figure:
        lines += [((indent, ""), (text, "")) for text in _wrapped(shown.figure, room)]
    label = max((len(says.label) + 2 for says in shown.lines if says.label), default=0)
    for says in shown.lines:
        if brief and says.muted:
            continue
        beside = max(12, room - label)
        words = _clauses(says.text, beside) if brief and not says.tone else says.text
        for at, text in enumerate(_wrapped(words, beside)):
            name = f"{says.label}" if at == 0 else ""
            tone = says.tone or ("muted" if says.muted else "")
            lines.append(((indent, ""), (name.ljust(label), "muted"), (text, tone)))
    return tuple(lines)


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of at most `room` cells, broken between its parts, `a · b`, and inside one only where it is too long."""
    lines: list[str] = []
    for part in text.split(BETWEEN):
        if lines and len(lines[-1]) + len(BETWEEN) + len(part) <= room:
            lines[-1] += BETWEEN + part
        else:
            lines += textwrap.wrap(part, room) or [""]
    return lines


def _clauses(text: str, room: int) -> str:
    """The first clauses of a text: as many as fit, and one in any case."""
    while len(text) > room and (ends := [at for mark in (BETWEEN, "; ") if (at := text.rfind(mark)) > 0]):
        text = text[: max(ends)]
    return text


def lying(share_of_top: float, width: int) -> str:
    """A bar of eighths of a cell; what is there is never invisible."""
    eighths = round(max(0.0, min(1.0, share_of_top)) * width * 8)
    if share_of_top > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def standing(share_of_top: float, height: int) -> list[str]:
    """The cells of a standing bar, from the bottom."""
    eighths = round(max(0.0, min(1.0, share_of_top)) * height * 8)
    if share_of_top > 0:
        eighths = max(1, eighths)
    return [_RISING[max(0, min(8, eighths - level * 8))] for level in range(height)]


def share(amounts: Sequence[float], scale: float, width: int) -> tuple[int, ...]:
    """Whole cells for each amount: none that is there gets lost, and the sum is that of the whole."""
    whole = round(sum(amounts) / scale * width)
    exact = [amount / scale * width for amount in amounts]
    cells = [max(1, int(value)) if amount > 0 else 0 for amount, value in zip(amounts, exact, strict=True)]
    while sum(cells) > whole and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    while cells and sum(cells) < whole:
        at = max(range(len(cells)), key=lambda index: exact[index] - cells[index])
        cells[at] += 1
    return tuple(cells)


def bars(shown: Bars, width: int) -> tuple[Line, ...]:
    """One line per bar: mark, label, body, amount, and the note where there is room."""
    entries = shown.bars
    if not entries:
        return ()
    label = max(len(bar.label) for bar in entries)
    text = max(len(bar.text) for bar in entries)
    note = max(len(bar.note) for bar in entries)
    room = width - label - text - note - 7
    if room < 8:
        note, room = 0, width - label - text - 5
    room = max(1, room)
    top = max(bar.amount for bar in entries) or 1.0
    return tuple(
        (
            ("● " if bar.marked else "  ", "key"),
            (bar.label.ljust(label), "bold" if bar.marked else ""),
            (" ", ""),
            (lying(bar.amount / top, room).ljust(room), bar.tone),
            (f" {bar.text:>{text}}", "bold" if bar.marked else ""),
            (f"  {bar.note}" if note else "", "muted"),
        )
        for bar in entries
    )


def stack(shown: Stack, width: int) -> tuple[Line, ...]:
    """The legend, the parts to scale with `│` where the capacity ends, and what is said below."""
    total = sum(part.amount for part in shown.parts)
    scale = max(total, shown.capacity)
    if scale <= 0:
        return ()
    over = bool(shown.capacity) and total > shown.capacity * _OVER
    names = [shown.label, *(says.label for says in shown.below)]
    label = max(map(len, names)) + 2 if any(names) else 0
    room = max(8, width - label)
    bar_width = room - 1 if shown.capacity else room
    cells = share(tuple(part.amount for part in shown.parts), scale, bar_width)
    legend: list[tuple[str, str]] = []
    for index, part in enumerate(shown.parts):
        legend += [(f"{PART_GLYPHS[index % 4]} ", part.tone), (f"{part.label} {part.text}  ", "")]
    if shown.capacity:
        left = room - sum(len(text) for text, _ in legend) - 3
        words = shown.capacity_text
        words = words if len(words) <= left else words[: max(0, left - 1)] + "…"
        if left > 4:
            legend.append((f" │ {words}", "bad" if over else "muted"))
    body: Line = tuple(
        (PART_GLYPHS[index % 4] * count, part.tone)
        for index, (part, count) in enumerate(zip(shown.parts, cells, strict=True))
    )
    if shown.capacity:
        body = _marked(body, round(shown.capacity / scale * bar_width), over)
    first = wrapped(tuple(legend), room)
    lines: list[Line] = [((shown.label.ljust(label), "muted"), *first[0])]
    lines += [((" " * label, ""), *line) for line in first[1:]]
    lines.append(((" " * label, ""), *body))
    for says in shown.below:
        for at, text in enumerate(textwrap.wrap(says.text, room) or [""]):
            lines.append((((says.label if at == 0 else "").ljust(label), "muted"), (text, says.tone)))
    return tuple(lines)


def stacks(shown: Stacks, width: int) -> tuple[Line, ...]:
    """One line per whole, and the legend below."""
    if not shown.wholes:
        return ()
    label = max(len(name) for name, _, _ in shown.wholes)
    text = max(len(words) for _, _, words in shown.wholes)
    room = max(4, width - label - text - 2)
    scale = max(sum(amounts) for _, amounts, _ in shown.wholes)
    lines: list[Line] = []
    for name, amounts, words in shown.wholes:
        cells = share(amounts, scale, room)
        body = [
            (glyph * count, tone) for glyph, count, (_, tone) in zip(PART_GLYPHS, cells, shown.legend, strict=False)
        ]
        blank = (" " * (room - sum(cells)), "")
        lines.append(((name.ljust(label), "bold"), (" ", ""), *body, blank, (f" {words:>{text}}", "bold")))
    keys: list[tuple[str, str]] = [(" " * (label + 1), "")]
    left = width - label - 1
    for glyph, (words, tone) in zip(PART_GLYPHS, shown.legend, strict=False):
        left -= len(words) + 4
        if left < -2:
            break
        keys += [(f"{glyph} ", tone), (f"{words}  ", "muted")]
    return (*lines, tuple(keys))


def _laid_down(shown: Pillars) -> Bars:
    """Standing bars as lying ones, their facts behind them."""
    return Bars(
        shown.id,
        shown.title,
        tuple(
            Bar(entry.label, entry.amount, entry.text, note=" · ".join(words for words, _ in entry.facts),
                marked=entry.marked)
            for entry in shown.pillars
        ),
    )  # fmt: skip


def _marked(line: Line, at: int, over: bool) -> Line:
    """Put the mark of the capacity between two cells."""
    size = length(line)
    if size < at:
        return (*line, ("·" * (at - size), "line"), ("│", "bold"))
    return (*cut(line, at), ("│", "bold bad" if over else "bold"), *cut(line, size, start=at))


def length(line: Line) -> int:
    """Cells of a line."""
    return sum(len(text) for text, _ in line)


def cut(line: Line, end: int, start: int = 0) -> Line:
    """The cells of a line from `start` to `end`."""
    found = []
    at = 0
    for text, tone in line:
        part = text[max(0, start - at) : max(0, end - at)]
        if part:
            found.append((part, tone))
        at += len(text)
    return tuple(found)


def wrapped(line: Line, width: int) -> tuple[Line, ...]:
    """A line broken between words where it is longer than `width`."""
    if length(line) <= width:
        return (line,)
    text = "".join(part for part, _ in line)
    found, start = [], 0
    while len(text) - start > width:
        end = text.rfind(" ", start + 1, start + width + 1)
        end = end if end > start else start + width
        found.append(cut(line, end, start))
        start = end + (text[end : end + 1] == " ")
    found.append(cut(line, len(text), start))
    return tuple(found)


def fit(text: str, width: int, align: str) -> str:
    """Text in exactly `width` cells; what a name can do without goes before it is cut."""
    text = fitting(text, width)
    return text.ljust(width) if align == "left" else text.rjust(width)


def widths(
    columns: Sequence[Column], rows: Sequence[Row], room: int, sorted_by: int | None = None, stretch: int = _FLEX
) -> tuple[tuple[int, int], ...]:
    """Places of the columns that are shown, with their cells.

    High `keep` gives way first; flexible ones share what the others leave.
    """
    needs: list[int] = []
    wants: list[int] = []
    for at, column in enumerate(columns):
        need = max([len(column.title) + (2 if at == sorted_by else 0), *(len(row.cells[at].text) for row in rows)])
        wants.append(need)
        needs.append(min(need, _FLEX) if column.flex else need)
    shown = list(range(len(columns)))
    # What matters least gives way before a name is cut.
    while (
        len(shown) > 1
        and sum(wants[at] + GAP for at in shown) - GAP > room
        and max(columns[at].keep for at in shown) >= _EXTRA
    ):
        shown.remove(max(shown, key=lambda at: (columns[at].keep, at)))
    while len(shown) > 1 and sum(needs[at] + GAP for at in shown) - GAP > room:
        worst = max(shown, key=lambda at: (columns[at].keep, at))
        if columns[worst].keep == 0:
            break
        shown.remove(worst)
    spare = room - (sum(needs[at] + GAP for at in shown) - GAP)
    flexible = [at for at in shown if columns[at].flex]
    for left, at in zip(range(len(flexible), 0, -1), sorted(flexible, key=wants.__getitem__), strict=True):
        # The narrowest takes what it needs of its share, the others what it leaves.
        size = min(needs[at] + spare // left, wants[at] + (stretch if left == 1 else 0))
        spare -= max(_LEAST, size) - needs[at]
        needs[at] = max(_LEAST, size)
    return tuple((at, needs[at]) for at in shown)


def table(shown: Table, width: int) -> tuple[Line, ...]:
    """The head and the rows, numbers to the right, columns that do not fit left out."""
    places = widths(shown.columns, shown.rows, width - 2, stretch=0)
    head = tuple((fit(shown.columns[at].title, size, shown.columns[at].align), "muted") for at, size in places)
    found: list[Line] = [_spaced((("  ", ""), *head))]
    for row in (row for row in shown.rows if not row.aside):
        cells = [
            (fit(row.cells[at].text, size, shown.columns[at].align), row.cells[at].tone or row.tone)
            for at, size in places
        ]
        found.append(_spaced((("● " if row.marked else "  ", "key"), *cells)))
    return (*found, ((f"  {shown.left_out}", "muted"),)) if shown.left_out else tuple(found)


def _spaced(cells: Line) -> Line:
    mark, *rest = cells
    line: list[tuple[str, str]] = [mark]
    for number, cell in enumerate(rest):
        line += [(" " * GAP, "")] * (number > 0)
        line.append(cell)
    text, tone = line[-1]
    return (*line[:-1], (text.rstrip(), tone))


def prose(shown: Prose, width: int) -> tuple[Line, ...]:
    """Sentences wrapped, with their labels hanging out to the left."""
    indent = max((len(entry.label) for entry in shown.sentences), default=0)
    indent += 2 if indent else 0
    room = max(12, width - indent)
    lines: list[Line] = []
    for entry in shown.sentences:
        whole = f"{entry.strong}  {entry.text}" if entry.strong else entry.text
        for at, text in enumerate(textwrap.wrap(whole, room) or [""]):
            label = entry.label if at == 0 else ""
            strong = entry.strong if at == 0 and text.startswith(entry.strong) else ""
            lines.append(
                (
                    (label.ljust(indent), "muted"),
                    (strong, f"bold {entry.tone}".strip()),
                    (text[len(strong) :], "muted" if entry.muted else ""),
                )
            )
    return tuple(lines)


def plain(lines: Sequence[Line]) -> str:
    """Lines without their tones."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)
