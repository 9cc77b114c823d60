"""One article on screen: text that scrolls, links that are walked and followed, tables of the catalog between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from ....report.article import Article
from ....report.layout import Line, Placed, lay_out
from ....report.show import Cell, Row, Table
from ....value_types import dataclass
from ...keys import Where, bindings
from ...widgets.panel import Panel
from ...widgets.table import TableView

_TONES = {"": "", "heading": "bold $key", "bold": "bold", "rule": "$line"}
_WIDEST = 110
"""Cells of a line of text at most; tables take all there are."""
_ROWS = 14
"""Rows of a table of the catalog that are shown at once at most."""


class ArticleText(Widget):
    """Lines of an article with its links; drawn line by line."""

    DEFAULT_CSS = "ArticleText { height: auto; width: 1fr; }"

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__()
        self._lines = tuple(lines)
        self._selected = -1

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines."""
        taller = len(lines) != len(self._lines)
        self._lines = tuple(lines)
        self.refresh(layout=taller)

    def select(self, link: int) -> None:
        """Mark a link by its number; others are marked as links only."""
        if link != self._selected:
            self._selected = link
            self.refresh()

    def line_of(self, link: int) -> int | None:
        """The line on which a link begins."""
        return next((y for y, line in enumerate(self._lines) if any(piece.at == link for piece in line)), None)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        pieces = self._lines[y] if y < len(self._lines) else ()
        parts = []
        for piece in pieces:
            style = _TONES.get(piece.tone, f"${piece.tone}")
            if piece.at >= 0:
                style = "bold reverse" if piece.at == self._selected else "underline $key"
            parts.append((piece.text, style))
        return Visual.to_strips(self, Content.assemble(*parts), self.size.width, 1, self.visual_style)[0]


class ArticlePane(VerticalScroll, can_focus=True, inherit_bindings=False):
    """The text and tables of one article."""

    DEFAULT_CSS = """
    ArticlePane { height: 1fr; width: 1fr; scrollbar-size: 1 1; padding: 0 1 0 0; }
    ArticlePane Panel { margin: 1 0; }
    """
    BINDINGS = bindings(Where.ARTICLE)
    PLACE = Where.ARTICLE

    @dataclass
    class Followed(Message):
        """The user follows a link."""

        target: str

    @dataclass
    class Selected(Message):
        """Another link is marked."""

        target: str

    def __init__(self, tables: Callable[[str], Table], *, id: str | None = None) -> None:
        """`tables`: a table of the catalog by its name."""
        super().__init__(id=id)
        self._tables = tables
        self._article: Article | None = None
        self._links: tuple[str, ...] = ()
        self._link = -1
        self._width = 0

    @property
    def link(self) -> int:
        """Number of the marked link, -1 for none."""
        return self._link

    @property
    def article(self) -> Article | None:
        return self._article

    def show(self, article: Article, *, link: int = -1, top: float | None = 0) -> None:
        """Show an article from its top, or from line `top`; None keeps the place."""
        keep = self.scroll_y if top is None else top
        self._article, self._width, self._link = article, 0, link
        self._arrange()
        self.call_after_refresh(self.scroll_to, y=keep, animate=False)

    def _arrange(self) -> None:
        width = self.size.width - 2
        if self._article is None or width < 1 or width == self._width:
            return
        self._width = width
        placed, self._links = lay_out(self._article.blocks, min(width, _WIDEST))
        here = list(self.children)
        same = len(here) == len(placed) and all(_fits(widget, part) for widget, part in zip(here, placed, strict=True))
        if not same:
            self.remove_children()
            here = [self._widget(part) for part in placed]
            self.mount_all(here)
        else:
            for widget, part in zip(here, placed, strict=True):
                if isinstance(widget, ArticleText):
                    widget.show(part.lines)
                elif isinstance(widget, TablePanel):
                    widget.put(self._tables(part.data))
        self._mark()

    def _widget(self, part: Placed) -> Widget:
        return TablePanel(self._tables(part.data)) if part.data else ArticleText(part.lines)

    def on_resize(self) -> None:
        self._arrange()

    def to_heading(self, title: str) -> None:
        """Scroll to a section."""
        for prose in self.query(ArticleText):
            for y, line in enumerate(prose.lines):
                if line and line[0].tone == "heading" and line[0].text == title:
                    self.scroll_to(y=prose.virtual_region.y + y, animate=False)
                    return

    # -- links

    def _mark(self) -> None:
        for prose in self.query(ArticleText):
            prose.select(self._link if self.has_focus else -1)

    def _place(self, link: int) -> int | None:
        """The line of a link, from the top of the article."""
        for prose in self.query(ArticleText):
            line = prose.line_of(link)
            if line is not None:
                return prose.virtual_region.y + line
        return None

    def action_link(self, by: int) -> None:
        """Mark the next link: from the marked one where that is in view, else the nearest that is."""
        if not self._links:
            return
        top, bottom = self.scroll_y, self.scroll_y + self.size.height
        at = self._place(self._link)
        if at is not None and top <= at < bottom:
            self._link = (self._link + by) % len(self._links)
        else:
            seen = [link for link in range(len(self._links)) if top <= (self._place(link) or 0) < bottom]
            later = [link for link in range(len(self._links)) if (self._place(link) or 0) >= bottom]
            nearest = (seen or later or [0])[0] if by > 0 else (seen or [len(self._links) - 1])[-1]
            self._link = nearest
        self._mark()
        line = self._place(self._link)
        if line is not None and not top <= line < bottom:
            self.scroll_to_region(Region(0, line, 1, 2), animate=False)
        self.post_message(self.Selected(self._links[self._link]))

    def action_follow(self) -> None:
        """Follow the marked link."""
        if 0 <= self._link < len(self._links):
            self.post_message(self.Followed(self._links[self._link]))
        else:
            self.action_link(1)

    # -- scrolling

    def action_scroll(self, by: int) -> None:
        """By lines; tens are pages."""
        page = max(1, self.size.height - 2)
        self.scroll_relative(y=by if abs(by) == 1 else page * (1 if by > 0 else -1), animate=False)

    def action_edge(self, end: int) -> None:
        """To the top or the bottom."""
        self.scroll_to(y=0 if end < 0 else self.max_scroll_y, animate=False)

    def on_focus(self) -> None:
        self._mark()

    def on_blur(self) -> None:
        self._mark()


