"""The Quantization screen, as a person uses it with the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.screens.quantization.bit_lab import BitLab
from infratui.app.screens.quantization.format_bars import FormatBars
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.table import TableView
from infratui.catalog.load import Catalog
from infratui.scenario import Scenario

Make = Callable[..., InfraApp]
Shown = Callable[[InfraApp], str]
SIZES = [(80, 24), (120, 36), (200, 60)]


async def settle(pilot: Pilot[int]) -> None:
    """Wait for what is computed beside the screen, then for the screen."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def opened(pilot: Pilot[int]) -> None:
    await settle(pilot)
    await press(pilot, "2")


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
async def test_the_answer_and_the_bars_are_there_at_every_size(
    make_app: Make, shown: Shown, size: tuple[int, int]
) -> None:
    app = make_app(Scenario(model="llama-3.1-405b", precision="fp8"))
    async with app.run_test(size=size) as pilot:
        await opened(pilot)

        text = shown(app)

        for words in ("Yes: FP8 halves", "1.62 TB", "812 GB", "216 GB", "−49 %", "✓ Safe", "! Caution"):
            assert words in text


async def test_walking_the_bars_explains_and_enter_takes(make_app: Make) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        app.screen.query_one(FormatBars).focus()

        await press(pilot, "right")
        assert app.screen.query_one("#why").border_title == "Why: INT4 W4A16 g128"
        assert app.scenario.precision == "fp8"

        await press(pilot, "enter")
        assert app.scenario.precision == "int4"
        assert app.screen.query_one(HeadlineView).answer.text.startswith("Yes, with care: INT4")

        await press(pilot, "u")
        assert app.scenario.precision == "fp8"


@pytest.mark.long
async def test_all_formats_are_one_step_from_the_classic_four(make_app: Make) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        app.screen.query_one("#row-shown_formats").focus()

        await press(pilot, "right")

        assert len(app.screen.query_one(FormatBars).bars) > 50
        assert len(app.screen.query_one("#trade TableView", TableView).rows) > 50


@pytest.mark.long
async def test_walking_the_formats_makes_the_value_snap(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        app.screen.query_one(BitLab).focus()
        await settle(pilot)
        assert "0.7834 → 0.8125" in shown(app)

        await press(pilot, "right")

        assert app.scenario.lab_format == "e5m2"
        assert "0.7834 → 0.75" in shown(app)
        assert "S  E E E E E  M M" in shown(app)


@pytest.mark.long
async def test_a_weight_of_the_group_is_typed_in_place(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario(lab_format="int4_g128", lab_group="0.1 0.2 0.3"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        lab = app.screen.query_one(BitLab)
        lab.focus()

        await press(pilot, "down", "down", "enter", "minus", "2", "enter")

        assert app.scenario.lab_group == "0.1 -2 0.3"
        assert not lab.typing
        assert "-2 → -1.99" in shown(app)


@pytest.mark.long
@pytest.mark.parametrize(("typed", "message"), [("x", "'x' is not a number"), ("1e400", "not a finite number")])
async def test_a_weight_that_is_no_number_is_refused_and_typing_goes_on(
    make_app: Make, shown: Shown, typed: str, message: str
) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        lab = app.screen.query_one(BitLab)
        lab.focus()

        await press(pilot, "enter", *typed, "enter")

        assert message in shown(app)
        assert lab.typing
        await press(pilot, "escape")
        assert not lab.typing
        assert app.scenario.lab_value == 0.7834


@pytest.mark.long
async def test_the_value_row_refuses_what_is_no_number(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        app.screen.query_one("#row-lab_value").focus()

        await press(pilot, "enter", *"nan", "enter")

        assert "'nan' is not a number" in shown(app)
        assert app.scenario.lab_value == 0.7834


@pytest.mark.long
async def test_an_unknown_format_leaves_the_trade_offs_and_says_so(make_app: Make) -> None:
    app = make_app(Scenario(lab_format="fp7"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)

        assert "'fp7' is unknown" in str(app.screen.query_one("#lab").border_title)
        assert not app.screen.query_one(BitLab).display
        assert app.screen.query_one(FormatBars).bars


@pytest.mark.long
async def test_the_rule_of_thumb_shows_the_guides_figures(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario(model="llama-3.1-405b", precision="int4"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)

        await press(pilot, "D")

        assert app.screen.query_one(HeadlineView).answer.figure.startswith("202 GB")
        assert "3 GPUs" in shown(app)


@pytest.mark.long
async def test_the_cache_is_chosen_in_its_own_table(make_app: Make) -> None:
    app = make_app(Scenario(kv_precision="bf16"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        table = app.screen.query_one("#kv TableView", TableView)
        table.focus()

        await press(pilot, "down", "down", "enter")

        assert app.scenario.kv_precision == "fp8"


@pytest.mark.long
async def test_math_and_summary_are_those_of_the_screen(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        summary = app.screen.summary()  # type: ignore[attr-defined]

        await press(pilot, "m")

        assert "weights_embedding = " in shown(app)
        assert "72.7 GB" in summary
        assert "0.7834 in FP8 E4M3 is 0.8125" in summary


@pytest.mark.long
async def test_a_format_of_the_users_own_is_on_the_screen(tmp_path: Path, shown: Shown) -> None:
    (tmp_path / "own.yaml").write_text(
        "formats: [{id: e3m4, label: FP8 E3M4, family: float, native: [], used_for: [weights], evidence: [],"
        " element: {kind: float, exponent: 3, mantissa: 4, bias: 3, specials: ieee}, notes: Mine., source: me}]"
    )
    app = InfraApp(Scenario(shown_formats="all", lab_format="e3m4"), facts=Catalog(tmp_path), start="quantization")
    async with app.run_test(size=(200, 60)) as pilot:
        await settle(pilot)

        assert any(bar.id == "e3m4" for bar in app.screen.query_one(FormatBars).bars)
        assert any(row.id == "e3m4" for row in app.screen.query_one("#trade TableView", TableView).rows)
        assert any(row.id == "e3m4" for row in app.screen.query_one("#snaps TableView", TableView).rows)
        assert "0.7834 → 0.78125" in shown(app)


@pytest.mark.long
async def test_every_panel_is_reached_with_tab(make_app: Make) -> None:
    app = make_app(Scenario(precision="fp8"))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        seen = set()
        for _ in range(10):
            await press(pilot, "tab")
            panel = app.screen.panel_of(app.screen.focused)
            seen.add(panel.id)

        assert {"bars", "trade", "evidence", "kv", "lab", "snaps", "methods", "terms", "inputs"} <= seen
