"""What the screens look like, at three sizes and in two themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from textual.pilot import Pilot

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.settings import Settings

long = partial(pytest.param, marks=pytest.mark.long)

SIZES = [(80, 24), *map(long, ((120, 36), (200, 60)))]


def app(preset: str = "production", **settings: object) -> InfraApp:
    return InfraApp(store.load_preset(preset), settings=Settings(motion=False, **settings), start="vram")  # type: ignore[arg-type]


class TestVram:
    @pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
    @pytest.mark.parametrize("theme", ["infratui", "ansi-dark"])
    def test_production(self, snap_compare, size, theme) -> None:
        assert snap_compare(app(theme=theme), terminal_size=size)

    def test_ascii(self, snap_compare) -> None:
        assert snap_compare(app(ascii_only=True), terminal_size=(120, 36))

    @pytest.mark.long
    def test_what_does_not_fit(self, snap_compare) -> None:
        assert snap_compare(
            app("enterprise"), terminal_size=(120, 36), press=["down", "down", "down", "right", "right"]
        )

    def test_windows_and_experts(self, snap_compare) -> None:
        assert snap_compare(app("single-gpu-moe"), terminal_size=(200, 60))

    def test_math(self, snap_compare) -> None:
        assert snap_compare(app(), terminal_size=(80, 24), press=["m"])

    def test_typing(self, snap_compare) -> None:
        assert snap_compare(app(), terminal_size=(80, 24), press=["down", "down", "down", "enter", "1", "2", "k"])

    def test_refused(self, snap_compare) -> None:
        keys = ["down", "down", "down", "enter", *"many", "enter"]
        assert snap_compare(app(), terminal_size=(80, 24), press=keys)


class TestOverlays:
    def test_help(self, snap_compare) -> None:
        assert snap_compare(app(), terminal_size=(120, 36), press=["question_mark"])

    def test_presets(self, snap_compare) -> None:
        assert snap_compare(app(), terminal_size=(80, 24), press=["p"])

    def test_models(self, snap_compare) -> None:
        assert snap_compare(app(), terminal_size=(120, 36), run_before=_shown(["enter", *"gpt"]))

    def test_too_small(self, snap_compare) -> None:
        assert snap_compare(app(), terminal_size=(50, 12))


OVERLAYS = {
    "welcome": [],
    "zoom": ["tab", "z"],
    "export": ["e"],
    "save": ["s"],
    "palette": ["colon", *"h200"],
    "gpus": [*["down"] * 6, "enter"],
    "terms": ["t"],
    "sweep": ["down", "down", "down", "f"],
    "help": ["question_mark"],
    "model": ["enter"],
    "presets": ["p"],
    "open": ["o"],
    "jump": ["ctrl+o"],
    "fleet": ["F"],
    "hardware": ["colon", *"your", "enter"],
    "reconcile": ["colon", *"reconcile", "enter"],
    "demand": ["colon", *"trace", "enter"],
    "math": ["m"],
    "rule of thumb": ["D"],
    "compare": ["c", "down", "down", "down", "right", "c"],
    "reference": ["r"],
}


def _shown(keys: list[str]) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Press keys on a screen that has its answer, and wait for what they open to be filled in."""

    async def run(pilot: Pilot[int]) -> None:
        for key in ["", *keys, ""]:
            await pilot.press(*([key] if key else []))
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    return run


@pytest.mark.long
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlay(snap_compare, overlay, size) -> None:
    asks = InfraApp(None, settings=Settings(motion=False, welcomed=False), start="vram")
    shown = asks if overlay == "welcome" else app()
    assert snap_compare(shown, terminal_size=size, run_before=_shown(OVERLAYS[overlay]))
