"""Glyphs for where there are none: each character becomes one ASCII character."""

from __future__ import annotations

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
