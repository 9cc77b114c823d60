"""Toned lines straight onto the screen: by way of Textual's markup the same takes ten times as long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from ...report.show import Line
from ..terminal.remembered import relayout
from .unframed import Unframed

_PLAIN_WORDS = ("bold", "underline", "reverse", "on")


def tone_style(tone: str) -> str:
    """A tone as Textual's markup writes it: `bold good on panel` → `bold $good on $panel`."""
    return " ".join(word if word in _PLAIN_WORDS else f"${word}" for word in tone.split())


@lru_cache(maxsize=256)
def rich_style(app: App[object], theme: str, tone: str, base: RichStyle) -> RichStyle:
    """A tone in the colours of the theme, over those of a widget."""
    return base + Style.parse(tone_style(tone)).rich_style if tone else base


class Painted(Unframed):
    """A widget that draws toned lines. Subclasses say which, in `toned`; they are asked again after `refresh`."""

    _painted: tuple[object, Sequence[Line]] = (None, ())

    def toned(self, width: int) -> Sequence[Line]:
        """The lines for a width."""
        raise NotImplementedError

    def lines_for(self, width: int) -> Sequence[Line]:
        """The same, remembered until something has changed."""
        if self._painted[0] != width:
            self._painted = width, self.toned(width)
        return self._painted[1]

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        self._painted = None, ()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def refit(self) -> None:
        """What is drawn has changed: lay out again where it is higher or lower than before."""
        # A watcher runs before the refresh that forgets the lines of before.
        self._painted = None, ()
        if self.is_mounted and self.get_content_height(None, None, self.size.width) != self.size.height:
            relayout(self)

    def render_line(self, y: int) -> Strip:
        lines = self.lines_for(self.size.width)
        return paint(self, lines[y]) if y < len(lines) else Strip([], 0)

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        return max(1, len(self.lines_for(max(1, width))))


def paint(widget: Widget, line: Line) -> Strip:
    """A line in the colours that a widget has."""
    app, base = widget.app, widget.visual_style.rich_style
    theme = app.theme
    return Strip([Segment(text, rich_style(app, theme, tone, base)) for text, tone in line if text])
