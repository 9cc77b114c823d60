"""Terms are walked where they stand: nothing scrolls, the definition is in the hint line, enter and esc lead back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.screen.body import Body
from infratui.app.screen.chrome import HintLine
from infratui.app.screen.term_walk import TermMark

Make = Callable[..., InfraApp]


async def opened(pilot: Pilot[int]) -> list[TermMark]:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.press("t")
    await pilot.pause()
    await pilot.pause()
    return list(pilot.app.screen.query(TermMark))


class TestWalk:
    async def test_labels_heads_and_words_are_marked_in_place(self, make_app: Make, shown) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            lines = shown(pilot.app).splitlines()
            marks = await opened(pilot)
            assert {"kv-cache", "concurrency", "tensor-parallelism", "on-demand"} <= {mark.term.id for mark in marks}
            for mark in marks:
                word = mark.render_line(0).text
                assert lines[mark.region.y][mark.region.x :].startswith(word)
            assert pilot.app.screen.query_one(Body).scroll_y == 0

    async def test_t_walks_and_the_hint_line_defines(self, make_app: Make) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            marks = await opened(pilot)
            for mark in marks[:3]:
                assert pilot.app.screen.focused is mark
                assert pilot.app.screen.query_one(HintLine).hint.startswith(f"{mark.term.name}: ")
                await pilot.press("t")
                await pilot.pause()
            await pilot.press("T")
            await pilot.pause()
            assert pilot.app.screen.focused is marks[2]

    async def test_enter_opens_the_entry_and_escape_returns_to_the_term(self, make_app: Make) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            marks = await opened(pilot)
            await pilot.press("t", "enter")
            await pilot.pause()
            assert pilot.app.current_mode == "reference"
            await pilot.press("escape")
            await pilot.pause()
            assert pilot.app.current_mode == "vram"
            assert pilot.app.screen.focused is marks[1]

    @pytest.mark.long
    async def test_escape_gives_the_keys_back_to_what_had_them(self, make_app: Make) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            await pilot.press("down", "down")
            before = pilot.app.screen.focused
            await opened(pilot)
            await pilot.press("escape")
            await pilot.pause()
            assert pilot.app.screen.focused is before
            assert not pilot.app.screen.query(TermMark)

    @pytest.mark.long
    async def test_what_scrolls_is_unmarked(self, make_app: Make) -> None:
        async with make_app().run_test(size=(80, 24)) as pilot:
            assert await opened(pilot)
            await pilot.press("pagedown")
            await pilot.pause()
            await pilot.pause()
            assert not pilot.app.screen.query(TermMark)
