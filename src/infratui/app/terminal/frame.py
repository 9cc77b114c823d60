"""What the terminal shows, cell by cell, so that a repaint sends only the cells that changed.

Repaints come as `LayoutUpdate` and `ChopsUpdate` of `textual._compositor`, which is the only place that has them. Of
Rich, `Style._color` and `Style._bgcolor` are read where the properties would be too slow for every cell, and
`Console._color_system` because the public one is only its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

from rich.color import Color, ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_LEVELS = (0, 95, 135, 175, 215, 255)
_PALETTE = {
    **{
        (_LEVELS[red], _LEVELS[green], _LEVELS[blue]): 16 + 36 * red + 6 * green + blue
        for red in range(6)
        for green in range(6)
        for blue in range(6)
    },
    **{(8 + 10 * grey,) * 3: 232 + grey for grey in range(24)},
}
"""Red, green and blue → number, of the colours that terminals with 256 of them share."""
_OWN = 22
"""Below this number some people's terminals have colours of their own."""

_KINDS = 5_000
"""Kinds of cells that are remembered."""

_GAP = 4
"""Unchanged cells that are cheaper to write again than to jump over."""

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and those that turn the direction of what follows."""

Look = tuple[str, str, str]
"""SGR codes of a cell: attributes, foreground, background; empty where it is the default."""
Cell = tuple[str, Look]
_PLAIN: Look = ("", "", "")
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
"""Attribute → the code that ends it."""


_ANY = "*"
"""The foreground of a blank: none is seen."""


_UNKNOWN: Cell = ("", _PLAIN)
"""A cell that may show anything: no cell that is drawn equals it."""


class Frame:
    """The last frame that was written, cell by cell."""

    def __init__(self) -> None:
        self._lines: list[list[Cell]] = []
        self._size = (0, 0)
        self._cells: dict[Cell, Cell] = {}
        """Each kind of cell once: a screen has thousands, and few that differ."""

    def forget(self) -> None:
        """The terminal may show anything now: the next repaint sends every cell it covers."""
        self._lines = [self._unknown() for _ in range(self._size[1])]
        self._cells.clear()

    def _unknown(self) -> list[Cell]:
        return [_UNKNOWN] * self._size[0]

    def difference(self, update: LayoutUpdate | ChopsUpdate, size: tuple[int, int], console: Console) -> str:
        """The escape sequences that bring the terminal from the last frame to this one."""
        if size != self._size:
            self._size = size
            self.forget()
        if len(self._cells) > _KINDS:
            self._cells.clear()
        pen = _Pen(console._color_system or ColorSystem.TRUECOLOR)
        for y, x, strips in _pieces(update):
            if y < len(self._lines):
                self._write(pen, y, x, strips)
        return pen.finish()

    def _write(self, pen: _Pen, y: int, x: int, strips: list[Strip]) -> None:
        segments = [_shown(segment) for strip in strips for segment in strip if not segment.control]
        line = self._lines[y]
        # Wide and combining characters have no cell of their own: such a line is sent as it is, and again next time.
        if any(not segment.text.isascii() and segment.cell_length != len(segment.text) for segment in segments):
            self._lines[y] = self._unknown()
            pen.to(y, x)
            for text, style, _ in segments:
                pen.write(text, pen.look(style))
            pen.lose()
            return
        cells: list[Cell] = []
        for text, style, _ in segments:
            look = pen.look(style)
            if " " in text:
                blank = _blank(look)
                cells += [(character, blank if character == " " else look) for character in text]
            else:
                cells += zip(text, repeat(look))
        cells = cells[: max(0, self._size[0] - x)]
        last = line[x : x + len(cells)]
        if last == cells:
            return
        start = end = -1
        for index, cell in enumerate(cells):
            if last[index] == cell:
                continue
            if start >= 0 and index - end > _GAP:
                pen.cells(y, x + start, cells[start:end])
                start = -1
            if start < 0:
                start = index
            end = index + 1
        pen.cells(y, x + start, cells[start:end])
        line[x : x + len(cells)] = map(self._cells.setdefault, cells, cells)


class FrameUpdate(CompositorUpdate):
    """A repaint that is compared with the last frame just before it is written."""

    def __init__(self, frame: Frame, update: LayoutUpdate | ChopsUpdate, size: tuple[int, int]) -> None:
        self._frame = frame
        self._update = update
        self._frame_size = size
        self._text: str | None = None

    def differs(self, console: Console) -> bool:
        """There is something to write. The frame takes it as written."""
        if self._text is None:
            self._text = self._frame.difference(self._update, self._frame_size, console)
        return bool(self._text)

    def render_segments(self, console: Console) -> str:
        return self._text or "" if self.differs(console) else ""

    def __rich_console__(self, console: Console, options: object) -> Iterable[Segment]:
        yield Segment(self.render_segments(console))


class _Pen:
    """Writes cells with the fewest bytes: short moves along a line, and only the codes that differ."""

    def __init__(self, system: ColorSystem) -> None:
        self._system = system
        self._out: list[str] = []
        self._look = _PLAIN
        self._at: tuple[int, int] | None = None

    def look(self, style: Style | None) -> Look:
        return _look(style, self._system) if style else _PLAIN

    def to(self, y: int, x: int) -> None:
        """Move to a cell."""
        if self._at == (y, x):
            return
        if self._at is not None and self._at[0] == y and 0 < x - self._at[1] < 100:
            self._out.append(f"\x1b[{x - self._at[1]}C")
        else:
            self._out.append(f"\x1b[{y + 1};{x + 1}H")
        self._at = (y, x)

    def lose(self) -> None:
        """The cursor may be anywhere."""
        self._at = None

    def write(self, text: str, look: Look) -> None:
        """Write text where the pen is."""
        if look[1] == _ANY:
            # Ink that would show on a blank has to go, any other may stay in the pen.
            look = ("" if _inked(self._look[0]) else self._look[0], self._look[1], look[2])
        if look != self._look:
            self._out.append(_change(self._look, look))
            self._look = look
        self._out.append(text)

    def cells(self, y: int, x: int, cells: Sequence[Cell]) -> None:
        """Write cells from a place on."""
        self.to(y, x)
        for character, look in cells:
            self.write(character, look)
        self._at = (y, x + len(cells))

    def finish(self) -> str:
        if self._look != _PLAIN:
            self._out.append("\x1b[m")
        return "".join(self._out)


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterable[tuple[int, int, list[Strip]]]:
    """Line, column and content of every stretch that an update covers."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            yield y, update.region.x, list(line)
        return
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > right or end <= left:
                continue
            yield y, x, [strip if end <= right else strip.crop(0, right - x)]


