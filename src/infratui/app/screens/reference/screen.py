"""The reference screen: contents beside the article, or one of them where room is short; a trail that leads back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer

from .... import mishaps
from ....engine.evaluate import Evaluation
from ....report.article import Article
from ....report.layout import as_markdown, plain
from ....report.library import Entry
from ....report.show import Table
from ....report.tables import catalog_table
from ....scenario import Scenario
from ....value_types import dataclass
from ...screen.page import Page
from ...widgets.panel import Panel
from ...widgets.table import TableView
from .. import SEARCH
from .article_pane import ArticlePane, TablePanel
from .contents import Contents, SearchLine

if TYPE_CHECKING:
    from textual.widget import Widget

    from ....report.library import Library

PREVIEW_S = 0.15
"""The cursor rests this long on an entry before the article beside it follows."""


TAKEN = {"accelerators": "accelerator", "models": "model", "precisions": "precision"}
"""Table → the field that takes its rows."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reader was before following a link."""

    key: str
    link: int
    top: float


class ReferenceScreen(Page):
    """Terms, pages, tables and decision trees."""

    HELP = "Enter reads an entry, ←→ walk its links, enter follows one, esc goes back the same way."
    AUTO_FOCUS = "Contents"
    CSS = """
    ReferenceScreen #contents-panel { height: 1fr; }
    ReferenceScreen #article-panel { height: 1fr; }
    ReferenceScreen.-narrow #article-panel { display: none; }
    ReferenceScreen.-narrow.-reading #article-panel { display: block; }
    ReferenceScreen.-narrow.-reading #contents-panel { display: none; }
    ReferenceScreen.-wide #contents-panel { width: 42; border-right: solid $line; }
    ReferenceScreen.-huge #contents-panel { width: 56; border-right: solid $line; }
    ReferenceScreen.-wide #article-panel, ReferenceScreen.-huge #article-panel { width: 1fr; }
    """

    class Made(Message):
        """A slow article has been computed."""

        def __init__(self, scenario: Scenario, article: Article) -> None:
            super().__init__()
            self.scenario, self.article = scenario, article

    def __init__(self) -> None:
        super().__init__()
        self._trail: list[_Place] = []
        self._from_outside = False
        self._key = ""
        self._timer: Timer | None = None
        self._filtered: TablePanel | None = None
        self._shown: tuple[object, ...] = ()

    @property
    def library(self) -> Library:
        return self.session.library

    # -- composition

    def compose_page(self) -> ComposeResult:
        with Panel("Reference", id="contents-panel"):
            yield SearchLine()
            yield Contents()
        with Panel("", id="article-panel"):
            yield ArticlePane(self._table)

    def _table(self, name: str) -> Table:
        return catalog_table(name, self.session.facts, self.scenario)

    def on_mount(self) -> None:
        self.query_one(Contents).show(self.library.contents())
        # `on_mount` of the base class runs as well; it must find the article that focus moves to.
        if self.library.problem:
            self.call_after_refresh(self.note, f"{self.library.problem}; your own terms are left out", "bad")

    # -- keeping up

    def sync(self) -> None:
        """Show what was asked for, with the scenario as it is now."""
        app = self.infra
        self.sync_title()
        asked, app.asked_article = app.asked_article, ""
        if asked == SEARCH:
            self.call_after_refresh(self.search)
        elif asked:
            self._trail.clear()
            self._from_outside = True
            self._show(asked)
            self.query_one(Contents).point(asked)
            self.call_after_refresh(self._read)
        elif not self._key:
            self._show(self.library.contents()[0].key)
        key = (self.scenario, self.session.facts_version)
        if key != self._shown and self._key and not asked:
            self._show(self._key, top=None)
        self._shown = key

    def _show(self, key: str, *, link: int = -1, top: float | None = 0) -> None:
        """Put an article into the pane; what it computes follows."""
        name, _, section = key.partition("#")
        fresh = name != self._key
        self._key = name
        if fresh or not self.library.slow(name):
            self._put(self.library.article(name, self.session.facts, None), link, top)
        if section:
            self.call_after_refresh(self._to_section, name, int(section))
        if self.library.slow(name):
            self._compute(name, self.scenario, self.session.evaluation)

    def _put(self, article: Article, link: int = -1, top: float | None = 0) -> None:
        trail = " › ".join(self.library.title(place.key) for place in self._trail[-2:])
        self.query_one("#article-panel", Panel).border_title = f"{trail} › {article.title}" if trail else article.title
        self.query_one(ArticlePane).show(article, link=link, top=top)

    def _to_section(self, name: str, section: int) -> None:
        from ....catalog.reference import page

        title = page(name.removeprefix("page:")).sections[section].title
        self.query_one(ArticlePane).to_heading(title)

    @work(thread=True, exclusive=True, group="article")
    def _compute(self, key: str, scenario: Scenario, evaluation: Evaluation) -> None:
        try:
            article = self.library.article(key, self.session.facts, evaluation)
        except Exception as error:
            self.call_later(self.note, str(mishaps.told(error, f"the article {key}")), "bad")
        else:
            self.post_message(self.Made(scenario, article))

    def on_reference_screen_made(self, event: Made) -> None:
        if event.article.key == self._key and event.scenario == self.scenario:
            pane = self.query_one(ArticlePane)
            self._put(event.article, pane.link, None)

    # -- contents and search

    def search(self) -> None:
        """Take words: for the focused table where there is one, else for the contents."""
        line = self.query_one(SearchLine)
        panel = self.panel_of(self.focused)
        self._filtered = panel if isinstance(panel, TablePanel) else None
        if self._filtered is not None:
            self._filtering(self._filtered)
            return
        self.remove_class("-reading")
        if line.what != "search":
            line.clear()
        line.focus()

    def _filtering(self, panel: TablePanel) -> None:
        from ...screen.overlays import Prompt

        def check(words: str) -> str:
            if words and not panel.table.matching(words):
                return f"no row holds {words[:40]!r}"
            panel.filter(words)
            return ""

        self.app.push_screen(Prompt(f"Rows of {panel.table.title} that hold", panel.words, check))

    def on_search_line_typed(self, event: SearchLine.Typed) -> None:
        event.stop()
        contents = self.query_one(Contents)
        contents.show(self.library.contents(event.words))
        contents.first()

    def on_search_line_left(self, event: SearchLine.Left) -> None:
        event.stop()
        if not event.kept:
            self._clear_search()
        contents = self.query_one(Contents)
        contents.focus()

    def _clear_search(self) -> None:
        self.query_one(SearchLine).clear()
        self.query_one(Contents).show(self.library.contents())

    def on_contents_moved(self, event: Contents.Moved) -> None:
        event.stop()
        self.note("")
        self.hint(event.entry.about)
        if self._timer is not None:
            self._timer.stop()
        if not self.has_class("-narrow"):
            self._timer = self.set_timer(PREVIEW_S, self._preview)

    def _preview(self) -> None:
        entry = self.query_one(Contents).current
        if entry is not None and isinstance(self.focused, Contents) and entry.key != self._key:
            self._trail.clear()
            self._show(entry.key)

    def on_contents_opened(self, event: Contents.Opened) -> None:
        event.stop()
        self.read(event.entry)

    def read(self, entry: Entry) -> None:
        """Read an entry of the contents."""
        self._trail.clear()
        self._from_outside = False
        self._show(entry.key)
        self._read()

    def _read(self) -> None:
        self.add_class("-reading")
        self.query_one(ArticlePane).focus()

    # -- links

    def on_article_pane_selected(self, event: ArticlePane.Selected) -> None:
        event.stop()
        self.hint(self._about(event.target))

    def on_article_pane_followed(self, event: ArticlePane.Followed) -> None:
        event.stop()
        kind, _, name = event.target.partition(":")
        if kind == "screen":
            self.infra.show_peer(name)
            return
        pane = self.query_one(ArticlePane)
        self._trail.append(_Place(self._key, pane.link, pane.scroll_y))
        self._show(event.target)
        self.query_one(Contents).point(event.target)

    def _about(self, target: str) -> str:
        kind, _, name = target.partition(":")
        if kind == "term":
            term = self.session.term(name)
            return f"{term.name}: {term.short}" if term else ""
        if kind == "screen":
            return f"to the screen {self.infra.title_of(name)}"
        return f"{kind}: {self.library.title(target)}"

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        event.stop()
        if (words := self._row_words(event.table)) is not None:
            self.hint(words)

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        """Take a row into the scenario, where it is something that a scenario has."""
        event.stop()
        panel = self.panel_of(event.table)
        field = TAKEN.get(panel.table.id) if isinstance(panel, TablePanel) else None
        if field is None:
            self.note("this table is for reading; rows of accelerators, models and precisions can be taken")
        elif self.change(**{field: event.row}):
            self.note(f"the scenario takes {event.row}; u undoes it", "good")

    def _row_words(self, table: TableView) -> str | None:
        own = isinstance(self.panel_of(table), TablePanel)
        return table.current.detail if own and table.current is not None else None

    def hint_of(self, focused: Widget) -> str | None:
        if isinstance(focused, TableView):
            return self._row_words(focused)
        if isinstance(focused, ArticlePane):
            return "←→ walk the links, enter follows, esc goes back"
        return focused.current.about if isinstance(focused, Contents) and focused.current is not None else None

    # -- keys of every screen

    def walk_term(self, by: int) -> None:
        """To the next or previous link."""
        pane = self.query_one(ArticlePane)
        if not pane.has_focus:
            self._read()
        self.call_after_refresh(pane.action_link, by)

    def action_leave(self) -> None:
        """Back: from the table, along the trail, to the contents, to the screen."""
        if self.maximized is not None:
            self.minimize()
        elif isinstance(self.focused, TableView):
            self.query_one(ArticlePane).focus()
        elif isinstance(self.focused, ArticlePane):
            self._leave_article()
        elif self.query_one(SearchLine).words:
            self._clear_search()
        else:
            self.infra.step_back()

    def _leave_article(self) -> None:
        if self._trail:
            place = self._trail.pop()
            self._show(place.key, link=place.link, top=place.top)
            self.query_one(Contents).point(place.key)
        elif self._from_outside:
            self._from_outside = False
            self.remove_class("-reading")
            self.query_one(Contents).focus()
            self.infra.step_back()
        else:
            self.remove_class("-reading")
            self.query_one(Contents).focus()

    def action_page(self, by: int) -> None:
        """Scroll the article."""
        self.query_one(ArticlePane).action_scroll(10 * by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Articles carry their formulas: there is no math behind them.
        return False if action == "math" else super().check_action(action, parameters)

    def summary(self) -> str:
        """The article as plain text."""
        article = self.query_one(ArticlePane).article
        return f"{article.title}\n\n{plain(article.blocks)}" if article else ""

    def markdown(self) -> str:
        """The article as Markdown, its catalog tables included."""
        article = self.query_one(ArticlePane).article
        return as_markdown(article, self._table) if article else ""
