"""End to end: what a user types into a terminal, and what the terminal shows, keeps and gets back."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from infratui import store

LEFT_ON = {b"\x1b[?1049h": b"\x1b[?1049l", b"\x1b[?2004h": b"\x1b[?2004l", b"\x1b[?25l": b"\x1b[?25h"}
"""Mode switched on → the sequence that must follow it before the end."""


def modes_left_on(raw: bytes) -> list[bytes]:
    return [on for on, off in LEFT_ON.items() if raw.rfind(on) > raw.rfind(off)]


def started(open_terminal, *arguments, **options):
    terminal = open_terminal(*arguments, **options)
    terminal.until("? help")
    terminal.until(" as TP")
    terminal.settle()
    return terminal


class TestUse:
    @pytest.mark.long
    def test_typing_a_context_changes_the_headline(self, open_terminal) -> None:
        terminal = started(open_terminal, "--preset", "production", columns=120, lines=40)
        before = terminal.screen.display[1]
        terminal.send("jjjj\r")
        terminal.until("Typing Context")
        terminal.send("128K\r")
        terminal.until("Production*")
        terminal.until(lambda: terminal.screen.display[1] != before)
        assert "128K" in terminal.text

    @pytest.mark.long
    def test_keys_that_arrive_in_one_packet_find_what_the_one_before_opened(self, open_terminal) -> None:
        terminal = started(open_terminal, "--preset", "production", columns=120, lines=40)
        terminal.send("jjj\r1.5k\rjjj\rmi300x\r")
        terminal.until("1,500")
        terminal.until("AMD MI300X")

    @pytest.mark.long
    @pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux counts how often a thread wakes up")
    def test_none_of_its_threads_wakes_up_at_rest(self, open_terminal) -> None:
        terminal = started(open_terminal)

        def wakings() -> list[str]:
            threads = Path(f"/proc/{terminal.pid}/task").glob("*/status")
            return [line for thread in threads for line in thread.read_text().split("\n") if "ctxt_switches" in line]

        def sleeps() -> bool:
            before = wakings()
            time.sleep(1.0)
            return before == wakings()

        # Until the other screens are loaded.
        terminal.until(sleeps)
        terminal.send("m")
        terminal.until("Math")
        terminal.until(sleeps)

    @pytest.mark.long
    def test_resizing_while_it_runs(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.resize(50, 10)
        terminal.until("infratui needs")
        terminal.resize(120, 40)
        terminal.until("On every accelerator")

    @pytest.mark.long
    def test_what_was_sent_piecemeal_equals_what_is_sent_at_once(self, open_terminal) -> None:
        terminal = started(open_terminal, columns=120, lines=40)
        dice = random.Random(7)
        keys = [
            "\x1b[C",
            "\x1b[D",
            "\x1b[A",
            "\x1b[B",
            "\t",
            "m",
            "t",
            "z",
            "b",
            "j",
            "k",
            "l",
            "?",
            "q",
            "u",
            "x",
            "a",
        ]
        for _ in range(60):
            key = dice.choice(keys)
            terminal.send(key if key != "q" or "Help:" in terminal.text else "u")
            terminal.settle()
        before = terminal.screen.buffer_copy() if hasattr(terminal.screen, "buffer_copy") else cells(terminal)
        terminal.send("\x0c")
        terminal.settle()
        assert cells(terminal) == before

    @pytest.mark.long
    def test_a_terminal_without_colour_or_size_report(self, open_terminal) -> None:
        terminal = started(open_terminal, NO_COLOR="1", TERM="xterm")
        assert "Users" in terminal.text

    def test_ascii_only_where_the_locale_has_no_utf8(self, open_terminal) -> None:
        terminal = open_terminal(LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
        terminal.until("? help")
        assert terminal.text.isascii()


def cells(terminal) -> list[list[tuple]]:
    screen = terminal.screen
    return [[seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def seen(cell) -> tuple:
    """What is seen of a cell: a blank has ink only where it is underlined or reversed."""
    if cell.data == " " and not cell.reverse and not cell.underscore:
        return " ", cell.bg
    return cell.data, cell.fg, cell.bg, cell.bold, cell.reverse, cell.underscore


class TestEnd:
    def test_q_leaves_a_clean_terminal(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send("q")
        assert terminal.wait() == 0
        assert modes_left_on(terminal.raw) == []

    @pytest.mark.long
    def test_ctrl_q_leaves_even_while_typing(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send("jjj\r12\x11")
        assert terminal.wait() == 0

    @pytest.mark.long
    def test_ctrl_c_asks_once(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send("\x03")
        terminal.until("ctrl+c again quits")
        terminal.send("\x03")
        assert terminal.wait() == 0

    def test_term_keeps_the_session_and_cleans_up(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send("jjj\x1b[C")
        terminal.until("*")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        assert modes_left_on(terminal.raw) == []
        assert store.last_session() is not None

    @pytest.mark.long
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
    def test_any_signal_keeps_the_session_and_cleans_up(self, open_terminal, number) -> None:
        terminal = started(open_terminal)
        terminal.send("jjj\x1b[C")
        terminal.until("*")
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        assert modes_left_on(terminal.raw) == []
        assert store.last_session() is not None

    def test_a_signal_is_obeyed_though_the_app_is_busy(self, open_terminal) -> None:
        terminal = open_terminal(script=BUSY)
        terminal.until("? help")
        terminal.settle()
        terminal.send("y")
        terminal.signal(signal.SIGTERM)
        since = time.monotonic()
        assert terminal.wait() == 128 + signal.SIGTERM
        assert time.monotonic() - since < 5
        assert modes_left_on(terminal.raw) == []

    @pytest.mark.long
    def test_a_thread_that_does_not_end_does_not_keep_a_finished_app(self, open_terminal) -> None:
        terminal = open_terminal(script=STUCK)
        terminal.until("? help")
        terminal.settle()
        terminal.send("q")
        since = time.monotonic()
        assert terminal.wait() == 0
        assert time.monotonic() - since < 6
        assert modes_left_on(terminal.raw) == []

    @pytest.mark.long
    def test_a_fatal_error_keeps_the_session_and_is_one_line(self, open_terminal, mishaps_expected) -> None:
        terminal = started(open_terminal, script=FATAL)
        terminal.send("jjj\x1b[C")
        terminal.until("*")
        terminal.send("?")
        assert terminal.wait() == 70
        assert modes_left_on(terminal.raw) == []
        assert b"Traceback" not in terminal.raw
        said = terminal.raw.rpartition(b"infratui: ")[2].decode()
        assert said.startswith(
            "ended by an error of its own; the scenario is kept; KeyError: 'help'; see ~/.local/state"
        )
        assert said.count("\n") == 1
        assert store.last_session() is not None

    @pytest.mark.long
    @pytest.mark.parametrize("setting", [{}, {"ignore_hangup": True}, {"behind_a_shell": True}])
    def test_a_dropped_link_keeps_the_session_and_ends_the_process(self, open_terminal, setting) -> None:
        terminal = started(open_terminal, **setting)
        terminal.send("jjj\x1b[C")
        terminal.until("*")
        terminal.settle()
        terminal.hang_up()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            pid, status = os.waitpid(terminal.pid, os.WNOHANG)
            if pid:
                terminal.exit_code = os.waitstatus_to_exitcode(status)
                break
            select_nothing()
        assert terminal.exit_code == 128 + signal.SIGHUP
        assert store.last_session() is not None

    @pytest.mark.long
    def test_the_next_start_offers_what_was_kept(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send("jjj\x1b[Cq")
        terminal.wait()
        again = started(open_terminal)
        again.until("the last session is kept")
        again.send("R")
        again.until("the last session is back")


def select_nothing() -> None:
    """Give the other process a moment."""
    import select

    select.select([], [], [], 0.02)


BUSY = """
from infratui.app import run
from infratui.app.app import InfraApp
def spin(self, *_):
    while True:
        pass
