"""The list of models with what would become of each on the scenario's GPUs, filled in while it is open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work
from textual.message import Message
from textual.worker import get_current_worker

from ..widgets.choice import Choice
from ..widgets.picker import FilteredList, Picker

if TYPE_CHECKING:
    from ..session import Session

_REST_S = 0.6
"""Whoever types a name at once waits for nothing."""
_EVERY_S = 0.4
_BREATH_S = 0.01
"""Pause after each model: the list must stay quick to the keys."""
_SIZE = 20
"""Cells that a model's size takes before the consequence."""


class ModelPicker(Picker):
    """A picker of models that says users held, tokens/s and price beside each."""

    DEFAULT_CSS = "ModelPicker.-usual > #box { width: 112; }"

    class Known(Message):
        """More models have been tried: id → what it says."""

        def __init__(self, found: dict[str, str]) -> None:
            super().__init__()
            self.found = found

    def __init__(self, session: Session, title: str, choices: Sequence[Choice], current: str, free: str) -> None:
        super().__init__(title, choices, current, free)
        self._session = session
        self._sizes = {choice.value: choice for choice in choices}

    def on_mount(self) -> None:
        self.set_timer(_REST_S, self._try)

    @work(thread=True, exclusive=True, group="models")
    def _try(self) -> None:
        """Every model on the GPUs at hand: a second or two, beside the list."""
        from ...engine.case import Case, in_force
        from ...engine.deployment.which_models import which_models
        from ...report.which_models import consequence

        worker, session, listed = get_current_worker(), self._session, self.query_one(FilteredList)
        found: dict[str, str] = {}
        told, typed = time.monotonic(), ""
        try:
            case = Case(in_force(session.scenario, session.facts), session.facts)
            for row in which_models(case, session.facts.models()):
                while (now := listed.typed_text) != typed:
                    # Somebody types: not between the keys.
                    typed = now
                    time.sleep(_REST_S)
                if worker.is_cancelled:
                    return
                found[row.model.id] = consequence(row)
                time.sleep(_BREATH_S)
                if time.monotonic() - told > _EVERY_S:
                    told = time.monotonic()
                    self.post_message(self.Known(dict(found)))
        except (ValueError, OSError):
            # The scenario has no answer: the list stays what it was.
            return
        self.post_message(self.Known(found))

    def on_model_picker_known(self, event: Known) -> None:
        event.stop()
        self.query_one(FilteredList).tell(
            [
                replace(choice, detail=f"{choice.detail:<{_SIZE}} {event.found[choice.value]}")
                if choice.value in event.found
                else choice
                for choice in self._sizes.values()
            ]
        )
