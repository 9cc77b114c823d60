"""What reference and comparison look like: pictures of each kind, and the first screen of every page as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.catalog import reference
from infratui.catalog.load import Catalog
from infratui.scenario import Scenario

long = partial(pytest.param, marks=pytest.mark.long)

Before = Callable[[Pilot[int]], Awaitable[None]]
TODAY = dt.date(2026, 11, 1)
SIZES = [(80, 24), long((120, 36))]
KEYS = [*(f"page:{page.id}" for page in reference.pages()), *(f"tree:{name}" for name in reference.trees())]
both_sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def app() -> InfraApp:
    return InfraApp(Scenario(name="Guide"), facts=Catalog(today=TODAY), settings=Settings(motion=False))


async def settle(pilot: Pilot[int]) -> None:
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def opened(key: str, *keys: str) -> Before:
    """The reference at an article, then keys, each once the one before is drawn."""

    async def before(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await _open(pilot, key)
        for press in keys:
            await pilot.press(press)
            await settle(pilot)

    return before


async def _open(pilot: Pilot[int], key: str) -> None:
    assert isinstance(pilot.app, InfraApp)
    pilot.app.asked_article = key
    pilot.app.step_aside("reference")
    await settle(pilot)


class TestPictures:
    @both_sizes
    @pytest.mark.long
    def test_the_contents(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        async def before(pilot: Pilot[int]) -> None:
            await settle(pilot)
            await pilot.press("r")
            await settle(pilot)

        assert snap_compare(app(), terminal_size=size, run_before=before)

    @both_sizes
    def test_a_term_with_a_link_marked(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        assert snap_compare(app(), terminal_size=size, run_before=opened("term:kv-cache", "right", "right"))

    @both_sizes
    @pytest.mark.long
    def test_a_catalog_table_sorted(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        keys = ("tab", *["greater_than_sign"] * 3, "vertical_line")
        assert snap_compare(app(), terminal_size=size, run_before=opened("page:accelerators", *keys))

    @both_sizes
    @pytest.mark.long
    def test_worked_examples(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        assert snap_compare(app(), terminal_size=size, run_before=opened("page:worked-examples", "pagedown"))

    @both_sizes
    def test_a_decision_tree(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        assert snap_compare(app(), terminal_size=size, run_before=opened("tree:accelerator"))

    @both_sizes
    def test_search_takes_any_character(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        async def before(pilot: Pilot[int]) -> None:
            await settle(pilot)
            await pilot.press("slash", *("left_square_bracket", "b", "left_parenthesis", "full_stop"))
            await settle(pilot)

        assert snap_compare(app(), terminal_size=size, run_before=before)

    @both_sizes
    @pytest.mark.long
    def test_the_comparison(self, snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
        async def before(pilot: Pilot[int]) -> None:
            await settle(pilot)
            assert isinstance(pilot.app, InfraApp)
            await pilot.press("c")
            pilot.app.change(users=200, precision="bf16", gpus=16)
            await pilot.press("c")
            await settle(pilot)

        assert snap_compare(app(), terminal_size=size, run_before=before)


class TestPages:
    @both_sizes
    @pytest.mark.long
    async def test_the_first_screen_of_every_page(self, snapshot, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
        async with app().run_test(size=size) as pilot:
            await settle(pilot)
            for key in KEYS:
                await _open(pilot, key)
                # Without the title line, which names all screens.
                lines = [strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips()][1:]
                assert "\n".join(lines) == snapshot(name=f"{key} at {size[0]}x{size[1]}")
