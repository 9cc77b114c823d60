"""What the terminal shows, cell by cell, so that a repaint sends only the cells that changed."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_GAP = 4
"""Unchanged cells that are cheaper to write again than to jump over (a jump takes 4 to 8 bytes)."""

Cell = tuple[str, str]
"""A character and the SGR codes it is drawn with."""


class Frame:
    """The last frame that was written, line by line; None where a line is not known cell by cell."""

    def __init__(self) -> None:
        self._lines: list[list[Cell] | None] = []
        self._size = (0, 0)

    def forget(self) -> None:
        """The terminal may show anything now: the next repaint sends every cell it covers."""
        self._lines = [None] * self._size[1]

    def difference(self, update: LayoutUpdate | ChopsUpdate, size: tuple[int, int], console: Console) -> str:
        """The escape sequences that bring the terminal from the last frame to this one."""
        if size != self._size:
            self._size = size
            self.forget()
        system = console._color_system or ColorSystem.TRUECOLOR
        out: list[str] = []
        for y, x, strips in _pieces(update):
            if y < len(self._lines):
                self._write(out, y, x, strips, system)
        if out:
            out.append("\x1b[0m")
        return "".join(out)

    def _write(self, out: list[str], y: int, x: int, strips: list[Strip], system: ColorSystem) -> None:
        segments = [segment for strip in strips for segment in strip if not segment.control]
        line = self._lines[y]
        # Wide and combining characters have no cell of their own: such a line is sent as it is, and again next time.
        if any(not segment.text.isascii() and segment.cell_length != len(segment.text) for segment in segments):
            self._lines[y] = None
            out.append(f"\x1b[{y + 1};{x + 1}H")
            out.extend(f"\x1b[0;{_sgr(style, system)}m{text}" for text, style, _ in segments)
            out.append("\x1b[0m")
            return
        cells: list[Cell] = []
        for text, style, _ in segments:
            codes = _sgr(style, system)
            cells.extend((character, codes) for character in text)
        cells = cells[: max(0, self._size[0] - x)]
        if line is None:
            if x == 0 and len(cells) == self._size[0]:
                self._lines[y] = list(cells)
            _emit(out, y, x, cells, 0, len(cells))
            return
        last = line[x : x + len(cells)]
        if last == cells:
            return
        start = end = -1
        for index, cell in enumerate(cells):
            if index < len(last) and last[index] == cell:
                continue
            if start >= 0 and index - end > _GAP:
                _emit(out, y, x, cells, start, end)
                start = -1
            if start < 0:
                start = index
            end = index + 1
        _emit(out, y, x, cells, start, end)
        line[x : x + len(cells)] = cells


class FrameUpdate(CompositorUpdate):
    """A repaint that is compared with the last frame at the moment it is written."""

    def __init__(self, frame: Frame, update: LayoutUpdate | ChopsUpdate, size: tuple[int, int]) -> None:
        self._frame = frame
        self._update = update
        self._frame_size = size

    def render_segments(self, console: Console) -> str:
        return self._frame.difference(self._update, self._frame_size, console)

    def __rich_console__(self, console: Console, options: object) -> Iterable[Segment]:
        yield Segment(self.render_segments(console))


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


def _emit(out: list[str], y: int, x: int, cells: list[Cell], start: int, end: int) -> None:
    """Append cells `start` to `end` of a stretch that begins at column `x`."""
    out.append(f"\x1b[{y + 1};{x + start + 1}H")
    codes: str | None = None
    for character, style in cells[start:end]:
        if style != codes:
            codes = style
            out.append(f"\x1b[0;{style}m" if style else "\x1b[0m")
        out.append(character)


def _sgr(style: Style | None, system: ColorSystem) -> str:
    return Strip.render_ansi(style, system) if style else ""
