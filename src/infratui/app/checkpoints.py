"""Checkpoints on disk, read beside the app: it stays alive meanwhile, escape gives up, and the last question counts."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import mishaps
from ..catalog.yaml_io import printable
from ..inputs import Kind
from ..mishaps import Mishap
from ..scenario import INPUTS, Scenario

if TYPE_CHECKING:
    from ..catalog.load import Catalog

MODEL_FIELDS = tuple(name for name, spec in INPUTS.items() if spec.kind is Kind.MODEL)

Done = Callable[[Mishap | None], None]
"""Takes why a checkpoint could not be read, or None."""


class CheckpointReader:
    """Reads in a thread of its own, which a disk that does not answer may keep; what comes late is dropped."""

    def __init__(self, facts: Callable[[], Catalog], later: Callable[..., object]) -> None:
        """`later` calls a function in the app's own thread."""
        self._facts = facts
        self._later = later
        self._turn = 0
        self._refused: dict[str, Mishap] = {}
        self.reading = ""
        """What is being read, in words; empty when nothing is."""

    def missing(self, scenario: Scenario) -> tuple[str, ...]:
        """The checkpoints of a scenario that have not been read."""
        names = dict.fromkeys(str(getattr(scenario, field)) for field in MODEL_FIELDS)
        # A field may be empty: it asks for no model.
        return tuple(name for name in names if name and not self._facts().at_hand(name))

    def refusal(self, names: tuple[str, ...]) -> Mishap | None:
        """Why one of them was not read when it was tried last."""
        return next((self._refused[name] for name in names if name in self._refused), None)

    def forget(self) -> None:
        """Try again what could not be read."""
        self._refused.clear()

    def read(self, names: tuple[str, ...], done: Done) -> None:
        """Read them; whatever is still being read for an earlier question does not matter any more."""
        self._turn += 1
        turn = self._turn
        self.reading = " and ".join(printable(name, 60) for name in names)
        facts = self._facts()

        def work() -> None:
            refusal, last = None, ""
            try:
                for last in names:
                    facts.model(last)
            except Exception as error:
                refusal = mishaps.told(error, "reading a checkpoint")
            self._later(self._done, turn, last, refusal, done)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name="checkpoint", daemon=True).start()

    def _done(self, turn: int, name: str, refusal: Mishap | None, done: Done) -> None:
        if refusal is not None:
            self._refused[name] = refusal
        if turn == self._turn and self.reading:
            self.reading = ""
            done(refusal)

    def stop(self, names: tuple[str, ...]) -> None:
        """Do not wait any longer; `names` count as refused."""
        self._turn += 1
        self.reading = ""
        for name in names:
            self._refused[name] = Mishap(f"{printable(name, 60)}: reading was stopped")
