"""Pin, change, compare: what differs, what got better, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui.app.app import InfraApp
from infratui.app.screens.compare.screen import CompareScreen
from infratui.app.widgets.table import TableView
from infratui.catalog.load import default_catalog
from infratui.cli.compare import command
from infratui.engine.evaluate import evaluate
from infratui.report.compare import answer, comparison, names, page
from infratui.scenario import Scenario
from infratui.store import save_scenario

FACTS = default_catalog()
Open = Callable[[], InfraApp]


@pytest.fixture
def open_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda: InfraApp(Scenario(name="Plan"))


def _table(app: InfraApp, panel: str) -> TableView:
    assert isinstance(app.screen, CompareScreen)
    return app.screen.query_one(f"{panel} TableView", TableView)


class TestComparing:
    @pytest.mark.long
    async def test_c_pins_and_c_again_shows_both(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            was = app.current_mode
            await pilot.press("c")
            assert app.session.pinned == app.scenario
            app.change(users=51, precision="fp8")
            await pilot.press("c")
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert [row.id for row in _table(app, "#differing").rows] == ["precision", "users"]
            weights = next(row for row in _table(app, "#figures").rows if row.id == "vram/Weights")
            assert weights.cells[-1].text == "✓ better"
            assert weights.cells[-1].tone == "good"
            await pilot.press("c")
            await pilot.pause()
            assert app.current_mode == was

    @pytest.mark.long
    async def test_w_swaps_and_u_takes_it_back(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("c")
            first = app.scenario
            app.change(precision="fp8")
            second = app.scenario
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("w")
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert (app.scenario, app.session.pinned) == (first, second)
            weights = next(row for row in _table(app, "#figures").rows if row.id == "vram/Weights")
            assert weights.cells[-1].text == "✗ worse"
            await pilot.press("u")
            assert app.scenario == second

    async def test_dropping_leads_back(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(80, 24)) as pilot:
            was = app.current_mode
            await pilot.press("c")
            app.change(users=7)
            await pilot.press("c")
            await pilot.pause()
            await pilot.press("C")
            await pilot.pause()
            assert app.session.pinned is None
            assert app.current_mode == was

    @pytest.mark.long
    async def test_a_refusal_is_compared_by_its_words(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("c")
            app.change(model="no-such-model")
            await pilot.press("c")
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            rows = {row.id: row for row in _table(app, "#figures").rows}
            assert rows["vram/Weights"].cells[3].text == "–"


class TestOnTheCommandLine:
    def test_two_files_as_json(self, tmp_path: Path) -> None:
        save_scenario(Scenario(name="A", precision="bf16"), tmp_path / "a.yaml")
        save_scenario(Scenario(name="B", precision="fp8"), tmp_path / "b.yaml")
        done = CliRunner().invoke(command, [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), "--json"])
        found = json.loads(done.output)
        assert found["inputs"] == [{"field": "precision", "pinned": "bf16", "current": "fp8"}]
        weights = next(figure for figure in found["figures"] if figure["name"] == "Weights")
        # Llama 3.3 70B: 141.1 GB at 16 bits; FP8 leaves embedding and head wide.
        assert weights["pinned"] == pytest.approx(141.1e9, rel=0.01)
        assert weights["verdict"] == "better"
        assert weights["difference"] == weights["current"] - weights["pinned"]

    def test_presets_and_text(self) -> None:
        done = CliRunner().invoke(command, ["team", "production"])
        assert done.exit_code == 0
        assert "Team → Production" in done.output

    def test_the_same_twice(self, tmp_path: Path) -> None:
        save_scenario(Scenario(name="A"), tmp_path / "a.yaml")
        done = CliRunner().invoke(command, [str(tmp_path / "a.yaml"), str(tmp_path / "a.yaml"), "--json"])
        found = json.loads(done.output)
        assert found["inputs"] == []
        assert {figure["verdict"] for figure in found["figures"]} <= {"same", ""}

    @pytest.mark.parametrize("name", ["none.yaml", "no-preset"])
    def test_what_is_missing_is_said_in_one_line(self, name: str) -> None:
        done = CliRunner().invoke(command, [name, "team"])
        assert done.exit_code == 2
        assert done.output.count("\n") == 1


class TestDecisions:
    """What changes by less than a hundredth changes nothing; what changes an answer comes first."""

    def test_a_hair_is_no_difference(self) -> None:
        found = comparison(
            evaluate(Scenario(name="A"), FACTS), evaluate(Scenario(name="A", hours_per_day=23.99), FACTS)
        )
        assert not any(change.differs for change in found.answers)
        assert answer(found).text == "No difference above 1 %"
        assert names(found) == "A: Hours/day 24 h → 23.99 h"

    def test_what_changes_an_answer_is_named(self) -> None:
        found = comparison(evaluate(Scenario(gpus=8), FACTS), evaluate(Scenario(gpus=1), FACTS))
        assert answer(found).text.startswith(f"{sum(change.differs for change in found.answers)} of 5 answers change")
        assert "VRAM" in answer(found).text
        _, decisions, figures = page(found)
        assert decisions.sentences[0].strong == "≠"
        assert [row for row in figures.rows if row.aside]
        assert all(row.cells[-1].text in ("= same", "") for row in figures.rows if row.aside)
