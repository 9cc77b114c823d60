"""`infratui fleet`: scenario files and presets on one pool, as text, CSV and JSON; refusals in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli


def run(*arguments: str):
    return CliRunner().invoke(cli, ["fleet", *arguments])


def test_files_and_presets_on_one_pool(tmp_path) -> None:
    own = tmp_path / "small.yaml"
    own.write_text("name: Small\nmodel: llama-3.1-8b\nusers: 4\nrequests_per_day: 1000\n")
    told = json.loads(run(str(own), "team", "--gpu", "h100", "--json").stdout)
    assert told["schema"] == 1
    assert [row["scenario"] for row in told["models"]] == ["Small", "Team"]
    text = run(str(own), "team", "--gpu", "h100").stdout
    assert "Small" in text
    assert "no scheduler" in " ".join(text.split())
    assert run(str(own), "team", "--gpu", "h100", "--csv").stdout.startswith("Scenario,")
    other = json.loads(run(str(own), "team", "--gpu", "h100", "--gpus-per-node", "1", "--json").stdout)
    assert other["gpus_per_node"] == 1
    assert other["nodes"] == other["gpus_in_use"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("nothing",), ("missing.yaml",), ("team", "--gpu", "warp-drive"), ("production", "frontier-moe"),
     ("team", "--gpus-per-node", "0")],
)  # fmt: skip
def test_what_cannot_be_pooled_is_one_line(arguments) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.strip().count("\n") == 0
