"""`--sweep` on the commands of the sections: table, CSV, JSON, and refusals in one line."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli
from infratui.report.sections import SECTIONS

COMMANDS = [entry.command for entry in SECTIONS]


def run(*arguments: str):
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_section_prints_json_csv_and_text_of_the_same_points(command) -> None:
    sweep = (command, "--preset", "team", "--sweep", "users=4,40")
    told = json.loads(run(*sweep, "--json").stdout)
    assert told["schema"] == 1
    points = told["sweep"]["points"]
    assert [point["value"] for point in points] == [4, 40]
    rows = list(csv.DictReader(io.StringIO(run(*sweep, "--csv").stdout)))
    assert [row["Users"] for row in rows] == ["4", "40"]
    text = run(*sweep)
    assert text.exit_code == 0
    assert "Where it steps" in text.stdout
    for point in points:
        assert (point["layout"] or "–") in text.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--sweep", "users=9..1"),
        ("--sweep", "user=1..9"),
        ("--sweep", "users=0..9"),
        ("--sweep", "model=llama-3.3-70b,nothing-like-it"),
        ("--sweep", "users=1..9", "--explain"),
        ("--sweep", "precision=fp8,int9"),
    ],
)
def test_what_cannot_be_swept_is_one_line(arguments) -> None:
    found = run("vram", "--preset", "team", *arguments)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1


def test_a_plan_for_a_demand_is_not_swept() -> None:
    found = run("plan", "--requests", "500", "--sweep", "users=1..9")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)


def test_the_rule_of_thumb_is_swept_where_it_has_figures_and_says_where_not() -> None:
    rule = ("--preset", "production", "--set", "estimator=rule-of-thumb", "--sweep", "users=10,50,200", "--json")
    told = json.loads(run("vram", *rule).stdout)
    fewest = [point["gpus"] for point in told["sweep"]["points"]]
    assert fewest == sorted(fewest)
    assert fewest[0] < fewest[-1]
    assert run("quant", *rule).exit_code == run("cost", *rule).exit_code == 0
    for command in ("plan", "moe"):
        refused = run(command, *rule)
        assert refused.exit_code == 2
        assert "predicts no tokens/s" in refused.stderr
        assert refused.stderr.count("\n") == 1
    latent = run("vram", "--preset", "frontier-moe", *rule[2:])
    assert "no arithmetic for the cache of DeepSeek-V3" in latent.stderr
