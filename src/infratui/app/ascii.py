"""ASCII mode: every glyph of the screen becomes one ASCII character, at the last moment before it is written."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PAIRS = {
    "▌": ">", "▐": "|", "◂": "<", "▸": ">", "▲": "^", "▼": "v", "●": "*", "○": "o", "◆": "*", "◇": "o",
    "█": "#", "▓": "=", "▒": "+", "░": "-", "■": "#", "□": ".", "▪": "#", "▫": ".",
    "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "▀": '"',
    "▏": "|", "▎": "|", "▍": "|", "▋": "#", "▊": "#", "▉": "#",
    "─": "-", "━": "=", "═": "=", "╌": "-", "┄": "-", "│": "|", "┃": "|", "║": "|", "┆": "|",
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "╱": "/", "╲": "\\", "╳": "x",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "⇧": "^", "⚑": "!", "✓": "+", "✗": "x", "…": "~", "·": ".", "•": "*",
    "×": "x", "÷": "/", "±": "~", "≤": "<", "≥": ">", "≈": "~", "−": "-", "–": "-", "—": "-", "∞": "8",
    "µ": "u", "α": "a", "Σ": "S", "Δ": "d", "²": "2", "³": "3", "“": '"', "”": '"', "‘": "'", "’": "'",
    "\u00a0": " ",
}  # fmt: skip
_BRAILLE = 0x2800


class _Table(dict[int, str]):
    """Translates what is listed, Braille by how many dots it has, and the rest to `?`."""

    def __missing__(self, code: int) -> str:
        if code < 128:
            character = chr(code)
        elif _BRAILLE <= code < _BRAILLE + 256:
            character = " .::**###"[(code - _BRAILLE).bit_count()]
        else:
            character = "?"
        self[code] = character
        return character


_TABLE = _Table({ord(glyph): plain for glyph, plain in _PAIRS.items()})


def to_ascii(text: str) -> str:
    """The text with one ASCII character for each other one."""
    return text if text.isascii() else text.translate(_TABLE)


class AsciiOnly(LineFilter):
    """Applies `to_ascii` to everything that is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(to_ascii(text) if len(text) == segment.cell_length else "?" * segment.cell_length, style, control)
            for segment in segments
            for text, style, control in (segment,)
        ]
