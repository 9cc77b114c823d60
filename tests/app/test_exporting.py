"""Summaries to copy and files to write: named, complete, and never over another file without asking."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infratui.app.app import InfraApp
from infratui.app.screen.exporting import content, tables_csv, writer
from infratui.app.screen.overlays import Prompt, PromptLine
from infratui.app.widgets.picker import Picker
from infratui.report.export import ExportKind, file_name, free_path, slug

Make = Callable[..., InfraApp]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


class TestExporting:
    async def test_e_offers_kinds_and_proposes_a_name(self, make_app: Make, here: Path) -> None:
        app = make_app()
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            await pilot.press("e")
            await pilot.pause()
            assert isinstance(app.screen, Picker)
            await pilot.press("enter")
            await pilot.pause()
            await pilot.pause()
            assert isinstance(app.screen, Prompt)
            assert app.screen.query_one(PromptLine).editor.text == str(here / "infratui-production-vram.md")
            await pilot.press("enter")
            await pilot.pause()
            text = (here / "infratui-production-vram.md").read_text("utf-8")
            assert "409 GB" in text or "GB" in text
            assert "```text" in text

    async def test_a_file_that_exists_is_asked_about(self, make_app: Make, here: Path) -> None:
        (here / "plan.md").write_text("mine")
        said: list[str] = []
        write = writer(lambda text, tone: said.append(text), "theirs")
        assert "exists" in write(str(here / "plan.md"))
        assert (here / "plan.md").read_text() == "mine"
        assert write(str(here / "other.md")) == ""
        assert "exists" in write(str(here / "other.md"))
        assert write(str(here / "other.md")) == ""
        assert (here / "other.md").read_text() == "theirs"
        assert len(said) == 2

    async def test_the_picture_is_of_the_screen_without_the_list(self, make_app: Make, here: Path) -> None:
        app = make_app()
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            await pilot.press("e", *"svg", "enter", "enter")
            await pilot.pause()
            text = (here / "infratui-production-vram.svg").read_text("utf-8")
            assert text.startswith("<svg")
            assert "Export" not in text

    @pytest.mark.long
    async def test_every_kind_has_content(self, make_app: Make, here: Path) -> None:
        app = make_app()
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            screen = app.page
            assert screen is not None
            report = content(screen, ExportKind.REPORT)
            assert report.startswith("# Production")
            assert "## VRAM" in report
            found = json.loads(content(screen, ExportKind.JSON))
            assert found["scenario"]["name"] == "Production"
            assert found["sections"]["vram"]["headlines"][0]["value"] > 1e9
            rows = list(csv.reader(tables_csv(screen).splitlines()))
            assert len(rows) > 10

    def test_a_folder_that_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        write = writer(lambda text, tone: None, "text")
        (tmp_path / "file").write_text("")
        assert "cannot be written" in write(str(tmp_path / "file" / "below" / "plan.md"))
        assert "folder" in write(str(tmp_path))
        assert "type" in write("")

    def test_names_are_harmless(self, tmp_path: Path) -> None:
        assert slug("../Plän für [x]/$(rm)") == "pl-n-f-r-x-rm" or "/" not in slug("../Plän für [x]/$(rm)")
        (tmp_path / "a.md").write_text("")
        (tmp_path / "a-2.md").write_text("")
        assert free_path(tmp_path, "a.md").name == "a-3.md"
        assert file_name.__doc__


class TestSummary:
    async def test_y_says_assumptions_and_date_in_one_paragraph(self, make_app: Make, here: Path) -> None:
        app = make_app()
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            await pilot.press("y")
            await pilot.pause()
            text = app.clipboard
            assert "\n" not in text
            assert "Assumed: share of the context in use 100 %" in text
            assert app.facts.today.isoformat() in text
