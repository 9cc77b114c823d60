"""Lists that say what each value would do, and themes that are seen before they are taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.widgets.picker import FilteredList
from infratui.app.widgets.value_row import ValueRow

Make = Callable[..., InfraApp]


async def opened(pilot: Pilot[int], field: str) -> dict[str, str]:
    """Open a field's list and wait until it is filled in: value → what stands beside it."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    pilot.app.screen.query_one(f"#row-{field}", ValueRow).focus()
    await pilot.press("enter")
    for _ in range(2):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return {choice.value: choice.detail for choice in pilot.app.screen.query_one(FilteredList)._entries()}


async def test_each_gpu_says_how_many_it_takes_and_what_they_cost(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        told = await opened(pilot, "accelerator")
        for row in app.evaluation.vram.rows[:20]:
            if row.gpus is not None:
                assert f"{row.gpus:,} GPU" in told[row.accelerator.id]
        assert "/mo" in told["h200-sxm"]


@pytest.mark.parametrize("field", ["precision", "kv_precision"])
async def test_each_format_says_its_bytes_and_gpus(make_app: Make, field: str) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        told = await opened(pilot, field)
        assert "GB" in told["fp8"]
        assert "GPU" in told["fp8"]
        # Half the bits ask for no more GPUs.
        assert told["fp8"] != told["bf16"]


async def test_taking_a_row_changes_the_scenario(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, "accelerator")
        await pilot.press(*"h200 sxm".replace(" ", ""), "enter")
        await pilot.pause()
        assert app.scenario.accelerator == "h200-sxm"


async def test_a_theme_is_seen_under_the_cursor_and_gone_with_it(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        before = app.theme
        await pilot.press(":", *"nord")
        await pilot.pause()
        assert app.theme == "nord"
        await pilot.press("escape")
        await pilot.pause()
        assert app.theme == before
        await pilot.press(":", *"nord", "enter")
        await pilot.pause()
        assert app.theme == app.settings.theme == "nord"
