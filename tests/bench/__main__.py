"""`make bench`: start-up, key latency, bytes, idle cost and memory, infratui beside a bare Textual app."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .probe import Pressed, Program

RUNS = 7
HERE = Path(__file__).parent
BARE = [sys.executable, str(HERE / "bare.py")]
APP = [sys.executable, "-m", "infratui"]
STILL = [*APP, "--no-motion"]
"""A routing panel that plays is never quiet."""
DOWN, RIGHT, LEFT, QUIT = "\x1b[B", "\x1b[C", "\x1b[D", "\x11"
FRAME, ANSWER = rb"VRAM", rb"hold it"
BARE_FRAME = rb"gpu 1"

GOALS_AT_MS = 228
"""The goals in milliseconds are of a machine on which the bare app has its text on screen after so long."""
GOALS = {
    "text on screen": "",
    "settled": "≤ 1.25 × bare",
    "bytes of the first write": "",
    "bytes to first answer": "≤ 15 KB",
    "focus move": "≤ 6 ms, 400 B",
    "value change, answer": "≤ 8 ms, 400 B",
    "value change, everything": "≤ 30 ms, 1.2 KB",
    "value change, processor": "",
    "held arrow, behind": "≤ 150 ms",
    "held arrow, processor per key": "≤ 12 ms",
    "screen again": "≤ 50 ms, 8 KB",
    "first visit, screen": "≤ 130 ms",
    "first visit, everything": "",
    "quit": "≤ 150 ms",
    "idle": "0 B/s, ≤ 0.1 %",
    "resident at rest": "≤ 48 MiB",
    "resident, all screens": "≤ 72 MiB",
    "resident, 2,000 keys later": "no more",
    "longest pause of the collector": "",
    "vram, processor": "≤ 150 ms",
    "models, processor": "≤ 120 ms",
    "check, processor": "≤ 400 ms",
}


class Start:
    """A start: milliseconds to text and to the answer with its hint, bytes by then and of the first write."""

    def __init__(self, argv: list[str], frame: bytes, answer: bytes, env: dict[str, str]) -> None:
        with Program(argv, env=env) as program:
            self.text = program.until(frame) * 1000
            self.first_bytes = len(program.output) + program.settle(0.003)
            program.until(answer)
            program.settle(0.3)
            self.settled = (program.last_byte - program.started) * 1000
            self.bytes = len(program.output)


def median(starts: list[Start], what: str) -> float:
    return statistics.median(getattr(start, what) for start in starts)


def middle(pressed: list[Pressed], what: str) -> float:
    return statistics.median(getattr(key, what) for key in pressed)


def starts(env: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Starts, one of each program in turn: whatever else the machine does meets both."""
    pairs = [(Start(APP, FRAME, ANSWER, env), Start(BARE, BARE_FRAME, BARE_FRAME, env)) for _ in range(RUNS)]
    ours, bare = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    text, plain = median(ours, "text"), median(bare, "text")
    yield "text on screen", f"{text:.0f} ms ({text / plain:.2f} ×)", f"{plain:.0f} ms"
    settled, plain = median(ours, "settled"), median(bare, "settled")
    yield "settled", f"{settled:.0f} ms ({settled / plain:.2f} ×)", f"{plain:.0f} ms"
    for name, what in (("bytes of the first write", "first_bytes"), ("bytes to first answer", "bytes")):
        yield name, f"{median(ours, what) / 1000:.1f} KB", f"{median(bare, what) / 1000:.1f} KB"


