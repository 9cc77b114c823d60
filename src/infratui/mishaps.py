"""What went wrong without being foreseen: one line for the screen, the whole of it in a log that stays small."""

from __future__ import annotations

import datetime as dt
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from . import __version__, store
from .plain_text import printable
from .value_types import dataclass

LARGEST = 256 * 1024
"""Bytes that the log may grow to; then its older half goes."""
UNFORESEEN = "unexpected"
"""Marks an entry of an error that nobody wrote a sentence for."""
REFUSED = "refused"
_HEAD = "=== "
_seen: set[tuple[str, str, str]] = set()


def path() -> Path:
    """The log."""
    return store.state_directory() / "errors.log"


def is_foreseen(error: BaseException) -> bool:
    """The error is a refusal in words of its own."""
    return isinstance(error, ValueError | OSError) and bool(str(error)) and not isinstance(error, UnicodeError)


@dataclass(frozen=True, slots=True)
class Mishap:
    """An error in words, and where the rest of it is kept: empty where the words say it all."""

    words: str
    kept: str = ""
    waits: bool = False
    """It is no error yet: an answer is on its way."""

    def __str__(self) -> str:
        return f"{self.words}; {self.kept}" if self.kept else self.words


def told(error: BaseException, doing: str, say: Callable[[BaseException], str] = str) -> Mishap:
    """The error as the screen says it; the log has it with its traceback. `say`: words for a refusal."""
    if is_foreseen(error):
        record(error, doing, REFUSED)
        return Mishap(printable(say(error), 400))
    return unforeseen(error, doing)


def unforeseen(error: BaseException, doing: str) -> Mishap:
    """An error that nobody wrote a sentence for: its name and message, and where the rest is kept."""
    words = f"{type(error).__name__}: {printable(str(error), 120)}" if str(error) else type(error).__name__
    return Mishap(words, record(error, doing))


def record(error: BaseException, doing: str, kind: str = UNFORESEEN) -> str:
    """Write it down, once for each place. Returns where, or why not; never raises."""
    shown = str(path()).replace(str(Path.home()), "~")
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    known = (str(path()), type(error).__name__, place)
    if known not in _seen:
        _seen.add(known)
        when = dt.datetime.now().isoformat(timespec="seconds")
        head = f"{_HEAD}{when} {kind} · infratui {__version__} · Python {sys.version.split()[0]} · {doing}\n"
        try:
            _append(head + "".join(traceback.format_exception(error)))
        except (OSError, ValueError) as refusal:
            return f"no log: {shown}: {getattr(refusal, 'strerror', None) or refusal}"
    return f"see {shown}"


def _append(entry: str) -> None:
    """Add an entry, readable by the user alone."""
    path().parent.mkdir(parents=True, exist_ok=True)
    data = entry.encode("utf-8", "backslashreplace")[: LARGEST // 2]
    if path().is_file() and path().stat().st_size + len(data) > LARGEST:
        kept = path().read_bytes()[-LARGEST // 2 :]
        store.write_text(path(), kept[max(0, kept.find(b"\n" + _HEAD.encode()) + 1) :].decode("utf-8", "replace"))
    descriptor = os.open(path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(data)
