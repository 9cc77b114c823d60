"""A light table: a cursor, sorting, numbers to the right, columns that give way when it is narrow."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual

from ...report import draw
from ...report.show import Cell, Column, Line, Row, Table
from ...value_types import dataclass
from ..keys import Where, bindings
from ..terminal.remembered import relayout
from .line_editor import LineEditing
from .painted import paint
from .unframed import Unframed

MORE = "+more"
"""The row that stands for those left out."""


class TableView(Unframed, LineEditing, can_focus=True):
    """Rows of values under headings.

    ```python
    view = TableView(limit=12)
    view.show(Table("fits", "Fits", (Column("GPU", "left", flex=True), Column("free GB")), (Row("h100", cells),)))
    ```

    `Moved` is posted when the cursor is on another row, `Chosen` when enter takes it. Drawn line by line: only lines
    whose content changed are repainted.
    """

    DEFAULT_CSS = "TableView { height: auto; width: 1fr; }"
    BINDINGS = bindings(Where.TABLE)
    PLACE = Where.TABLE

    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        table: TableView
        row: str
        detail: str = ""
        """What the row says in no column."""

    @dataclass
    class Chosen(Message):
        """The user takes a row."""

        table: TableView
        row: str

    @dataclass
    class Filtered(Message):
        """Other rows are shown: those that hold the words."""

        table: TableView
        words: str

    def __init__(self, *, limit: int = 12, id: str | None = None) -> None:
        """`limit`: rows shown at once where the height is automatic; the others scroll."""
        super().__init__(id=id)
        self.block = Table("", "", (), ())
        """What is shown, in the order as given."""
        self._limit = limit
        self._rows: tuple[Row, ...] = ()
        self._given: tuple[Row, ...] = ()
        self._sort: int | None = None
        self._descending = False
        self._more = False
        """Rows that stand aside are shown too."""
        self._lettered = False
        """The next letter says what to sort by."""
        self._words = ""
        """What rows are filtered by."""
        self._top = 0
        self._placed = False
        """The cursor stands where the user, or a marked row, has put it."""
        self._layout: tuple[int, tuple[tuple[int, int], ...]] = (0, ())

    # -- content

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, those without room included."""
        return self.block.columns

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the order that is shown."""
        return tuple(row for row in self._rows if row.id != MORE)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    @property
    def _shown(self) -> tuple[Row, ...]:
        """The rows as given; those that stand aside only where they were asked for."""
        if self._more or not self.block.left_out:
            return self._given
        kept = tuple(row for row in self._given if not row.aside)
        words = Cell(f"+ {self.block.left_out}", "muted")
        blank = Cell("–", "hidden")
        detail = f"{self.block.left_out}: enter shows them"
        return (*kept, Row(MORE, (words, *[blank] * (len(self.columns) - 1)), detail=detail))

    def show(self, table: Table) -> None:
        """Replace the table; the cursor stays on the row of the same id."""
        was = self.current.id if self.current and self._placed else None
        before = len(self._shown)
        self.block = table
        self._given = table.rows
        taller = len(self._shown) != before
        if self._sort is not None and self._sort >= len(table.columns):
            self._sort = None
        self._layout = (0, ())
        self._order(was)
        if taller:
            relayout(self)
        self.refresh()

    def _order(self, keep: str | None) -> None:
        rows = list(self.block.matching(self._words) if self._words else self._shown)
        if self._sort is not None:
            at = self._sort

            def rank(row: Row) -> tuple[int, float, str]:
                cell = row.cells[at]
                value = cell.text if cell.rank is None else cell.rank
                return (1, 0.0, value.casefold()) if isinstance(value, str) else (0, float(value), "")

            rows.sort(key=rank, reverse=self._descending)
            # What is not known stands last in either order.
            rows.sort(key=lambda row: (row.id == MORE, row.cells[at].text == "–"))
        self._rows = tuple(rows)
        cursor = next((at for at, row in enumerate(rows) if row.id == keep), None)
        if cursor is None:
            # The marked row, where the top of the table is in view with it.
            cursor = next((at for at, row in enumerate(rows[: self._limit]) if row.marked), None)
            # Of rows that come little by little the marked one may come later.
            self._placed = cursor is not None
            cursor = cursor or 0
        self.set_reactive(TableView.cursor, cursor)
        self._scroll()

    # -- drawing

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return 1 + max(1, min(self._limit, len(self._shown)))

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _scroll(self) -> None:
        page = self._page if self.size.height else self._limit
        top = min(max(self._top, self.cursor - page + 1), self.cursor)
        self._top = max(0, min(top, len(self._rows) - page))

    def _widths(self) -> tuple[tuple[int, int], ...]:
        """Shown columns with their widths."""
        room = self.size.width - 2
        if self._layout[0] == room:
            return self._layout[1]
        self._layout = (room, draw.widths(self.columns, self._given, room, self._sort))
        return self._layout[1]

    def render_line(self, y: int) -> Strip:
        if y == 0 and (self.typing or self._words):
            return Visual.to_strips(self, self._filter_line(), self.size.width, 1, self.visual_style)[0]
        if y == 0:
            return paint(self, self._header())
        return paint(self, self._line(self._top + y - 1, y) if self._top + y - 1 < len(self._rows) else ())

    def _filter_line(self) -> Content:
        line = self.line(24) if self.typing else Content.styled(self._words, "bold")
        found = f"  {len(self._rows)} of {len(self._given)} rows · enter keeps, esc shows all"
        return Content.assemble((" / ", "bold $key"), line, (found, "$muted"))

    def _header(self) -> Line:
        parts: list[tuple[str, str]] = [(" ", "")]
        for at, width in self._widths():
            column = self.columns[at]
            arrow = ("▼" if self._descending else "▲") if at == self._sort else ""
            title = f"{column.title} {arrow}".strip() if column.align == "left" else f"{arrow} {column.title}".strip()
            text = draw.fit(title, width, column.align)
            letter = self._letters().get(at, "") if self._lettered else ""
            place = text.casefold().find(letter) if letter else -1
            if place >= 0:
                parts += [(text[:place], "muted"), (text[place], "bold underline key"), (text[place + 1 :], "muted")]
            else:
                parts.append((text, "bold key" if arrow else "muted"))
            parts.append((" " * draw.GAP, ""))
        return tuple(parts)

    def _line(self, index: int, y: int) -> Line:
        row = self._rows[index]
        here = index == self.cursor
        focused = here and self.has_focus
        back = " on cursor-back" if focused else ""
        mark = "▌" if focused else "●" if row.marked else " "
        parts: list[tuple[str, str]] = [(mark, f"key{back}")]
        if row.id == MORE:
            words = draw.fit(row.cells[0].text, max(1, self.size.width - 2), "left")
            return (*parts, (words, ("bold" if focused else "muted") + back))
        for at, width in self._widths():
            cell = row.cells[at]
            parts.append(
                (draw.fit(cell.text, width, self.columns[at].align), _style(cell.tone or row.tone, focused) + back)
            )
            parts.append((" " * draw.GAP, back.strip()))
        if len(self._rows) > self._page:
            used = sum(width + draw.GAP for _, width in self._widths()) + 1
            parts.append((" " * max(0, self.size.width - used - 1), back.strip()))
            first, last = self._thumb()
            parts.append(("█" if first <= y <= last else "│", "line"))
        return tuple(parts)

    def _thumb(self) -> tuple[int, int]:
        page, count = self._page, len(self._rows)
        size = max(1, page * page // count)
        at = round(self._top * (page - size) / max(1, count - page))
        return at + 1, at + size

    def on_resize(self) -> None:
        top = self._top
        self._scroll()
        if self._top != top:
            self.refresh()

    # -- filtering

    def action_filter(self) -> None:
        """Type what rows must hold."""
        self.begin(self._words)

    def line_changed(self) -> None:
        self._filter(self.typed_text)

    def line_key(self, key: str) -> bool | None:
        if key == "escape":
            self.editor = None
            self._filter("")
            return True
        if key in ("enter", "tab", "shift+tab", "up", "down"):
            self.editor = None
            return key == "enter"
        return None

    def on_key(self, event: events.Key) -> None:
        """A letter after `S` sorts; escape shows all rows again, before it leaves the table."""
        if self._lettered and not self.typing:
            self._sort_by(event.character)
            event.stop()
            event.prevent_default()
            return
        if event.key == "escape" and self._words and not self.typing:
            self._filter("")
            event.stop()
            event.prevent_default()

    def _filter(self, words: str) -> None:
        self._words = words
        self._top = 0
        self._order(None)
        self.refresh()
        self.post_message(self.Filtered(self, words))

    # -- moving and sorting

    def _to(self, index: int) -> None:
        if not self._rows:
            return
        self._placed = True
        index = max(0, min(len(self._rows) - 1, index))
        if index != self.cursor:
            self.cursor = index
            self._scroll()
            self.refresh()
            row = self._rows[index]
            self.post_message(self.Moved(self, row.id, row.detail))

    def action_move(self, by: int) -> None:
        """Move the cursor; tens are pages."""
        self._to(self.cursor + (by if abs(by) == 1 else self._page * (1 if by > 0 else -1)))

    def action_edge(self, end: int) -> None:
        """To the first or the last row."""
        self._to(0 if end < 0 else len(self._rows) - 1)

    def action_choose(self) -> None:
        """Take the row under the cursor; the last one may stand for those left out."""
        if self.current and self.current.id == MORE:
            at = self.cursor
            self._more = True
            self._order(None)
            self._to(min(at, len(self._rows) - 1))
            relayout(self)
            self.refresh()
        elif self.current:
            self.post_message(self.Chosen(self, self.current.id))

    def action_sort(self, by: int) -> None:
        """Sort by the next column, or the previous one; beyond the last stands the order as given."""
        order = [None, *(at for at, _ in self._widths() if self.columns[at].sortable)]
        here = order.index(self._sort) if self._sort in order else 0
        self._sort = order[(here + by) % len(order)]
        self._layout = (0, ())
        self._from_top()
        self.refresh()

    def _letters(self) -> dict[int, str]:
        """Column → the letter that sorts by it: the first one of its title that no column before it has."""
        found: dict[int, str] = {}
        for at, _ in self._widths():
            column = self.columns[at]
            free = (c for c in column.title.casefold() if c.isascii() and c.isalnum() and c not in found.values())
            if column.sortable and (letter := next(free, "")):
                found[at] = letter
        return found

    def action_letter(self) -> None:
        """The next letter sorts by its column; the same one again reverses."""
        self._lettered = True
        self.refresh()

    def _sort_by(self, character: str | None) -> None:
        self._lettered = False
        at = next((at for at, letter in self._letters().items() if letter == (character or "").casefold()), None)
        if at is not None:
            self._descending = not self._descending if at == self._sort else False
            self._sort = at
            self._layout = (0, ())
            self._from_top()
        self.refresh()

    def _from_top(self) -> None:
        """What sorts first is what was asked for: the cursor goes there."""
        self._order(None)
        self._placed = True
        self.set_reactive(TableView.cursor, 0)
        self._scroll()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._descending = not self._descending
        self._from_top()
        self.refresh()


def _style(tone: str, focused: bool) -> str:
    return f"bold {tone}".strip() if focused and tone != "bold" else tone
