"""The terms of a screen, walkable: the one under the cursor is explained in the hint line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from ...value_types import dataclass
from ..keys import Where, bindings


@dataclass(frozen=True, slots=True)
class TermText:
    """A term as the screen shows it."""

    id: str
    name: str
    short: str


class Terms(Widget, can_focus=True):
    """All terms of a screen in a few lines.

    ```python
    Terms((TermText("kv-cache", "KV cache", "keys and values of past tokens"),))
    ```
    """

    DEFAULT_CSS = "Terms { height: auto; width: 1fr; padding: 0 1; }"
    BINDINGS = bindings(Where.TERMS)
    PLACE = Where.TERMS

    at: reactive[int] = reactive(0)
    terms: reactive[tuple[TermText, ...]] = reactive((), layout=True)

    @dataclass
    class Walked(Message):
        """Another term is under the cursor."""

        term: TermText

    @dataclass
    class Opened(Message):
        """The user wants the whole entry."""

        term: TermText

    def __init__(self, terms: Sequence[TermText] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(Terms.terms, tuple(terms))

    @property
    def current(self) -> TermText | None:
        return self.terms[self.at] if self.terms else None

    def _lines(self, width: int) -> list[list[int]]:
        lines: list[list[int]] = [[]]
        used = 0
        for index, term in enumerate(self.terms):
            need = len(term.name) + 3
            if used + need > width and lines[-1]:
                lines.append([])
                used = 0
            lines[-1].append(index)
            used += need
        return lines

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        focused = self.has_focus
        rows = []
        for line in self._lines(self.size.width):
            parts: list[tuple[str, str]] = []
            for index in line:
                here = focused and index == self.at
                parts += [
                    ("▌" if here else " ", "$key"),
                    (self.terms[index].name, "bold" if here else "$muted underline"),
                ]
                parts.append(("  ", ""))
            rows.append(Content.assemble(*parts))
        return Content("\n").join(rows)

    def action_walk(self, by: int) -> None:
        """Move the cursor; the screen shows the definition."""
        if self.terms:
            self.at = (self.at + by) % len(self.terms)
            self.post_message(self.Walked(self.terms[self.at]))

    def action_open(self) -> None:
        """Ask for the whole entry."""
        if self.current:
            self.post_message(self.Opened(self.current))

    def on_focus(self) -> None:
        self.refresh()
        if self.current:
            self.post_message(self.Walked(self.current))

    def on_blur(self) -> None:
        self.refresh()
