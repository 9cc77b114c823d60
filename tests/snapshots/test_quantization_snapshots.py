"""What the Quantization screen looks like, from 80 × 24 to 200 × 60."""

from __future__ import annotations

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


def app(**fields: object) -> InfraApp:
    scenario = Scenario(name="Guide", model="llama-3.1-405b").with_(**fields)
    return InfraApp(scenario, facts=Catalog(), settings=Settings(motion=False), start="quantization")


def pressing(*keys: str) -> Before:
    async def before(pilot: Pilot[int]) -> None:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()

    return before


@pytest.mark.parametrize("size", [(80, 24), long((120, 36)), long((200, 60))], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_guides_405b(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=pressing())


@pytest.mark.long
def test_all_formats_walked_to_one_nobody_published_about(snap_compare: Callable[..., bool]) -> None:
    keys = pressing("tab", *["right"] * 4)

    assert snap_compare(app(shown_formats="all"), terminal_size=(120, 36), run_before=keys)


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), long((120, 36))], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_bit_lab_on_a_group(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    keys = pressing(*["tab"] * 5, "right", "down", "down")

    assert snap_compare(app(lab_format="int4_g64"), terminal_size=size, run_before=keys)


@pytest.mark.long
def test_the_methods(snap_compare: Callable[..., bool]) -> None:
    keys = pressing(*["tab"] * 7, "down", "down")

    assert snap_compare(app(), terminal_size=(120, 36), run_before=keys)
