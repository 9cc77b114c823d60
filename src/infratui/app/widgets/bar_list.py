"""Labelled bars to one scale, lying or standing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ..terminal.relayout import relayout

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_RISING = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: label, amount, the text of the amount, a colour variable, and a note behind it."""

    label: str
    amount: float
    text: str
    tone: str = "weights"
    note: str = ""
    marked: bool = False


class BarList(Widget):
    """Bars lying below each other; one line each.

    ```python
    bars.show([Bar("FP16", 141e9, "141 GB"), Bar("FP8", 71e9, "71 GB", note="−50 %", marked=True)])
    ```
    """

    DEFAULT_CSS = "BarList { text-wrap: nowrap; height: auto; width: 1fr; }"

    bars: reactive[tuple[Bar, ...]] = reactive(())

    def show(self, bars: Sequence[Bar]) -> None:
        """Replace the bars."""
        taller = len(bars) != len(self.bars)
        self.bars = tuple(bars)
        if taller:
            relayout(self)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, len(self.bars))

    def render(self) -> Content:
        bars = self.bars
        if not bars:
            return Content("")
        label = max(len(bar.label) for bar in bars)
        text = max(len(bar.text) for bar in bars)
        note = max(len(bar.note) for bar in bars)
        room = self.size.width - label - text - note - 7
        if room < 8:
            note, room = 0, self.size.width - label - text - 5
        top = max(bar.amount for bar in bars) or 1.0
        lines = []
        for bar in bars:
            body = lying(bar.amount / top, max(1, room))
            lines.append(
                Content.assemble(
                    ("● " if bar.marked else "  ", "$key"),
                    (bar.label.ljust(label), "bold" if bar.marked else ""),
                    " ",
                    (body.ljust(max(1, room)), f"${bar.tone}"),
                    (f" {bar.text:>{text}}", "bold" if bar.marked else ""),
                    (f"  {bar.note}" if note else "", "$muted"),
                )
            )
        return Content("\n").join(lines)


class Columns(Widget):
    """Bars standing beside each other, with amounts above and labels below."""

    DEFAULT_CSS = "Columns { text-wrap: nowrap; height: 10; width: 1fr; }"

    bars: reactive[tuple[Bar, ...]] = reactive(())

    def show(self, bars: Sequence[Bar]) -> None:
        """Replace the bars."""
        self.bars = tuple(bars)

    def render(self) -> Content:
        bars, height = self.bars, self.size.height - 2
        if not bars or height < 1:
            return Content("")
        each = max(3, min(18, self.size.width // len(bars)))
        top = max(bar.amount for bar in bars) or 1.0
        columns = [standing(bar.amount / top, height) for bar in bars]
        lines = [Content.assemble(*((bar.text[: each - 1].center(each), "bold" if bar.marked else "") for bar in bars))]
        lines += [
            Content.assemble(
                *(
                    ((column[level] * max(1, each - 4)).center(each), f"${bar.tone}")
                    for bar, column in zip(bars, columns, strict=True)
                )
            )
            for level in range(height - 1, -1, -1)
        ]
        lines.append(
            Content.assemble(
                *((bar.label[: each - 1].center(each), "bold $key" if bar.marked else "$muted") for bar in bars)
            )
        )
        return Content("\n").join(lines)


def lying(share: float, width: int) -> str:
    """A bar of eighths of a cell; what is there is never invisible."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def standing(share: float, height: int) -> list[str]:
    """The cells of a standing bar, from the bottom."""
    eighths = round(max(0.0, min(1.0, share)) * height * 8)
    if share > 0:
        eighths = max(1, eighths)
    return [_RISING[max(0, min(8, eighths - level * 8))] for level in range(height)]
