"""Two models beside each other: one line per figure, each named once."""

from __future__ import annotations

import textwrap
from itertools import zip_longest

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....report.show import Table


class SideCards(Widget):
    """Names above, then the lines.

    ```python
    cards.show(report.moe.side_by_side(result, ByteUnit.GB))
    ```
    """

    DEFAULT_CSS = "SideCards { text-wrap: nowrap; height: auto; width: 1fr; }"

    shown: reactive[Table | None] = reactive(None)

    def show(self, table: Table) -> None:
        """Replace everything."""
        width = self.size.width
        lines = len(self._lines(width))
        self.shown = table
        if len(self._lines(width)) != lines:
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width)) or 1

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        if self.shown is None or not self.shown.rows:
            return []
        heads = [column.title for column in self.shown.columns]
        rows = [[cell.text for cell in row.cells] for row in self.shown.rows]
        label = max(len(row[0]) for row in rows) + 1
        each = max(8, (width - label - 4) // 2)
        lines = _card_lines("", (heads[1], heads[2]), label, each, "bold $key")
        for name, left, right in rows:
            lines += _card_lines(name, (left, right), label, each, "")
        return lines


def _card_lines(name: str, texts: tuple[str, str], label: int, each: int, style: str) -> list[Content]:
    """A figure of both models, wrapped where its words need more than a line."""
    left, right = (textwrap.wrap(text, each) or [""] for text in texts)
    return [
        Content.assemble(
            (f" {name if at == 0 else '':<{label}}", "$muted"), (one.ljust(each), style), (" │ ", "$line"), (two, style)
        )
        for at, (one, two) in enumerate(zip_longest(left, right, fillvalue=""))
    ]
