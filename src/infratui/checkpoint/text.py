"""Names from files made safe to print: no control characters, no markup, no endless lines."""

from __future__ import annotations

import unicodedata

# Square brackets open styles in terminal markup; round ones read the same and open nothing.
_BRACKETS = str.maketrans("[]", "()")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def safe_text(text: str, limit: int = 120) -> str:
    r"""One printable line of at most `limit` characters, whatever the file holds.

    Control, format and unassigned characters (escape sequences, direction overrides, lone surrogates) become spaces,
    runs of spaces one, square brackets round: `'a\x1b[31mb'` → `'a (31mb'`.
    """
    shown = "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in text[: limit * 8])
    line = " ".join(shown.translate(_BRACKETS).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
