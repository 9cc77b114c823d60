"""infratui in a real pseudo-terminal, read by a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import select
import shlex
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pyte
import pytest

from infratui.app.terminal.keyboard import BURST, BURST_GOES_ON_S

PATIENCE_S = 30.0
QUIET_S = 0.15
HANDS_S = 2 * BURST_GOES_ON_S
"""No hand presses a key sooner after a text that came at once: until then, more of it may be on its way."""


def _asked_before(env: Mapping[str, str]) -> None:
    """A first start asks what one wants to know: this is not one, where the place can be written at all."""
    state = env.get("XDG_STATE_HOME") or f"{env.get('HOME', '')}/.local/state"
    with suppress(OSError):
        folder = Path(state) / "infratui"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "settings.yaml").touch()


class Terminal:
    """A program in a pty. Waiting is for what appears, never for a time."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 100,
        lines: int = 30,
        ignore_hangup: bool = False,
        behind_a_shell: bool = False,
        redirect: str = "",
        file_bytes: int | None = None,
        first_start: bool = False,
        script: str = "",
        under_job_control: bool = False,
        **env: str,
    ):
        """`behind_a_shell`: a parent that takes the hang-up for itself and waits, as make does.

        `redirect`: as a shell takes it, `2>log`. `file_bytes`: no file may grow larger, as on a full disk.
        `script`: what Python runs instead of the program. `under_job_control`: from an interactive shell, `shell$`.
        """
        if not first_start:
            _asked_before({**os.environ, **env})
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._hands_at = 0.0
        self.exit_code: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            # A test runner that exports its own size would be believed before the terminal is asked.
            inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            base = {**inherited, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1", **env}
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
            program = [sys.executable, "-B", *(("-c", script) if script else ("-m", "infratui")), *arguments]
            command = 'trap "" HUP; "$0" "$@"; exit $?' if behind_a_shell else f'exec "$0" "$@" {redirect}'
            if under_job_control:
                base |= {"PS1": "shell$ ", "ENV": "", "HISTFILE": ""}
                os.execvpe("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], base)
            os.execvpe("/bin/sh", ["sh", "-c", command, *program], base)
        self.resize(columns, lines)
        if under_job_control:
            self.until("shell$")
            self.send(shlex.join([sys.executable, "-B", "-m", "infratui", *arguments]) + "\n")

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def send(self, text: str | bytes) -> None:
        if (wait := self._hands_at - time.monotonic()) > 0:
            time.sleep(wait)
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())
        if len(text) > BURST:
            self._hands_at = time.monotonic() + HANDS_S

    def read(self, timeout: float) -> bool:
        """Take in what comes within the time. False where nothing came."""
        ready, _, _ = select.select([self.fd] if self.fd >= 0 else [], [], [], timeout)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            self._reap()
            return False
        self.raw += data
        self._stream.feed(data.replace(b"\x1b[?2026$p", b"").replace(b"\x1b[?2048$p", b""))
        return True

    def until(self, wanted: Callable[[], bool] | str) -> None:
        """Read until the text is on screen, or the condition holds."""
        check = wanted if callable(wanted) else lambda: wanted in self.text
        end = time.monotonic() + PATIENCE_S
        while not check():
            if time.monotonic() > end or (self.exit_code is not None and not self.read(0)):
                raise AssertionError(f"waited in vain for {wanted!r}; on screen:\n{self.text}")
            self.read(0.1)

    def settle(self) -> None:
        """Read until nothing comes any more."""
        while self.read(QUIET_S):
            pass

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def wait(self) -> int:
        """Read to the end and return the exit code."""
        end = time.monotonic() + PATIENCE_S
        while self.exit_code is None and time.monotonic() < end:
            if not self.read(0.05):
                self._reap(block=False)
        assert self.exit_code is not None, f"it did not end; on screen:\n{self.text}"
        return self.exit_code

    def _reap(self, block: bool = True) -> None:
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, 0 if block else os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """The link is gone: the terminal closes."""
        os.close(self.fd)
        self.fd = -1

    def end(self) -> None:
        if self.exit_code is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        if self.fd >= 0:
            os.close(self.fd)


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    """Start infratui in a pty; it is gone after the test."""
    opened: list[Terminal] = []

    def start(*arguments: str, **options: object) -> Terminal:
        terminal = Terminal(*arguments, **options)  # type: ignore[arg-type]
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.end()
