"""Text as a terminal may have it: nothing that would steer it, and ASCII glyphs for where there are no others."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and newline, line and paragraph separators, bidirectional marks and overrides, surrogates.
CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
"""Pattern of what steers a terminal or reorders a line, and stands in no name."""

_PAIRS = {
    "▌": ">", "▐": "|", "◂": "<", "▸": ">", "▲": "^", "▼": "v", "●": "*", "○": "o", "◆": "*", "◇": "o",
    "█": "#", "▓": "=", "▒": "+", "░": "-", "■": "#", "□": ".", "▪": "#", "▫": ".",
    "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "▀": '"',
    "▏": "|", "▎": "|", "▍": "|", "▋": "#", "▊": "#", "▉": "#",
    "─": "-", "━": "=", "═": "=", "╌": "-", "┄": "-", "│": "|", "┃": "|", "║": "|", "┆": "|",
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "╱": "/", "╲": "\\", "╳": "x",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "⇧": "^", "⚑": "@", "✓": "+", "✗": "x", "…": "~", "·": ".", "•": "*",
    "×": "x", "÷": "/", "±": "~", "≤": "<", "≥": ">", "≈": "~", "−": "-", "–": "-", "—": "-", "∞": "8",
    "µ": "u", "α": "a", "Σ": "S", "Δ": "d", "²": "2", "³": "3", "“": '"', "”": '"', "‘": "'", "’": "'",
    "›": ">", "‹": "<", "▶": ">", "┗": "+", "╸": "-", "▚": "%", "▞": ":", "▤": "=", "▥": "|", "▧": "/",
    "≠": "!", "∝": "~", "√": "V", "⌈": "[", "⌉": "]", "λ": "l", "μ": "u", "ν": "v", "ρ": "p", "ŵ": "w", "ᵖ": "p",
    "⁰": "0", "⁹": "9", "₁": "1", "₂": "2", "ᵀ": "T", "™": "T", "€": "E", "£": "L", "¢": "c", "½": "h",
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


def harmless(text: str) -> str:
    """The text, lines and tabs as they are, with a mark for each character that would steer a terminal."""
    # Most text is printable throughout, which is told faster than the pattern is compiled.
    if text.replace("\n", "").isprintable():
        return text
    return re.sub(CONTROL, "\N{REPLACEMENT CHARACTER}", text)


def printable(text: str, limit: int = 160) -> str:
    """Text on one line, only characters that show, cut to `limit`: safe in a one-line message."""
    clean = text.replace("\n", " ").replace("\t", " ")
    if not clean.isprintable():
        clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in clean)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


_SIGNED = r"[+-] ?[$€£]?\.?[0-9][0-9.,]*([eE][+-]?[0-9]+)?( ?[A-Za-z%/·×]+)*"


def inert(cell: str) -> str:
    """A table cell that no spreadsheet runs: what would start a formula gets an apostrophe; signed numbers stay."""
    cell = harmless(cell)
    starts = cell.lstrip(" ")[:1]
    if starts in ("=", "@", "\t") or (starts in ("+", "-") and not re.fullmatch(_SIGNED, cell.strip(" "))):
        return f"'{cell}" if len(cell) > 1 else cell
    return cell


def to_ascii(text: str) -> str:
    """The text with one ASCII character for each other one."""
    return text if text.isascii() else text.translate(_TABLE)
