"""Two models beside each other: one line per figure, each named once."""

from __future__ import annotations

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
        taller = self.shown is None or len(table.rows) != len(self.shown.rows)
        self.shown = table
        if taller:
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return 1 + (len(self.shown.rows) if self.shown else 0)

    def render(self) -> Content:
        if self.shown is None or not self.shown.rows:
            return Content("")
        heads = [column.title for column in self.shown.columns]
        rows = [[cell.text for cell in row.cells] for row in self.shown.rows]
        label = max(len(row[0]) for row in rows) + 1
        each = max(8, (self.size.width - label - 4) // 2)
        lines = [_line("", (heads[1], heads[2]), label, each, "bold $key")]
        lines += [_line(name, (left, right), label, each, "") for name, left, right in rows]
        return Content("\n").join(lines)


def _line(name: str, texts: tuple[str, str], label: int, each: int, style: str) -> Content:
    left, right = (text if len(text) <= each else text[: each - 1] + "…" for text in texts)
    return Content.assemble(
        (f" {name:<{label}}", "$muted"), (left.ljust(each), style), (" │ ", "$line"), (right, style)
    )
