"""A window that reads a text which is pasted, or a file whose path is typed; what it makes of it stands below."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...plain_text import harmless, printable
from ...reality.text import MAX_CHARACTERS, decoded
from ..keys import SOURCED
from ..widgets.picker import Modal
from .overlays import PromptLine

R = TypeVar("R")

_LONGEST_LINE = 300
"""Characters of a paste that may still be a path."""


def whole(pasted: str) -> bool:
    """The paste is a text to read, not a line to type."""
    return "\n" in pasted.strip() or len(pasted) > _LONGEST_LINE


class SourceLine(PromptLine):
    """The line of a path; a whole text that is pasted goes to the window around it."""

    def goes_on(self, key: str) -> bool:
        return key in ("tab", "down")

    def on_paste(self, event: events.Paste) -> None:
        if whole(event.text):
            event.prevent_default()


class SourceScreen(Modal[R]):
    """Paste or path above, an answer below. A subclass reads the text and shows what it says."""

    OFFERED = SOURCED
    DEFAULT_CSS = """
    SourceScreen { align: center middle; background: transparent; }
    SourceScreen > #box { width: 132; max-width: 98%; height: auto; max-height: 96%; border: round $key;
        background: $panel; padding: 0 1; border-title-color: $key; border-title-style: bold;
        border-subtitle-color: $muted; }
    SourceScreen #found { height: auto; max-height: 100%; display: none; }
    SourceScreen.-read #found { display: block; }
    SourceScreen.-read #ask { display: none; }
    SourceScreen #said { height: auto; }
    """

    TITLE_TEXT = ""
    KEYS_TEXT = ""
    ASK = ""
    """What to paste or type."""

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self.TITLE_TEXT
            box.border_subtitle = self.KEYS_TEXT
            yield Static(Content.styled(self.ASK, "$muted"), id="ask")
            yield SourceLine("")
            yield Static("", id="said", markup=False)
            with VerticalScroll(id="found", can_focus=False):
                yield from self.compose_found()

    def compose_found(self) -> ComposeResult:
        """The widgets that show what was read."""
        yield from ()

    def read(self, text: str) -> None:
        """Read a text and show what it says. Raises ValueError in one line."""
        raise NotImplementedError

    @property
    def line(self) -> PromptLine:
        return self.query_one(PromptLine)

    @property
    def target(self) -> Widget | None:
        """What takes the keys once something is read."""
        return None

    def say(self, text: str, tone: str = "") -> None:
        """One or more lines under the prompt."""
        self.query_one("#said", Static).update(Content.styled(harmless(text), f"${tone}" if tone else ""))

    def take(self, text: str) -> None:
        """Read what was pasted or typed; a refusal stays on screen and the typing goes on."""
        try:
            self.read(text if "\n" in text else self.named(text))
        except (ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.say(f"✗ {printable(reason, 400)}", "bad")
            self.remove_class("-read")
            return
        self.add_class("-read")
        if self.target is not None:
            self.set_focus(self.target)

    def named(self, text: str) -> str:
        """The text of the file that is named; of no file, the line itself."""
        path = Path(text).expanduser()
        try:
            if not path.is_file():
                return text
        except (OSError, ValueError, RuntimeError):
            return text
        with path.open("rb") as file:
            return decoded(file.read(4 * MAX_CHARACTERS))

    def on_paste(self, event: events.Paste) -> None:
        """A whole text, or a line pasted while the answer has the keys."""
        event.stop()
        if whole(event.text):
            self.take(event.text + "\n")
        else:
            self.line.begin(event.text.strip())
            self.set_focus(self.line)

    def on_prompt_line_entered(self, event: PromptLine.Entered) -> None:
        event.stop()
        if event.text:
            self.take(event.text)

    def on_prompt_line_left(self, event: PromptLine.Left) -> None:
        event.stop()
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.dismiss(None)
        elif event.key in ("tab", "down") and self.focused is self.line and self.has_class("-read") and self.target:
            event.stop()
            event.prevent_default()
            self.set_focus(self.target)
