"""What the launch window looks like, at three sizes."""

from __future__ import annotations

import pytest

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.settings import Settings


@pytest.mark.parametrize(
    "size",
    [(80, 24), pytest.param((120, 36), marks=pytest.mark.long), pytest.param((200, 60), marks=pytest.mark.long)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_a_manifest(snap_compare, size) -> None:
    app = InfraApp(store.load_preset("production"), settings=Settings(motion=False), start="vram")

    async def open_it(pilot) -> None:
        await pilot.pause()
        await pilot.press("E", "tab", "tab", "right", "right")
        await pilot.pause()
        while any(not worker.is_finished for worker in app.workers):
            await pilot.pause(0.01)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=open_it)
