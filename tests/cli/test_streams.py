"""Standard output at a terminal: the program's own colours pass, a file's escape sequences do not."""

from __future__ import annotations

import io
import json

import pytest
from click.testing import CliRunner

from infratui.cli.group import cli
from infratui.cli.streams import AsciiStream, HarmlessStream
from infratui.report.printed import write


def at_a_terminal(kind: type[HarmlessStream]) -> HarmlessStream:
    return kind(Screen(), "utf-8")


class Screen(io.BytesIO):
    """Bytes that a terminal would get."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [HarmlessStream, AsciiStream])
def test_colours_reach_the_terminal_and_names_do_not_steer_it(kind, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = at_a_terminal(kind)
    write([(("✓ holds", "bold good"), (" evil\x1b[31mname", ""))], stream)
    stream.flush()
    text = stream.buffer.getvalue().decode()
    assert "\x1b[1;32m" in text
    assert "\x1b[31m" not in text
    assert ("✓" in text) is (kind is HarmlessStream)


def test_a_name_that_is_not_the_catalogs_own_is_told_on_the_error_stream() -> None:
    found = CliRunner().invoke(cli, ["vram", "--model", "Qwen/Qwen3-32B-AWQ", "--json"])
    assert found.stderr == "infratui: Qwen/Qwen3-32B-AWQ is read as qwen3-32b, weights in AWQ INT4 g128\n"
    assert json.loads(found.stdout)["precision"] == "int4-awq"
    assert CliRunner().invoke(cli, ["vram", "--model", "Qwen/Qwen3-32B", "--json"]).stderr == ""
