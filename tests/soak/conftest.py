"""infratui in a pseudo-terminal of its own, watched from outside: bytes, terminal modes, processes and memory."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

PATIENCE_S = 60.0
PROGRAM = (sys.executable, "-B", "-m", "infratui")


class Pty:
    """A shell in a pty that runs a program and then says with what code it ended.

    `deaf`: the shell takes no signal, as a wrapper that waits for its child; else it dies with its terminal.
    """

    def __init__(self, program: tuple[str, ...], home: Path, *, deaf: bool = True, columns: int = 100, lines: int = 30):
        self.home = home
        self.raw = b""
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1", "HOME": str(home)}
        for name in ("CONFIG", "STATE", "DATA", "CACHE"):
            environment[f"XDG_{name}_HOME"] = str(home / name.lower())
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        ears = 'trap "" INT QUIT HUP TERM; ' if deaf else ""
        script = f'{ears}{shlex.join(program)}; printf "<code %d>" $?; read line'
        self.shell, self.fd = pty.fork()
        if self.shell == 0:
            os.chdir(home)
            os.execvpe("/bin/sh", ["sh", "-c", script], environment)
        self.resize(columns, lines)
        self.found = termios.tcgetattr(self.fd)

    # -- the terminal

    def resize(self, columns: int, lines: int) -> None:
        ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def send(self, data: bytes) -> None:
        """Write, reading meanwhile: a program that is not read does not read either."""
        while data:
            _, ready, _ = select.select([], [self.fd], [], 0.05)
            if ready:
                data = data[os.write(self.fd, data[:512]) :]
            self.read(0)

    def read(self, seconds: float) -> bool:
        """Take in what comes within the time; only the end of it is kept. False where nothing came."""
        if self.fd < 0 or not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw = (self.raw + data)[-2_000_000:]
        return bool(data)

    def settle(self, quiet: float = 0.05, longest: float = 2.0) -> None:
        """Read until nothing comes any more."""
        end = time.monotonic() + longest
        while self.read(quiet) and time.monotonic() < end:
            pass

    def until(self, wanted: Callable[[], object] | bytes, seconds: float = PATIENCE_S) -> bool:
        """Read until the bytes have come, or the condition holds. False where they did not in time."""
        check = wanted if callable(wanted) else lambda: wanted in self.raw
        end = time.monotonic() + seconds
        while not check():
            if time.monotonic() > end:
                return False
            self.read(0.02)
        return True

    def hang_up(self) -> None:
        os.close(self.fd)
        self.fd = -1

    @property
    def code(self) -> int | None:
        """What the program ended with, where the shell could still say."""
        _, found, rest = self.raw.rpartition(b"<code ")
        return int(rest.partition(b">")[0]) if found else None

    # -- the process

    @property
    def pid(self) -> int:
        """The program; 0 where the shell has no child."""
        children = _read(f"/proc/{self.shell}/task/{self.shell}/children").split()
        return int(children[0]) if children else 0

    def is_up(self, pid: int) -> bool:
        """The program waits for signals: what comes before is the interpreter's own start."""
        for line in _read(f"/proc/{pid}/status").splitlines():
            if line.startswith("SigBlk:"):
                return bool(int(line.split()[1], 16) & 1 << (signal.SIGTERM - 1))
        return False

    @staticmethod
    def is_alive(pid: int) -> bool:
        """It runs, or is stopped; one that has ended and is still to be waited for does not."""
        state = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        return bool(state) and state[0] not in "ZX"

    @staticmethod
    def resident_mb(pid: int) -> float:
        """Memory in use."""
        return int(_read(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def left(self) -> list[int]:
        """The programs that were started with this home and still run."""
        mark = f"HOME={self.home}\0"
        running = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        programs = [pid for pid in running if mark in _read(f"/proc/{pid}/environ") and self.is_alive(pid)]
        return [pid for pid in programs if "infratui" in _read(f"/proc/{pid}/cmdline") and pid != self.shell]

    def end(self) -> None:
        for pid in (self.pid, self.shell):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.shell, 0)
        if self.fd >= 0:
            self.hang_up()


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


@pytest.fixture
def open_pty(tmp_path: Path) -> Iterator[Callable[..., Pty]]:
    """Start a program in a pty; it is gone after the test."""
    opened: list[Pty] = []

    def start(*program: str, home: Path | None = None, **options: object) -> Pty:
        found = Pty(program or PROGRAM, home or tmp_path, **options)  # type: ignore[arg-type]
        opened.append(found)
        return found

    yield start
    for entry in opened:
        entry.end()


@pytest.fixture
def busy() -> Iterator[None]:
    """Every core of the machine has something else to do."""
    loops = [subprocess.Popen(["nice", sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()
