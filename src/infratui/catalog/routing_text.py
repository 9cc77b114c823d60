"""The short text that the routing panel sends through the router, word by word."""

from __future__ import annotations

from functools import cache

import yaml

from .built_in import DATA

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def routing_words() -> tuple[str, ...]:
    """The words of the text in order, punctuation kept."""
    document = yaml.load((DATA / "routing_text.yaml").read_text("utf-8"), Loader=_Loader)
    return tuple(str(document["text"]).split())
