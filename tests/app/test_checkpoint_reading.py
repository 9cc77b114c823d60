"""A checkpoint on disk is read beside the app: keys are taken meanwhile, escape gives up, a late one is dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from infratui.app.widgets.headline import HeadlineView
from infratui.catalog.load import Catalog
from infratui.engine.model.architecture import Model

SLOW = "./slow-disk/model"


class Disk:
    """Answers when it is told to."""

    def __init__(self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.refuses = ""
        known: Model = catalog.model("llama-3.1-8b")

        def read(_: Catalog, name: str) -> Model:
            self.asked.set()
            assert self.answers.wait(30)
            if self.refuses:
                raise ValueError(self.refuses)
            return known

        monkeypatch.setattr(Catalog, "_checkpoint", read)


@pytest.fixture
def disk(shared_catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    found = Disk(shared_catalog, monkeypatch)
    yield found
    found.answers.set()
    shared_catalog._checkpoints.pop(SLOW, None)


async def until(pilot, holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("waited in vain")


def status(app) -> str:
    return app.screen_stack[0].query_one("HintLine").status[0]


async def pick(app, pilot, disk: Disk) -> None:
    await until(pilot, lambda: bool(app.screen.query_one(HeadlineView).answer.text))
    disk.asked.clear()
    app.pick_model("model", SLOW)
    await until(pilot, disk.asked.is_set)


async def test_keys_are_taken_while_it_is_read(make_app, disk) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pick(app, pilot, disk)
        assert status(app) == f"reading {SLOW} …, esc stops"
        await pilot.press("j", "j", "j", "right")
        assert app.scenario.users == 64
        disk.answers.set()
        await until(pilot, lambda: app.scenario.model == SLOW)
        assert app.scenario.users == 64


async def test_escape_gives_up_and_a_late_result_changes_nothing(make_app, disk) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        before = app.scenario
        await pick(app, pilot, disk)
        await pilot.press("escape")
        assert status(app) == "reading was stopped"
        disk.answers.set()
        await until(pilot, lambda: app.facts.at_hand(SLOW))
        await pilot.pause()
        assert app.scenario == before


async def test_what_was_chosen_meanwhile_stays(make_app, disk) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pick(app, pilot, disk)
        app.change(model="qwen3-32b")
        disk.answers.set()
        await until(pilot, lambda: app.facts.at_hand(SLOW))
        await pilot.pause()
        assert app.scenario.model == "qwen3-32b"


async def test_a_refusal_is_said_and_nothing_changes(make_app, disk) -> None:
    disk.refuses = "model: no config.json; name a folder with one"
    disk.answers.set()
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        before = app.scenario
        await pick(app, pilot, disk)
        await until(pilot, lambda: status(app) == disk.refuses)
        assert app.scenario == before


async def test_a_scenario_that_names_one_opens_at_once_and_is_answered_when_it_is_read(make_app, disk) -> None:
    app = make_app(make_app().scenario.with_(model=SLOW))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, disk.asked.is_set)
        await until(pilot, lambda: app.screen.query_one(HeadlineView).answer.text.startswith("reading "))
        assert app.screen.query_one(HeadlineView).answer.text == f"reading {SLOW} …"
        disk.answers.set()
        await until(pilot, lambda: app.screen.query_one(HeadlineView).answer.text.startswith(("Needs", "1 × ", "8 × ")))


async def test_a_scenario_whose_reading_was_stopped_says_so(make_app, disk) -> None:
    app = make_app(make_app().scenario.with_(model=SLOW))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.screen.query_one(HeadlineView).answer.text.startswith("reading "))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(HeadlineView).answer.text.startswith("No answer"))
        assert "reading was stopped" in app.screen.query_one(HeadlineView).answer.text
