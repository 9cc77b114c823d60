"""Terminals, environments and disks as they come: the app draws, prints the report, or says in one line why not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infratui import store

COLOUR = re.compile(rb"\x1b\[[0-9;]*(3[0-9]|4[0-9]|9[0-7]|10[0-7])(;[0-9;]*)?m")
REPORT = ("VRAM", "Quantization", "Parallelism", "Buy vs Rent", "MoE vs Dense")


def infratui(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infratui", *arguments],
        **{"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, **options},
    )


TERMINALS = ("screen", "vt100", "tmux-256color", "no-such-terminal")


class TestTheReport:
    @pytest.mark.long
    @pytest.mark.parametrize(
        ("arguments", "redirect", "env"),
        [
            ((), "", {"TERM": "dumb"}),
            (("--plain",), "", {}),
            pytest.param((), "</dev/null", {}, marks=pytest.mark.long),
            pytest.param((), "<&-", {}, marks=pytest.mark.long),
        ],
    )
    def test_is_printed_where_no_screen_can_be_drawn_or_typed_at(self, open_terminal, arguments, redirect, env) -> None:
        terminal = open_terminal(*arguments, lines=200, redirect=redirect, **env)
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.raw
        assert all(title in terminal.text for title in REPORT)

    def test_is_printed_into_a_pipe(self) -> None:
        result = infratui("--preset", "team")
        assert (result.returncode, result.stderr) == (0, "")
        assert all(title in result.stdout for title in REPORT)

    def test_is_ascii_where_output_is_not_utf8(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")
        result = infratui("vram", "--explain", encoding="ascii")
        assert result.returncode == 0
        assert "GB" in result.stdout

    def test_a_reader_that_leaves_early_is_no_error(self) -> None:
        script = f"{sys.executable} -m infratui models | head -n 1"
        result = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=60)
        assert result.stderr == ""

    @pytest.mark.parametrize("arguments", [("vram",), ("models", "--json"), ("reference", "kv-cache"), ("--help",)])
    def test_a_full_disk_is_said_in_one_line(self, arguments) -> None:
        with Path("/dev/full").open("w") as full:
            result = infratui(*arguments, stdout=full, capture_output=False, stderr=subprocess.PIPE)
        assert result.returncode == 2
        assert result.stderr.count("\n") == 1
        assert "No space left on device" in result.stderr


class TestTheScreen:
    def test_is_drawn_though_standard_error_is_a_file(self, open_terminal, tmp_path: Path) -> None:
        log = tmp_path / "log"
        terminal = open_terminal(redirect=f"2>{log}")
        terminal.until("? help")
        terminal.send("q")
        assert terminal.wait() == 0
        assert log.read_bytes() == b""

    @pytest.mark.parametrize(
        "env",
        [
            {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            pytest.param({"PYTHONIOENCODING": "ascii"}, marks=pytest.mark.long),
            pytest.param({"PYTHONIOENCODING": "latin-1"}, marks=pytest.mark.long),
        ],
    )
    def test_is_ascii_where_the_terminal_takes_no_utf8(self, open_terminal, env) -> None:
        terminal = open_terminal("--preset", "team", **env)
        terminal.until("? help")
        terminal.send("2")
        terminal.until("Weights in each precision")
        terminal.settle()
        terminal.raw.decode("ascii")
        terminal.send("q")
        assert terminal.wait() == 0

    @pytest.mark.long
    def test_has_no_colour_where_none_is_wanted(self, open_terminal) -> None:
        plain = open_terminal(NO_COLOR="1", TERM="xterm", COLORTERM="")
        plain.until("? help")
        plain.settle()
        colours = {cell.fg for line in plain.screen.buffer.values() for cell in line.values()}
        # Shades of grey carry no meaning; a hue would.
        assert all(is_grey(colour) for colour in colours), colours

    @pytest.mark.long
    def test_is_as_large_as_the_terminal_whatever_the_shell_exports(self, open_terminal) -> None:
        terminal = open_terminal("--preset", "team", columns=120, lines=36, COLUMNS="80", LINES="24")
        terminal.until(lambda: "? help" in terminal.screen.display[35])
        terminal.resize(100, 30)
        terminal.until(lambda: "? help" in terminal.screen.display[29])

    @pytest.mark.parametrize("term", ["linux", *(pytest.param(term, marks=pytest.mark.long) for term in TERMINALS)])
    def test_is_drawn_on_any_kind_of_terminal(self, open_terminal, term) -> None:
        terminal = open_terminal(TERM=term, COLORTERM="")
        terminal.until("? help")
        assert "Users" in terminal.text
        terminal.send("q")
        assert terminal.wait() == 0


class TestDisks:
    @pytest.mark.long
    @pytest.mark.parametrize("home", ["/dev/null", "/proc/no-such-home"])
    def test_a_home_that_cannot_be_written_keeps_nobody_out_and_nobody_in(
        self, open_terminal, monkeypatch, home
    ) -> None:
        for name in ("CONFIG", "STATE", "DATA", "CACHE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", f"{home}/{name.lower()}")
        terminal = open_terminal(HOME=home, lines=24, columns=120)
        terminal.until("hold")
        # Nothing was kept, so that each start is a first one and asks.
        terminal.until("esc keeps")
        terminal.send("\x1b")
        terminal.until("? help")
        terminal.settle()
        terminal.send("jjj\x1b[C")
        terminal.until("*")
        terminal.send("q")
        terminal.until("press again to quit")
        terminal.send("q")
        assert terminal.wait() == 0
        assert b"Traceback" not in terminal.raw

    @pytest.mark.long
    def test_a_full_disk_leaves_the_old_session_whole(self, open_terminal) -> None:
        scenario = store.load_preset("team")
        assert store.keep_session(scenario) == ""
        terminal = open_terminal(columns=120, file_bytes=0)
        terminal.until("? help")
        terminal.until("hold")
        terminal.send("jjj\x1b[C")
        terminal.until("*")
        terminal.send("q")
        terminal.until("press again to quit and lose the scenario: ~/")
        assert "cannot be written" in terminal.text
        terminal.send("q")
        assert terminal.wait() == 0
        assert store.last_session() == scenario
        assert list(store.session_directory().iterdir()) == [store.session_path()]

    @pytest.mark.long
    def test_broken_facts_of_the_user_are_named_and_left_out(self, open_terminal) -> None:
        folder = store.config_directory() / "catalog"
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_text("accelerators:\n  - id: mine\n    memry: 80\n")
        terminal = open_terminal(columns=140)
        terminal.until("mine.yaml:3: accelerators.0.memry: unknown key; did you mean 'memory'?")
        terminal.until("hold")
        terminal.send("q")
        assert terminal.wait() == 0
        assert "your own facts are left out" in terminal.text


def is_grey(colour: str) -> bool:
    if colour in ("default", "black", "white", "brightblack", "brightwhite"):
        return True
    return bool(re.fullmatch(r"([0-9a-f]{2})\1\1", colour))
