"""`infratui demand`: exactly the stated JSON, a scenario written, every refusal one line with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli
from infratui.store import load_scenario
from tests.demand.samples import REQUESTS, TRACES, azure, vllm

KEYS = [
    "schema", "format", "requests", "seconds", "input", "output", "peak_factor_60s", "peak_factor_10s", "prefix_share",
    "saturated", "notes",
]  # fmt: skip


def run(*arguments: str, text: str | None = None) -> tuple[int, str, str]:
    found = CliRunner().invoke(cli, ["demand", *arguments], input=text)
    return found.exit_code, found.stdout, found.stderr


@pytest.mark.parametrize("name", TRACES)
def test_json_has_exactly_the_stated_keys(tmp_path: Path, name: str):
    path = tmp_path / "trace"
    path.write_text(TRACES[name])
    code, out, _ = run(str(path), "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == KEYS
    assert found["schema"] == 1
    assert list(found["input"]) == list(found["output"]) == ["mean", "p50", "p90", "p99"]


def test_words_strips_and_the_marked_peak(tmp_path: Path):
    path = tmp_path / "trace.csv"
    path.write_text(azure())
    code, out, _ = run(str(path))
    assert code == 0
    assert f"{len(REQUESTS)} requests in" in out
    assert "in the busiest minute" in out
    assert "▲ ×" in out


def test_a_scenario_gets_the_profile(tmp_path: Path):
    trace, plan = tmp_path / "trace.csv", tmp_path / "plan.yaml"
    trace.write_text(azure())
    plan.write_text("schema: 1\nname: Mine\nusers: 9\n")
    code, out, err = run(str(trace), "--apply", str(plan))
    scenario = load_scenario(plan)
    assert code == 0
    assert scenario.users == 9
    assert scenario.demand_profile is not None
    assert scenario.demand_profile.requests == len(REQUESTS)
    assert "demand_profile=none" in err
    assert "typed 500/500 ×2.0 → measured" in out
    assert "What each demand asks for" in out


def test_two_scrapes(tmp_path: Path):
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text(vllm(REQUESTS[:30]))
    second.write_text(vllm(waiting=40))
    code, out, _ = run(str(first), str(second), "--seconds", "60", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["requests"], found["seconds"], found["saturated"]) == (30, 60, True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nothing-there",), None),
        (("-",), ""),
        (("-",), "a,b\n1,2\n"),
        (("-", "--seconds", "-1"), "x"),
        (("/",), None),
        (("/dev/null",), None),
        (("-", "--apply", "/dev/null/x.yaml"), azure()),
        (("a", "b", "c"), None),
    ],
)
def test_what_cannot_be_read_is_one_line(arguments: tuple[str, ...], text: str | None):
    code, _, err = run(*arguments, text=text)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("infratui: ")


def test_the_list_of_fields_says_none_where_nothing_is_measured():
    found = CliRunner().invoke(cli, ["fields"])
    assert found.exit_code == 0
    assert next(line for line in found.stdout.splitlines() if line.startswith("demand_profile")).split()[1] == "none"
