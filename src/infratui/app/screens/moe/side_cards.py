"""Two models beside each other: one line per figure, each named once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Figure:
    """A line: its name and what it is on either side. Without a name it carries on the line above."""

    name: str
    left: str
    right: str


class SideCards(Widget):
    """Names above, then the lines.

    ```python
    cards.show(("Llama 3.3 70B", "GLM-5"), [Figure("total", "70.6B", "744B")])
    ```
    """

    DEFAULT_CSS = "SideCards { text-wrap: nowrap; height: auto; width: 1fr; }"

    shown: reactive[tuple[tuple[str, str], tuple[Figure, ...]]] = reactive((("", ""), ()))

    def show(self, names: tuple[str, str], figures: Sequence[Figure]) -> None:
        """Replace everything."""
        taller = len(figures) != len(self.shown[1])
        self.shown = (names, tuple(figures))
        if taller:
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.shown[1]) + 1

    def render(self) -> Content:
        names, figures = self.shown
        if not figures:
            return Content("")
        label = max(len(figure.name) for figure in figures) + 1
        each = max(8, (self.size.width - label - 4) // 2)
        lines = [_line("", names, label, each, "bold $key")]
        lines += [_line(figure.name, (figure.left, figure.right), label, each, "") for figure in figures]
        return Content("\n").join(lines)


def _line(name: str, texts: tuple[str, str], label: int, each: int, style: str) -> Content:
    left, right = (text if len(text) <= each else text[: each - 1] + "…" for text in texts)
    return Content.assemble(
        (f" {name:<{label}}", "$muted"), (left.ljust(each), style), (" │ ", "$line"), (right, style)
    )
