"""The way out that always works: signals, a vanished terminal and a deadline, whatever the app is busy with."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What ends the app with exit code 128 plus its number."""
FAILED = 70
"""Exit code where an error of the program's own ended the app."""
DEADLINE_S = 3.0
"""A finished app that is still here after this long is ended."""
_EACH_S = 1.5
"""How long a disk or a terminal that does not answer may hold up the end."""


class Ending:
    """Ends the process from a thread of its own, so that neither a long computation nor a blocked terminal delays it.

    `keep` and `give_back` are what has to be done before: they are called once, from another thread than the app's,
    and neither may raise or be waited for beyond its time.
    """

    def __init__(self) -> None:
        self.keep: Callable[[], object] = _nothing
        self.give_back: Callable[[], object] = _nothing
        self._ended = threading.Lock()
        self._due = False

    def stand(self) -> None:
        """From here on the signals end the app this way. Call it before anything is drawn, in the main thread."""
        # Blocked everywhere, they wait for the one thread that asks for them. A handler takes the place of a parent's
        # `ignore`, under which some systems would not hand them over.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in SIGNALS:
            signal.signal(number, _nothing)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def stand_down(self) -> None:
        """The app has ended and the terminal is given back: the signals mean what they mean anywhere."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _wait(self) -> None:
        self.end(128 + signal.sigwait(SIGNALS))

    def be_gone(self, code: int, seconds: float = DEADLINE_S) -> None:
        """The app is on its way out by itself: end it where it has not ended by then."""
        if self._due:
            return
        self._due = True

        def late() -> None:
            time.sleep(seconds)
            self.end(code)

        threading.Thread(target=late, name="deadline", daemon=True).start()

    def end(self, code: int) -> None:
        """Keep the session, give the terminal back and end the process, in a few seconds at most."""
        if self._ended.acquire(blocking=False):
            _within(_EACH_S, self.keep)
            _within(_EACH_S, self.give_back)
            os._exit(code)


def _within(seconds: float, action: Callable[[], object]) -> None:
    """Do something, and go on when it is done or its time is over."""

    def attempt() -> None:
        try:
            action()
        except Exception:
            # On the way out there is nobody left to tell.
            return

    thread = threading.Thread(target=attempt, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # The interpreter is shutting down and starts no thread any more.
        attempt()
    else:
        thread.join(seconds)


def _nothing(*_: object) -> None:
    """Nothing to do."""