def _shown(segment: Segment) -> Segment:
    """A segment without what a terminal would obey: the last door for the words of others. It takes no cell away."""
    text, style, _ = segment
    return segment if text.isprintable() else Segment(_OBEYED.sub("", text), style)


@lru_cache(maxsize=1024)
def _look(style: Style, system: ColorSystem) -> Look:
    color, back = style._color, style._bgcolor
    foreground = _codes(color, system, foreground=True) if color else ""
    background = _codes(back, system, foreground=False) if back else ""
    return Strip.render_ansi(style.without_color, system), foreground, background


def _codes(color: Color, system: ColorSystem, *, foreground: bool) -> str:
    """SGR codes of a colour, by its number in the palette where it has one."""
    number = _PALETTE.get(color.triplet, 0) if color.triplet and system is ColorSystem.TRUECOLOR else 0
    if number >= _OWN:
        return f"{38 if foreground else 48};5;{number}"
    return ";".join(color.downgrade(system).get_ansi_codes(foreground))


@lru_cache(maxsize=1024)
def _inked(attributes: str) -> bool:
    return any(code in ("4", "5", "7", "9") for code in attributes.split(";"))


@lru_cache(maxsize=1024)
def _blank(look: Look) -> Look:
    """The look of a blank: its background; all of it where something of it is seen in the foreground."""
    return look if _inked(look[0]) else ("", _ANY, look[2])


@lru_cache(maxsize=1024)
def _change(old: Look, new: Look) -> str:
    """The codes that turn one look into another."""
    codes: list[str] = []
    if old[0] != new[0]:
        was, now = set(filter(None, old[0].split(";"))), set(filter(None, new[0].split(";")))
        off = {_OFF.get(code, "0") for code in was - now}
        if "0" in off:
            return "\x1b[" + ";".join(part for part in ("0", *new) if part) + "m"
        codes += sorted(off)
        codes += sorted(code for code in now if code not in was or _OFF.get(code) in off)
    if old[1] != new[1]:
        codes.append(new[1] or "39")
    if old[2] != new[2]:
        codes.append(new[2] or "49")
    return f"\x1b[{';'.join(codes)}m"
