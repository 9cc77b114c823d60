"""Changing what is asked: arrows, typing, lists, undo."""

from __future__ import annotations

import pytest

from infratui.app.widgets.picker import FilteredList, Picker
from infratui.app.widgets.value_row import ValueRow
from infratui.scenario import Scenario


def row(app, field: str) -> ValueRow:
    return app.screen.query_one(f"#row-{field}", ValueRow)


async def focus(pilot, field: str) -> None:
    assert pilot.app.screen.go_to(field)
    await pilot.pause()
    await pilot.pause()


class TestArrows:
    async def test_right_takes_the_next_value_and_the_headline_follows(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            before = shown(pilot.app).splitlines()[1]
            await focus(pilot, "users")
            await pilot.press("right")
            assert pilot.app.scenario.users == 64
            assert shown(pilot.app).splitlines()[1] != before

    @pytest.mark.long
    async def test_shift_right_takes_several(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, "users")
            await pilot.press("L")
            assert pilot.app.scenario.users == 200

    @pytest.mark.long
    async def test_the_vim_keys_do_the_same(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, "context")
            await pilot.press("h", "h", "l")
            assert pilot.app.scenario.context == 16384

    @pytest.mark.long
    async def test_values_stay_in_range(self, make_app) -> None:
        async with make_app(Scenario(utilization=0.95)).run_test() as pilot:
            await focus(pilot, "utilization")
            await pilot.press("right", "right")
            assert pilot.app.scenario.utilization == 0.95

    @pytest.mark.long
    async def test_backspace_goes_back_to_the_default(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, "context")
            await pilot.press("backspace")
            assert pilot.app.scenario.context == Scenario().context

    async def test_down_reads_down_the_columns(self, make_app) -> None:
        async with make_app().run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            fields = []
            for _ in range(4):
                fields.append(pilot.app.screen.focused.field)
                await pilot.press("down")
            assert fields == ["model", "precision", "kv_precision", "users"]


class TestTyping:
    @pytest.mark.parametrize(
        ("field", "typed", "value"),
        [
            ("context", "128K", 131072),
            ("users", "1.5k", 1500),
            ("mean_fill", "60%", 60.0),
            ("utilization", ".92", 0.92),
        ],
    )
    async def test_numbers_are_read_as_people_write_them(self, make_app, field, typed, value) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, field)
            await pilot.press("enter", *typed, "enter")
            assert getattr(pilot.app.scenario, field) == value
            assert not row(pilot.app, field).typing

    async def test_digits_are_typed_and_switch_no_screen(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, "users")
            mode = pilot.app.current_mode
            await pilot.press("enter", "2", "q")
            assert pilot.app.current_mode == mode
            assert row(pilot.app, "users").editor.text == "2q"

    async def test_what_is_no_number_is_refused_in_one_line_and_typing_goes_on(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await focus(pilot, "users")
            await pilot.press("enter", *"many", "enter")
            assert row(pilot.app, "users").typing
            assert "'many' is not a number" in shown(pilot.app).splitlines()[-2]

    async def test_out_of_range_is_refused_with_the_range(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await focus(pilot, "utilization")
            await pilot.press("enter", "2", "enter")
            assert "at most 1" in shown(pilot.app)
            assert pilot.app.scenario.utilization == 0.9

    async def test_escape_leaves_without_a_change(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, "users")
            await pilot.press("enter", "7", "escape")
            assert pilot.app.scenario.users == 50
            assert not row(pilot.app, "users").typing


class TestLists:
    @pytest.mark.long
    async def test_typing_filters_and_enter_takes(self, make_app) -> None:
        async with make_app().run_test(size=(100, 30)) as pilot:
            await focus(pilot, "accelerator")
            await pilot.press("enter", *"h200 sxm", "enter")
            assert pilot.app.scenario.accelerator == "h200-sxm"

    @pytest.mark.long
    async def test_an_unknown_model_is_refused_with_the_nearest(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await focus(pilot, "model")
            await pilot.press("enter", *"lama-seven", "enter")
            await pilot.pause()
            assert pilot.app.scenario.model == "llama-3.3-70b"
            assert "lama-seven" in shown(pilot.app).splitlines()[-2]

    @pytest.mark.long
    async def test_a_path_that_is_not_there_is_refused(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await focus(pilot, "model")
            await pilot.press("enter", *"/nowhere/model", "enter")
            await pilot.pause()
            assert "/nowhere/model" in shown(pilot.app).splitlines()[-2]

    async def test_escape_closes(self, make_app) -> None:
        async with make_app().run_test(size=(100, 30)) as pilot:
            await focus(pilot, "precision")
            await pilot.press("enter")
            assert isinstance(pilot.app.screen, Picker)
            await pilot.press("escape")
            assert not isinstance(pilot.app.screen, Picker)

    @pytest.mark.long
    async def test_pasted_text_filters(self, make_app) -> None:
        from textual.events import Paste

        async with make_app().run_test(size=(100, 30)) as pilot:
            await focus(pilot, "model")
            await pilot.press("enter")
            listing = pilot.app.screen.query_one(FilteredList)
            listing.post_message(Paste("deepseek\x1b[31m-v3"))
            await pilot.pause()
            assert listing.editor.text == "deepseek[31m-v3"


class TestUndo:
    async def test_u_takes_back_and_ctrl_r_makes_again(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await focus(pilot, "users")
            await pilot.press("right", "right", "u")
            assert pilot.app.scenario.users == 64
            await pilot.press("u")
            assert pilot.app.scenario.users == 50
            await pilot.press("ctrl+r")
            assert pilot.app.scenario.users == 64


class TestModelPicker:
    @pytest.mark.long
    async def test_the_list_says_what_would_become_of_each_model_and_still_filters(self, make_app, shown) -> None:
        async with make_app("team").run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await focus(pilot, "model")
            await pilot.press("enter")
            await pilot.pause()
            await pilot.press(*"llama-3.1")
            await pilot.pause(0.8)
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            lines = [line for line in shown(pilot.app).splitlines() if "Llama 3.1 8B" in line]
            assert "users" in lines[0]
            assert "tokens/s" in lines[0]
            assert any("✗ needs" in line for line in shown(pilot.app).splitlines() if "405B" in line)
