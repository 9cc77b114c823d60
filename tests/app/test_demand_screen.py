"""*Measured demand* on screen: pasted or named, typed beside measured, taken and dropped; rows say what is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.screens.demand.screen import DemandScreen
from infratui.app.widgets.table import TableView
from infratui.app.widgets.value_row import ValueRow
from infratui.measuring import measured_in
from infratui.scenario import Scenario
from tests.demand.samples import REQUESTS, azure, read, vllm

Make = Callable[..., InfraApp]
MEASURED, _ = measured_in(Scenario(model="llama-3.1-8b", gpus=1), read(azure()))


async def settled(pilot: Pilot[object], app: InfraApp) -> None:
    await pilot.pause()
    for _ in range(100):
        if not any(worker.is_running for worker in app.workers):
            break
        await asyncio.sleep(0.02)
    await pilot.pause()


async def test_the_palette_opens_measured_demand(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"demand", "enter")
        await pilot.pause()

        assert isinstance(app.screen, DemandScreen)


async def test_a_pasted_trace_is_taken_and_dropped(make_app: Make, shown: Callable[[InfraApp], str]) -> None:
    app = make_app(Scenario(model="llama-3.1-8b", gpus=1))
    async with app.run_test(size=(140, 44)) as pilot:
        app.action_demand()
        await pilot.pause()
        app.screen.post_message(events.Paste(azure()))
        await settled(pilot, app)
        rows = app.screen.query_one("#asks", TableView).rows
        assert [row.id for row in rows] == ["typed", "means", "60s", "10s", "long"]
        words = shown(app)
        assert "typed 500/500 ×2.0 → measured" in words
        assert "▲ ×" in words
        await pilot.press("enter")
        await pilot.pause()

        assert app.scenario.demand_profile is not None
        assert app.scenario.demand_profile.requests == len(REQUESTS)
        app.action_drop_demand()
        assert app.scenario.demand_profile is None


async def test_a_row_that_only_compares_is_not_taken(make_app: Make, shown: Callable[[InfraApp], str]) -> None:
    app = make_app(Scenario(model="llama-3.1-8b", gpus=1))
    async with app.run_test(size=(140, 44)) as pilot:
        app.action_demand()
        await pilot.pause()
        app.screen.post_message(events.Paste(azure()))
        await settled(pilot, app)
        await pilot.press("k", "enter")
        await pilot.pause()

        assert isinstance(app.screen, DemandScreen)
        assert "only compares" in shown(app)


async def test_two_paths_are_two_scrapes(make_app: Make, tmp_path: Path, shown: Callable[[InfraApp], str]) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text(vllm(REQUESTS[:30]))
    second.write_text(vllm())
    app = make_app(Scenario(model="llama-3.1-8b", gpus=1))
    async with app.run_test(size=(140, 44)) as pilot:
        app.action_demand()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DemandScreen)
        screen.take(f"{first} {second}")
        await settled(pilot, app)

        assert "30 requests" in shown(app)


@pytest.mark.parametrize("typed", ["nothing-there.csv", "/"])
async def test_what_is_no_trace_is_said_and_typing_goes_on(
    make_app: Make, shown: Callable[[InfraApp], str], typed: str
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        app.action_demand()
        await pilot.press(*typed, "enter")
        await settled(pilot, app)
        assert "✗" in shown(app)
        await pilot.press("escape")
        await pilot.pause()

        assert not isinstance(app.screen, DemandScreen)


@pytest.mark.long
async def test_parallelism_shows_it_and_rows_say_what_is_measured(
    make_app: Make, shown: Callable[[InfraApp], str]
) -> None:
    app = make_app(MEASURED)
    async with app.run_test(size=(200, 80)) as pilot:
        app.action_show_screen("parallelism")
        await settled(pilot, app)
        page = app.page
        assert page is not None
        assert page.query_one("#measured").display
        assert "What each demand" in shown(app) or "typed 500/500" in shown(app)
        row = page.query_one("#row-input_tokens", ValueRow)
        row.focus()
        await pilot.press("right")
        await pilot.pause()
        assert app.scenario.input_tokens == 500
        assert "measured" in shown(app)
        app.action_drop_demand()
        await settled(pilot, app)

        assert not page.query_one("#measured").display
