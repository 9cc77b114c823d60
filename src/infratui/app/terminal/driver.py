"""The terminal: where the app draws, how large that is, what it sends, and how it is given back."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from .keyboard import Keyboard

if TYPE_CHECKING:
    from .host import Host

_POLL_S = 0.1
_CHUNK = 4096
_SHORT = 1024
"""So many characters a terminal that takes any takes at once."""
_LOCK_S = 0.5
_CANCEL = b"\x18"
"""Ends an escape sequence of which only the beginning was sent."""
_LEAVE = (
    b"\x1b[?2026l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?2048l\x1b[?2004l\x1b[?7h\x1b[<u\x1b[m"
    b"\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Every mode that was or may have been switched on, off again."""
_AGAIN = "\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l"
"""The modes of the app once more, where something else has had the terminal."""


def drawn_on() -> TextIOWrapper | None:
    """The stream that leads to the terminal: `2>log` takes standard error away, and would leave the screen blank."""
    error = sys.__stderr__
    return error if error is not None and error.isatty() else sys.__stdout__


class Terminal:
    """The terminal as a file to write to: it never raises, and falls silent when it has been given back."""

    def __init__(self, stream: TextIOWrapper, keys: int) -> None:
        """`stream` is drawn on, the descriptor `keys` is read."""
        self._out, self._keys = stream.fileno(), keys
        self._encoding = stream.encoding
        self._lock = threading.Lock()
        self._silent = False
        self._count = threading.Lock()
        self._owed = 0
        """Texts that another thread has still to write."""
        self.modes = threading.Lock()
        """Held while the modes of the terminal are set, so that none is set after it has been given back."""
        self.taken = False
        """The app's modes are on, or about to be."""
        try:
            self._found: list[Any] | None = termios.tcgetattr(keys)
        except termios.error:
            self._found = None

    def send(self, text: str, later: Callable[[str], object]) -> None:
        """Write a short text at once where that keeps nobody waiting, else have it written `later`, by `write`.

        A thread that writes must wait until this one pauses, and the answer to a key with it.
        """
        with self._count:
            at_once = not self._owed and len(text) <= _SHORT and self._takes
            self._owed += not at_once
        if at_once:
            self._put(text)
        else:
            later(text)

    def write(self, text: str) -> None:
        self._put(text)
        with self._count:
            self._owed = max(0, self._owed - 1)

    @property
    def _takes(self) -> bool:
        try:
            return bool(select.select([], [self._out], [], 0)[1])
        except (OSError, ValueError):
            return False

    def _put(self, text: str) -> None:
        data = text.encode(self._encoding, "replace")
        with self._lock:
            while data and not self._silent:
                try:
                    data = data[os.write(self._out, data[:_CHUNK]) :]
                except BlockingIOError:
                    # Whoever shares this terminal wants it so.
                    select.select([], [self._out], [], _POLL_S)
                except OSError:
                    # It is gone; who waits for that knows by now.
                    return

    def flush(self) -> None:
        """Nothing waits here."""

    def fileno(self) -> int:
        return self._out

    def isatty(self) -> bool:
        return os.isatty(self._out)

    @property
    def is_ours(self) -> bool:
        """The app is in the foreground: the modes of the terminal are its to set."""
        try:
            return os.tcgetpgrp(self._keys) == os.getpgrp()
        except OSError:
            return False

    def give_back(self) -> None:
        """Leave it as it was found, at once and for good; nothing that was still to be drawn is."""
        whole = self._lock.acquire(timeout=_LOCK_S)
        self._silent = True
        self.modes.acquire(timeout=_LOCK_S)
        # In the background this would otherwise stop the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        if self._found is not None and self.is_ours:
            termios.tcsetattr(self._keys, termios.TCSANOW, self._found)
            termios.tcflush(self._keys, termios.TCIFLUSH)
        if self.taken:
            os.write(self._out, _LEAVE if whole else _CANCEL + _LEAVE)


def watch(descriptor: int) -> None:
    """Wait until the terminal is gone, then hang up oneself.

    The kernel tells the session's leader alone: under `make` or a wrapper that waits for its child nobody would tell
    the app.
    """
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
        os.kill(os.getpid(), signal.SIGHUP)


