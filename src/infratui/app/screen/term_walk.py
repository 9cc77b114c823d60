"""Terms where they stand: every known word in view is underlined, one of them is explained, nothing scrolls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from rich.style import Style
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from ...value_types import dataclass
from ..keys import Where, bindings
from ..widgets.table import TableView
from ..widgets.term import TermText
from ..widgets.value_row import ValueRow

_UNDERLINED, _HERE = Style(underline=True), Style(reverse=True, bold=True)


@dataclass(frozen=True, slots=True)
class Spot:
    """A term on screen: where its word begins, and the word as it is drawn there."""

    term_id: str
    x: int
    y: int
    word: Strip


class TermMark(Widget, can_focus=True):
    """The word of a term, drawn over itself."""

    DEFAULT_CSS = "TermMark { position: absolute; overlay: screen; height: 1; }"
    BINDINGS = bindings(Where.TERMS)
    PLACE = Where.TERMS

    @dataclass
    class Stepped(Message):
        """To another term."""

        by: int

    @dataclass
    class Asked(Message):
        """The user wants the whole entry."""

        term: TermText

    def __init__(self, spot: Spot, term: TermText) -> None:
        super().__init__()
        self.term, self._word = term, spot.word
        self.styles.width = spot.word.cell_length
        self.styles.offset = (spot.x, spot.y)

    def render_line(self, y: int) -> Strip:
        return self._word.apply_style(_HERE if self.has_focus else _UNDERLINED)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_walk(self, by: int) -> None:
        """To the next term, or the previous one."""
        self.post_message(self.Stepped(by))

    def action_open(self) -> None:
        """Ask for the whole entry."""
        self.post_message(self.Asked(self.term))


def spots(screen: Screen[object], names: Mapping[str, str]) -> list[Spot]:
    """The first place in view of each term, in reading order; `names`: a word in lower case → its term."""
    found: dict[str, Spot] = {}
    for spot in sorted(_all(screen, names), key=lambda spot: (spot.y, spot.x)):
        found.setdefault(spot.term_id, spot)
    return list(found.values())


def _all(screen: Screen[object], names: Mapping[str, str]) -> Iterator[Spot]:
    for widget in screen.query("#section *"):
        if widget.is_on_screen and not widget.children and widget.size.height:
            yield from _of(screen, widget, names)


def _of(screen: Screen[object], widget: Widget, names: Mapping[str, str]) -> Iterator[Spot]:
    place, seen = widget.content_region, screen.find_widget(widget).visible_region
    for y in range(max(0, seen.y - place.y), min(place.height, seen.bottom - place.y)):
        known = _words_of(widget, y, names)
        line = widget.render_line(y)
        for hit in _pattern(tuple(known)).finditer(line.text) if known else ():
            if place.x + hit.end() <= seen.right:
                word = line.crop(hit.start(), hit.end())
                yield Spot(known[hit[0].casefold()], place.x + hit.start(), place.y + y, word)


def _words_of(widget: Widget, y: int, names: Mapping[str, str]) -> Mapping[str, str]:
    """The words that are terms in a line: heads of columns and labels of inputs by what they hold."""
    if isinstance(widget, ValueRow):
        return {widget.label.casefold(): widget.spec.term} if widget.spec.term else {}
    if isinstance(widget, TableView):
        heads = {column.title.casefold(): column.term for column in widget.columns if column.term and column.title}
        return heads if y == 0 else {}
    return names


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])", re.IGNORECASE)
