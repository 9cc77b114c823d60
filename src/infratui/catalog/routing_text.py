"""The short text that the routing panel sends through the router, word by word."""

from __future__ import annotations

from functools import cache

from .built_in import DATA
from .yaml_io import read_built_in


@cache
def routing_words() -> tuple[str, ...]:
    """The words of the text in order, punctuation kept."""
    return tuple(str(read_built_in(DATA / "routing_text.yaml")["text"]).split())
