"""Both models' weights to one scale: what every step reads, what this batch reads of the experts, what waits."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ...widgets.stacked_bar import share

LOOK = (("█", "$overhead"), ("▓", "$weights"), ("▒", "$key"), ("░", "$muted"))
"""One per segment: glyph and colour, so that parts stay apart without either."""


@dataclass(frozen=True, slots=True)
class WeightBar:
    """A model's weights: four amounts of bytes in the order of the legend."""

    label: str
    amounts: tuple[int, int, int, int]
    text: str


class WeightBars(Widget):
    """Two bars with one legend.

    ```python
    bars.show((WeightBar("dense", (10, 60, 0, 0), "70 GB"), WeightBar("MoE", (20, 5, 480, 240), "745 GB")), legend)
    ```
    """

    DEFAULT_CSS = "WeightBars { text-wrap: nowrap; height: 3; width: 1fr; padding: 0 1; }"

    shown: reactive[tuple[tuple[WeightBar, ...], tuple[str, str, str, str]]] = reactive(((), ("", "", "", "")))

    def show(self, bars: tuple[WeightBar, ...], legend: tuple[str, str, str, str]) -> None:
        """Replace the bars; `legend` names the segments."""
        self.shown = (bars, legend)

    def render(self) -> Content:
        bars, legend = self.shown
        if not bars:
            return Content("")
        label = max(len(bar.label) for bar in bars)
        text = max(len(bar.text) for bar in bars)
        room = max(4, self.content_size.width - label - text - 2)
        scale = max(sum(bar.amounts) for bar in bars)
        lines = []
        for bar in bars:
            cells = share(tuple(float(amount) for amount in bar.amounts), scale, room)
            body = [(glyph * count, style) for (glyph, style), count in zip(LOOK, cells, strict=True)]
            lines.append(
                Content.assemble(
                    (bar.label.ljust(label), "bold"),
                    " ",
                    *body,
                    " " * (room - sum(cells)),
                    (f" {bar.text:>{text}}", "bold"),
                )
            )
        keys: list[tuple[str, str]] = []
        left = self.content_size.width - label - 1
        for (glyph, style), words in zip(LOOK, legend, strict=True):
            left -= len(words) + 4
            if left < -2:
                break
            keys += [(f"{glyph} ", style), (f"{words}  ", "$muted")]
        lines.append(Content.assemble(" " * (label + 1), *keys))
        return Content("\n").join(lines)
