"""The key table: every action exists, one key has one meaning in one place, the bar stays short."""

from __future__ import annotations

from collections import Counter

import pytest

from infratui.app.app import InfraApp
from infratui.app.keys import KEYS, LAUNCHING, PICKING, PROMPTED, READING, Where
from infratui.app.screen.chrome import BAR_KEYS, KeyBar, bar_keys
from infratui.app.screen.section import SectionScreen
from infratui.app.widgets.derivation_view import DerivationView
from infratui.app.widgets.group_head import GroupHead
from infratui.app.widgets.table import TableView
from infratui.app.widgets.term import Terms
from infratui.app.widgets.value_row import ValueRow

OWNERS = {
    Where.APP: InfraApp,
    Where.SECTION: SectionScreen,
    Where.MOTION: SectionScreen,
    Where.ROW: ValueRow,
    Where.GROUP: GroupHead,
    Where.TABLE: TableView,
    Where.TERMS: Terms,
    Where.MATH: DerivationView,
}


@pytest.mark.parametrize("key", [key for key in KEYS if key.where in OWNERS], ids=lambda key: key.id)
def test_every_action_exists(key) -> None:
    assert callable(getattr(OWNERS[key.where], f"action_{key.action.partition('(')[0]}"))


@pytest.mark.parametrize("place", list(OWNERS))
def test_one_key_means_one_thing_in_one_place(place) -> None:
    counts = Counter(name for key in KEYS if key.where is place for name in key.keys)
    assert [name for name, count in counts.items() if count > 1] == []


def test_screen_and_app_keys_do_not_hide_each_other() -> None:
    names = [name for key in KEYS if key.where in (Where.APP, Where.SECTION, Where.MOTION) for name in key.keys]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_help_has_room_for_what_every_key_does() -> None:
    """In two columns of a window of 120 cells."""
    assert {key.text for key in KEYS if len(key.text) > 41} == set()


def test_digits_are_left_to_the_screens() -> None:
    assert not [name for key in KEYS for name in key.keys if name.isdigit()]


@pytest.mark.parametrize("selector", ["ValueRow", "TableView", "Terms"])
async def test_the_bar_shows_few_keys_those_of_the_focused_thing_first(make_app, selector) -> None:
    async with make_app().run_test(size=(160, 50)) as pilot:
        pilot.app.screen.query(selector).first().focus()
        await pilot.pause()
        shown = bar_keys(pilot.app.screen)
        assert len(shown) <= BAR_KEYS
        assert shown[0][1] in {"change", "row", "walk"}
        assert shown[-1] == ("?", "help")


async def test_the_range_and_the_fleet_stand_in_the_bar(make_app, shown) -> None:
    async with make_app().run_test(size=(120, 36)) as pilot:
        bar = shown(pilot.app).splitlines()[-1]
        assert "f range" in bar
        assert "F fleet" in bar


async def test_the_key_for_all_keys_stays_in_a_narrow_bar(make_app, shown) -> None:
    async with make_app().run_test(size=(60, 24)) as pilot:
        assert shown(pilot.app).splitlines()[-1].rstrip().endswith("? help")


class TestOverlays:
    """An overlay has the keys: the key bar says which, and the screen's own come back with it."""

    @pytest.mark.parametrize(
        ("key", "offered"),
        [("p", PICKING), ("colon", PICKING), ("s", PROMPTED), ("question_mark", READING), ("E", LAUNCHING)],
    )
    async def test_the_bar_shows_the_keys_of_the_overlay(self, make_app, key, offered) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            bar = pilot.app.screen.query_one(KeyBar)
            before = bar.shown
            await pilot.press(key)
            await pilot.pause()
            assert bar.shown == offered
            await pilot.press("escape")
            await pilot.pause()
            assert bar.shown == before
