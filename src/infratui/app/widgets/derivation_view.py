"""The math as a tree: the figure, below it its parts, each as `symbol = formula = numbers = value unit`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from ...engine.figures.derivation import Derivation
from ...engine.figures.units import ByteUnit
from ...report.math import AGAIN, Branch, basis_label, pretty, trees
from ...report.money import figure
from ..keys import Where, bindings

_INDENT = 4
_NARROWEST = 25
_STEP = 2
"""Cells that a step stands further in than what it serves."""


class DerivationView(Widget, can_focus=True):
    """Derivations one below the other, scrolled by line. Only the visible lines are drawn.

    ```python
    view = DerivationView()
    view.show(result.derivations, ByteUnit.GIB)
    ```
    """

    DEFAULT_CSS = "DerivationView { height: 1fr; width: 1fr; padding: 0 1; }"
    BINDINGS = bindings(Where.MATH)
    PLACE = Where.MATH

    top: reactive[int] = reactive(0)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tooltip = "the figure first, below it what it is made of: symbol = formula = the numbers put in = value"
        self._derivations: tuple[Derivation, ...] = ()
        self._bytes_as = ByteUnit.GB
        self._currency = "$"
        self._lines: list[Content] = []
        self._width = 0

    def show(self, derivations: Sequence[Derivation], bytes_as: ByteUnit, currency: str = "$") -> None:
        """Replace what is shown; the place in the text is kept."""
        self._derivations, self._bytes_as, self._width = tuple(derivations), bytes_as, 0
        self._currency = currency
        self.refresh()

    @property
    def line_count(self) -> int:
        self._arrange(self.size.width)
        return len(self._lines)

    def _arrange(self, width: int) -> None:
        if width == self._width:
            return
        self._width = width
        self._lines = []
        for title, branches in trees(self._derivations):
            if self._lines:
                self._lines.append(Content(""))
            self._lines.append(Content.styled(title, "bold $key"))
            for branch in branches:
                self._lines.extend(step_content(branch, width, self._bytes_as, self._currency))
        self.set_reactive(DerivationView.top, max(0, min(self.top, len(self._lines) - 1)))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        self._arrange(width)
        at = self.top + y
        mark = "▌" if self.has_focus and y == 0 else " "
        line = self._lines[at] if at < len(self._lines) else Content("")
        line = Content.assemble((mark, "$key"), line)
        return Visual.to_strips(self, line, width, 1, self.visual_style)[0]

    def action_scroll(self, by: int) -> None:
        """By lines; tens are pages."""
        page = max(1, self.size.height - 2)
        self._to(self.top + (by if abs(by) == 1 else page * (1 if by > 0 else -1)))

    def action_edge(self, end: int) -> None:
        """To the first or the last line."""
        self._to(0 if end < 0 else self.line_count)

    def _to(self, line: int) -> None:
        self.top = max(0, min(line, self.line_count - self.size.height))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


def step_content(branch: Branch, width: int, bytes_as: ByteUnit, currency: str = "$") -> list[Content]:
    """One step, wrapped and moved in by its depth: formula; numbers and value; basis and source."""
    pad = min(branch.depth * _STEP, max(0, width - _NARROWEST))
    return [Content(" " * pad) + line for line in _step(branch, width - pad, bytes_as, currency)]


def _step(branch: Branch, width: int, bytes_as: ByteUnit, currency: str) -> list[Content]:
    step = branch.step
    room = max(20, width - _INDENT - 1)
    value = figure(step.value, step.unit, bytes_as, currency)
    if branch.again:
        return [Content.assemble("  ", (step.symbol, "bold"), (f" = {value}", "bold"), (f" {AGAIN}", "$muted"))]
    lines: list[Content] = []
    head = f"{step.symbol} = {pretty(step.expression)}"
    for at, text in enumerate(_wrap(head, room)):
        if at == 0 and text.startswith(step.symbol):
            lines.append(Content.assemble("  ", (step.symbol, "bold"), text[len(step.symbol) :]))
        else:
            lines.append(Content("    " + text))
    if step.substituted != step.expression:
        numbers = _wrap(f"= {pretty(step.substituted)}", room)
        lines += [Content.styled("    " + text, "$muted") for text in numbers[:-1]]
        if len(numbers[-1]) + len(value) + 3 <= room:
            lines.append(Content.assemble(("    " + numbers[-1], "$muted"), (f" = {value}", "bold")))
        else:
            lines += [Content.styled("    " + numbers[-1], "$muted"), Content.styled(f"    = {value}", "bold")]
    elif len(lines[-1]) + len(value) + 3 <= width:
        lines[-1] = Content.assemble(lines[-1], (f" = {value}", "bold"))
    else:
        lines.append(Content.styled(f"    = {value}", "bold"))
    facts = "; ".join(part for part in (step.note, step.source) if part)
    tone = {"exact": "$good", "derived": "$muted", "assumed": "$tight"}.get(step.basis.value, "$key")
    label = basis_label(step)
    for at, text in enumerate(_wrap(f"{label}: {facts}" if facts else label, room)):
        if at == 0:
            lines.append(Content.assemble(("    " + label, tone), (text[len(label) :], "$muted")))
        else:
            lines.append(Content.styled("    " + text, "$muted"))
    return lines


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=True, break_on_hyphens=False) or [""]
