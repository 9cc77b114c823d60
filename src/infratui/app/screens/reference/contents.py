"""The contents of the reference: a list of entries with a cursor, and the line that searches them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from ....report.library import Entry
from ....value_types import dataclass
from ...keys import Where, bindings
from ...widgets.line_editor import LineEditing, LineEditor


class Contents(Widget, can_focus=True):
    """Entries below each other. `Moved` and `Opened` carry the key of the entry."""

    DEFAULT_CSS = "Contents { height: 1fr; width: 1fr; }"
    BINDINGS = bindings(Where.CONTENTS)
    PLACE = Where.CONTENTS

    @dataclass
    class Moved(Message):
        """The cursor is on another entry."""

        entry: Entry

    @dataclass
    class Opened(Message):
        """The user wants to read an entry."""

        entry: Entry

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._cursor = 0
        self._top = 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._entries

    @property
    def current(self) -> Entry | None:
        return self._entries[self._cursor] if self._entries else None

    def show(self, entries: Sequence[Entry]) -> None:
        """Replace the entries; the cursor stays on its entry where that is still listed."""
        was = self.current.key if self.current else ""
        self._entries = tuple(entries)
        self._cursor = next((at for at, entry in enumerate(self._entries) if entry.key == was), 0)
        self._scroll()
        self.refresh()

    def point(self, key: str) -> None:
        """Put the cursor on an entry, where it is listed."""
        self._cursor = next((at for at, entry in enumerate(self._entries) if entry.key == key), self._cursor)
        self._scroll()
        self.refresh()

    def first(self) -> None:
        """Put the cursor on the first entry."""
        self._cursor = 0
        self._scroll()
        self.refresh()

    def _scroll(self) -> None:
        page = max(1, self.size.height)
        top = min(max(self._top, self._cursor - page + 1), self._cursor)
        self._top = max(0, min(top, len(self._entries) - page))

    def render_line(self, y: int) -> Strip:
        at = self._top + y
        if at < len(self._entries):
            line = self._line(at)
        elif y == 0:
            line = Content.styled(" nothing matches; backspace widens the search", "$muted")
        else:
            line = Content("")
        return Visual.to_strips(self, line, self.size.width, 1, self.visual_style)[0]

    def _line(self, at: int) -> Content:
        entry, width = self._entries[at], self.size.width - 2
        here = at == self._cursor
        focused = here and self.has_focus
        back = " on $cursor-back" if focused else ""
        spare = width - len(entry.kind) - 1
        # What kind it is gives way to a name that fits without.
        kind = entry.kind if spare > 23 and not spare < len(entry.title) < width else ""
        room = width - len(kind) - 1
        title = entry.title if len(entry.title) <= room else entry.title[: room - 1] + "…"
        strong = {"page": "$foreground", "tree": "$key"}.get(entry.kind, "")
        style = f"bold {strong}" if here else strong
        mark = "▌" if focused else "›" if here else " "
        return Content.assemble(
            (mark, f"$key{back}"),
            (title.ljust(room), f"{style}{back}".strip()),
            (f" {kind} ", f"$muted{back}"),
        )

    def _to(self, at: int) -> None:
        at = max(0, min(len(self._entries) - 1, at))
        if self._entries and at != self._cursor:
            self._cursor = at
            self._scroll()
            self.refresh()
            self.post_message(self.Moved(self._entries[at]))

    def action_move(self, by: int) -> None:
        """Move the cursor; tens are pages."""
        self._to(self._cursor + (by if abs(by) == 1 else max(1, self.size.height - 1) * (1 if by > 0 else -1)))

    def action_edge(self, end: int) -> None:
        """To the first or the last entry."""
        self._to(0 if end < 0 else len(self._entries) - 1)

    def action_open(self) -> None:
        """Read the entry under the cursor."""
        if self.current:
            self.post_message(self.Opened(self.current))

    def on_resize(self) -> None:
        self._scroll()

    def on_focus(self) -> None:
        self.refresh()
        if self.current:
            self.post_message(self.Moved(self.current))

    def on_blur(self) -> None:
        self.refresh()


class SearchLine(LineEditing, can_focus=True):
    """What is looked for. Every character is plain text; the list follows while it is typed."""

    DEFAULT_CSS = "SearchLine { height: 1; width: 1fr; }"

    what: reactive[str] = reactive("search")
    """`search`, or the table that is filtered."""
    typing_keys = (("enter", "take"), ("↓", "to the list"), ("esc", "clear"))

    @dataclass
    class Typed(Message):
        """The words changed."""

        words: str

    @dataclass
    class Left(Message):
        """Typing is over: `kept`, or cleared."""

        kept: bool

    def __init__(self) -> None:
        super().__init__()
        self.editor = LineEditor()

    @property
    def words(self) -> str:
        """What is looked for."""
        return self.typed_text

    def clear(self) -> None:
        """Forget the words."""
        self.begin()
        self.what = "search"

    def filter(self, what: str, words: str = "") -> None:
        """Take words for something else than the contents."""
        self.what = what
        self.begin(words)

    def render(self) -> Content:
        if not self.has_focus and not self.words:
            return Content.styled(" / searches terms, pages and tables", "$muted")
        lead = " / " if self.what == "search" else f" / {self.what}: "
        if not self.has_focus:
            return Content.assemble((lead, "$key"), (self.words, "bold"))
        return Content.assemble((lead, "bold $key"), self.line(self.size.width - len(lead) - 1))

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return True

    def line_key(self, key: str) -> bool | None:
        if key == "escape":
            self.post_message(self.Left(False))
        elif key in ("enter", "down", "tab"):
            self.post_message(self.Left(True))
        else:
            return None
        return True

    def line_changed(self) -> None:
        self.post_message(self.Typed(self.words))
