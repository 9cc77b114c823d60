"""`infratui models` with hardware: which models it holds, by filters, as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli


def run(*arguments: str):
    return CliRunner().invoke(cli, ["models", *arguments])


HARDWARE = ("--gpu", "h100", "--gpus", "2", "--users", "8", "--context", "16K")


def test_text_csv_and_json_have_the_same_models_in_the_same_order() -> None:
    filters = ("--family", "qwen3", "--size", "7B..40B")
    told = json.loads(run(*HARDWARE, *filters, "--json").stdout)
    names = [row["name"] for row in told["models"]]
    assert told["schema"] == 1
    assert (told["gpus"], told["users"], told["context_tokens"]) == (2, 8, 16384)
    assert len(names) > 3
    assert all(7e9 <= row["parameters"] <= 40e9 for row in told["models"])
    rows = list(csv.DictReader(io.StringIO(run(*HARDWARE, *filters, "--csv").stdout)))
    assert [row["Model"] for row in rows] == names
    text = run(*HARDWARE, *filters)
    assert text.exit_code == 0
    places = [text.stdout.index(f"\n  {name} ") for name in names]
    assert places == sorted(places)


def test_one_model_and_none_that_fits() -> None:
    assert run("llama-3.1-8b", *HARDWARE).exit_code == 0
    short = run("llama-3.1-405b", "--gpu", "a10g", "--gpus", "1", "--users", "9")
    assert short.exit_code == 1
    assert "✗ needs" in short.stdout


def test_filters_also_narrow_the_plain_list() -> None:
    open_ones = run("--openness", "permissive", "--min-context", "1M", "--json")
    rows = json.loads(open_ones.stdout)["models"]
    assert rows
    assert all(row["max_context"] >= 2**20 for row in rows)
    assert not any("llama" in row["license"] for row in rows)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--size", "big"),
        ("--size", "9B..7B"),
        ("--size", "7B"),
        ("--min-context", "far"),
        ("--family", "no such family"),
        ("--openness", "wide"),
        ("--csv",),
        ("--gpu", "h100", "--users", "0"),
        ("--gpu", "h100", "--context", "much"),
        ("--gpu", "warp-drive"),
        ("nothing-like-it", "--gpu", "h100"),
    ],
)
def test_what_cannot_be_asked_is_one_line(arguments) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1


def test_cache_growth_is_what_lies_beyond_the_windows() -> None:
    """Gemma 4 31B: 10 full layers of 4 heads of 512 keep growing, 50 see 1,024 tokens."""
    text = run("gemma-4-31b").stdout
    assert "81,920 + window 1,024" in text
    row = json.loads(run("gemma-4-31b", "--json").stdout)["models"][0]
    assert row["kv_bytes_per_token_bf16"] == 81_920
    assert row["kv_windows_bf16"] == [{"tokens": 1024, "bytes_per_token": 819_200}]
