"""Markdown from text that is not ours: what it holds is shown as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> str:
    """A Markdown table; the cells are Markdown already."""
    rule = ["---:" if at in right else "---" for at in range(len(columns))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rule, *rows))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in text)


def fenced(text: str, language: str = "text") -> str:
    """A code block, its fence longer than any that the text holds."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
