"""The palette opens *Your hardware* and *Reconcile*; pasted text becomes rows, and rows the scenario."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events

from infratui.app.app import InfraApp
from infratui.app.screens.host.screen import HostScreen
from infratui.app.screens.reconcile.screen import ReconcileScreen
from infratui.app.widgets.table import TableView
from infratui.hosts import load_profile

Make = Callable[..., InfraApp]
LISTING = """index, name, memory.total [MiB], memory.used [MiB]
0, NVIDIA L4, 23034 MiB, 1 MiB
1, NVIDIA L4, 23034 MiB, 1 MiB
"""
LOG = """INFO 04-01 10:00:00 api_server.py:1] vLLM API server version 0.8.4
INFO [core.py:1] Initializing a V1 LLM engine (v0.8.4) with config: model='meta-llama/Llama-3.1-8B-Instruct', max_seq_len=8192
INFO [gpu_model_runner.py:1] Model loading took 14.9889 GB and 4.1 seconds
INFO [kv_cache_utils.py:1] GPU KV cache size: 29,072 tokens
INFO [gpu_model_runner.py:1] Graph capturing finished in 7 secs, took 0.60 GiB
INFO:     Application startup complete.
"""  # noqa: E501


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def test_the_palette_opens_your_hardware(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"hardware", "enter")
        await pilot.pause()

        assert isinstance(app.screen, HostScreen)


async def test_a_pasted_listing_is_taken_into_the_scenario(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        app.action_hardware()
        await pilot.pause()
        app.screen.post_message(events.Paste(LISTING))
        await pilot.pause()
        assert [row.cells[2].text for row in app.screen.query_one(TableView).rows] == ["l4"]
        await pilot.press("enter")
        await pilot.pause()

        assert (app.scenario.accelerator, app.scenario.gpus) == ("l4", 2)


async def test_an_instance_type_is_typed(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        app.action_hardware()
        await pilot.press(*"p5.48xlarge", "enter", "enter")
        await pilot.pause()

        assert (app.scenario.accelerator, app.scenario.gpus) == ("h100-sxm", 8)


@pytest.mark.long
async def test_what_is_no_listing_is_said_and_typing_goes_on(make_app: Make, shown: Callable[[InfraApp], str]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        app.action_hardware()
        await pilot.press(*"nonsense", "enter")
        await pilot.pause()
        assert "no instance type" in shown(app)
        await pilot.press("escape")
        await pilot.pause()

        assert not isinstance(app.screen, HostScreen)


async def test_a_pasted_log_is_explained_and_its_host_kept(make_app: Make, shown: Callable[[InfraApp], str]) -> None:
    app = make_app()
    async with app.run_test(size=(140, 44)) as pilot:
        app.action_reconcile()
        await pilot.pause()
        app.screen.post_message(events.Paste(LOG + "\x1b[2J\n"))
        await pilot.pause()
        assert isinstance(app.screen, ReconcileScreen)
        assert "vLLM 0.8.4 started" in shown(app)
        assert "weights" in [row.id for row in app.screen.query_one(TableView).rows]
        await pilot.press("s", "enter")
        await pilot.pause()

        assert load_profile("my-host").engine == "vllm"


async def test_a_log_is_read_from_its_path(make_app: Make, tmp_path: Path, shown: Callable[[InfraApp], str]) -> None:
    path = tmp_path / "a.log"
    path.write_text(LOG)
    app = make_app()
    async with app.run_test(size=(140, 44)) as pilot:
        app.action_reconcile()
        await pilot.pause()
        app.screen.post_message(events.Paste(str(path)))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()

        assert "Model loading took" in shown(app)