def keys(env: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Keys on the first screen, and what it takes when none comes."""
    with Program(APP, env=env) as program, Program(BARE, env=env) as other:
        for one, answer in ((program, ANSWER), (other, BARE_FRAME)):
            one.until(answer)
            one.settle(1.5)
        # Until the other screens are loaded.
        time.sleep(3.0)
        move, row = [program.key(DOWN) for _ in range(3)], [other.key(DOWN) for _ in range(8)]
        ours = f"{middle(move, 'last_ms'):.1f} ms, {middle(move, 'bytes'):.0f} B"
        yield "focus move", ours, f"{middle(row, 'last_ms'):.1f} ms, {middle(row, 'bytes'):.0f} B"
        change = [program.key(LEFT, 0.4) for _ in range(6)]
        first = f"{middle(change, 'first_ms'):.1f} ms, {middle(change, 'first_bytes'):.0f} B"
        yield "value change, answer", first, "–"
        yield "value change, everything", f"{middle(change, 'last_ms'):.1f} ms, {middle(change, 'bytes'):.0f} B", "–"
        yield "value change, processor", f"{middle(change, 'cpu_ms'):.1f} ms", f"{middle(row, 'cpu_ms'):.1f} ms"
        idle, still = program.idle(8), other.idle(8)
        yield "idle", f"{idle[0]:.0f} B/s, {idle[1]:.2f} %", f"{still[0]:.0f} B/s, {still[1]:.2f} %"
        yield "resident at rest", f"{program.resident_mib():.0f} MiB", f"{other.resident_mib():.0f} MiB"
        yield "quit", f"{program.leave(QUIT):.0f} ms", f"{other.leave(QUIT):.0f} ms"


def held(env: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """An arrow held on the model for three seconds."""
    with Program(APP, env=env) as program:
        program.until(ANSWER)
        program.settle(1.5)
        behind, processor = program.held(RIGHT, 3.0)
        yield "held arrow, behind", f"{behind:.0f} ms", "–"
        yield "held arrow, processor per key", f"{processor:.1f} ms", "–"


def screens(env: dict[str, str], found: dict[str, Pressed]) -> Iterator[tuple[str, str, str]]:
    """First and later visits of each screen, by digit; then two thousand keys."""
    with Program(STILL, env=env) as program:
        program.until(ANSWER)
        program.settle(2.5)
        for visit in ("first", "again"):
            for digit in "23451":
                # A first visit loads what its screen needs before it writes: quiet is no sign that it is done.
                found[f"{digit} {visit}"] = program.key(f"\x1b{digit}", quiet=1.5 if visit == "first" else 0.8)
        again = [pressed for name, pressed in found.items() if name.endswith("again")]
        yield "screen again", f"{middle(again, 'last_ms'):.0f} ms, {middle(again, 'bytes') / 1000:.1f} KB", "–"
        first = [pressed for name, pressed in found.items() if name.endswith("first") and name[0] != "1"]
        yield "first visit, screen", f"{middle(first, 'shown_ms'):.0f} ms", "–"
        yield "first visit, everything", f"{middle(first, 'last_ms'):.0f} ms", "–"
        yield "resident, all screens", f"{program.resident_mib():.0f} MiB", "–"
        for _ in range(100):
            program.send((RIGHT * 5 + LEFT * 5) * 2)
            program.settle(0.1)
        yield "resident, 2,000 keys later", f"{program.resident_mib():.0f} MiB", "–"


def collector(env: dict[str, str], told: Path) -> Iterator[tuple[str, str, str]]:
    """A start, some keys and every screen, with the collector watched."""
    with Program([sys.executable, str(HERE / "collected.py"), str(told)], env=env) as program:
        program.until(ANSWER)
        program.settle(2.0)
        for key in (DOWN, RIGHT, RIGHT, "\x1b2", "\x1b3", "\x1b4", "\x1b1"):
            program.key(key, 0.5)
        program.leave(QUIT)
    longest, total, count = map(float, told.read_text().split())
    yield "longest pause of the collector", f"{longest:.1f} ms ({count:.0f}: {total:.0f} ms)", "–"


def processor_ms(argv: list[str], env: dict[str, str]) -> float:
    """Processor time of a whole program, the median of some runs."""
    taken = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, env={**os.environ, **env}, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(taken) * 1000


def commands(env: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Commands from beginning to end, beside a Python that does nothing."""
    nothing = f"{processor_ms([sys.executable, '-c', ''], env):.0f} ms"
    plan = str(HERE.parents[1] / "docs" / "plan.yaml")
    for command in (["vram"], ["models"], ["check", plan]):
        yield f"{command[0]}, processor", f"{processor_ms([*APP, *command], env):.0f} ms", nothing


def cold_start() -> list[tuple[float, str]]:
    """What the ten dearest imports of the app cost, in milliseconds."""
    command = [sys.executable, "-X", "importtime", "-c", "import infratui.app.app, infratui.app.screens.vram.screen"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = []
    for line in result.stderr.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if len(parts) == 3 and parts[1].strip().isdigit():
            rows.append((int(parts[1]) / 1000, parts[2].strip()))
    top = [row for row in rows if row[1].count(".") <= 1]
    return sorted(top, reverse=True)[:12]


def main() -> None:
    rows: list[tuple[str, str, str]] = []
    visits: dict[str, Pressed] = {}
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        # A first start asks something; what is measured is every other one.
        (Path(home) / "infratui").mkdir()
        (Path(home) / "infratui" / "settings.yaml").touch()
        subprocess.run([*APP, "fields"], env={**os.environ, **env}, capture_output=True, check=False)
        for measured in (
            starts(env),
            keys(env),
            held(env),
            screens(env, visits),
            collector(env, Path(home) / "pauses"),
        ):
            rows += measured
        rows += commands(env)
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, 120×40, medians of {RUNS} starts; load average {load:.2f}\n")
    print(f"{'':32}{'infratui':>24}{'bare':>20}   goal")
    for name, ours, theirs in rows:
        print(f"{name:32}{ours:>24}{theirs:>20}   {GOALS[name]}")
    bare = float(next(theirs for name, _, theirs in rows if name == "text on screen").split()[0])
    print(f"\nGoals in ms are of a machine where the bare app takes {GOALS_AT_MS} ms to its text; on this one just now")
    print(f"it took {bare:.0f}: what is held to a goal is {GOALS_AT_MS / bare:.2f} of what stands above.")
    print("\nscreen by screen (ms to the screen, to the last byte, bytes, processor)")
    for name, key in visits.items():
        print(f"  {name:8}{key.shown_ms:8.0f} ms{key.last_ms:8.0f} ms{key.bytes:10,} B{key.cpu_ms:8.0f} ms")
    from .engine import figures

    print("\nengine (CPU ms of one core, least of some runs)")
    for name, milliseconds, aim in figures():
        print(f"  {name:40}{milliseconds:10,.1f} ms   {aim}")
    print("\nimports (cumulative ms)")
    for milliseconds, module in cold_start():
        print(f"  {milliseconds:8.1f}  {module}")
    if "--json" in sys.argv:
        Path("bench.json").write_text(json.dumps({name: [ours, theirs] for name, ours, theirs in rows}, indent=2))


if __name__ == "__main__":
    main()
