"""A list of values with what each would do to the answer here, filled in while it is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from textual import work
from textual.message import Message
from textual.worker import get_current_worker

from ..widgets.choice import Choice
from ..widgets.picker import FilteredList, Picker

_ROOM = 34
"""Cells of a consequence, so that what describes the value stands in one column behind it."""


class ConsequencePicker(Picker):
    """A picker that says first what a value does, then what it is."""

    DEFAULT_CSS = "ConsequencePicker.-usual > #box { width: 112; }"

    class Told(Message):
        """What the values do: value → words."""

        def __init__(self, found: Mapping[str, str]) -> None:
            super().__init__()
            self.found = found

    def __init__(
        self, title: str, choices: Sequence[Choice], current: str, consequences: Callable[[], Mapping[str, str]]
    ) -> None:
        """`consequences` takes as long as an answer: it is called in a thread."""
        super().__init__(title, choices, current)
        self._consequences = consequences
        self._described = tuple(choices)

    def on_mount(self) -> None:
        self._try()

    @work(thread=True, exclusive=True, group="consequences")
    def _try(self) -> None:
        worker = get_current_worker()
        try:
            found = self._consequences()
        except (ValueError, OSError):
            # The scenario has no answer: the list stays what it was.
            return
        if not worker.is_cancelled:
            self.post_message(self.Told(found))

    def on_consequence_picker_told(self, event: Told) -> None:
        event.stop()
        room = max((len(words) for words in event.found.values()), default=0)
        room = max(room, _ROOM)
        self.query_one(FilteredList).tell(
            [
                replace(choice, detail=f"{event.found.get(choice.value, ''):<{room}}  {choice.detail.strip()}")
                for choice in self._described
            ]
        )
