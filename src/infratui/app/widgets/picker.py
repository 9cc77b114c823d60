"""Long lists: type to filter, enter takes; also a value that stands in no list, such as a path."""

from __future__ import annotations

import asyncio
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import ModalScreen

from ...value_types import dataclass
from ..keys import PICKING
from .choice import Choice
from .line_editor import LineEditing, LineEditor

R = TypeVar("R")
_BELOW = 3
"""Lines that say a description in full, at most."""


class Modal(ModalScreen[R]):
    """A modal that does not dim or repaint what lies behind it."""

    focused = Reactive(None, repaint=False)
    OFFERED: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Its keys and what they do, for the key bar of the screen behind it."""
    _dismissed = False

    def on_screen_resume(self) -> None:
        if (tell := getattr(self.app, "tell_keys", None)) is not None:
            tell(self.OFFERED)

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Close. A key pressed twice closes once: the screen goes a moment after it was told to."""
        if self._dismissed or not self.is_current:
            return AwaitComplete(asyncio.sleep(0))
        self._dismissed = True
        return super().dismiss(result)


class Picker(Modal[str | None]):
    """Choose one of many. Dismisses with the value, a typed text where `free` allows one, or None.

    ```python
    self.app.push_screen(Picker("Model", choices, current="llama-3.3-70b", free="path of a checkpoint"), chosen)
    ```
    """

    DEFAULT_CSS = """
    Picker { align: center middle; background: transparent; }
    Picker > #box { width: 92; max-width: 96%; height: auto; max-height: 90%; border: round $key; background: $panel;
        padding: 0 1; border-title-color: $key; border-title-style: bold; border-subtitle-color: $muted; }
    Picker.-huge > #box { width: 150; }
    """

    OFFERED = PICKING
    HORIZONTAL_BREAKPOINTS = [(0, "-usual"), (160, "-huge")]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        current: str = "",
        free: str = "",
        *,
        shown: Callable[[str], None] | None = None,
    ) -> None:
        """`shown` is told of each value that the cursor comes to; empty when the list closes."""
        super().__init__()
        self._tell_shown = shown
        self._title = title
        self._choices = tuple(choices)
        self._current = current
        self._free = free

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._title
            box.border_subtitle = "type to filter · ↑↓ · enter takes · esc closes"
            yield FilteredList(self._choices, self._current, self._free)

    def on_filtered_list_moved(self, event: FilteredList.Moved) -> None:
        event.stop()
        # What was typed at once after the choice comes too late to be shown.
        if self._tell_shown is not None and not self._dismissed:
            self._tell_shown(event.value)

    def on_filtered_list_taken(self, event: FilteredList.Taken) -> None:
        event.stop()
        if self._tell_shown is not None:
            self._tell_shown("")
        self.dismiss(event.value)


def _initials(word: str, choice: Choice) -> bool:
    """The letters stand in the value in this order, the first one at its beginning: `dsv3` is `deepseek-v3`."""
    value = choice.value.rpartition(":")[2].lower()
    if not value.startswith(word[0]):
        return False
    rest = iter(value)
    return all(letter in rest for letter in word)


