"""What moves moves at least twice a second while it plays, and rests for good after it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.screens.moe.router_panel import RouterPanel
from infratui.app.screens.parallelism.cluster_view import ClusterView
from infratui.app.widgets.grid_animation import IDLE_S, SPEEDS, GridAnimation

PER_SECOND = round(SPEEDS[-1])


async def played(pilot: Pilot[int], kind: type[GridAnimation]) -> list[object]:
    """Pictures a quarter of a second apart, from the start of a cycle until it rests; the clock is turned by hand."""
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    view = pilot.app.screen.query_one(kind)
    assert view.playing
    assert view._timer is not None
    view._timer.pause()
    view.scroll_visible(animate=False)
    await pilot.pause()
    pictures: list[object] = [_picture(view)]
    while view.playing and len(pictures) < 2 * IDLE_S * PER_SECOND:
        view._tick()
        pictures.append(_picture(view))
    assert not view.playing
    assert view._timer is None
    return pictures


def _picture(view: GridAnimation) -> object:
    return tuple(tuple(view.render_line(y)) for y in range(view.size.height))


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "screen", "changes"),
    [
        (ClusterView, "alt+3", {}),
        (ClusterView, "alt+3", {"tp": 4, "dp": 2, "pp": 1}),
        (ClusterView, "alt+3", {"tp": 2, "pp": 4, "dp": 1}),
        (ClusterView, "alt+3", {"model": "deepseek-v3", "gpus": 16}),
        (RouterPanel, "alt+5", {}),
    ],
    ids=["TP", "DP", "PP", "EP", "router"],
)
async def test_two_pictures_a_second_and_then_none(
    make_app: Callable[..., InfraApp], kind: type[GridAnimation], screen: str, changes: dict[str, object]
) -> None:
    app = make_app(motion=True)
    async with app.run_test(size=(120, 50)) as pilot:
        app.change(**changes)
        await pilot.press(screen)
        pictures = await played(pilot, kind)
        seconds = [pictures[at : at + PER_SECOND + 1] for at in range(0, len(pictures) - PER_SECOND, PER_SECOND)]
        assert seconds
        for second in seconds:
            differing = sum(one != other for one, other in pairwise(second))
            assert differing >= 2
        assert len(pictures) <= IDLE_S * PER_SECOND + 1
