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

    def key(self, text: str, quiet: float = 0.25) -> tuple[float, int]:
        """Send a key; returns milliseconds to the last byte and the bytes it caused. `quiet` seconds end the wait."""
        sent = time.perf_counter()
        os.write(self.descriptor, text.encode())
        count = self.settle(quiet)
        return (max(0.0, self.last_byte - sent) * 1000 if count else 0.0, count)

    def idle(self, seconds: float) -> tuple[float, float]:
        """Bytes per second and percent of a core over a stretch without input."""
        before, begun = self.cpu_seconds(), time.perf_counter()
        count = 0
        while (left := begun + seconds - time.perf_counter()) > 0:
            count += len(self._read(left))
        return count / seconds, (self.cpu_seconds() - before) / seconds * 100

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/schedstat").read_text().split()
        return int(fields[0]) / 1e9

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