def matching(text: str, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """The choices that hold every word; of one word its initials too.

    Those that begin with the first word come first, then those that hold the words whole: `v3` is V3 before V3.1.
    """
    words = text.lower().split()
    scored = []
    for order, choice in enumerate(choices):
        held = f"{choice.label} {choice.value} {choice.detail}".lower()
        if all(word in held for word in words):
            first = words[0] if words else ""
            head = choice.label.lower()
            whole = {*words} <= {*re.split(r"[^\w.]+", held)}
            scored.append((0 if head.startswith(first) else 1 if first in head else 2, not whole, order, choice))
        elif len(words) == 1 and len(words[0]) > 2 and _initials(words[0], choice):
            scored.append((3, not choice.value.lower().endswith(words[0][-1]), order, choice))
    return tuple(choice for *_, choice in sorted(scored, key=lambda entry: entry[:3]))


def best_match(text: str, choices: Sequence[Choice]) -> Choice | None:
    """The choice that a list would offer first for a text."""
    return next(iter(matching(text, choices)), None)


class FilteredList(LineEditing, can_focus=True):
    """The filter line, the matches and the cursor among them."""

    DEFAULT_CSS = "FilteredList { text-wrap: nowrap; height: auto; width: 1fr; }"

    @dataclass
    class Taken(Message):
        """A value was taken; None: closed without one."""

        value: str | None

    @dataclass
    class Moved(Message):
        """Another value is under the cursor; empty: none matches."""

        value: str

    def __init__(self, choices: Sequence[Choice], current: str, free: str) -> None:
        super().__init__()
        self.editor = LineEditor()
        self._choices = tuple(choices)
        self._current = current
        self._free = free
        self._cursor = next((at for at, choice in enumerate(self._choices) if choice.value == current), 0)
        self._top = 0
        self._matches: tuple[Choice, ...] = self._choices

    def on_mount(self) -> None:
        self.focus()

    def tell(self, choices: Sequence[Choice]) -> None:
        """Say more about the same values; filter and cursor stay."""
        here = self._entries()[self._cursor].value if self._entries() else ""
        self._choices = tuple(choices)
        self._filter()
        self._cursor = next((at for at, choice in enumerate(self._entries()) if choice.value == here), 0)
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return self._rows(width) + 1 + self._below(width)

    def _rows(self, width: int) -> int:
        room = int(self.app.size.height * 0.9) - 4 - self._below(width)
        return max(1, min(len(self._choices) + bool(self._free), room))

    def _column(self, width: int) -> int:
        """Cells of the labels with the gap behind them."""
        widest = max((len(choice.label) for choice in self._choices), default=10)
        return min(widest, max(16, width // 2)) + 2

    def _below(self, width: int) -> int:
        """Lines under the list in which the value under the cursor is described in full: none where all fit."""
        room = width - self._column(width) - 2
        longest = max((len(choice.detail.rstrip()) for choice in self._choices), default=0)
        return 0 if longest <= room else min(_BELOW, -(-longest // max(1, width - 12)))

    def _told(self, width: int, lines: int) -> list[Content]:
        entries = self._entries()
        detail = entries[self._cursor].detail.rstrip() if entries else ""
        # What stands whole in its row is not said again.
        words = " ".join(detail.split()) if len(detail) > width - self._column(width) - 2 else ""
        told = textwrap.wrap(words, max(1, width - 2), max_lines=lines, placeholder=" …") if lines else []
        return [Content.styled(f"  {text}", "$muted") for text in [*told, *[""] * (lines - len(told))]]

    def render(self) -> Content:
        width = self.size.width
        rows, below = self._rows(width), self._below(width)
        prompt = self.line(max(8, width - 3))
        if not self.typed_text and self._free:
            prompt = prompt + Content.styled(f" filter, or a {self._free}", "$muted")
        lines = [Content.assemble(("› ", "bold $key"), prompt)]
        entries = self._entries()
        self._top = min(max(self._top, self._cursor - rows + 1), self._cursor)
        self._top = max(0, min(self._top, len(entries) - rows))
        column = self._column(width)
        for index, choice in enumerate(entries[self._top : self._top + rows], self._top):
            lines.append(self._line(choice, column, width, index == self._cursor))
        if not entries:
            kept = "nothing matches; backspace widens the search" if self._choices else "nothing is kept here yet"
            lines.append(Content.styled(f"  {kept}", "$muted"))
        if below:
            lines += [Content("")] * (rows + 1 - len(lines))
            lines += self._told(width, below)
        return Content("\n").join(lines)

    def _line(self, choice: Choice, column: int, width: int, here: bool) -> Content:
        mark = "▌" if here else "•" if choice.value == self._current else " "
        own = "◆ " if choice.own else ""
        label = f"{own}{choice.label}"
        label = (label if len(label) <= column - 2 else label[: column - 3] + "…").ljust(column)
        room = max(0, width - column - 2)
        detail = choice.detail.rstrip()
        detail = (detail if len(detail) <= room else f"{detail[: max(0, room - 1)]}…").ljust(room)
        back = " on $cursor-back" if here else ""
        return Content.assemble(
            (f"{mark} ", f"$key{back}"), (label, f"bold{back}" if here else ""), (detail, f"$muted{back}")
        )

    def _entries(self) -> tuple[Choice, ...]:
        text = self.typed_text.strip()
        if self._free and text and text not in {choice.value for choice in self._matches}:
            return (*self._matches, Choice(text, f"“{text}”", f"as a {self._free}"))
        return self._matches

    def _filter(self) -> None:
        self._matches = matching(self.typed_text, self._choices)
        self._cursor = 0

    def _move(self, by: int) -> None:
        count = len(self._entries())
        if count:
            self._cursor = max(0, min(count - 1, self._cursor + by)) if abs(by) > 1 else (self._cursor + by) % count
        self._say_moved()
        self.refresh()

    def _say_moved(self) -> None:
        entries = self._entries()
        self.post_message(self.Moved(entries[self._cursor].value if entries else ""))

    def line_key(self, key: str) -> bool | None:
        moves = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "ctrl+p": -1, "ctrl+n": 1}
        if key in moves:
            self._move(moves[key])
        elif key == "enter":
            entries = self._entries()
            if entries:
                self.post_message(self.Taken(entries[self._cursor].value))
        elif key == "escape":
            self.post_message(self.Taken(None))
        else:
            return None
        return True

    def line_changed(self) -> None:
        self._filter()
        self._say_moved()
