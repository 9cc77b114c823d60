"""One line of text being typed: its editing keys, and the widgets in which a line is typed."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.widget import Widget

from ...report.show import Line
from ...value_types import dataclass

MAX_LENGTH = 400
_KEEP = ("backspace", "ctrl+h", "delete", "left", "right", "home", "end", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+w")
"""Keys that edit what is offered rather than replace it."""


@dataclass(slots=True)
class LineEditor:
    """Text and a cursor in it. It never blinks."""

    text: str = ""
    cursor: int = 0
    fresh: bool = False
    """The text is an offer: the first character that is typed takes its place, any other key keeps it."""

    @classmethod
    def over(cls, text: str, *, fresh: bool = False) -> LineEditor:
        """An editor with the cursor behind the text."""
        return cls(text, len(text), fresh)

    def insert(self, text: str) -> None:
        """Put text in at the cursor; what cannot be printed is dropped."""
        if self.fresh:
            self.text, self.cursor, self.fresh = "", 0, False
        text = "".join(character for character in text if character.isprintable())
        text = text[: MAX_LENGTH - len(self.text)]
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def key(self, key: str, character: str | None) -> bool:
        """Take a key. True where it was an editing key."""
        if key in _KEEP:
            self.fresh = False
        match key:
            case "backspace" | "ctrl+h":
                if self.cursor:
                    self.text = self.text[: self.cursor - 1] + self.text[self.cursor :]
                    self.cursor -= 1
            case "delete":
                self.text = self.text[: self.cursor] + self.text[self.cursor + 1 :]
            case "left":
                self.cursor = max(0, self.cursor - 1)
            case "right":
                self.cursor = min(len(self.text), self.cursor + 1)
            case "home" | "ctrl+a":
                self.cursor = 0
            case "end" | "ctrl+e":
                self.cursor = len(self.text)
            case "ctrl+u":
                self.text, self.cursor = self.text[self.cursor :], 0
            case "ctrl+w":
                kept = self.text[: self.cursor].rstrip().rpartition(" ")
                head = kept[0] + kept[1]
                self.text, self.cursor = head + self.text[self.cursor :], len(head)
            case _:
                if not character or not character.isprintable():
                    return False
                self.insert(character)
        return True

    def toned(self, width: int, tone: str = "") -> Line:
        """The text with its cursor, scrolled so that the cursor is within `width` cells."""
        start = max(0, self.cursor - width + 1)
        shown = self.text[start : start + width]
        at = self.cursor - start
        under = shown[at : at + 1] or " "
        if self.fresh:
            return (shown[:at], "reverse"), (under, tone)
        return (shown[:at], tone), (under, "reverse"), (shown[at + 1 :], tone)


class LineEditing(Widget):
    """A widget in which a line is typed: always, or between `begin` and `end`.

    Subclasses say what `enter` and the end of typing mean, and which keys stand for something other than editing.
    """

    PASSED: ClassVar[Collection[str]] = ("ctrl+q", "ctrl+c", "ctrl+l", "ctrl+z")
    """Keys that keep their meaning while a line is typed."""

    _editor: LineEditor | None = None

    @property
    def editor(self) -> LineEditor | None:
        """The line that is being typed; set again to draw what has changed in it."""
        return self._editor

    @editor.setter
    def editor(self, editor: LineEditor | None) -> None:
        # No reactive: whether a line is typed is asked hundreds of times for each key.
        self._editor = editor
        self.refresh()

    # -- what a subclass says

    def line_key(self, key: str) -> bool | None:
        """What a key stands for. True: done; False: it goes on to whatever it means elsewhere; None: it edits."""
        return None

    def line_changed(self) -> None:
        """The text is another one."""

    def goes_on(self, key: str) -> bool:
        """Whether a key that edits nothing goes on to what it means elsewhere."""
        return False

    # -- what a subclass uses

    @property
    def typing(self) -> bool:
        """A line is being typed."""
        return self._editor is not None

    @property
    def typed_text(self) -> str:
        """The line as it stands; empty where none is typed."""
        return self.editor.text if self.editor is not None else ""

    def begin(self, text: str = "") -> None:
        """Type, with the cursor behind a text that stands there already."""
        self.editor = LineEditor.over(text)

    def line(self, width: int) -> Content:
        """The line with its cursor, in `width` cells."""
        return Content.assemble(*self.editor.toned(width, "bold")) if self.editor is not None else Content("")

    # -- keys

    def check_consume_key(self, key: str, character: str | None) -> bool:
        # Keys that type nothing, such as ctrl+q, keep their meaning.
        return self.typing and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        editor = self.editor
        if editor is None or event.key in self.PASSED:
            return
        done = self.line_key(event.key)
        if done is None:
            if editor.key(event.key, event.character):
                self.editor = editor
                self.line_changed()
            else:
                done = not self.goes_on(event.key)
        if done is False:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self.editor is not None:
            self.editor.insert(event.text)
            self.editor = self.editor
            self.line_changed()
            event.stop()

    def watch_has_focus(self, has_focus: bool) -> None:
        """No rule asks for `:focus`: what a line shows of it, it draws itself, and Textual need not style it anew."""

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


class LineNowAndThen(LineEditing):
    """A widget that shows a value until it is typed anew: escape and moving away leave the value as it is."""

    def line_entered(self, text: str) -> None:
        """Enter was pressed on a text that is not blank; typing goes on until `end`."""

    def line_left(self) -> None:
        """Typing is over."""

    def end(self) -> None:
        """Typing is over; what was typed has been taken, or is given up."""
        self.editor = None
        self.line_left()

    def line_key(self, key: str) -> bool | None:
        if key in ("escape", "tab", "shift+tab", "up", "down"):
            self.end()
            return key == "escape"
        if key == "enter":
            if text := self.typed_text.strip():
                self.line_entered(text)
            else:
                self.end()
            return True
        return None

    def goes_on(self, key: str) -> bool:
        return key.startswith(("f", "ctrl+"))

    def on_blur(self) -> None:
        if self.typing:
            self.end()
