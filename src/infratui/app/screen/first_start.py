"""What a first start asks: what do you want to know, and of which model, users and context; escape keeps the preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from ...scenario import INPUTS, ScenarioError
from ...settings_text import parse_value
from ..keys import FIRST
from ..widgets.line_editor import LineEditing, LineEditor
from ..widgets.picker import Modal, best_match

if TYPE_CHECKING:
    from ..session import Session

QUESTIONS = (
    ("vram", "How many GPUs hold it?"),
    ("quantization", "Should we quantize?"),
    ("parallelism", "How is it split over GPUs, and how fast is it?"),
    ("cost", "Buy, rent, reserve, or use an API?"),
    ("moe", "When does a mixture of experts pay?"),
)
"""Section → what it answers, in the order of the screens."""
FIELDS = ("model", "users", "context")
_ROWS = len(QUESTIONS) + len(FIELDS)


class FirstStart(Modal[str | None]):
    """The form; dismissed with the section that answers, or None where the preset is kept."""

    DEFAULT_CSS = """
    FirstStart { align: center middle; background: transparent; }
    FirstStart > #box { width: 64; max-width: 96%; height: auto; border: round $key; background: $panel;
        padding: 0 1; border-title-color: $key; border-title-style: bold; border-subtitle-color: $muted; }
    """
    OFFERED = FIRST

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "What do you want to know?"
            box.border_subtitle = f"enter answers · esc keeps {self._session.scenario.name}"
            yield FirstForm(self._session)

    def on_first_form_done(self, event: FirstForm.Done) -> None:
        event.stop()
        self.dismiss(event.section)


class FirstForm(LineEditing, can_focus=True):
    """Five questions and three values in a list; letters go to the value that is chosen."""

    DEFAULT_CSS = f"FirstForm {{ height: {_ROWS + 2}; width: 1fr; text-wrap: nowrap; }}"

    class Done(Message):
        """A question was chosen, or none."""

        def __init__(self, section: str | None) -> None:
            super().__init__()
            self.section = section

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._at = 0
        self._asked = 0
        self._refusal = ""
        self._typed = dict.fromkeys(FIELDS, "")

    def on_mount(self) -> None:
        self.focus()

    # -- what is typed

    @property
    def _field(self) -> str:
        """The value under the cursor; empty on a question."""
        return FIELDS[self._at - len(QUESTIONS)] if self._at >= len(QUESTIONS) else ""

    def _move(self, to: int) -> None:
        self._at = to % _ROWS
        if self._field:
            self.editor = LineEditor.over(self._typed[self._field])
        else:
            self._asked = self._at
            self.editor = None
        self.refresh()

    def line_changed(self) -> None:
        self._typed[self._field] = self.typed_text
        self._refusal = ""

    def on_key(self, event: events.Key) -> None:
        moves = {"up": -1, "down": 1, "tab": 1, "shift+tab": -1}
        typed = event.character or ""
        if event.key in moves:
            self._move(self._at + moves[event.key])
        elif event.key == "enter":
            self._take()
        elif event.key == "escape":
            self.post_message(self.Done(None))
        elif not self._field and typed.isdigit() and 1 <= int(typed) <= len(QUESTIONS):
            self._asked = int(typed) - 1
            self._take()
        elif not self._field and typed.isalpha():
            # A letter on a question begins the name of a model.
            self._move(len(QUESTIONS))
            return
        else:
            return
        event.stop()
        event.prevent_default()

    def _take(self) -> None:
        try:
            changes = {field: self._value(field) for field in FIELDS if self._typed[field].strip()}
            if changes:
                self._session.change(**changes)
        except (ScenarioError, ValueError, OSError) as error:
            self._refusal = str(error)
            self.refresh()
            return
        self.post_message(self.Done(QUESTIONS[self._asked][0]))

    def _value(self, field: str) -> object:
        text = self._typed[field].strip()
        if field != "model":
            return parse_value(field, text)
        found = self._model(text) or text
        self._session.check_name(field, found)
        return found

    def _model(self, text: str) -> str:
        found = best_match(text, self._session.fields.choices("model"))
        return found.value if found else ""

    # -- drawing

    def render(self) -> Content:
        width = self.size.width
        lines = [self._question(at) for at in range(len(QUESTIONS))]
        lines.append(Content(""))
        lines += [self._value_line(field, at, width) for at, field in enumerate(FIELDS, len(QUESTIONS))]
        said = (f" ✗ {self._refusal}"[:width], "$bad") if self._refusal else ("", "")
        return Content("\n").join([*lines, Content.assemble(said)])

    def _question(self, at: int) -> Content:
        here = at == self._at
        mark = "▌" if here else "●" if at == self._asked and self._field else " "
        back = " on $cursor-back" if here else ""
        words = f"{QUESTIONS[at][1]:<{max(1, self.size.width - 6)}}"
        number, style = f"{at + 1}  ", f"bold{back}" if here else ""
        return Content.assemble((f"{mark} ", f"$key{back}"), (number, f"bold $key{back}"), (words, style))

    def _value_line(self, field: str, at: int, width: int) -> Content:
        here, typed = at == self._at, self._typed[field]
        now = self._session.fields.shown(field, getattr(self._session.scenario, field))
        label = ("▌" if here else " ", "$key"), (f" {INPUTS[field].label:<10}", "bold" if here else "$muted")
        if not here and not typed:
            return Content.assemble(*label, now)
        line = self.line(20) if here else Content(typed)
        meant = (
            self._session.fields.shown(field, self._model(typed))
            if field == "model" and typed and self._model(typed)
            else ""
        )
        said = f"  → {meant}" if meant else "" if typed else f" {now}"
        return Content.assemble(*label, line, (said[: max(0, width - 34)], "$muted"))
