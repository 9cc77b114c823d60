"""What the other screens need, loaded while nobody presses a key: a first visit then takes no longer than the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ..report.sections import section

if TYPE_CHECKING:
    from .screens import ScreenEntry
    from .session import Session

_QUIET_S = 0.3
"""No key for this long: a part may be loaded."""

Part = Callable[[], object]


def parts(entries: tuple[ScreenEntry, ...], session: Session) -> Iterator[Part]:
    """One import or one section each, in the order of the screens; what fails is told when it is shown."""
    # Read beside a thread that computes, each file would wait for it a few times.
    yield partial(_read_models, session)
    for entry in entries:
        yield entry.load
        yield partial(_evaluate, entry, session)


def _read_models(session: Session) -> None:
    with suppress(Exception):
        session.facts.models()


def _evaluate(entry: ScreenEntry, session: Session) -> None:
    with suppress(Exception):
        if not session.checkpoints.missing(session.scenario):
            evaluation = session.evaluation
            section(entry.id).report_by(session.scenario.estimator).evaluate(evaluation)
            for part in getattr(entry.load(), "PARTS", ()):
                getattr(evaluation, part)


async def warm(todo: Iterator[Part], quiet: Callable[[], float]) -> None:
    """Do one part after the other in a thread, each once no key has come for a while. `quiet`: seconds without one."""
    for part in todo:
        while (wait := _QUIET_S - quiet()) > 0:
            await asyncio.sleep(wait)
        await asyncio.to_thread(part)
