"""Toned lines as a Rich renderable: the one drawing that the app's widgets and the command line share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from .show import Line

ANSI: Mapping[str, str] = {
    "": "", "good": "green", "tight": "yellow", "bad": "red", "muted": "dim", "key": "cyan", "line": "dim",
    "weights": "blue", "kv": "magenta", "overhead": "bright_black", "free": "green",
}  # fmt: skip
"""Tone → a colour that any terminal has."""


def ansi(tone: str) -> Style:
    """The style of a tone in the sixteen colours of the terminal."""
    strong = tone.startswith("bold")
    style = ANSI.get(tone.removeprefix("bold").strip(), "")
    return Style.parse(f"{'bold ' if strong else ''}{style}".strip() or "none")


class RichLines:
    """Lines for a width, drawn when Rich knows it. `draw`: width → lines; `style`: tone → style."""

    def __init__(self, draw: Callable[[int], tuple[Line, ...]], style: Callable[[str], Style] = ansi) -> None:
        self._draw, self._style = draw, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in self._draw(options.max_width):
            for text, tone in line:
                if text:
                    yield Segment(text, self._style(tone))
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)
