"""Labelled sentences, wrapped with the labels hanging out to the left."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Says:
    """A sentence behind a label; `tone` is a colour of the sentence's `strong` beginning."""

    label: str
    text: str
    strong: str = ""
    """Printed bold before the text."""
    tone: str = ""
    muted: bool = False


class Prose(Widget):
    """Sentences below each other.

    ```python
    prose.show([Says("decode", "waits for weights"), Says("quality", "of 29 comparisons", "! Caution", "tight")])
    ```
    """

    DEFAULT_CSS = "Prose { height: auto; width: 1fr; text-wrap: nowrap; padding: 0 1; }"

    sentences: reactive[tuple[Says, ...]] = reactive(())

    def show(self, sentences: Sequence[Says]) -> None:
        """Replace the sentences."""
        lines = self._count(self.size.width)
        self.sentences = tuple(sentences)
        if self._count(self.size.width) != lines:
            self.refresh(layout=True)

    def _wrapped(self, width: int) -> list[tuple[Says, list[str], int]]:
        indent = max((len(entry.label) for entry in self.sentences), default=0)
        indent += 2 if indent else 0
        room = max(12, width - indent)
        found = []
        for entry in self.sentences:
            whole = f"{entry.strong}  {entry.text}" if entry.strong else entry.text
            found.append((entry, textwrap.wrap(whole, room) or [""], indent))
        return found

    def _count(self, width: int) -> int:
        return sum(len(lines) for _, lines, _ in self._wrapped(width))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, self._count(width))

    def render(self) -> Content:
        lines: list[Content] = []
        for entry, texts, indent in self._wrapped(self.size.width):
            style = "$muted" if entry.muted else ""
            for at, text in enumerate(texts):
                label = entry.label if at == 0 else ""
                strong = entry.strong if at == 0 and text.startswith(entry.strong) else ""
                lines.append(
                    Content.assemble(
                        (label.ljust(indent), "$muted"),
                        (strong, f"bold ${entry.tone}" if entry.tone else "bold"),
                        (text[len(strong) :], style),
                    )
                )
        return Content("\n").join(lines)
