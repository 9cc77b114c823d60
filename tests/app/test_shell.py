"""Around the screens: presets, files, toggles, help, palette, panels, the last session."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratui import store
from infratui.app.screen.chrome import KeyBar
from infratui.app.screen.overlays import Reading
from infratui.app.widgets.derivation_view import DerivationView
from infratui.app.widgets.picker import Picker
from infratui.app.widgets.table import TableView
from infratui.app.widgets.term import Terms
from infratui.scenario import Scenario


def status(shown, app) -> str:
    return shown(app).splitlines()[-2]


class TestPresets:
    async def test_p_sets_every_input(self, make_app, shown) -> None:
        async with make_app().run_test(size=(100, 30)) as pilot:
            await pilot.press("p", *"starter", "enter")
            await pilot.pause()
            assert pilot.app.scenario == store.load_preset("starter")
            assert "Starter" in shown(pilot.app).splitlines()[0]

    async def test_a_changed_preset_is_marked(self, make_app, shown) -> None:
        async with make_app("team").run_test(size=(100, 30)) as pilot:
            pilot.app.change(users=11)
            await pilot.pause()
            assert "Team*" in shown(pilot.app).splitlines()[0]


class TestFiles:
    @pytest.mark.long
    async def test_what_is_saved_can_be_opened(self, make_app) -> None:
        async with make_app().run_test(size=(100, 30)) as pilot:
            pilot.app.change(users=77)
            await pilot.press("s", "ctrl+u", *"friday", "enter")
            await pilot.pause()
            pilot.app.change(users=5)
            await pilot.press("o", *"friday", "enter")
            await pilot.pause()
            assert pilot.app.scenario.users == 77

    @pytest.mark.long
    async def test_a_folder_that_cannot_be_written_is_said_and_the_prompt_stays(self, make_app, shown) -> None:
        async with make_app().run_test(size=(100, 30)) as pilot:
            await pilot.press("s", "ctrl+u", *"/dev/null/plan", "enter")
            await pilot.pause()
            assert "cannot be written" in shown(pilot.app)
            await pilot.press("escape")
            assert len(pilot.app.screen_stack) == 1

    @pytest.mark.long
    async def test_a_broken_file_is_refused_with_its_line(self, make_app, shown, tmp_path) -> None:
        path = tmp_path / "plan.yaml"
        path.write_text("users: 5\nuserz: 6\n")
        async with make_app().run_test(size=(120, 30)) as pilot:
            await pilot.press("o", *str(path), "enter")
            await pilot.pause()
            assert "plan.yaml:2: unknown key 'userz'" in status(shown, pilot.app)

    async def test_the_summary_is_copied_and_kept_in_a_file(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 30)) as pilot:
            await pilot.pause()
            await pilot.press("y")
            assert "OSC 52" in status(shown, pilot.app)
            assert pilot.app.clipboard.startswith("Llama 3.3 70B")
            assert (store.state_directory() / "clipboard.txt").read_text().startswith("Llama 3.3 70B")


class TestSession:
    async def test_quitting_keeps_the_scenario_and_the_next_start_offers_it(self, make_app, shown) -> None:
        async with make_app().run_test() as pilot:
            pilot.app.change(users=123)
            await pilot.press("q")
        async with make_app().run_test(size=(120, 30)) as pilot:
            await pilot.pause()
            assert "R brings “Production” back" in status(shown, pilot.app)
            await pilot.press("R")
            assert pilot.app.scenario.users == 123

    async def test_a_home_that_cannot_be_written_asks_before_it_loses_anything(self, make_app, monkeypatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
        async with make_app().run_test() as pilot:
            pilot.app.change(users=123)
            await pilot.press("q")
            assert pilot.app.is_running
            await pilot.press("q")
            assert pilot.app.return_value == 0


class TestToggles:
    async def test_b_shows_gib(self, make_app, shown) -> None:
        async with make_app().run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            assert " GB" in "".join(shown(pilot.app).splitlines()[2:4])
            await pilot.press("B")
            assert " GiB" in "".join(shown(pilot.app).splitlines()[2:4])

    async def test_toggles_are_remembered(self, make_app) -> None:
        from infratui.app import settings

        async with make_app().run_test() as pilot:
            await pilot.press("B", "N", "A")
        kept = settings.load()
        assert (kept.bytes_as.value, kept.motion, kept.ascii_only) == ("GiB", False, True)

    async def test_d_takes_the_other_estimator(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            await pilot.press("D")
            assert pilot.app.scenario.estimator == "rule-of-thumb"

    @pytest.mark.long
    @pytest.mark.parametrize("keys", [(), ("m",), ("question_mark",), ("p",)])
    async def test_ascii_mode_draws_nothing_else(self, make_app, keys) -> None:
        async with make_app(ascii_only=True).run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await pilot.press(*keys)
            svg = pilot.app.export_screenshot(simplify=False)
            body = svg[svg.index("<g class") :]
            assert {char for char in body if ord(char) > 127} <= {"\u00a0"}

    @pytest.mark.long
    async def test_every_theme_of_the_list_resolves_the_five_meanings(self, make_app) -> None:
        async with make_app().run_test() as pilot:
            for _ in range(7):
                await pilot.press("X")
                assert {"weights", "kv", "overhead", "good", "tight", "bad"} <= set(pilot.app.theme_variables)


class TestMoving:
    @pytest.mark.long
    async def test_tab_walks_the_panels_and_comes_back_to_where_it_was(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("down", "down", "tab")
            assert isinstance(pilot.app.screen.focused, TableView)
            await pilot.press("shift+tab")
            assert pilot.app.screen.focused.field == "kv_precision"

    @pytest.mark.long
    async def test_enter_on_a_gpu_takes_it_with_its_count(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("tab", "g", "j", "enter")
            row = pilot.app.screen.query_one(TableView).rows[1]
            assert pilot.app.scenario.accelerator == row.id

    @pytest.mark.long
    async def test_sorting_goes_to_the_top(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("tab")
            table = pilot.app.screen.query_one(TableView)
            await pilot.press("j", "greater_than_sign", "vertical_line")
            assert table.cursor == 0
            names = [row.cells[0].text.casefold() for row in table.rows]
            assert names == sorted(names, reverse=True)

    @pytest.mark.parametrize("key", ["m", "z"])
    async def test_the_way_back_stands_in_the_key_bar(self, make_app, key) -> None:
        app = make_app()
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("tab")
            bar = app.screen.query_one(KeyBar)
            assert ("esc", "back") not in bar.shown
            await pilot.press(key)
            await pilot.pause()
            assert bar.shown[0] == ("esc", "back")
            await pilot.press("escape")
            await pilot.pause()
            assert ("esc", "back") not in bar.shown

    async def test_m_shows_the_math_and_escape_leaves_it(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            before = pilot.app.screen.focused
            await pilot.press("m")
            await pilot.pause()
            assert isinstance(pilot.app.screen.focused, DerivationView)
            assert "weights" in shown(pilot.app)
            await pilot.press("escape")
            assert not pilot.app.screen.has_class("-math")
            assert pilot.app.screen.focused is before

    async def test_slash_filters_the_focused_table_and_escape_shows_all(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("tab", "slash", *"mi3", "enter")
            table = pilot.app.screen.query_one(TableView)
            assert table.rows
            assert all("mi3" in row.cells[0].text.casefold() for row in table.rows)
            await pilot.press("escape")
            assert len(table.rows) > 40

    async def test_a_digit_on_a_number_types_it_and_alt_switches_screens(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("down", "down", "down", "6", "4", "enter")
            assert pilot.app.scenario.users == 64
            await pilot.press("alt+3")
            assert pilot.app.current_mode == "parallelism"

    async def test_bang_takes_as_many_gpus_as_hold_it(self, make_app) -> None:
        app = make_app()
        async with app.run_test(size=(120, 40)) as pilot:
            app.change(gpus=2)
            await pilot.press("exclamation_mark")
            assert app.evaluation.vram.fits

    async def test_t_explains_a_term(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            terms = pilot.app.screen.query_one(Terms)
            terms.focus()
            await pilot.press("right")
            await pilot.pause()
            assert terms.current.name in status(shown, pilot.app)

    async def test_z_zooms_and_takes_back(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("tab", "z")
            assert pilot.app.screen.maximized is not None
            await pilot.press("z")
            assert pilot.app.screen.maximized is None


class TestHelp:
    async def test_question_mark_lists_the_keys_of_the_focused_thing_first(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("question_mark")
            assert isinstance(pilot.app.screen, Reading)
            assert "With an input focused" in shown(pilot.app)
            await pilot.press("escape")
            assert not isinstance(pilot.app.screen, Reading)

    @pytest.mark.long
    async def test_the_palette_runs_what_is_chosen(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("colon", *"detailed", "enter")
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert pilot.app.scenario.estimator == "rule-of-thumb"

    async def test_jump_reaches_a_panel(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.press("ctrl+o", *"accelerator", "enter")
            await pilot.pause()
            assert isinstance(pilot.app.screen.focused, TableView)


class TestRoom:
    @pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60), (60, 15)])
    async def test_headline_and_first_inputs_are_in_view(self, make_app, shown, size) -> None:
        async with make_app().run_test(size=size) as pilot:
            await pilot.pause()
            text = shown(pilot.app)
            assert "Users" in text
            assert " GB" in text

    async def test_too_small_asks_for_room_and_comes_back(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            await pilot.resize_terminal(50, 12)
            await pilot.pause()
            assert "infratui needs 60 × 15" in shown(pilot.app).replace("\n", " ")
            await pilot.resize_terminal(120, 40)
            await pilot.pause()
            assert "Users" in shown(pilot.app)

    @pytest.mark.long
    async def test_it_survives_any_size(self, make_app) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            for size in ((1, 1), (10, 60), (300, 5), (61, 16), (200, 60)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
            assert pilot.app.is_running


class TestRefusals:
    async def test_a_scenario_that_has_no_answer_says_why_and_can_be_undone(self, make_app, shown) -> None:
        async with make_app().run_test(size=(120, 40)) as pilot:
            pilot.app.set_scenario(Scenario(model="no-such-model"))
            await pilot.pause()
            assert "no-such-model" in shown(pilot.app)
            await pilot.press("u")
            assert "No answer" not in shown(pilot.app)

    async def test_markup_in_names_is_text(self, make_app, shown) -> None:
        async with make_app(Scenario(name="[red]x[/red] \\[")).run_test(size=(160, 40)) as pilot:
            await pilot.pause()
            assert "[red]x[/red]" in shown(pilot.app).splitlines()[0]


async def test_nothing_is_written_to_the_working_directory(make_app, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with make_app().run_test() as pilot:
        await pilot.press("right", "y", "B", "q")
    assert list(tmp_path.iterdir()) == []


async def test_the_picker_opens_on_the_current_value(make_app) -> None:
    async with make_app().run_test(size=(100, 30)) as pilot:
        await pilot.press("p")
        assert isinstance(pilot.app.screen, Picker)
        await pilot.press("enter")
        assert pilot.app.scenario.name == "Production"


async def test_an_overlay_that_is_closed_twice_closes_once(make_app) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("?")
        await pilot.pause()
        overlay = app.screen
        overlay.dismiss()
        overlay.dismiss()
        await pilot.pause()
        overlay.dismiss()
        assert len(app.screen_stack) == 1


async def test_what_is_drawn_is_not_remembered_for_ever(make_app) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        hidden = app._screen_stacks["vram"][0]
        assert not any(widget._styles_cache._cache for widget in hidden.walk_children(with_self=True))
        app.tidy()
        await pilot.press("1")
        await pilot.pause()
        assert app.screen.query_one("HeadlineView").answer.figure


@pytest.mark.long
async def test_the_scenario_shares_a_pool_with_others(make_app, shown) -> None:
    async with make_app("production").run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("F")
        await pilot.pause()
        await pilot.press("ctrl+u", *"nothing", "enter")
        await pilot.pause()
        assert "no preset" in shown(pilot.app)
        await pilot.press("ctrl+u", *"team", "enter")
        await pilot.pause()
        text = shown(pilot.app)
        assert "Packed by node" in text
        assert "5 × Production, 1 × Team" in text
        await pilot.press("escape")
        await pilot.pause()
        assert "Packed by node" not in shown(pilot.app)
