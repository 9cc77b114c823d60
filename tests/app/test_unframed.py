"""Widgets without a frame draw what Textual would draw of them, borders and all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from infratui.app.app import InfraApp
from infratui.app.screens import SCREENS
from infratui.app.widgets.unframed import Unframed


def cells(strips: list[Strip]) -> list[list[tuple[str, Style | None]]]:
    return [[(character, segment.style) for segment in strip for character in segment.text] for strip in strips]


@pytest.mark.parametrize("theme", ["infratui", "infratui-light", "ansi-dark"])
@pytest.mark.parametrize("screen", [entry.id for entry in SCREENS])
async def test_they_draw_what_textual_draws(make_app: Callable[..., InfraApp], screen: str, theme: str) -> None:
    app = make_app(theme=theme, motion=False)
    async with app.run_test(size=(120, 36)) as pilot:
        app.action_show_screen(screen)
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        compared = 0
        for widget in app.screen.query(Unframed):
            width, height = widget.outer_size
            for crop in (Region(0, 0, width, height), Region(2, 0, max(0, width - 5), height)):
                if crop.area:
                    compared += 1
                    theirs = Widget.render_lines(widget, crop)
                    assert cells(widget.render_lines(crop)) == cells(theirs), widget
        assert compared > 20
