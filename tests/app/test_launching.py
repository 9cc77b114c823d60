"""The launch window: what it shows is what the command prints; copied, written, refused in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui.app.app import InfraApp
from infratui.app.screen.launching import LaunchScreen
from infratui.app.screen.overlays import Prompt
from infratui.app.widgets.picker import Picker
from infratui.catalog.launch_flags import launch_flags
from infratui.cli.launch import command as launch
from infratui.scenario import Scenario

Make = Callable[..., InfraApp]
Shown = Callable[[InfraApp], str]


async def opened(app: InfraApp, pilot) -> LaunchScreen:
    await pilot.pause()
    await pilot.press("E")
    await settled(app, pilot)
    assert isinstance(app.screen, LaunchScreen)
    return app.screen


async def settled(app: InfraApp, pilot) -> None:
    await pilot.pause()
    while any(not worker.is_finished for worker in app.workers):
        await pilot.pause(0.01)
    await pilot.pause()


def printed(*arguments: str) -> str:
    return CliRunner().invoke(launch, [*arguments, "--preset", "production"]).stdout


async def test_it_shows_what_the_command_prints(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(app, pilot)
        assert screen.started.text == printed("vllm")
        await pilot.press("tab", "tab", "right")
        await settled(app, pilot)
        assert screen.started.text == printed("vllm", "--as", "compose")
        await pilot.press("shift+tab", "shift+tab", "right")
        await settled(app, pilot)
        assert screen.started.text == printed("sglang", "--as", "compose")


@pytest.mark.long
async def test_versions_are_walked_and_typed(make_app: Make, shown: Shown) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("tab", "left")
        assert screen.chosen.version == launch_flags()["vllm"].oldest
        await pilot.press("right", "v")
        await pilot.pause()
        assert isinstance(app.screen, Prompt)
        await pilot.press("ctrl+u", *"soon", "enter")
        await pilot.pause()
        assert "'soon' is not allowed" in shown(app)
        await pilot.press("ctrl+u", *"0.17.1", "enter")
        await settled(app, pilot)
        assert screen.chosen.version == "0.17.1"
        assert screen.started.text == printed("vllm", "--engine-version", "0.17.1")


async def test_what_cannot_be_said_is_refused_and_not_written(make_app: Make, shown: Shown) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("left")
        await settled(app, pilot)
        assert screen.chosen.engine == "ollama"
        assert screen.started.refusal
        assert screen.started.text == ""
        assert f"✗ {screen.started.refusal[:40]}" in shown(app)
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is screen
        assert "nothing to write" in shown(app)
        await pilot.press("y")
        await pilot.pause()
        assert "nothing to copy" in shown(app)


async def test_x_explains_each_argument(make_app: Make, shown: Shown) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("x")
        await pilot.pause()
        assert re.search(r"--max-model-len 32768 +tokens of the longest request; from Context", shown(app))
        await pilot.press("x", "y")
        await pilot.pause()
        assert app.clipboard == screen.started.text
        assert "copied" in shown(app)


async def test_enter_writes_by_the_door_of_every_export(
    make_app: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Prompt)
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is screen
        assert (tmp_path / "infratui-production-vllm.sh").read_text() == screen.started.text
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, LaunchScreen)


@pytest.mark.long
async def test_the_export_leads_to_it(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(app.screen, Picker)
        await pilot.press(*"launch", "enter")
        await settled(app, pilot)
        assert isinstance(app.screen, LaunchScreen)


async def test_a_plan_that_would_not_start_says_so(make_app: Make) -> None:
    app = make_app(Scenario(gpus=1))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        assert "would not start" in screen.started.refusal
