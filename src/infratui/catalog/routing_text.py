"""The short text that the routing panel sends through the router, word by word."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def routing_words() -> tuple[str, ...]:
    """The words of the text in order, punctuation kept."""
    document = yaml.load(files(__package__).joinpath("routing_text.yaml").read_text("utf-8"), Loader=_Loader)
    return tuple(str(document["text"]).split())
