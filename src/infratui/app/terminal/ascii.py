"""ASCII mode: every glyph of the screen becomes one ASCII character, at the last moment before it is written."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from ...plain_text import to_ascii


class AsciiOnly(LineFilter):
    """Applies `to_ascii` to everything that is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(to_ascii(text) if len(text) == segment.cell_length else "?" * segment.cell_length, style, control)
            for segment in segments
            for text, style, control in (segment,)
        ]
