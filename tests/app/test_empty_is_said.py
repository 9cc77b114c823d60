"""What is not there yet is said; what was said goes with the next key; a screen beside the others has a tab."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infratui.app.app import InfraApp
from infratui.app.screen.chrome import HintLine, TitleBar
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.panel import COMPUTING, Panel

Make = Callable[..., InfraApp]


async def test_a_headline_without_an_answer_says_that_it_is_computed() -> None:
    assert HeadlineView().answer.text == "computing …"


async def test_a_panel_says_so_in_its_title_until_its_result_is_there(make_app: Make) -> None:
    panel = Panel("Levers")
    panel.await_result()
    panel.await_result()
    assert panel.border_title == f"Levers{COMPUTING}"
    panel.await_result(awaited=False)
    assert panel.border_title == "Levers"


@pytest.mark.long
async def test_nothing_is_said_to_be_computed_once_all_is_there(make_app: Make, shown) -> None:
    app = make_app()
    async with app.run_test(size=(120, 60)) as pilot:
        for key in ("alt+3", "alt+4"):
            await pilot.press(key)
            for _ in range(4):
                await pilot.pause()
                await app.workers.wait_for_complete()
            assert not [panel for panel in app.screen.query(Panel) if COMPUTING in str(panel.border_title)]


async def test_what_was_said_goes_with_the_next_key(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        app.page.note("done", "good")
        assert app.page.query_one(HintLine).status[0] == "done"
        await pilot.press("right")
        await pilot.pause()
        assert app.page.query_one(HintLine).status[0] != "done"


async def test_reference_and_comparison_light_a_tab(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(140, 36)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert app.screen.query_one(TitleBar).title.aside[:2] == ("r", "Reference")
        assert "r Reference" in "".join(text for text, _ in app.screen.query_one(TitleBar).lines_for(140)[0])
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen.query_one(TitleBar).title.aside == ("", "", "")