InfraApp.copy = spin
raise SystemExit(run())
"""
STUCK = """
import threading, time
from infratui.app import run
threading.Thread(target=time.sleep, args=(600,)).start()
raise SystemExit(run())
"""
FATAL = """
from infratui.app import run
from infratui.app.screen.overlays import Reading
def broken(self):
    raise KeyError("help")
Reading.compose = broken
raise SystemExit(run())
"""


class TestInterruptions:
    def test_a_byte_that_is_no_text_ends_nothing(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send(b"\xe9jjj\r")
        terminal.until("Typing Users")
        terminal.send("très 7".encode("latin-1"))
        terminal.until("tr\ufffds 7")
        terminal.send("\x15\x117")
        assert terminal.wait() == 0

    @pytest.mark.long
    def test_a_paste_without_an_end_does_not_keep_the_keyboard(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.send("\x1b[200~half")
        terminal.until("pasted text is no keys")
        terminal.send("?")
        terminal.until("Help:")

    @pytest.mark.long
    def test_after_something_else_had_the_terminal_all_is_drawn_again(self, open_terminal) -> None:
        terminal = started(open_terminal)
        terminal.until("hold it")
        terminal.settle()
        before = cells(terminal)
        terminal.signal(signal.SIGSTOP)
        terminal.screen.erase_in_display(2)
        terminal.raw = b""
        terminal.signal(signal.SIGCONT)
        terminal.until("? help")
        terminal.settle()
        assert cells(terminal) == before
        terminal.send("?")
        terminal.until("Help:")

    @pytest.mark.long
    def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_all_back(self, open_terminal) -> None:
        terminal = started(open_terminal, under_job_control=True)
        before = cells(terminal)
        terminal.send("\x1a")
        terminal.until("shell$")
        assert modes_left_on(terminal.raw) == []
        terminal.send("fg\r")
        terminal.until("? help")
        terminal.settle()
        assert cells(terminal) == before
        terminal.send("q")
        terminal.until(lambda: terminal.raw.rstrip().endswith(b"shell$"))
        assert modes_left_on(terminal.raw) == []


class TestWithoutATerminal:
    def test_dumb_prints_the_report(self, open_terminal) -> None:
        terminal = open_terminal(TERM="dumb")
        assert terminal.wait() == 0
        assert b"\x1b[?1049h" not in terminal.raw
