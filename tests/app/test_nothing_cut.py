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
from infratui.app.screens.reference.contents import Contents
from infratui.app.widgets.drawn import ProseView
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.table import TableView
from infratui.report import draw
from infratui.report.sections import SECTIONS
from infratui.report.show import Answer, Says
from infratui.report.tables import table_names

PRESETS = [preset.id for preset in store.presets()]
CUT = re.compile(r"\S…")
"""A range has spaces around its dots; what is cut has none before them."""

_READ_S = 0.3
"""How long the cursor rests on an entry before it is read."""


def lines_of(widget: Widget) -> list[str]:
    """What a widget shows."""
    return [widget.render_line(y).text for y in range(widget.size.height)]


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
                found += [
                    f"{number} {widget.parent and widget.parent.id}: {line}"
                    for line in lines_of(widget)
                    if CUT.search(line)
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


@pytest.mark.long
async def test_no_cell_of_the_reference_at_200_columns(make_app: Callable[..., InfraApp]) -> None:
    cut, tables = [], set()
    async with make_app(motion=False).run_test(size=(200, 60)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        contents = pilot.app.screen.query_one(Contents)
        cut += [line for line in lines_of(contents) if CUT.search(line)]
        for entry in contents.entries:
            if entry.kind != "page":
                break
            await pilot.pause(_READ_S)
            await pilot.app.workers.wait_for_complete()
            for view in pilot.app.screen.query(TableView):
                tables.add(view.block.id)
                places = draw.widths(view.columns, view.rows, view.size.width - 2)
                cut += [
                    row.cells[at].text
                    for row in view.rows
                    for at, width in places
                    if draw.fit(row.cells[at].text, width, "left").endswith("…")
                ]
            await pilot.press("down")
    assert cut == []
    assert tables == set(table_names())


@pytest.mark.parametrize("lines", range(2, 6))
async def test_the_answer_is_as_high_as_its_lines(make_app: Callable[..., InfraApp], lines: int) -> None:
    async with make_app(motion=False).run_test(size=(120, 36)) as pilot:
        await pilot.app.workers.wait_for_complete()
        view = pilot.app.screen.query_one(HeadlineView)
        for count in (lines, 7 - lines):
            view.answer = Answer("fits", lines=tuple(Says(f"{at}", "why") for at in range(count - 1)))
            await pilot.pause()
            assert view.size.height == count
