"""What the MoE vs Dense screen looks like, from 80 × 24 to 200 × 60, frame by frame where it moves."""

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
Compare = Callable[..., bool]


def app(*, ascii_only: bool = False, theme: str = "infratui", **fields: object) -> InfraApp:
    settings = Settings(motion=False, ascii_only=ascii_only, theme=theme)
    return InfraApp(Scenario(name="Guide").with_(**fields), facts=Catalog(), settings=settings, start="moe")


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
def test_llama_beside_glm_5(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=pressing())


@pytest.mark.long
@pytest.mark.parametrize("step", [1, 4, 7, *map(long, (2, 3, 5, 6))])
def test_a_token_frame_by_frame(snap_compare: Compare, step: int) -> None:
    """DeepSeek-V3: enters, rises, is scored, loses groups, is given experts, computes, is mixed."""
    keys = pressing("tab", "z", *["."] * step)

    assert snap_compare(app(moe_model="deepseek-v3"), terminal_size=(80, 24), run_before=keys)


@pytest.mark.long
@pytest.mark.parametrize("back", [0, 2])
def test_a_batch_and_what_it_touches(snap_compare: Compare, back: int) -> None:
    keys = pressing("v", *[","] * back)

    assert snap_compare(app(capacity_factor=1.25, router_skew=1), terminal_size=(120, 36), run_before=keys)


@pytest.mark.long
def test_384_experts_on_64_gpus(snap_compare: Compare) -> None:
    assert snap_compare(app(moe_model="kimi-k2", ep=64), terminal_size=(120, 36), run_before=pressing("."))


@pytest.mark.long
def test_8_experts_on_one_gpu(snap_compare: Compare) -> None:
    fields = app(moe_model="mixtral-8x7b", ep=1, router_batch=1)

    assert snap_compare(fields, terminal_size=(200, 60), run_before=pressing())


def test_the_guides_745b_in_int4(snap_compare: Compare) -> None:
    fields = app(moe_model="generic-745b-moe", precision="int4", gpus=64)

    assert snap_compare(fields, terminal_size=(200, 60), run_before=pressing())


def test_who_wins_which_line(snap_compare: Compare) -> None:
    assert snap_compare(app(), terminal_size=(80, 24), run_before=pressing("tab", "tab", "down", "down", "down"))


def test_more_than_there_are(snap_compare: Compare) -> None:
    fields = app(moe_model="mixtral-8x7b", router_top_k=9)

    assert snap_compare(fields, terminal_size=(80, 24), run_before=pressing())


def test_in_ascii(snap_compare: Compare) -> None:
    assert snap_compare(app(ascii_only=True), terminal_size=(120, 36), run_before=pressing())


def test_in_16_colours(snap_compare: Compare) -> None:
    assert snap_compare(app(theme="ansi-dark"), terminal_size=(120, 36), run_before=pressing("v"))


def test_the_math(snap_compare: Compare) -> None:
    assert snap_compare(app(), terminal_size=(120, 36), run_before=pressing("m"))
