"""The reference on screen: opened, searched, followed by keyboard, and left the same way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infratui.app.app import InfraApp
from infratui.app.screens.reference.article_pane import ArticlePane, ArticleText, TablePanel
from infratui.app.screens.reference.contents import Contents, SearchLine
from infratui.app.screens.reference.screen import ReferenceScreen
from infratui.app.widgets.panel import Panel
from infratui.app.widgets.table import TableView
from infratui.engine.training.memory import ADAM, Training, evaluate_training
from infratui.report import training
from infratui.scenario import Scenario

Open = Callable[[], InfraApp]


@pytest.fixture
def open_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda: InfraApp(Scenario(name="Test"))


def _screen(app: InfraApp) -> ReferenceScreen:
    assert isinstance(app.screen, ReferenceScreen)
    return app.screen


def _article(app: InfraApp) -> str:
    return str(_screen(app).query_one("#article-panel", Panel).border_title)


def _text(app: InfraApp) -> str:
    return "\n".join(
        "".join(piece.text for piece in line) for prose in _screen(app).query(ArticleText) for line in prose.lines
    )


class TestReading:
    async def test_r_opens_it_and_escape_leads_back(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            was = app.current_mode
            await pilot.press("r")
            await pilot.pause()
            assert isinstance(app.screen, ReferenceScreen)
            assert isinstance(app.focused, Contents)
            await pilot.press("escape")
            await pilot.pause()
            assert app.current_mode == was

    async def test_a_term_opens_follows_a_link_and_comes_back(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(80, 24)) as pilot:
            was = app.current_mode
            app.open_term("kv-heads")
            await pilot.pause()
            await pilot.pause()
            assert _article(app) == "KV heads"
            await pilot.press("right", "enter")
            await pilot.pause()
            assert _article(app) == "KV heads › KV cache"
            await pilot.press("escape")
            await pilot.pause()
            assert _article(app) == "KV heads"
            assert _screen(app).query_one(ArticlePane).link == 0
            await pilot.press("escape")
            await pilot.pause()
            assert app.current_mode == was

    async def test_a_screen_named_in_an_article_is_one_key_away(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            app.open_term("kv-cache")
            await pilot.pause()
            await pilot.pause()
            pane = _screen(app).query_one(ArticlePane)
            while pane._links[pane.link] != "screen:vram" or pane.link < 0:
                await pilot.press("right")
            await pilot.press("enter")
            await pilot.pause()
            assert app.current_mode == "vram"

    @pytest.mark.long
    async def test_digits_switch_screens_from_within(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("r")
            await pilot.pause()
            await pilot.press("1")
            await pilot.pause()
            assert app.current_mode == "vram"
            await pilot.press("r", "right_square_bracket")
            await pilot.pause()
            assert app.current_mode in {entry.id for entry in app.entries}

    async def test_text_is_laid_out_again_when_the_window_changes(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            app.open_term("weights")
            await pilot.pause()
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            widest = max(len(line) for line in _text(app).splitlines())
            assert widest <= 78


class TestSearching:
    @pytest.mark.parametrize("words", ["[bold]", "(.*", "\\", "{{x}}", "[[", "$error"])
    async def test_markup_and_regex_characters_are_plain_text(self, open_app: Open, words: str) -> None:
        app = open_app()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("slash")
            await pilot.pause()
            assert isinstance(app.focused, SearchLine)
            app.focused.on_paste(_Paste(words))
            await pilot.pause()
            assert app.focused.words == words
            assert all(entry.key for entry in _screen(app).query_one(Contents).entries)

    @pytest.mark.long
    async def test_what_is_found_can_be_read_and_the_search_cleared(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("slash", *"ttft", "enter")
            await pilot.pause()
            contents = _screen(app).query_one(Contents)
            assert contents.current is not None
            assert contents.current.key == "term:ttft"
            await pilot.press("enter")
            await pilot.pause()
            assert _article(app) == "Time to first token"
            whole = len(app.library.contents())
            await pilot.press("escape", "escape")
            await pilot.pause()
            assert len(contents.entries) == whole

    @pytest.mark.long
    async def test_a_table_is_sorted_filtered_and_taken_from(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            app.asked_article = "page:accelerators"
            app.step_aside("reference")
            await pilot.pause()
            await pilot.pause()
            await pilot.press("tab")
            table = app.focused
            assert isinstance(table, TableView)
            await pilot.press("greater_than_sign", "greater_than_sign", "vertical_line")
            ranks = [row.cells[1].rank for row in table.rows]
            assert ranks == sorted(ranks, reverse=True)
            await pilot.press("slash", *"mi300", "enter")
            await pilot.pause()
            assert {row.id.partition("-")[0] for row in table.rows} <= {"mi300x", "mi300a", "mi325x"}
            assert "“mi300”" in str(table.parent.border_title)
            await pilot.press("enter")
            await pilot.pause()
            assert app.scenario.accelerator == table.rows[0].id
            assert 0 < len(table.rows) < len(table.block.rows)


class TestComputing:
    @pytest.mark.long
    async def test_worked_examples_stand_beside_what_was_said(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            app.asked_article = "page:worked-examples"
            app.step_aside("reference")
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            text = _text(app)
            assert "…" not in text
            assert "141 GB" in text

    async def test_training_memory_is_of_the_scenarios_model(self, open_app: Open) -> None:
        """The same stages as `infratui train` prints."""
        app = open_app()
        async with app.run_test(size=(120, 50)) as pilot:
            app.asked_article = "page:training-sharding"
            app.step_aside("reference")
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            tables = {panel.table.id: panel for panel in _screen(app).query(TablePanel)}
            assert tables["training"].table.title.startswith("Llama 3.3 70B")
            app.change(model="llama-3.1-8b", gpus=4)
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            tables = {panel.table.id: panel for panel in _screen(app).query(TablePanel)}
            shown = tables["training"].table
            asked = Training(app.session.facts.model("llama-3.1-8b"), app.session.facts.precision("bf16"), ADAM, 4)
            own = training.table(evaluate_training(asked, app.session.facts.accelerator("h100-sxm")))
            assert shown.title == "Llama 3.1 8B on 4 × H100 SXM: all weights, Adam"
            assert shown.rows == own.rows
            assert "LoRA rank 16" in tables["training-lora"].table.title

    async def test_a_tree_follows_the_scenario(self, open_app: Open) -> None:
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            app.asked_article = "tree:accelerator"
            app.step_aside("reference")
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            before = _text(app)
            app.change(users=1, context=1024)
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            after = _text(app)
            assert before != after
            assert "The path taken" in after

    async def test_a_broken_file_of_own_terms_is_said(self, open_app: Open, tmp_path: Path) -> None:
        own = tmp_path / "config" / "infratui" / "glossary.yaml"
        own.parent.mkdir(parents=True)
        own.write_text("- {id: a, name: A, topic: speed, short: s, definition: 'see [[ttfft]]', appears: []}")
        app = open_app()
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("r")
            await pilot.pause()
            await pilot.pause()
            assert app.library.problem
            assert "ttft" in app.library.terms
            assert app.session.term("ttft") is not None


class _Paste:
    def __init__(self, text: str) -> None:
        self.text = text

    def stop(self) -> None: ...
