"""How the catalog refuses a name."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.facts import UnknownFactError
from ..plain_text import printable
from .matching import nearest


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownFactError:
    """The refusal of a name, with the nearest of the known ones."""
    near = ", ".join(nearest(name, known))
    listed = {"model": "models", "accelerator": "gpus", "precision": "quant --set shown_formats=all"}.get(what)
    hint = f"nearest: {near}" if near else f"`infratui {listed}` lists them" if listed else f"no {what} is like it"
    own = "; of any other give the folder of its config.json" if what == "model" else ""
    return UnknownFactError(f"unknown {what} {printable(name, 60)!r}; {hint}{own}")
