"""`infratui plan`: layouts of given GPUs, and demand planning, in one command."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from infratui.cli.group import cli

GUIDE = ("--model", "llama-3.1-405b", "--set", "precision=fp16", "--set", "users=10")


def plan(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plan", *arguments])


def test_layouts_with_the_one_to_take() -> None:
    result = plan("--gpus", "16", "--gpu", "h100", *GUIDE)
    assert result.exit_code == 0
    assert "(TP8·PP2)" in result.output.splitlines()[0]
    assert "no layout is faster, of " in result.output


def test_what_does_not_fit_exits_with_1_and_says_what_would_help() -> None:
    result = plan("--gpus", "8", "--gpu", "h100", *GUIDE)
    assert result.exit_code == 1
    assert "more would hold it as " in result.output
    assert "weights in FP8 (" in result.output


def test_json_has_every_layout_with_units_in_the_keys() -> None:
    result = plan("--gpus", "16", "--json", *GUIDE)
    found = json.loads(result.output)
    assert found["layout"] == "TP8·PP2"
    assert found["chosen"]["tpot_ms_low"] < found["chosen"]["tpot_ms"] < found["chosen"]["tpot_ms_high"]
    assert {row["layout"] for row in found["layouts"]} >= {"TP8·PP2", "TP16", "TP1·PP16"}
    assert all(row["legal"] or row["reason"] for row in found["layouts"])
    used = [link for link in found["links"] if link["used"]]
    assert [link["link"] for link in used] == ["nvswitch-3", "infiniband-ndr"]


def test_explain_shows_the_math() -> None:
    result = plan("--gpus", "16", "--explain", *GUIDE)
    assert "all-reduce bytes per token = all_reduces × 2 × (tp - 1) ÷ tp × hidden × activation_bytes" in result.output


@pytest.mark.parametrize("count", ["0", "-1", "100000", "many"])
def test_impossible_counts_are_refused(count: str) -> None:
    assert plan("--gpus", count).exit_code == 2


def test_a_forced_layout_beyond_the_gpus() -> None:
    result = plan("--gpus", "4", "--set", "tp=8")
    assert result.exit_code == 1
    assert "TP8 takes 8 GPUs; there are 4" in result.output
