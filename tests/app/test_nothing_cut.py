"""No verdict, reason or question is cut in a window of usual size, and no cell of a table in a large one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.screens.cost.decision_tree import DecisionTree
from infratui.app.widgets.drawn import ProseView
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.table import TableView
from infratui.report.sections import SECTIONS

PRESETS = [preset.id for preset in store.presets()]
CUT = re.compile(r"\S…")
"""A range has spaces around its dots; what is cut has none before them."""


async def cut_lines(pilot: Pilot[int], kinds: Iterable[type[Widget]]) -> list[str]:
    """Lines of such widgets that end before their words do, on every screen."""
    found = []
    for number in range(1, len(SECTIONS) + 1):
        await pilot.press(f"alt+{number}")
        for _ in range(2):
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        for kind in kinds:
            for widget in pilot.app.screen.query(kind):
                lines = [widget.render_line(y).text for y in range(widget.size.height)]
                found += [
                    f"{number} {widget.parent and widget.parent.id}: {line}" for line in lines if CUT.search(line)
                ]
    return found


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
async def test_no_verdict_reason_or_question_at_120_columns(make_app: Callable[..., InfraApp], preset: str) -> None:
    async with make_app(preset, motion=False).run_test(size=(120, 36)) as pilot:
        assert await cut_lines(pilot, (HeadlineView, DecisionTree, ProseView)) == []


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
async def test_no_cell_of_a_table_at_200_columns(make_app: Callable[..., InfraApp], preset: str) -> None:
    async with make_app(preset, motion=False).run_test(size=(200, 60)) as pilot:
        assert await cut_lines(pilot, (TableView,)) == []
