"""Standard output at a terminal: the program's own colours pass, a file's escape sequences do not."""

from __future__ import annotations

import io

import pytest

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
