"""`infratui train`: stages as text, CSV and JSON, its exit code, and refusals in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli


def run(*arguments: str):
    return CliRunner().invoke(cli, ["train", *arguments])


def test_stages_as_text_csv_and_json() -> None:
    asked = ("--model", "llama-3.1-8b", "--gpu", "h100", "--gpus", "8", "--tokens", "4K")
    told = json.loads(run(*asked, "--json").stdout)
    assert told["schema"] == 1
    assert [stage["zero"] for stage in told["stages"]] == [0, 1, 2, 3]
    assert told["tokens"] == 4096
    text = run(*asked, "--explain")
    assert text.exit_code == 0
    assert "ZeRO" in text.stdout
    assert "Training memory" in text.stdout
    assert len(run(*asked, "--csv").stdout.splitlines()) == 5


def test_what_does_not_fit_has_exit_code_1_and_says_what_would() -> None:
    found = run("--model", "llama-3.3-70b", "--gpu", "h100", "--gpus", "8")
    assert found.exit_code == 1
    assert "would with ZeRO-3" in found.stdout


@pytest.mark.parametrize(
    "arguments",
    [("--optimizer", "newton"), ("--precision", "int4"), ("--model", "nothing-like-it"), ("--tokens", "many"),
     ("--tokens", "0"), ("--gpus", "0"), ("--gpu", "warp-drive"), ("--recompute", "maybe")],
)  # fmt: skip
def test_what_cannot_be_trained_is_one_line(arguments) -> None:
    found = run(*arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.strip().count("\n") == 0
