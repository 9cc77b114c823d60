"""Standing bars, one per precision, with what matters about each below it: walked with the arrows."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from ....report.draw import standing
from ....report.show import Pillar, Pillars
from ....value_types import dataclass
from ...keys import Where, bindings

NARROWEST, WIDEST = 13, 20
"""Cells of a column."""


class FormatBars(Widget, can_focus=True):
    """Bars beside each other; where not all fit, those around the cursor.

    ```python
    bars.show(Pillars("bars", "", (Pillar("fp8", "FP8", 410e9, "410 GB", (("✓ Safe", "good"),)),)), "fp8")
    ```
    """

    DEFAULT_CSS = "FormatBars { height: 12; width: 1fr; text-wrap: nowrap; }"
    BINDINGS = bindings(Where.BARS)
    PLACE = Where.BARS

    bars: reactive[tuple[Pillar, ...]] = reactive(())
    at: reactive[str] = reactive("")
    """Id of the column under the cursor."""

    @dataclass
    class Moved(Message):
        """The cursor is on another column."""

        id: str

    @dataclass
    class Chosen(Message):
        """The user takes a column."""

        id: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tooltip = "←→ walk the precisions, enter stores the weights in the one under the cursor"

    def show(self, shown: Pillars, at: str) -> None:
        """Replace the columns and put the cursor on one."""
        self.set_reactive(FormatBars.at, at)
        self.bars = shown.pillars
        self.refresh()

    @property
    def cursor(self) -> int:
        """Place of the column under the cursor."""
        return next((place for place, bar in enumerate(self.bars) if bar.id == self.at), 0)

    def window(self, width: int) -> tuple[int, int, int]:
        """First column shown, how many, and the cells of each."""
        count = len(self.bars)
        shown = max(1, min(count, width // NARROWEST))
        each = max(3, min(WIDEST, width // shown))
        first = max(0, min(self.cursor - shown // 2, count - shown))
        return first, shown, each

    def render(self) -> Content:
        if not self.bars:
            return Content("")
        width = self.size.width
        first, shown, each = self.window(width)
        part = self.bars[first : first + shown]
        facts = max(len(bar.facts) for bar in part)
        hidden = shown < len(self.bars)
        height = max(1, self.size.height - facts - 2 - hidden)
        # One scale for what is shown and what is not: walking must not make bars jump.
        top = max(bar.amount for bar in self.bars) or 1.0
        lines = _drawn(part, each, height, top)
        lines.append(self._names(part, each))
        for row in range(facts):
            cells = [bar.facts[row] if row < len(bar.facts) else ("", "") for bar in part]
            lines.append(
                Content.assemble(
                    *((_centred(text, each), f"${tone}" if tone else "$muted") for text, tone in cells),
                )
            )
        if hidden:
            last = first + shown
            more = f"‹ {first} more" if first else ""
            after = f"{len(self.bars) - last} more ›" if last < len(self.bars) else ""
            lines.append(Content.styled(more + after.rjust(max(1, shown * each - len(more))), "$muted"))
        return Content("\n").join(lines)

    def _names(self, part: Sequence[Pillar], each: int) -> Content:
        texts: list[tuple[str, str]] = []
        for bar in part:
            here = self.has_focus and bar.id == self.at
            name = ("▌" if here else "● " if bar.marked else "") + bar.label
            style = "bold $key on $cursor-back" if here else "bold $key" if bar.marked else "bold"
            texts.append((_centred(name, each), style))
        return Content.assemble(*texts)

    def action_walk(self, by: int) -> None:
        """To the next or previous column."""
        if not self.bars:
            return
        self.at = self.bars[max(0, min(len(self.bars) - 1, self.cursor + by))].id
        self.post_message(self.Moved(self.at))

    def action_choose(self) -> None:
        """Take the column under the cursor."""
        if self.bars:
            self.post_message(self.Chosen(self.bars[self.cursor].id))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


def _drawn(part: Sequence[Pillar], each: int, height: int, top: float) -> list[Content]:
    """The bars from the top line down, each with its amount on the line above it."""
    body = max(1, min(each - 3, 12))
    columns = [standing(bar.amount / top, height) for bar in part]
    tops = [max((level for level, cell in enumerate(column) if cell != " "), default=-1) for column in columns]
    lines = []
    for level in range(height, -1, -1):
        texts: list[tuple[str, str]] = []
        for bar, column, highest in zip(part, columns, tops, strict=True):
            if level == highest + 1:
                texts.append((_centred(bar.text, each), "bold"))
            elif level <= highest:
                texts.append((_centred(column[level] * body, each), "$weights"))
            else:
                texts.append((" " * each, ""))
        lines.append(Content.assemble(*texts))
    return lines


def _centred(text: str, width: int) -> str:
    return (text if len(text) < width else text[: width - 2] + "…").center(width)
