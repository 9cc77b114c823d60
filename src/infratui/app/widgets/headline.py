"""The answer of a screen in two lines: the figure, the verdict, and the sentence that goes with it."""

from __future__ import annotations

import textwrap

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ...report.show import Answer

VERDICTS = {"good": "✓", "tight": "!", "bad": "✗", "": ""}
"""Tone → the glyph that carries it without colour."""


class HeadlineView(Widget):
    """Always visible above the results; where there is room, the second line may take two."""

    DEFAULT_CSS = "HeadlineView { text-wrap: nowrap; height: 2; padding: 0 1; }"

    answer: reactive[Answer] = reactive(Answer())

    def render(self) -> Content:
        width, answer = self.size.width, self.answer
        glyph = VERDICTS.get(answer.tone, "")
        tone = f"${answer.tone}" if answer.tone else "$foreground"
        room = width - len(answer.figure) - len(glyph) - 4
        text = answer.text if len(answer.text) <= room else answer.text[: max(0, room - 1)] + "…"
        lines = max(1, self.size.height - 1)
        detail = "\n".join(textwrap.wrap(answer.detail, max(10, width), max_lines=lines, placeholder=" …"))
        return Content.assemble(
            (answer.figure, "bold"),
            ("   " if answer.figure else "", ""),
            (f"{glyph} " if glyph else "", f"bold {tone}"),
            (text, f"bold {tone}" if answer.tone else "bold"),
            "\n",
            (detail, "$muted"),
        )
