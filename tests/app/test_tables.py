"""Tables: a letter sorts by its column and returns to the top, what is absurd stands behind a last row."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.widgets.table import MORE, TableView
from infratui.report.show import Cell, Column, Row, Table
from infratui.report.vram_accelerators import MOST_NODES

Make = Callable[..., InfraApp]


async def table(pilot: Pilot[int]) -> TableView:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    found = pilot.app.screen.query_one("#fits TableView", TableView)
    found.focus()
    await pilot.pause()
    return found


class TestGrowing:
    """A table whose rows come little by little."""

    @staticmethod
    def grow(view: TableView, count: int) -> int:
        rows = tuple(Row(str(at), (Cell(str(at)),), marked=at == 3) for at in range(count))
        view.show(Table("t", "T", (Column("n"),), rows))
        return view.cursor

    async def test_the_cursor_waits_for_the_marked_row(self, make_app: Make) -> None:
        async with make_app().run_test(size=(80, 24)) as pilot:
            view = TableView()
            await pilot.app.screen.query_one("#body").mount(view)
            assert self.grow(view, 2) == 0
            assert self.grow(view, 5) == 3

    async def test_the_cursor_stays_where_it_was_put(self, make_app: Make) -> None:
        async with make_app().run_test(size=(80, 24)) as pilot:
            view = TableView()
            await pilot.app.screen.query_one("#body").mount(view)
            self.grow(view, 2)
            view.action_move(1)
            assert self.grow(view, 5) == 1


class TestSorting:
    async def test_a_letter_sorts_by_its_column_and_again_reverses(self, make_app: Make) -> None:
        async with make_app().run_test(size=(160, 40)) as pilot:
            view = await table(pilot)
            await pilot.press("down", "down", "S", "m")
            month = [column.title for column in view.columns].index("$/month")
            assert view._letters()[month] == "m"
            money = [row.cells[month].rank for row in view.rows if row.cells[month].text != "–"]
            assert money == sorted(money, key=float)
            assert view.cursor == 0
            first = [row.id for row in view.rows]
            await pilot.press("S", "m")
            assert view.cursor == 0
            assert [row.id for row in view.rows] != first

    async def test_every_column_has_a_letter_of_its_own(self, make_app: Make) -> None:
        async with make_app().run_test(size=(200, 60)) as pilot:
            letters = (await table(pilot))._letters()
            assert len(set(letters.values())) == len(letters) == len((await table(pilot))._widths())

    async def test_another_key_leaves_the_order(self, make_app: Make) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            view = await table(pilot)
            before = [row.id for row in view.rows]
            await pilot.press("S", "escape")
            assert [row.id for row in view.rows] == before
            await pilot.press("down")
            assert view.cursor == 1


class TestAside:
    async def test_what_needs_too_many_nodes_stands_behind_the_last_row(self, make_app: Make) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            view = await table(pilot)
            nodes = [column.title for column in view.columns].index("nodes")
            few = [row for row in view.rows if not row.marked]
            assert all(row.cells[nodes].rank <= MOST_NODES for row in few)
            await pilot.press("G")
            assert view.current is not None
            assert view.current.id == MORE
            shown = len(view.rows)
            await pilot.press("enter")
            assert len(view.rows) == len(view.block.rows) > shown
            assert view.current.id != MORE

    async def test_a_filter_finds_it_all_the_same(self, make_app: Make) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            view = await table(pilot)
            hidden = next(row for row in view.block.rows if row.aside)
            await pilot.press("slash", *["space" if c == " " else c for c in hidden.cells[0].text.lower()])
            assert hidden in view.rows
