"""The app with its collector watched: `python collected.py FILE` writes the longest pause and all of them, in ms."""

from __future__ import annotations

import atexit
import gc
import sys
import time
from pathlib import Path

from infratui.cli import main

pauses: list[float] = []
began = 0.0


def watch(phase: str, _: dict[str, int]) -> None:
    global began
    if phase == "start":
        began = time.perf_counter()
    else:
        pauses.append((time.perf_counter() - began) * 1000)


def tell() -> None:
    told.write_text(f"{max(pauses, default=0.0)} {sum(pauses)} {len(pauses)}")


if __name__ == "__main__":
    told = Path(sys.argv.pop(1))
    gc.callbacks.append(watch)
    atexit.register(tell)
    main()
