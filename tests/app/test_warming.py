"""What other screens need is loaded while nobody presses a key, one part at a time."""

from __future__ import annotations

import pytest

from infratui import store
from infratui.app.screens import SCREENS
from infratui.app.session import Session
from infratui.app.warming import parts, warm


async def test_a_key_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    quiet = iter([1.0, 0.0, 0.2, 1.0])
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("infratui.app.warming.asyncio.sleep", sleep)
    await warm(iter([lambda: done.append("one"), lambda: done.append("two")]), lambda: next(quiet))
    assert done == ["one", "two"]
    assert [round(seconds, 3) for seconds in waited] == [0.3, 0.1]


def test_a_section_is_answered_before_its_screen_is_opened(shared_catalog) -> None:
    session = Session(store.load_preset("production"), facts=shared_catalog)
    for part in parts(SCREENS[1:2], session):
        part()
    evaluator = session._evaluator
    assert evaluator is not None
    assert evaluator._memo.find("quantization", session.scenario) is not None


def test_a_section_without_an_answer_is_told_when_it_is_shown(shared_catalog) -> None:
    session = Session(store.load_preset("production").with_(accelerator="no-such-gpu"), facts=shared_catalog)
    for part in parts(SCREENS, session):
        part()
