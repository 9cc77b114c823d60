"""Long use: random keys, pastes, resizes and bytes that are no text end nothing, and memory stays where it was."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import pytest

from infratui import store

NO_WAY_OUT = """
from infratui.app import run
from infratui.app.app import InfraApp
async def stay(self): self.note("it stays")
InfraApp.action_quit = stay
InfraApp.action_help_quit = lambda self: self.note("it stays")
raise SystemExit(run())
"""
"""The app as it is, except that no key leaves it."""
TYPED = [character.encode() for character in "abcdefghijklmnopqrstuvwxyzABCGHLPRTY0123456789./-%[]~<>|:?+=, "]
CONTROL = [bytes([code]) for code in (*range(1, 0x13), *range(0x14, 0x1A), 0x1B, 0x7F)]
MOVES = [b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~", b"\x1b[6~", b"\t", b"\x1b[Z", b"\r", b"\x1b"]
SIZES = ((80, 24), (100, 30), (120, 40), (50, 10), (61, 16), (200, 60))
FIRST = 1_000
ALT = b"\x1b"
TOUR = (
    *(
        ALT + screen + keys
        for screen in b"1 2 3 4 5".split()
        for keys in b"/m/m/jjjllll/f/\x1b/t/\t\r/\x1b\x1b/\r/\x1b".split(b"/")
    ),
    *b"E/\x1b/F/\x1b/\x10/demand\r/\x1b/\x10/log\r/\x1b/\x10/hardware\r/\x1b".split(b"/"),
    *b"\x1b1/c/jl/c/\x1b/r/\r/r/p/\x1b/?/\x1b/\x10/\x1b/y/e/\r/\x1b/e/\x1b[B\r/\x1b/o/\x1b/s/\x1b/C/x/x/a/a/d/d/\x1b1".split(
        b"/"
    ),
)
"""Everything that there is, once: what is loaded when it is first seen is no growth."""


def batch(dice: random.Random, keys: int) -> bytes:
    """Keys as they come over a line, now and then with what no keyboard sends."""
    parts = [dice.choice(dice.choice((TYPED, MOVES, MOVES, CONTROL))) for _ in range(keys)]
    odd = dice.random()
    if odd < 0.05:
        # Ctrl+Z gives the terminal back for a moment, and a ctrl+C behind it would be an interruption.
        parts.append(dice.randbytes(dice.randrange(1, 40)).replace(b"\x1a", b""))
    elif odd < 0.08:
        parts.append("très bien, Müller".encode("latin-1"))
    elif odd < 0.11:
        parts.append(b"\x1b[200~" + dice.randbytes(dice.randrange(0, 3000)) + b"\x1b[201~")
    elif odd < 0.12:
        parts.append(b"\x1b[200~" + b"a paste whose end is lost")
    elif odd < 0.13:
        parts.append(b"kubectl get pods --all-namespaces -o wide\nquit\n" * dice.randrange(1, 30))
    dice.shuffle(parts)
    return b"".join(parts)


def use(open_pty, home: Path, keys: int, seed: int) -> tuple[list[str], dict[int, float]]:
    """Type that many keys. Returns what went wrong, and the memory in use in MB by keys."""
    home.mkdir(exist_ok=True)
    dice = random.Random(seed)
    pty = open_pty(sys.executable, "-B", "-c", NO_WAY_OUT, home=home)
    assert pty.until(b"help")
    pty.settle(longest=10)
    pid, sent, memory = pty.pid, 0, {}
    for keys_of_tour in TOUR if keys > FIRST else ():
        pty.send(keys_of_tour)
        pty.settle(0.3)
    while sent < keys and pty.is_alive(pid):
        count = dice.randrange(1, 26)
        pty.send(batch(dice, count))
        pty.settle(0.03)
        sent += count
        if dice.random() < 0.02:
            pty.resize(*dice.choice(SIZES))
        if dice.random() < 0.005:
            os.kill(pid, dice.choice((signal.SIGSTOP, signal.SIGWINCH)))
            os.kill(pid, signal.SIGCONT)
        if sent // FIRST > len(memory):
            memory[sent] = pty.resident_mb(pid)
            print(sent, f"{memory[sent]:.0f} MB", flush=True)
    log = home / "state" / "infratui" / "errors.log"
    problems = [log.read_text()] if log.is_file() and " unexpected " in log.read_text() else []
    if not pty.is_alive(pid):
        pty.settle()
        return [*problems, f"seed {seed}: it ended after {sent} keys: {pty.code}, {pty.raw[-500:]!r}"], memory
    os.kill(pid, signal.SIGTERM)
    if not pty.until(lambda: pty.code is not None, 10) or pty.code != 128 + signal.SIGTERM:
        problems.append(f"seed {seed}: TERM did not end it: {pty.code}")
    if any(store.load_scenario(path) is None for path in (home / "state" / "infratui" / "sessions").glob("*")):
        problems.append("the session cannot be read")
    return problems, memory


def test_a_few_hundred_keys(open_pty, tmp_path: Path) -> None:
    problems, _ = use(open_pty, tmp_path / "home", 300, seed=3)
    assert problems == []


@pytest.mark.soak
def test_fifty_thousand_keys(open_pty, tmp_path: Path) -> None:
    problems, memory = use(open_pty, tmp_path / "home", 50_000, seed=1)
    first, *_, last = memory.values()
    assert problems == []
    assert last <= 1.2 * first, memory
