"""Content without a frame: its lines, and blanks on both sides."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget


class Unframed(Widget):
    """A widget whose styles ask for no more than a background and blanks on its sides.

    Textual looks for borders, outlines, tints, hatching and opacity around each line, and keeps it for the next time:
    that takes longer than to draw it again.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        width, left, right = self.region.width, self.styles.padding.left, self.styles.padding.right
        inside, height = max(0, width - left - right), self.content_size.height
        below, background = self.background_colors
        base = _blank(below + background)
        before = [Segment(" " * left, base)] if left else []
        after = [Segment(" " * right, base)] if right else []
        strips: list[Strip] = []
        for y in crop.line_range:
            line = self.render_line(y) if y < height else Strip.blank(inside, base)
            strip = line.adjust_cell_length(inside, base)
            strips.append(Strip([*before, *strip, *after], width) if before or after else strip)
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips


@lru_cache(maxsize=64)
def _blank(background: Color) -> RichStyle:
    return Style(background=background).rich_style
