"""The peer screens, in the order of the list of sections, and those that are opened beside them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ...report.sections import SECTIONS
from ...value_types import dataclass

if TYPE_CHECKING:
    from ..screen.page import Page


@dataclass(frozen=True, slots=True)
class ScreenEntry:
    """One peer screen: its id is the folder, the mode and the name on the command line."""

    id: str
    title: str
    short: str

    def load(self) -> type[Page]:
        """Import the screen: `<Id>Screen` of `screens/<id>/screen.py`."""
        module = importlib.import_module(f"{__name__}.{self.id}.screen")
        kind: type[Page] = getattr(module, f"{self.id.capitalize()}Screen")
        return kind

    def make(self) -> Page:
        """Make the screen."""
        kind = self.load()
        kind.SECTION = self.id
        return kind()


SCREENS = tuple(ScreenEntry(entry.id, entry.title, entry.short) for entry in SECTIONS)


SEARCH = "search"
"""Asked of the reference in place of an article: take the words to look for."""
ASIDE = (
    ScreenEntry("reference", "Reference", "Ref"),
    ScreenEntry("compare", "Comparison", "Compare"),
)
"""Screens that are opened from any other and lead back to it; they have no tab."""
