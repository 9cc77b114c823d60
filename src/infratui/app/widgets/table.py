"""A light table: a cursor, sorting, numbers to the right, columns that give way when it is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from ..keys import Where, bindings
from ..terminal.relayout import relayout

_GAP = 2
"""Cells between columns."""
_FLEX = 18
"""Cells that a flexible column gives up or takes on at most."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `keep` 0 stays whatever the width, higher ones are dropped first."""

    title: str
    align: Literal["left", "right"] = "right"
    keep: int = 0
    flex: bool = False
    """Takes the width that is left over."""
    sortable: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: text, a tone (`good`, `tight`, `bad`, `muted`, `key`, `bold`), and what it sorts by."""

    text: str
    tone: str = ""
    rank: float | str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row. `tone` colours the whole row, such as `muted` for what does not apply."""

    id: str
    cells: tuple[Cell, ...]
    tone: str = ""
    marked: bool = False
    """The row that the scenario stands on: shown with a dot."""


class Table(Widget, can_focus=True):
    """Rows of values under headings.

    ```python
    table = Table((Column("GPU", "left", flex=True), Column("free GB"), Column("nodes", keep=2)), limit=12)
    table.show([Row("h100", (Cell("H100"), Cell("29.0", "good", 29.0), Cell("1")))])
    ```

    `Moved` is posted when the cursor is on another row, `Chosen` when enter takes it. Drawn line by line: only lines
    whose content changed are repainted.
    """

    DEFAULT_CSS = "Table { height: auto; width: 1fr; }"
    BINDINGS = bindings(Where.TABLE)
    PLACE = Where.TABLE

    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        table: Table
        row: str

    @dataclass
    class Chosen(Message):
        """The user takes a row."""

        table: Table
        row: str

    def __init__(self, columns: Sequence[Column], *, limit: int = 12, id: str | None = None) -> None:
        """`limit`: rows shown at once where the height is automatic; the others scroll."""
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._limit = limit
        self._rows: tuple[Row, ...] = ()
        self._given: tuple[Row, ...] = ()
        self._sort: int | None = None
        self._descending = False
        self._top = 0
        self._layout: tuple[int, tuple[tuple[int, int], ...]] = (0, ())

    # -- content

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, those without room included."""
        return self._columns

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the order that is shown."""
        return self._rows

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def show(self, rows: Sequence[Row], *, columns: Sequence[Column] | None = None) -> None:
        """Replace the rows; the cursor stays on the row of the same id."""
        was = self.current.id if self.current else None
        height = len(self._given)
        if columns is not None:
            self._columns = tuple(columns)
        self._given = tuple(rows)
        self._layout = (0, ())
        self._order(was)
        if height != len(self._given):
            relayout(self)
        self.refresh()

    def _order(self, keep: str | None) -> None:
        rows = list(self._given)
        if self._sort is not None:
            at = self._sort

            def rank(row: Row) -> tuple[int, float, str]:
                cell = row.cells[at]
                value = cell.text if cell.rank is None else cell.rank
                return (1, 0.0, value.casefold()) if isinstance(value, str) else (0, float(value), "")

            rows.sort(key=rank, reverse=self._descending)
            # What is not known stands last in either order.
            rows.sort(key=lambda row: row.cells[at].text == "–")
        self._rows = tuple(rows)
        cursor = next((at for at, row in enumerate(rows) if row.id == keep), None)
        if cursor is None:
            cursor = next((at for at, row in enumerate(rows) if row.marked), 0)
        self.set_reactive(Table.cursor, cursor)
        self._scroll()

    # -- drawing

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return 1 + max(1, min(self._limit, len(self._given)))

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
        needs: list[int] = []
        wants: list[int] = []
        for at, column in enumerate(self._columns):
            texts = [len(row.cells[at].text) for row in self._given]
            need = max([len(column.title) + (2 if at == self._sort else 0), *texts])
            wants.append(need)
            needs.append(min(need, _FLEX) if column.flex else need)
        shown = list(range(len(self._columns)))
        while len(shown) > 1 and sum(needs[at] + _GAP for at in shown) - _GAP > room:
            worst = max(shown, key=lambda at: (self._columns[at].keep, at))
            if self._columns[worst].keep == 0:
                break
            shown.remove(worst)
        spare = room - (sum(needs[at] + _GAP for at in shown) - _GAP)
        for at in shown:
            if self._columns[at].flex:
                needs[at] = max(6, min(needs[at] + spare, wants[at] + _FLEX))
                break
        self._layout = (room, tuple((at, needs[at]) for at in shown))
        return self._layout[1]

    def render_line(self, y: int) -> Strip:
        if y == 0:
            line = self._header()
        elif self._top + y - 1 < len(self._rows):
            line = self._line(self._top + y - 1, y)
        else:
            line = Content("")
        return Visual.to_strips(self, line, self.size.width, 1, self.visual_style)[0]

    def _header(self) -> Content:
        parts: list[tuple[str, str]] = [(" ", "")]
        for at, width in self._widths():
            column = self._columns[at]
            arrow = ("▼" if self._descending else "▲") if at == self._sort else ""
            title = f"{column.title} {arrow}".strip() if column.align == "left" else f"{arrow} {column.title}".strip()
            parts.append((_fit(title, width, column.align), "bold $key" if arrow else "$muted"))
            parts.append((" " * _GAP, ""))
        return Content.assemble(*parts)

    def _line(self, index: int, y: int) -> Content:
        row = self._rows[index]
        here = index == self.cursor
        focused = here and self.has_focus
        back = " on $cursor-back" if focused else ""
        mark = "▌" if focused else "●" if row.marked else " "
        parts: list[tuple[str, str]] = [(mark, f"$key{back}")]
        for at, width in self._widths():
            cell = row.cells[at]
            parts.append(
                (_fit(cell.text, width, self._columns[at].align), _style(cell.tone or row.tone, focused) + back)
            )
            parts.append((" " * _GAP, back.strip()))
        if len(self._rows) > self._page:
            used = sum(width + _GAP for _, width in self._widths()) + 1
            parts.append((" " * max(0, self.size.width - used - 1), back.strip()))
            first, last = self._thumb()
            parts.append(("█" if first <= y <= last else "│", "$line"))
        return Content.assemble(*parts)

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

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # -- moving and sorting

    def _to(self, index: int) -> None:
        if not self._rows:
            return
        index = max(0, min(len(self._rows) - 1, index))
        if index != self.cursor:
            self.cursor = index
            self._scroll()
            self.refresh()
            self.post_message(self.Moved(self, self._rows[index].id))

    def action_move(self, by: int) -> None:
        """Move the cursor; tens are pages."""
        self._to(self.cursor + (by if abs(by) == 1 else self._page * (1 if by > 0 else -1)))

    def action_edge(self, end: int) -> None:
        """To the first or the last row."""
        self._to(0 if end < 0 else len(self._rows) - 1)

    def action_choose(self) -> None:
        """Take the row under the cursor."""
        if self.current:
            self.post_message(self.Chosen(self, self.current.id))

    def action_sort(self, by: int) -> None:
        """Sort by the next column, or the previous one; beyond the last stands the order as given."""
        order = [None, *(at for at, _ in self._widths() if self._columns[at].sortable)]
        here = order.index(self._sort) if self._sort in order else 0
        self._sort = order[(here + by) % len(order)]
        self._layout = (0, ())
        self._order(self.current.id if self.current else None)
        self.refresh()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._descending = not self._descending
        self._order(self.current.id if self.current else None)
        self.refresh()


def _fit(text: str, width: int, align: str) -> str:
    if len(text) > width:
        return text[: width - 1] + "…"
    return text.ljust(width) if align == "left" else text.rjust(width)


def _style(tone: str, focused: bool) -> str:
    style = {"": "", "bold": "bold"}.get(tone, f"${tone}")
    return f"bold {style}".strip() if focused else style
