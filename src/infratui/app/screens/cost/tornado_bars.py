"""What moves the decision: per input a bar from its low to its high end, left of zero where the runner-up leads."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.cost.tornado import Tornado
from ....report.cost_levers import lever_text
from ....report.money import money

SHOWN = 8
"""Widest swings that are drawn."""


class TornadoBars(Widget):
    """Bars around the point where both options cost the same.

    ```python
    bars.show(evaluation.cost_tornado, "$")
    ```
    """

    DEFAULT_CSS = "TornadoBars { text-wrap: nowrap; height: auto; width: 1fr; }"

    shown: reactive[tuple[Tornado | None, str]] = reactive((None, "$"))

    def show(self, tornado: Tornado | None, currency: str) -> None:
        """Replace the bars."""
        before = self.get_content_height(None, None, 0)
        self.set_reactive(TornadoBars.shown, (tornado, currency))
        self.refresh(layout=before != self.get_content_height(None, None, 0))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        tornado = self.shown[0]
        return 1 if tornado is None else 1 + max(1, len(tornado.swings[:SHOWN]))

    def render(self) -> Content:
        tornado, currency = self.shown
        if tornado is None:
            return Content.styled("nothing to compare: one option only, or no price", "$muted")
        swings = tornado.swings[:SHOWN]
        if not swings:
            return Content.styled("no input moves the two against each other", "$muted")
        labels = [f"{entry.lever.label} {lever_text(entry.lever, entry.lever.now)}" for entry in swings]
        flips = [
            "" if entry.flips_at is None else f"flips at {lever_text(entry.lever, entry.flips_at)}" for entry in swings
        ]
        label, flip = max(map(len, labels)), max(map(len, flips))
        room = self.size.width - label - flip - 4
        if room < 12:
            flip, room = 0, self.size.width - label - 2
        ends = [end for entry in swings for end in (entry.at_low, entry.at_high)]
        low, high = min(0.0, *ends), max(0.0, *ends)
        span = (high - low) or 1.0
        zero = round((0 - low) / span * (room - 1))
        lead = money(abs(tornado.advantage), currency)
        stands = "ahead" if tornado.advantage >= 0 else "behind"
        left, right = f"◂ {tornado.runner_up}", f"{tornado.leader} ▸ now {stands} by {lead}"
        indent = max(0, min(label + 1 + zero - len(left) - 1, self.size.width - len(left) - len(right) - 3))
        lines = [Content.assemble((" " * indent + left, "$tight"), ("  ", ""), (right, "$good"))]
        for entry, name, flips_at in zip(swings, labels, flips, strict=True):
            start, end = sorted((entry.at_low, entry.at_high))
            first, last = (round((value - low) / span * (room - 1)) for value in (start, end))
            cells = [
                ("█" if first <= at <= last else "│" if at == zero else " ", "tight" if at < zero else "good")
                for at in range(max(1, room))
            ]
            bar = Content.assemble(*((glyph, "$line" if glyph == "│" else f"${tone}") for glyph, tone in cells))
            lines.append(
                Content.assemble(
                    (name.ljust(label), ""), " ", bar, (f"  {flips_at}" if flip and flips_at else "", "bold $key")
                )
            )
        return Content("\n").join(lines)
