"""What measured demand looks like: the window that reads it at three sizes, and its panel on Parallelism."""

from __future__ import annotations

import pytest
from textual import events

from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.measuring import measured_in
from infratui.scenario import Scenario
from tests.demand.samples import azure, read

SCENARIO = Scenario(name="Measured", model="llama-3.1-8b", gpus=2, requests_per_day=2_000_000)


async def settled(app: InfraApp, pilot) -> None:
    await pilot.pause()
    while any(not worker.is_finished for worker in app.workers):
        await pilot.pause(0.01)
    await pilot.pause()


@pytest.mark.parametrize(
    "size",
    [(80, 30), pytest.param((120, 40), marks=pytest.mark.long)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_a_trace_is_read(snap_compare, size) -> None:
    app = InfraApp(SCENARIO, settings=Settings(motion=False), start="vram")

    async def open_it(pilot) -> None:
        await settled(app, pilot)
        app.action_demand()
        await pilot.pause()
        app.screen.post_message(events.Paste(azure()))
        await settled(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=open_it)


@pytest.mark.long
def test_its_panel(snap_compare) -> None:
    scenario, _ = measured_in(SCENARIO, read(azure()))
    app = InfraApp(scenario, settings=Settings(motion=False), start="parallelism")

    async def settle(pilot) -> None:
        await settled(app, pilot)

    assert snap_compare(app, terminal_size=(200, 60), run_before=settle)
