"""The README says what the program says."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui.cli.group import COMMANDS, cli
from infratui.scenario import parse
from tools.readme import filled

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.long
def test_the_accuracy_table_is_current():
    """Rewrite it with `make readme`."""
    text = README.read_text("utf-8")
    assert filled(text) == text


def test_every_command_is_named():
    text = README.read_text("utf-8")
    for name in COMMANDS:
        assert name in text


def test_every_file_it_names_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8")):
        assert (README.parent / target).exists(), target


def test_the_scenario_it_shows_is_one():
    import yaml

    block = re.search(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert block
    values = yaml.safe_load(block[1])
    values.pop("schema")
    assert parse(values).users == 64


def test_an_example_runs():
    words = "--model llama-3.3-70b --gpu h200 --gpus 1 --set precision=fp8 --set context=128K --set users=1"
    arguments = ["vram", *words.split()]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