class _Bell(threading.Event):
    """An event that `select` waits for too."""

    def __init__(self) -> None:
        super().__init__()
        self._heard, self._rung = os.pipe()

    def fileno(self) -> int:
        return self._heard

    def set(self) -> None:
        super().set()
        os.write(self._rung, b"!")

    def clear(self) -> None:
        if self.is_set():
            os.read(self._heard, _CHUNK)
        super().clear()


class TerminalDriver(LinuxDriver):
    """Draws on the stream that is a terminal, lives through any byte that it sends, and can be stopped and continued.

    Signals that end the app are the business of `Ending`. Textual's own driver is not meant to be changed in these
    respects; what is taken from it by its underscore name:

    - `_app` and `_loop`: whose driver it is, and the loop that a signal hands its work to.
    - `_file`: where it writes, which would be standard error whether or not that is a terminal.
    - `_get_terminal_size`: would believe exported COLUMNS and LINES before the terminal.
    - `_key_thread`, `_run_input_thread`: whether keys are read, and the thread that any byte could end.
    - `_sigtstp_application`, `_sigcont_application`: stop and go on within the signal handler, where both can hang.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._host = cast("Host", self._app)
        terminal = self._host.terminal
        if terminal is None:
            raise RuntimeError("a terminal driver needs a terminal")
        self._terminal = terminal
        self._file = cast("TextIOWrapper", terminal)
        self._raw: list[Any] | None = None
        self._watched = False
        self.exit_event = self._bell = _Bell()

    def _get_terminal_size(self) -> tuple[int, int]:
        # Exported COLUMNS and LINES would be believed first, and no resize would be noticed.
        try:
            columns, lines = os.get_terminal_size(self._terminal.fileno())
        except (OSError, ValueError):
            columns, lines = 0, 0
        return (columns, lines) if columns and lines else super()._get_terminal_size()

    # -- on and off

    def start_application_mode(self) -> None:
        with self._terminal.modes:
            self._terminal.taken = True
            super().start_application_mode()  # type: ignore[no-untyped-call]
            try:
                self._raw = termios.tcgetattr(self.fileno)
            except termios.error:
                self._raw = None
        if not self._watched:
            self._watched = True
            threading.Thread(target=watch, args=(self.fileno,), name="hang-up", daemon=True).start()

    def close(self) -> None:
        super().close()
        self._terminal.taken = False

    def write(self, data: str) -> None:
        self._terminal.send(data, super().write)

    # -- stopped and continued

    def suspend(self) -> None:
        """Give the terminal back, stop with the whole job, and go on when it is continued."""
        self.suspend_application_mode()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        # The whole job: a shell waits for `make`, not for what it started. Where nobody could continue it, the
        # system does not stop it.
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        self.resume_application_mode()
        self._app.call_later(self._host.redraw)

    def _again(self) -> None:
        """Something else may have had the terminal while the process was stopped: set the modes and draw again."""
        if self._key_thread is None or not self._terminal.taken or not self._terminal.is_ours:
            return
        with self._terminal.modes:
            try:
                if self._raw is not None:
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self._raw)
            except termios.error:
                return
        self.write(_AGAIN)
        self._app.call_later(self._host.redraw)

    def _sigtstp_application(self, *_: object) -> None:
        self._soon(self.suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._soon(self._again)

    def _soon(self, action: Callable[[], None]) -> None:
        """Not within a signal handler: it may have interrupted what it would have to wait for."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    # -- keys

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)

    def run_input_thread(self) -> None:
        """Read keys until the app or the terminal is gone. Where no key comes it sleeps, and takes no time at all."""
        keyboard = Keyboard()
        while not self._bell.is_set():
            longest = _POLL_S if keyboard.is_waiting else None
            ready, _, _ = select.select([self.fileno, self._bell], [], [], longest)
            if self.fileno in ready:
                data = self._read()
                if data is None:
                    continue
                if not data:
                    os.kill(os.getpid(), signal.SIGHUP)
                    return
                for message in keyboard.feed(data):
                    self.process_message(message)
            for message in keyboard.tick():
                self.process_message(message)

    def _read(self) -> bytes | None:
        """What came; None: nothing after all; empty: the terminal is gone."""
        try:
            return os.read(self.fileno, _CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Resize):
            # A size that stands in the stream may be anybody's: the terminal itself is asked.
            width, height = self._get_terminal_size()
            message = events.Resize.from_dimensions((width, height), None)
        super().process_message(message)
