"""However and whenever it is ended: the terminal is given back, the session kept, the process gone, no traceback."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from infratui import store

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
GONE_S = 5.0
LEFT_ON = {b"\x1b[?1049h": b"\x1b[?1049l", b"\x1b[?2004h": b"\x1b[?2004l", b"\x1b[?25l": b"\x1b[?25h"}
COOKED = termios.ICANON | termios.ECHO | termios.ISIG


class Ended:
    """One random end, and what was wrong with it."""

    def __init__(self, open_pty, home: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.home = home
        self.problems: list[str] = []
        deaf = self.dice.random() < 0.5
        self.told = f"seed {seed}, {'deaf' if deaf else 'plain'} shell"
        asked_before(home)
        self.pty = open_pty(home=home, deaf=deaf)
        self.pid = 0
        self.changed = False

    def run(self) -> list[str]:
        dice = self.dice
        if not self.pty.until(lambda: self.pty.pid and self.pty.is_up(self.pty.pid)):
            return [f"{self.told}: never came up"]
        self.pid = self.pty.pid
        moment = dice.choice(("first second", "half built", "at rest", "stopped"))
        if moment == "first second":
            self._pass(dice.uniform(0, 1.5))
        else:
            self._change()
            if moment == "half built":
                self.pty.send(dice.choice((b"2", b"3", b"4", b"5", b"?", b"p", b"r", b"m", b"c", b"\x10")))
                self._pass(dice.uniform(0, 0.4))
            elif moment == "stopped":
                os.kill(self.pid, dice.choice((signal.SIGSTOP, signal.SIGTSTP)))
                self._pass(dice.uniform(0, 0.3))
        way = dice.choice((*SIGNALS, *SIGNALS, "hang up", "hang up"))
        self.told += f", {moment}, {way}"
        self._end(way, stopped=moment == "stopped")
        self._look(way)
        return [f"{self.told}: {problem}" for problem in self.problems]

    def _pass(self, seconds: float) -> None:
        """Let time go by as it does for a user, reading what is drawn."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pty.read(min(0.02, max(0.0, end - time.monotonic())))

    def _change(self) -> None:
        drawn = self.pty.until(b"help") and self.pty.until(b"hold")
        self.pty.settle()
        self.pty.raw = self.pty.raw[-200:]
        self.pty.send(b"jjj\x1b[C")
        self.changed = drawn and self.pty.until(b"*", 20)
        if not self.changed:
            self.problems.append("nothing was drawn, or no key was taken")

    def _end(self, way: object, *, stopped: bool) -> None:
        if isinstance(way, signal.Signals):
            os.kill(self.pid, way)
        else:
            self.pty.hang_up()
        if stopped:
            # What a shell does with a job that it ends.
            os.kill(self.pid, signal.SIGCONT)
        since = time.monotonic()
        while self.pty.is_alive(self.pid) and time.monotonic() < since + GONE_S:
            if not self.pty.read(0.02):
                time.sleep(0.01)
        if self.pty.is_alive(self.pid):
            self.problems.append(f"still there after {GONE_S} s")

    def _look(self, way: object) -> None:
        pty = self.pty
        kept = kept_session(self.home)
        if self.changed and (kept is None or kept.users == 50):
            self.problems.append(f"the session is lost: {kept and kept.users}")
        if b"Traceback" in pty.raw or b"Error" in pty.raw:
            self.problems.append(f"said {pty.raw[-300:]!r}")
        if pty.left():
            self.problems.append(f"left {pty.left()}")
        if way == "hang up":
            return
        pty.until(lambda: pty.code is not None, 2)
        if pty.code != 128 + int(way):  # type: ignore[call-overload]
            self.problems.append(f"exit code {pty.code}")
        if termios.tcgetattr(pty.fd)[3] & COOKED != pty.found[3] & COOKED:
            self.problems.append("the terminal is raw")
        on = [mode for mode, off in LEFT_ON.items() if pty.raw.rfind(mode) > pty.raw.rfind(off)]
        if on:
            self.problems.append(f"left on: {on}")


def asked_before(home: Path) -> None:
    """A first start asks what one wants to know; these are not."""
    folder = home / "state" / "infratui"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.yaml").touch()


def kept_session(home: Path):
    kept = sorted((home / "state" / "infratui" / "sessions").glob("*.yaml"))
    return store.load_scenario(kept[-1]) if kept else None


def killed_in_tmux(home: Path, seed: int) -> list[str]:
    """A session of tmux that is killed while something is drawn in it."""
    dice = random.Random(seed)
    asked_before(home)
    socket = f"soak-{os.getpid()}-{seed}"
    environment = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "LANG": "C.UTF-8"}

    def tmux(*arguments: str) -> str:
        command = ["tmux", "-L", socket, "-f", "/dev/null", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60).stdout

    def shows(text: str) -> bool:
        end = time.monotonic() + 60
        while text not in tmux("capture-pane", "-p"):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    try:
        tmux("new-session", "-d", "-x", "120", "-y", "40", f"exec {sys.executable} -B -m infratui")
        pid = int(tmux("list-panes", "-F", "#{pane_pid}"))
        changed = dice.random() < 0.7 and shows("help") and shows("hold")
        if changed:
            tmux("send-keys", "j", "j", "j", "Right")
            changed = shows("Production*")
            tmux("send-keys", dice.choice("2345?p"))
        time.sleep(dice.uniform(0, 0.5))
        tmux("kill-session")
        end = time.monotonic() + GONE_S
        while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.02)
        problems = [f"seed {seed}, tmux: still there"] if Path(f"/proc/{pid}").exists() else []
        if changed and kept_session(home) is None:
            problems.append(f"seed {seed}, tmux: the session is lost")
        return problems
    finally:
        tmux("kill-server")


def ends(open_pty, folder: Path, seeds: range) -> list[str]:
    problems: list[str] = []
    for seed in seeds:
        home = folder / str(seed)
        home.mkdir()
        if seed % 10 == 9 and shutil.which("tmux"):
            problems += killed_in_tmux(home, seed)
        else:
            problems += Ended(open_pty, home, seed).run()
    return problems


@pytest.mark.long
def test_a_few_ends(open_pty, tmp_path: Path) -> None:
    assert ends(open_pty, tmp_path, range(6, 10)) == []


@pytest.mark.soak
def test_two_hundred_ends_on_a_busy_machine(open_pty, tmp_path: Path, busy) -> None:
    assert ends(open_pty, tmp_path, range(1000, 1200)) == []
