"""The sweep over a screen: a key on a focused row opens it, enter takes a point, escape leaves all as it is."""

from __future__ import annotations

import pytest

from infratui.app.screen.overlays import Prompt
from infratui.app.screen.sweeping import SweepScreen, values_of
from infratui.app.session import Session
from infratui.app.widgets.table import TableView
from infratui.scenario import INPUTS, Scenario


async def opened(pilot, field: str) -> SweepScreen:
    await pilot.pause()
    pilot.app.screen.go_to(field)
    await pilot.pause()
    await pilot.press("f")
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    assert isinstance(pilot.app.screen, SweepScreen)
    return pilot.app.screen


async def test_enter_takes_the_point_under_the_cursor(make_app, shown) -> None:
    async with make_app("team").run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, "users")
        table = screen.query_one(TableView)
        now = table.current.id
        assert int(now) == pilot.app.scenario.users
        assert "Fewest GPUs" in shown(pilot.app)
        await pilot.press("up", "enter")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, SweepScreen)
        assert pilot.app.scenario.users < int(now)
        await pilot.press("u")
        assert pilot.app.scenario.users == int(now)


@pytest.mark.long
async def test_escape_changes_nothing_and_f_takes_another_range(make_app) -> None:
    async with make_app("team").run_test(size=(80, 24)) as pilot:
        before = pilot.app.scenario
        screen = await opened(pilot, "context")
        await pilot.press("f")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Prompt)
        await pilot.press("ctrl+u", *"9..1", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Prompt)
        await pilot.press("ctrl+u", *"1K..3K:1K", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert [point.value for point in screen.found.points] == [1024, 2048, 3072]
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.scenario == before
        assert not isinstance(pilot.app.screen, SweepScreen)


@pytest.mark.parametrize("field", sorted(INPUTS))
def test_every_value_on_offer_is_one_that_the_scenario_takes(shared_catalog, field) -> None:
    session = Session(Scenario(), facts=shared_catalog)
    values = values_of(session, field)
    assert len(values) != 1
    for value in (*values[:2], *values[-2:]):
        assert getattr(session.scenario.with_(**{field: value}), field) == value
