"""Runs a terminal program in a pseudo-terminal and measures it from outside: bytes, latency, idle cost, memory."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

# What a plain xterm would answer; silence would cost a program its query time-out.
_ANSWERS = (
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[\?(\d+)\$p"), None),
)
_ONE_WRITE_S = 0.003
"""What comes this soon after a byte was written with it."""


@dataclass
class Pressed:
    """What a key led to."""

    writes: tuple[tuple[float, int], ...]
    """When each write came, in milliseconds after the key, and its bytes."""
    cpu_ms: float

    @property
    def first_ms(self) -> float:
        return self.writes[0][0] if self.writes else 0.0

    @property
    def first_bytes(self) -> int:
        return self.writes[0][1] if self.writes else 0

    @property
    def last_ms(self) -> float:
        return self.writes[-1][0] if self.writes else 0.0

    @property
    def shown_ms(self) -> float:
        """When the largest write came: the new screen, where the key asks for one."""
        return max(self.writes, key=lambda write: write[1])[0] if self.writes else 0.0

    @property
    def bytes(self) -> int:
        return sum(count for _, count in self.writes)


@dataclass
class Program:
    """A program in a pseudo-terminal of `columns` × `rows`."""

    argv: list[str]
    columns: int = 120
    rows: int = 40
    env: dict[str, str] = field(default_factory=dict)
    pid: int = 0
    descriptor: int = -1
    started: float = 0.0
    output: bytearray = field(default_factory=bytearray)
    last_byte: float = 0.0

    def __enter__(self) -> Program:
        self.started = time.perf_counter()
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **self.env}
            for name in ("NO_COLOR", "TEXTUAL_THEME", "COLUMNS", "LINES"):
                environment.pop(name, None)
            os.execvpe(self.argv[0], self.argv, environment)
        self.resize(self.columns, self.rows)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.descriptor)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return b""
        self.last_byte = time.perf_counter()
        self.output += data
        for query, answer in _ANSWERS:
            for match in query.finditer(data):
                reply = answer if answer is not None else b"\x1b[?" + match[1] + b";0$y"
                os.write(self.descriptor, reply)
        return data

    def until(self, pattern: bytes, seconds: float = 20.0) -> float:
        """Seconds since the start until the output matches. Raises TimeoutError."""
        while time.perf_counter() - self.started < seconds:
            self._read(0.05)
            if re.search(pattern, bytes(self.output)):
                return time.perf_counter() - self.started
        raise TimeoutError(f"{self.argv[0]} did not show {pattern!r}")

    def settle(self, quiet: float = 0.15, limit: float = 10.0) -> int:
        """Read until nothing comes for `quiet` seconds; returns the bytes read."""
        total, end = 0, time.perf_counter() + limit
        while time.perf_counter() < end:
            data = self._read(quiet)
            if not data:
                break
            total += len(data)
        return total

    def send(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def key(self, text: str, quiet: float = 0.25) -> Pressed:
        """Send a key, and wait until nothing comes for `quiet` seconds."""
        before, sent = self.cpu_seconds(), time.perf_counter()
        self.send(text)
        writes: list[tuple[float, int]] = []
        while count := len(self._read(quiet)):
            at = (self.last_byte - sent) * 1000
            while more := len(self._read(_ONE_WRITE_S)):
                count += more
            writes.append((at, count))
        return Pressed(tuple(writes), (self.cpu_seconds() - before) * 1000)

    def held(self, text: str, seconds: float, per_second: float = 30.0) -> tuple[float, float]:
        """Hold a key as a terminal repeats it: milliseconds to quiet after the last one, CPU milliseconds per key."""
        before, begun, sent = self.cpu_seconds(), time.perf_counter(), 0
        while sent < seconds * per_second:
            if (wait := begun + sent / per_second - time.perf_counter()) > 0:
                self._read(wait)
                continue
            self.send(text)
            sent += 1
        released = time.perf_counter()
        # What was left to be computed may take a while, and nothing is written until then.
        self.settle(1.0, 30.0)
        behind = max(0.0, self.last_byte - released) * 1000
        return behind, (self.cpu_seconds() - before) * 1000 / sent

    def leave(self, text: str) -> float:
        """Send the key that ends the program; milliseconds until it is gone."""
        sent = time.perf_counter()
        self.send(text)
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            self._read(0.005)
        return (time.perf_counter() - sent) * 1000

    def idle(self, seconds: float) -> tuple[float, float]:
        """Bytes per second and percent of a core over a stretch without input."""
        before, begun = self.cpu_seconds(), time.perf_counter()
        count = 0
        while (left := begun + seconds - time.perf_counter()) > 0:
            count += len(self._read(left))
        return count / seconds, (self.cpu_seconds() - before) / seconds * 100

    def cpu_seconds(self) -> float:
        """Of all threads that there are still."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
