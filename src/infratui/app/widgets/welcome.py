"""Three lines for whoever starts the program for the first time; dismissed once, they never come back."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

LINES = (
    (("↑↓", "choose an input"), ("←→", "change it"), ("enter", "types it"), ("1–5", "screens"), ("p", "presets")),
    (("m", "shows the math"), ("t", "walks the terms"), ("r", "the reference"), ("c", "pins, then compares")),
    (("?", "all keys for what is focused"), ("esc", "closes this")),
)  # fmt: skip
"""Keys and what they do, line by line."""


class Welcome(Widget):
    """The first keys to know."""

    DEFAULT_CSS = "Welcome { height: 3; padding: 0 1; background: $panel; }"

    def render(self) -> Content:
        return Content("\n").join(
            Content("  ").join(Content.assemble((keys, "bold $key"), f" {text}") for keys, text in line)
            for line in LINES
        )
