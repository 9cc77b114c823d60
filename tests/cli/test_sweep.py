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
        ("--sweep", "users=1..9", "--set", "estimator=rule-of-thumb"),
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
