"""Every command answers as text and as JSON, and refuses in one line with exit code 2."""

import json

import pytest
from click.testing import CliRunner, Result

from infratui.cli.group import COMMANDS, cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_help_lists_every_command():
    listed = run("--help").output
    for name in COMMANDS:
        assert name in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ("vram",), ("quant",), ("plan",), ("cost",), ("moe",), ("models", "llama-3.1-8b"), ("gpus", "h100"),
        ("presets",), ("fields",), ("accuracy",), ("bits", "0.7834"),
    ],
)  # fmt: skip
def test_each_command_prints_json(arguments: tuple[str, ...]):
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.output
    assert json.loads(result.stdout)


@pytest.mark.parametrize("command", ["vram", "quant", "plan", "cost", "moe"])
def test_each_section_explains_itself(command: str):
    short, long = run(command), run(command, "--explain")
    assert short.exit_code in (0, 1), short.output
    assert len(long.stdout) > len(short.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("vram", "--preset", "nothing"),
        ("vram", "--set", "users=-1"),
        ("vram", "--set", "userz=1"),
        ("vram", "--model", "no/such/model"),
        ("vram", "--gpu", "warp-drive"),
        ("vram", "--scenario", "no-such-file.yaml"),
        ("--preset", "team", "vram"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...]):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.output.strip().count("\n") == 0


def test_a_plan_that_does_not_fit_has_exit_code_1():
    assert run("vram", "--model", "deepseek-v3", "--gpus", "1").exit_code == 1


def test_the_report_is_printed_without_a_terminal():
    result = run("--preset", "team")
    assert result.exit_code == 0, result.output
    for title in ("VRAM", "Quantization", "Parallelism", "Buy vs Rent", "MoE vs Dense"):
        assert title in result.stdout
