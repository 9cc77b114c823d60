"""A repaint that draws only what it shows leaves the screen as one that draws everything would."""

from __future__ import annotations

from infratui.app.terminal.narrow import NarrowCompositor


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
