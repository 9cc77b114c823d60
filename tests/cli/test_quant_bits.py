"""`infratui quant` and `infratui bits`: tables, JSON, math, and one line for what cannot be."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return result.output


def test_quant_lists_the_classic_four_and_the_answer() -> None:
    output = run("quant", "--model", "llama-3.1-405b", "--precision", "int4")

    table = output[output.index("Trade-offs") : output.index("Why:")]
    assert re.search(r"FP32 +1,623 ", table)
    assert re.search(r"● INT4 .* 216 +4\.25 ", table)
    assert "! Caution" in table
    assert "Quality" in table


def test_quant_speaks_json_with_units_and_math() -> None:
    data = json.loads(run("quant", "--model", "llama-3.1-8b", "--gpus", "1", "--all", "--json", "--explain"))
    fp8 = next(row for row in data["precisions"] if row["precision"] == "fp8")

    assert len(data["precisions"]) > 50
    assert fp8["weights_bytes"] > 8e9
    assert fp8["speed"]["decode_bound"] == "weights"
    assert fp8["rule_of_thumb"]["speed_against_fp32"] == 3.5
    assert fp8["evidence"][0]["source"]
    assert fp8["derivations"][0]["steps"]


def test_quant_explains_itself() -> None:
    assert "bits_per_weight = weights × 8 ÷ parameters" in run("quant", "--explain")


def test_bits_shows_the_value_in_every_format() -> None:
    rows = {line.split()[0]: line.split() for line in run("bits").splitlines() if line}

    assert rows["fp16"][2] == "0.783203125"
    assert rows["e4m3"][2:5] == ["0.8125", "0.0291", "3.71"]
    assert rows["e2m1"][2] == "1"


def test_bits_takes_one_format_apart() -> None:
    output = run("bits", "0.7834", "--format", "e4m3")

    assert "S0 E0110 M101" in output
    assert "0.8125 = 1 * 2**-1 * 1.625" in output


def test_bits_takes_a_group_a_scale_and_negative_weights() -> None:
    data = json.loads(run("bits", "0.7834", "-0.5", "0.25", "--format", "int4_g128", "--scale", "0.119", "--json"))

    assert data["group"]["values"] == [0.7834, -0.5, 0.25]
    # With a scale of 0.119 the nearest level is 7.
    assert data["group"]["codes"][0] == 7
    assert data["decoded"] == pytest.approx(0.833, rel=1e-3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("bits", "nan"), "'nan' is not a finite number"),
        (("bits", "inf"), "'inf' is not a finite number"),
        (("bits", "1e400"), "'1e400' is not a finite number"),
        (("bits", "hello"), "'hello' is not a number"),
        (("bits", ""), "'' is not a number"),
        (("bits", "0.5", "x"), "'x' is not a number"),
        (("bits", "0.5", *["1"] * 32), "at most"),
        (("bits", "0.5", "--format", "int4", "--scale", "0"), "scale is 0; give a scale above 0"),
        (("bits", "0.5", "--format", "int4", "--scale", "nan"), "not a finite number"),
        (("bits", "0.5", "--format", "e4m3", "--scale", "1"), "has no scale"),
        (("bits", "0.5", "--scale", "1"), "--scale goes with --format"),
        (("bits", "0.5", "--format", "fp7"), "'fp7' is unknown"),
        (("quant", "--precision", "fp7"), "unknown precision"),
        (("quant", "--model", "no-such-model"), "give the folder of its config.json"),
    ],
)
def test_what_cannot_be_is_one_line_and_code_2(words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(cli, words)

    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
