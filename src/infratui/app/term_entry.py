"""A glossary entry as text on screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from ..catalog.reference_schema import Term

_LINK = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]")


def term_content(term: Term) -> Content:
    """Definition, formula, typical values, source and neighbours of a term."""
    blocks = [Content.styled(term.short, "bold"), _linked(term.definition)]
    for label, text in (("Formula", term.formula), ("Unit", term.unit), ("Typical", term.typical)):
        if text:
            blocks.append(Content.assemble((f"{label}: ", "bold $key"), text))
    if term.source:
        blocks.append(Content.styled(f"Source: {term.source}", "$muted"))
    if term.related:
        blocks.append(Content.assemble(("See also: ", "bold $key"), " · ".join(term.related)))
    if term.origin != "built-in":
        blocks.append(Content.styled(f"Your own entry: {term.origin}", "$muted"))
    return Content("\n\n").join(blocks)


def _linked(text: str) -> Content:
    """Text whose `[[id]]` and `[[id|words]]` links stand out."""
    parts: list[str | tuple[str, str]] = []
    last = 0
    for match in _LINK.finditer(text):
        parts += [text[last : match.start()], (match[2] or match[1].replace("-", " "), "underline")]
        last = match.end()
    return Content.assemble(*parts, text[last:])
