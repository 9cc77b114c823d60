"""What opens over a screen and closes again: help, the entry of a term, a line to type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ...value_types import dataclass
from ..keys import GROUPS, KEYS, PROMPTED, READING, Where
from ..widgets.line_editor import LineEditing, LineEditor
from ..widgets.picker import Modal

_BOX = """
    {name} {{ align: center middle; background: transparent; }}
    {name} > #box {{ width: {width}; max-width: 96%; height: auto; max-height: 92%; border: round $key;
        background: $panel; padding: 0 1; border-title-color: $key; border-title-style: bold;
        border-subtitle-color: $muted; }}
    {name} #scroll {{ height: auto; max-height: 100%; }}
"""


class Reading(Modal[None]):
    """A text to read, closed by escape, `q`, enter or the key that opened it."""

    DEFAULT_CSS = _BOX.format(name="Reading", width=112)
    OFFERED = READING

    def __init__(self, title: str, content: Content) -> None:
        super().__init__()
        self._title = title
        self._content = content

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._title
            box.border_subtitle = "↑↓ scroll · esc closes"
            with VerticalScroll(id="scroll"):
                yield Static(self._content)

    def on_key(self, event: events.Key) -> None:
        scroll = self.query_one("#scroll", VerticalScroll)
        lines = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": 15, "pageup": -15, "space": 15}
        if event.key in ("escape", "q", "enter", "question_mark", "f1"):
            self.dismiss()
        elif event.key in lines:
            scroll.scroll_relative(y=lines[event.key], animate=False)
        elif event.key in ("g", "home"):
            scroll.scroll_home(animate=False)
        elif event.key in ("G", "end"):
            scroll.scroll_end(animate=False)
        else:
            return
        event.stop()
        event.prevent_default()


def help_content(
    screens: Sequence[tuple[int, str]], here: Where | None, places: Collection[Where], *, about: str, width: int
) -> Content:
    """All keys of a screen by group, those of the focused thing first, in two columns where `width` allows.

    `places`: what the screen has, besides itself, that takes keys of its own.
    """
    lines: list[Content] = []
    if about:
        lines += [Content(about), Content("")]

    def group(title: str, rows: list[tuple[str, str]]) -> None:
        lines.append(Content.styled(title, "bold $key"))
        half = -(-len(rows) // 2) if width >= 110 else len(rows)
        right = [*rows[half:], ("", "")]
        for at, entry in enumerate(rows[:half]):
            other = _cell(*right[at]) if at < len(right) and right[at][0] else ()
            lines.append(Content.assemble(*_cell(*entry), *other))
        lines.append(Content(""))

    everywhere = (Where.APP, Where.SECTION, *((Where.MOTION,) if Where.MOTION in places else ()))
    if here is not None and here not in everywhere:
        group(f"With {here.value} focused", [(key.display, key.text) for key in KEYS if key.where is here])
    for name in GROUPS:
        rows = [(key.display, key.text) for key in KEYS if key.group == name and key.where in everywhere]
        if name == "Screens":
            rows = [(str(number), title) for number, title in screens] + rows
        if rows:
            group(name, rows)
    for place in Where:
        if place in places and place is not here and place not in everywhere:
            group(f"In {place.value}", [(key.display, key.text) for key in KEYS if key.where is place])
    lines.append(Content.styled("Numbers may be typed as 8k, 128K or 1.5M; for tokens 8k is 8,192.", "$muted"))
    return Content("\n").join(lines)


def _cell(keys: str, text: str) -> tuple[tuple[str, str], str]:
    return (f" {keys:>12} ", "bold"), f"{text:38}"


class Prompt(Modal[str | None]):
    """One line to type. A refusal of `check` stays on screen and the typing goes on.

    ```python
    self.push_screen(Prompt("Save as", "my-plan", save), done)
    ```
    """

    DEFAULT_CSS = _BOX.format(name="Prompt", width=72)
    OFFERED = PROMPTED

    def __init__(self, title: str, text: str, check: Callable[[str], str]) -> None:
        """`check` does what is to be done with the text and returns why it cannot, or nothing."""
        super().__init__()
        self._title, self._text, self._check = title, text, check

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._title
            box.border_subtitle = "enter accepts · esc closes"
            yield PromptLine(self._text)
            yield Static("", id="refusal", markup=False)

    def on_prompt_line_entered(self, event: PromptLine.Entered) -> None:
        event.stop()
        if refusal := self._check(event.text):
            self.query_one("#refusal", Static).update(Content.styled(f"✗ {refusal}", "$bad"))
        else:
            self.dismiss(event.text)

    def on_prompt_line_left(self, event: PromptLine.Left) -> None:
        event.stop()
        self.dismiss(None)


class PromptLine(LineEditing, can_focus=True):
    """The line of a prompt."""

    DEFAULT_CSS = "PromptLine { height: 1; }"

    @dataclass
    class Entered(Message):
        """Enter was pressed."""

        text: str

    class Left(Message):
        """The user wants nothing typed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.editor = LineEditor.over(text, fresh=bool(text))

    def line_key(self, key: str) -> bool | None:
        if key == "enter":
            self.post_message(self.Entered(self.typed_text.strip()))
        elif key == "escape":
            self.post_message(self.Left())
        else:
            return None
        return True

    def render(self) -> Content:
        return Content.assemble(("› ", "bold $key"), self.line(self.size.width - 3))
