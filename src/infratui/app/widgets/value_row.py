"""One input as a row, `Label ◂ value ▸`: arrows change it, enter types it or opens its list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.message import Message
from textual.reactive import reactive

from ...inputs import Input, Kind
from ...report.input_groups import brief
from ...report.names import fitting
from ...report.show import Line
from ...value_types import dataclass
from ..keys import Where, bindings
from .line_editor import LineNowAndThen
from .painted import Painted

LABEL = 11
"""Where values begin in their row; a longer label, or a value that would be cut, moves it."""
LEAP = 4
"""Steps that a big step takes."""
_FINE = 0.01
"""Step of a number that has no scale of its own."""


class ValueRow(Painted, LineNowAndThen, can_focus=True):
    """A field of the scenario.

    The row never changes anything itself: it posts `Changed` and shows what `value` it is given.

    ```python
    ValueRow("users", INPUTS["users"], low=1, high=1_000_000)
    ```
    """

    DEFAULT_CSS = "ValueRow { text-wrap: nowrap; height: 1; width: 1fr; }"
    BINDINGS = bindings(Where.ROW)
    PLACE = Where.ROW

    value: reactive[object] = reactive(None)

    @dataclass
    class Changed(Message):
        """The user wants another value; `text` is set where it was typed and is still to be read."""

        row: ValueRow
        value: object = None
        text: str | None = None

    @dataclass
    class Listed(Message):
        """The user wants to choose from the list."""

        row: ValueRow

    @dataclass
    class Ranged(Message):
        """The user wants to see the answer over a range of values."""

        row: ValueRow

    @dataclass
    class Noted(Message):
        """Something to say in the status line; empty clears it."""

        text: str
        tone: str = "muted"

    def __init__(
        self,
        field: str,
        spec: Input,
        *,
        shown: Callable[[object], str] = str,
        typed: Callable[[object], str] = str,
        values: Callable[[], Sequence[str]] = tuple,
        low: float | None = None,
        high: float | None = None,
        default: object = None,
    ) -> None:
        super().__init__(id=f"row-{field}")
        self.field = field
        self.spec = spec
        self._shown, self._typed, self._values = shown, typed, values
        self._low, self._high, self._default = low, high, default

    @property
    def label(self) -> str:
        """What the row calls its input."""
        return brief(self.field)

    @property
    def is_list(self) -> bool:
        """Values come from a list rather than from a scale."""
        return self.spec.kind in (Kind.MODEL, Kind.PRECISION, Kind.KV_PRECISION, Kind.ACCELERATOR, Kind.CHOICE)

    # -- drawing

    def toned(self, width: int) -> Sequence[Line]:
        label = self.label
        start, gap, text = self._placed(self._shown(self.value), width)
        room = max(1, width - start - 1 - len(gap))
        label = f"{label:<{start - 2 - len(gap)}}"
        if self.editor is not None:
            typed = self.editor.toned(room + 1, "bold")
            return ((("▌", "key"), (label, "bold"), (f"›{gap}", "bold key"), *typed),)
        if self.has_focus:
            value = (f"{text:<{room}}", "bold")
            return ((("▌", "key"), (label, "bold"), (f"◂{gap}", "key"), value, (f"{gap}▸", "key")),)
        return (((" ", ""), (label, "muted"), (f" {gap}{text:<{room}}", "")),)

    def _placed(self, text: str, width: int) -> tuple[int, str, str]:
        """Where the value begins, what stands between it and its arrows, and the value as it fits.

        A value too long for its place begins further left, then goes without gaps, then without its spare words.
        """
        close = len(self.label) + 2
        start = max(LABEL, close + 1)
        for gap, least in ((" ", close + 1), ("", close)):
            room = width - 1 - len(gap)
            if len(text) <= room - least:
                return max(least, min(start, room - len(text))), gap, text
        for gap, least in ((" ", start), (" ", close + 1), ("", close)):
            fits = fitting(text, max(1, width - 1 - len(gap) - least))
            if not fits.endswith("…"):
                break
        return least, gap, fits

    # -- stepping

    def action_step(self, direction: int) -> None:
        """To the next value in that direction."""
        self._ask(self._neighbour(self.value, direction))

    def action_leap(self, direction: int) -> None:
        """Several steps at once."""
        value = self.value
        for _ in range(LEAP):
            value = self._neighbour(value, direction)
        self._ask(value)

    def action_reset(self) -> None:
        """Back to the default."""
        self._ask(self._default)

    def action_sweep(self) -> None:
        """The answer over a range of values."""
        self.post_message(self.Ranged(self))

    def _ask(self, value: object) -> None:
        if value == self.value:
            self.post_message(self.Noted(f"{self.spec.label}: no value beyond this one; enter types one", "muted"))
        else:
            self.post_message(self.Changed(self, value))

    def _neighbour(self, value: object, direction: int) -> object:
        if self.spec.kind is Kind.SWITCH:
            return not value
        if self.is_list:
            values = self._values()
            if not values:
                return value
            at = values.index(str(value)) if value in values else -1 if direction > 0 else 0
            return values[(at + direction) % len(values)]
        if not isinstance(value, int | float):
            return value
        return self._stepped(value, direction)

    def _stepped(self, value: float, direction: int) -> float:
        steps = self.spec.steps
        beyond = [step for step in steps if (step > value if direction > 0 else step < value)]
        if beyond:
            found: float = min(beyond) if direction > 0 else max(beyond)
        elif self.spec.kind in (Kind.COUNT, Kind.TOKENS):
            found = value * 2 if direction > 0 else value // 2
        elif self.spec.kind is Kind.MONEY and not steps and value:
            found = float(f"{value * (1.1 if direction > 0 else 1 / 1.1):.2g}")
        elif self.spec.kind is Kind.NUMBER and not steps:
            found = round(value + direction * _FINE, 6)
        else:
            found = value
        if (self._low is not None and found < self._low) or (self._high is not None and found > self._high):
            found = value
        whole = self.spec.kind in (Kind.COUNT, Kind.TOKENS)
        return int(found) if whole else float(found)

    # -- typing

    def on_key(self, event: events.Key) -> None:
        """A digit on a number begins to type it, as in a spreadsheet; the line takes it then."""
        typed = event.character or ""
        if not self.typing and typed.isascii() and typed.isdigit() and self.is_number:
            self.action_edit()

    @property
    def is_number(self) -> bool:
        """The value is typed in digits."""
        return not self.is_list and self.spec.kind not in (Kind.SWITCH, Kind.TEXT, Kind.PROFILE)

    def action_edit(self) -> None:
        """Type the value; where there is a list, open it."""
        if self.spec.kind is Kind.SWITCH:
            self.action_step(1)
        elif self.is_list:
            self.post_message(self.Listed(self))
        else:
            self.begin()
            unit = f" in {self.spec.unit}" if self.spec.unit else ""
            zero = f", or {self.spec.zero}" if self.spec.zero else ""
            now = self._typed(self.value)
            self.post_message(self.Noted(f"Typing {self.spec.label}{unit} (now {now}{zero}): enter accepts", "key"))

    def refuse(self, message: str) -> None:
        """Say why the typed value was not taken; typing goes on."""
        self.post_message(self.Noted(message, "bad"))

    def line_entered(self, text: str) -> None:
        self.post_message(self.Changed(self, text=text))

    def line_left(self) -> None:
        self.post_message(self.Noted(""))
