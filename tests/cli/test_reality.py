"""`infratui reconcile` and `infratui host`: text, JSON, exit codes, files written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui.cli.host import command as host
from infratui.cli.reconcile import command as reconcile
from infratui.store import load_scenario

LISTING = """index, name, memory.total [MiB], memory.used [MiB]
0, NVIDIA H200, 143771 MiB, 1 MiB
1, NVIDIA H200, 143771 MiB, 1 MiB
"""
LOG = """INFO api_server.py:1] vLLM API server version 0.13.0
INFO [core.py:1] Initializing a V1 LLM engine (v0.13.0) with config: model='meta-llama/Llama-3.1-8B-Instruct', max_seq_len=16384
INFO [scheduler.py:1] Chunked prefill is enabled with max_num_batched_tokens=2048.
INFO [gpu_model_runner.py:1] Model loading took 14.9889 GiB memory and 4.1 seconds
INFO [gpu_worker.py:1] Available KV cache memory: 3.55 GiB
INFO [kv_cache_utils.py:1] GPU KV cache size: 29,072 tokens
INFO [kv_cache_utils.py:1] Maximum concurrency for 16,384 tokens per request: 1.77x
INFO [gpu_model_runner.py:1] Graph capturing finished in 7 secs, took 0.60 GiB
INFO:     Application startup complete.
"""  # noqa: E501


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_a_log_within_the_band_exits_0():
    found = CliRunner().invoke(reconcile, ["-", "--gpu", "l4"], input=LOG)

    assert found.exit_code == 0
    assert "vLLM 0.13.0 started: meta-llama/Llama-3.1-8B-Instruct, read as llama-3.1-8b bf16" in found.output
    assert "Model loading took 14.9889 GiB" in found.output


def test_a_log_outside_the_band_exits_1():
    assert CliRunner().invoke(reconcile, ["-", "--gpu", "h100"], input=LOG).exit_code == 1


@pytest.mark.parametrize("text", ["", "no log\n"])
def test_what_is_no_log_exits_2_in_one_line(text: str):
    found = CliRunner().invoke(reconcile, ["-"], input=text)

    assert found.exit_code == 2
    assert found.stderr.count("\n") == 1


def test_the_json_of_a_log_has_its_schema_first():
    found = CliRunner().invoke(reconcile, ["-", "--json"], input=LOG)

    told = json.loads(found.stdout)
    assert next(iter(told)) == "schema"
    assert told["schema"] == 1
    keys = {"engine", "engine_version", "model", "read_as", "outcome", "flags", "terms", "unexplained_bytes"}
    assert keys | {"attribution", "remedies"} <= set(told)
    assert set(told["terms"][0]) == {"term", "predicted", "measured", "unit", "line"}
    assert told["flags"]["max_model_len"] == 16384


def test_a_profile_is_kept_and_used(tmp_path: Path):
    kept = CliRunner().invoke(reconcile, ["-", "--save", "box"], input=LOG)
    used = CliRunner().invoke(reconcile, ["-", "--host", "box"], input=LOG)

    assert "kept" in kept.stderr
    assert (tmp_path / "config" / "infratui" / "hosts" / "box.yaml").is_file()
    assert "predicted with the host profile box" in " ".join(used.output.split())


@pytest.mark.parametrize("options", [["--host", "nobody"], ["--host", "../x"], ["--gpu", "h999"]])
def test_unknown_names_are_one_line(options: list[str]):
    found = CliRunner().invoke(reconcile, ["-", *options], input=LOG)

    assert found.exit_code == 2
    assert found.stderr.count("\n") == 1


def test_the_json_of_a_listing_has_its_schema_first():
    found = CliRunner().invoke(host, ["-", "--json"], input=LISTING)

    told = json.loads(found.stdout)
    assert list(told) == ["schema", "format", "devices", "links", "notes"]
    assert told["devices"] == [
        {
            "node": "",
            "name": "NVIDIA H200",
            "accelerator": "h200-sxm",
            "count": 2,
            "memory_mib": 143771,
            "mig": None,
            "shared_by": 1,
            "busy": 0,
        }
    ]


def test_hardware_is_written_into_a_scenario_file(tmp_path: Path):
    path = tmp_path / "plan.yaml"
    path.write_text("users: 7\n")

    found = CliRunner().invoke(host, ["-", "--apply", str(path)], input=LISTING)

    scenario = load_scenario(path)
    assert found.exit_code == 0
    assert (scenario.accelerator, scenario.gpus, scenario.users) == ("h200-sxm", 2, 7)


def test_an_unknown_card_is_not_applied(tmp_path: Path):
    found = CliRunner().invoke(host, ["-", "--apply", str(tmp_path / "p.yaml")], input=LISTING.replace("H200", "H999"))

    assert found.exit_code == 2
    assert not (tmp_path / "p.yaml").exists()


def test_control_bytes_do_not_reach_the_terminal():
    listing = CliRunner().invoke(host, ["-"], input=LISTING.replace("H200", "H2\x1b[31m00"))
    log = CliRunner().invoke(reconcile, ["-"], input=LOG.replace("Instruct", "Instruct\x1b]0;x\x07"))

    assert "\x1b" not in listing.output + log.output
    assert "h200-sxm" in listing.output
