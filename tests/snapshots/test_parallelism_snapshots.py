"""What the Parallelism screen looks like, paused: the guide's 405B on ever more GPUs, experts, odd counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.scenario import Scenario

long = partial(pytest.param, marks=pytest.mark.long)

Before = Callable[[Pilot[int]], Awaitable[None]]
GUIDE = {"model": "llama-3.1-405b", "precision": "fp16", "users": 10}
SIZES = [(80, 24), *map(long, ((120, 36), (200, 60)))]


def app(**fields: object) -> InfraApp:
    scenario = Scenario(name="Guide").with_(**fields)
    return InfraApp(scenario, settings=Settings(motion=False), start="parallelism")


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


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_64_gpus(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(app(**GUIDE, gpus=64), terminal_size=size, run_before=settled())


def test_gpus_are_missing(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app(**GUIDE, gpus=8), terminal_size=(120, 36), run_before=settled())


@pytest.mark.long
def test_a_pipeline_stepped_to_its_all_reduce(snap_compare: Callable[..., bool]) -> None:
    keys = ["full_stop"] * 5
    assert snap_compare(app(**GUIDE, gpus=16), terminal_size=(120, 36), run_before=settled("tab", *keys))


@pytest.mark.long
def test_spread_experts(snap_compare: Callable[..., bool]) -> None:
    fields = {"model": "deepseek-v3", "gpus": 16, "users": 64}
    assert snap_compare(app(**fields), terminal_size=(120, 50), run_before=settled())


def test_seven_gpus_and_batching(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app(gpus=7), terminal_size=(120, 50), run_before=settled())
