"""What the Buy vs Rent screen looks like, from 80 × 24 to 200 × 60: the guide, compliance, a plan that is bought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.catalog.load import Catalog
from infratui.scenario import Scenario

long = partial(pytest.param, marks=pytest.mark.long)

Before = Callable[[Pilot[int]], Awaitable[None]]
TODAY = dt.date(2026, 11, 1)
"""The day that ages of prices are counted from."""
GUIDE = {"model": "llama-3.1-70b", "requests_per_day": 50_000, "peak_factor": 1}
BOUGHT = {"requests_per_day": 5_000_000, "purchase_usd": 9_000, "staff_usd_per_year": 0, "spares": 1}


def app(**fields: object) -> InfraApp:
    scenario = Scenario(name="Guide").with_(**fields)
    return InfraApp(scenario, facts=Catalog(today=TODAY), settings=Settings(motion=False), start="cost")


def settled(*keys: str) -> Before:
    """Press keys, each once everything that the one before has started is drawn."""

    async def before(pilot: Pilot[int]) -> None:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            for _ in range(3):
                await pilot.pause()
                await pilot.app.workers.wait_for_complete()
            await pilot.pause()

    return before


@pytest.mark.parametrize("size", [(80, 24), long((120, 36)), long((200, 60))], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_guides_demand(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(app(**GUIDE), terminal_size=size, run_before=settled())


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), long((120, 36))], ids=lambda size: f"{size[0]}x{size[1]}")
def test_compliance_is_owned_whatever_it_costs(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(app(**GUIDE, compliance=True), terminal_size=size, run_before=settled())


@pytest.mark.long
def test_a_plan_that_is_bought_with_its_breakeven(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app(**BOUGHT), terminal_size=(200, 60), run_before=settled())


@pytest.mark.long
def test_levers_tornado_and_plans_of_the_catalog(snap_compare: Callable[..., bool]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await settled()(pilot)
        pilot.app.screen.query_one("#plan-table").focus()
        await settled("enter")(pilot)

    assert snap_compare(app(**BOUGHT), terminal_size=(120, 44), run_before=before)


@pytest.mark.long
def test_a_lever_turned_on(snap_compare: Callable[..., bool]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await settled()(pilot)
        pilot.app.screen.query_one("#lever-table").focus()
        await settled("down", "down", "enter")(pilot)

    assert snap_compare(app(requests_per_day=5_000_000), terminal_size=(80, 24), run_before=before)
