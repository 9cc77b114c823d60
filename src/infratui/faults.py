"""What nobody expected: one line for the person, the traceback in a log file that the line names."""

from __future__ import annotations

import datetime as dt
import os
import traceback
from pathlib import Path

LOG_BYTES = 1_000_000
"""A log beyond this begins anew; the old one stays beside it once."""


def log_path() -> Path:
    """`~/.local/state/infratui/errors.log` under XDG."""
    from platformdirs import user_state_path

    return user_state_path("infratui") / "errors.log"


def keep(error: BaseException, doing: str) -> str:
    """Append the traceback to the log. Returns what to say: what was done, what happened, and where it is kept.

    Never raises: where the log cannot be written, the sentence says so.
    """
    from .catalog.yaml_io import printable

    what = printable(f"{type(error).__name__}: {error}".removesuffix(": "), 120)
    sentence = f"{doing} failed unexpectedly ({what})"
    path = log_path()
    try:
        _append(path, "".join(traceback.format_exception(error)), doing)
    except (OSError, ValueError) as trouble:
        return f"{sentence}; {printable(str(path))} cannot be written: {getattr(trouble, 'strerror', None) or trouble}"
    return f"{sentence}; the details are in {printable(str(path))}"


def _append(path: Path, text: str, doing: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    head = f"{dt.datetime.now(dt.UTC).isoformat(timespec='seconds')} {doing}"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{head}\n{text}\n")
