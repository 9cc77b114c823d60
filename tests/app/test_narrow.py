"""A repaint that draws only what it shows leaves the screen as one that draws everything would."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infratui.app.app import InfraApp
from infratui.app.screen.body import Body
from infratui.app.terminal.narrow import NarrowCompositor
from infratui.app.terminal.remembered import forget_places


async def test_a_part_drawn_narrowly_is_what_all_of_it_shows(make_app) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("down")
        await app.workers.wait_for_complete()
        await pilot.pause()
        compositor = app.screen._compositor
        assert isinstance(compositor, NarrowCompositor)
        drawn = []
        for widget in app.screen.query("ValueRow, HeadlineView, TableView"):
            compositor._dirty_regions.clear()
            compositor._dirty_regions.add(region := compositor.visible_widgets[widget][0])
            update = compositor.render_partial_update()
            whole = compositor.render_strips()
            assert update is not None
            for y, left, right in update.spans:
                strips = [strip for x, strip in update.chops[y].items() if strip is not None and left <= x < right]
                assert "".join(strip.text for strip in strips) == whole[y].crop(left, right).text
                drawn.append(y)
            assert region.height == len(update.spans)
        assert drawn


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_one_layout_leaves_nothing_for_a_second(make_app: Callable[..., InfraApp], size: tuple[int, int]) -> None:
    """Heights and scrollbars come and go with the model: what is on screen is what a new layout would show."""
    app = make_app(motion=False)
    async with app.run_test(size=size) as pilot:
        for model in ("llama-3.1-8b", "kimi-k2", "bge-m3", "gemma-3-27b", "glm-5", "mixtral-8x22b", "phi-4"):
            app.session.change(model=model)
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            seen = [strip.text for strip in app.screen._compositor.render_strips()]
            bar = app.screen.query_one(Body).show_vertical_scrollbar
            forget_places(app.screen)
            await pilot.pause()
            assert [strip.text for strip in app.screen._compositor.render_strips()] == seen
            assert app.screen.query_one(Body).show_vertical_scrollbar is bar
