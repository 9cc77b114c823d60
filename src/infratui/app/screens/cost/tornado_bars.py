"""When the answer changes: per input a line from where it is to where the runner-up would lead."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.cost.sensitivity import Lever, Swing
from ....engine.cost.tornado import Tornado
from ....engine.figures.units import format_count
from ....report.cost_levers import lever_text
from ....report.money import money

SHOWN = 8
"""Widest swings that are drawn."""


class TornadoBars(Widget):
    """One line per input, those that flip the answer first.

    ```python
    bars.show(evaluation.cost_tornado, "$")
    ```
    """

    DEFAULT_CSS = "TornadoBars { text-wrap: nowrap; height: auto; width: 1fr; }"

    shown: reactive[tuple[Tornado | None, str] | None] = reactive(None)
    """What is compared, and the currency; None until it has been computed."""

    def show(self, tornado: Tornado | None, currency: str) -> None:
        """Replace the bars."""
        before = self.get_content_height(None, None, 0)
        self.set_reactive(TornadoBars.shown, (tornado, currency))
        self.refresh(layout=before != self.get_content_height(None, None, 0))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        tornado = self.shown[0] if self.shown else None
        return 1 if tornado is None else 1 + max(1, len(tornado.swings[:SHOWN]))

    def render(self) -> Content:
        if self.shown is None:
            return Content()
        tornado, currency = self.shown
        if tornado is None:
            return Content.styled("nothing to compare: one option only, or no price", "$muted")
        # What flips the answer stands first, then what moves it most.
        swings = sorted(tornado.swings, key=lambda entry: entry.flips_at is None)[:SHOWN]
        if not swings:
            return Content.styled("no input moves the two against each other", "$muted")
        lead = money(abs(tornado.advantage), currency)
        loses = "; it loses at ┼" if any(entry.flips_at is not None for entry in swings) else ""
        stands = "leads by" if tornado.advantage >= 0 else "trails by"
        lines = [
            Content.assemble(
                (f"{tornado.leader} {stands} {lead} a month", "bold"),
                (f" over {tornado.runner_up}{loses}", "$muted"),
            )
        ]
        names = [entry.lever.label for entry in swings]
        nows = [_short(entry.lever, entry.lever.now) for entry in swings]
        label, now = max(map(len, names)), max(map(len, nows))
        ends = [_end(entry, tornado.runner_up) for entry in swings]
        room = max(6, min(40, self.size.width - label - now - max(map(len, ends)) - 5))
        for entry, name, value, end in zip(swings, names, nows, ends, strict=True):
            flips = entry.flips_at is not None
            line = _way(entry, room)
            lines.append(
                Content.assemble(
                    (name.ljust(label), ""), (f" {value:>{now}} ", "bold"), (line, "$key" if flips else "$line"),
                    (f" {end}", "bold $key" if flips else "$muted"),
                )
            )  # fmt: skip
        return Content("\n").join(lines)


def _short(lever: Lever, value: float) -> str:
    return format_count(round(value)) if abs(value) >= 1000 else lever_text(lever, value)


def _way(swing: Swing, room: int) -> str:
    """From where it is to where it flips, on the scale of its range: `●────┼`; without a flip the range alone."""
    lever, flips = swing.lever, swing.flips_at
    span = (lever.high - lever.low) or 1.0
    if flips is None:
        return "●" + "─" * (room - 1)
    reach = max(1, min(room - 2, round(abs(flips - lever.now) / span * (room - 2))))
    return ("●" + "─" * reach + "┼").ljust(room)


def _end(swing: Swing, runner_up: str) -> str:
    lever = swing.lever
    if swing.flips_at is None:
        low, high = _short(lever, lever.low), _short(lever, lever.high)
        return f"nor with {low}, {high}" if lever.kinds else f"never within {low} … {high}"
    return f"{_short(lever, swing.flips_at)}: then {runner_up}"