class TablePanel(Panel):
    """A table of the catalog, sorted by `<` and `>`, filtered by `/`; notes and source of the row in the hint line."""

    DEFAULT_CSS = "TablePanel { padding: 0; } TablePanel TableView { height: auto; }"

    def __init__(self, table: Table) -> None:
        super().__init__(table.title)
        self.table = table
        self.words = ""

    def compose(self):  # type: ignore[no-untyped-def]
        yield TableView(limit=_ROWS)

    def on_mount(self) -> None:
        self.filter("")

    def filter(self, words: str) -> None:
        """Keep the rows that hold every word."""
        self.words = words
        rows = self.table.matching(words)
        self._say(words, len(rows))
        self.query_one(TableView).show(replace(self.table, rows=tuple(_led(row) for row in rows)))

    def on_table_view_filtered(self, event: TableView.Filtered) -> None:
        event.stop()
        words = f"{self.words} {event.words}".strip()
        self._say(words, len(event.table.rows))

    def put(self, table: Table) -> None:
        """The same table of another scenario; words that filter it stay."""
        if table != self.table:
            self.table = table
            self.filter(self.words)

    def _say(self, words: str, found: int) -> None:
        count = f"{found} of {len(self.table.rows)}" if words else f"{found}"
        self.border_title = f"{self.table.title} · {count} rows" + (f" · “{words[:30]}”" if words else "")


def _led(row: Row) -> Row:
    """A row whose first cell stands out, marked where it is the user's own."""
    first, *others = row.cells
    return replace(row, cells=(Cell(f"{'◆ ' if row.own else ''}{first.text}", "bold", first.rank), *others))


def _fits(widget: Widget, part: Placed) -> bool:
    if isinstance(widget, TablePanel):
        return widget.table.id == part.data
    return isinstance(widget, ArticleText) and not part.data
