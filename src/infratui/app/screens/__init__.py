"""The peer screens, in order. A screen appears as a tab once `screens/<id>/screen.py` exists."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..screen.section import SectionScreen


@dataclass(frozen=True, slots=True)
class ScreenEntry:
    """One peer screen: its id is the folder, the mode and the name on the command line."""

    id: str
    title: str
    short: str

    def make(self) -> SectionScreen:
        """Import the screen and make it: `<Id>Screen` of `screens/<id>/screen.py`."""
        module = importlib.import_module(f"{__name__}.{self.id}.screen")
        kind: type[SectionScreen] = getattr(module, f"{self.id.capitalize()}Screen")
        kind.SECTION = self.id
        return kind()


SCREENS = (
    ScreenEntry("vram", "VRAM", "VRAM"),
    ScreenEntry("quantization", "Quantization", "Quant"),
    ScreenEntry("parallelism", "Parallelism", "Parallel"),
    ScreenEntry("cost", "Buy vs Rent", "Cost"),
    ScreenEntry("moe", "MoE vs Dense", "MoE"),
)


SEARCH = "search"
"""Asked of the reference in place of an article: take the words to look for."""
ASIDE = (
    ScreenEntry("reference", "Reference", "Ref"),
    ScreenEntry("compare", "Comparison", "Compare"),
)
"""Screens that are opened from any other and lead back to it; they have no tab."""


@cache
def available() -> tuple[ScreenEntry, ...]:
    """The screens that exist."""
    return tuple(entry for entry in SCREENS if _exists(entry.id))


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(f"{__name__}.{name}.screen") is not None
    except ModuleNotFoundError:
        return False
