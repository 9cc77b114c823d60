"""One quantity in its parts: a bar whose segments are told apart by colour, glyph and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

_OVER = 1.05
"""Beyond this share of the capacity a bar is over it: what engines take outside their budget stays below."""
GLYPHS = "█▓▒░"
"""One per segment, in order: parts stay apart without colour."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part: its label, its amount, the text of the amount, and the colour variable of its meaning."""

    label: str
    amount: float
    text: str
    tone: str


class StackedBar(Widget):
    """Segments to scale, with their labels above.

    ```python
    bar.show([Segment("weights", 71e9, "71 GB", "weights"), Segment("KV cache", 268e9, "268 GB", "kv")], capacity=640e9)
    ```

    With a `capacity`, the bar's full width is the larger of the two, and `│` stands where the capacity ends.
    """

    DEFAULT_CSS = "StackedBar { text-wrap: nowrap; height: 2; width: 1fr; }"

    parts: reactive[tuple[tuple[Segment, ...], float, str]] = reactive(((), 0.0, ""))

    def show(self, segments: Sequence[Segment], capacity: float = 0.0, capacity_text: str = "") -> None:
        """Replace the segments."""
        self.parts = (tuple(segments), capacity, capacity_text)

    def render(self) -> Content:
        segments, capacity, capacity_text = self.parts
        width = self.size.width
        total = sum(segment.amount for segment in segments)
        scale = max(total, capacity)
        if scale <= 0:
            return Content("")
        over = total > capacity * _OVER
        bar_width = width - 1 if capacity else width
        cells = share(tuple(segment.amount for segment in segments), scale, bar_width)
        legend: list[tuple[str, str]] = []
        for index, segment in enumerate(segments):
            legend += [(f"{GLYPHS[index % 4]} ", f"${segment.tone}"), (f"{segment.label} {segment.text}  ", "")]
        if capacity:
            room = width - sum(len(text) for text, _ in legend) - 3
            words = capacity_text if len(capacity_text) <= room else capacity_text[: max(0, room - 1)] + "…"
            if room > 4:
                legend.append((f" │ {words}", "$bad" if over else "$muted"))
        bar: list[tuple[str, str]] = [
            (GLYPHS[index % 4] * count, f"${segment.tone}")
            for index, (segment, count) in enumerate(zip(segments, cells, strict=True))
        ]
        line = Content.assemble(*bar)
        if capacity:
            line = _mark(line, round(capacity / scale * bar_width), over)
        return Content.assemble(*legend)[:width] + "\n" + line


def share(amounts: Sequence[float], scale: float, width: int) -> tuple[int, ...]:
    """Whole cells for each amount: none that is there gets lost, and the sum is that of the whole."""
    whole = round(sum(amounts) / scale * width)
    exact = [amount / scale * width for amount in amounts]
    cells = [max(1, int(value)) if amount > 0 else 0 for amount, value in zip(amounts, exact, strict=True)]
    while sum(cells) > whole and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    while cells and sum(cells) < whole:
        at = max(range(len(cells)), key=lambda index: exact[index] - cells[index])
        cells[at] += 1
    return tuple(cells)


def _mark(line: Content, at: int, over: bool) -> Content:
    """Put the mark of the capacity between two cells."""
    if len(line) < at:
        return Content.assemble(line, ("·" * (at - len(line)), "$line"), ("│", "bold"))
    return Content.assemble(line[:at], ("│", "bold $bad" if over else "bold"), line[at:])
