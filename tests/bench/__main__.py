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
from pathlib import Path

from .probe import Program

RUNS = 7
BARE = [sys.executable, str(Path(__file__).parent / "bare.py")]
APP = [sys.executable, "-m", "infratui"]
DOWN, RIGHT, TAB = "\x1b[B", "\x1b[C", "\t"

BUDGETS = {
    "text on screen": "≤ 300 ms",
    "settled": "≤ 1.4 × bare",
    "bytes to first paint": "≤ 45 KB",
    "focus move": "≤ 10 ms, 600 B",
    "value change": "≤ 10 ms, 1.2 KB",
    "screen switch": "≤ 80 ms, 20 KB",
    "idle": "0 B/s, ≤ 0.2 %",
    "resident": "≤ 64 MiB",
    "check, processor": "≤ 400 ms  (* a bare Python)",
}


def start(argv: list[str], pattern: bytes, env: dict[str, str]) -> tuple[float, float, int]:
    """Milliseconds to text, milliseconds to settled, bytes by then."""
    with Program(argv, env=env) as program:
        text = program.until(pattern)
        program.settle()
        return text * 1000, (program.last_byte - program.started) * 1000, len(program.output)


def median_start(argv: list[str], pattern: bytes, env: dict[str, str]) -> tuple[float, float, float]:
    runs = [start(argv, pattern, env) for _ in range(RUNS)]
    return tuple(statistics.median(column) for column in zip(*runs, strict=True))  # type: ignore[return-value]


def keys(program: Program, text: str, times: int) -> tuple[float, float]:
    """Median milliseconds and bytes of a repeated key."""
    samples = [program.key(text) for _ in range(times)]
    return statistics.median(s[0] for s in samples), statistics.median(s[1] for s in samples)


def processor_ms(argv: list[str], env: dict[str, str]) -> float:
    """Processor time of a whole program, the median of some runs."""
    taken = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, env={**os.environ, **env}, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(taken) * 1000


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


def screen_switches(env: dict[str, str]) -> dict[str, tuple[float, int]]:
    """First and later visits of each screen, by digit."""
    found = {}
    # A routing panel that plays is never quiet.
    with Program([*APP, "--no-motion"], env=env) as program:
        program.until(rb"VRAM")
        program.settle()
        # A first visit loads what its screen needs before it writes: quiet is no sign that it is done.
        for digit in "2345":
            found[f"{digit} first"] = program.key(f"\x1b{digit}", quiet=1.5)
        for digit in "12345":
            found[f"{digit} again"] = program.key(f"\x1b{digit}", quiet=0.8)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "INFRATUI_NO_RESTORE": "1"}
        subprocess.run([*APP, "fields"], env={**os.environ, **env}, capture_output=True, check=False)
        rows: list[tuple[str, str, str]] = []
        app = median_start(APP, rb"VRAM", env)
        bare = median_start(BARE, rb"gpu 1", env)
        rows.append(("text on screen", f"{app[0]:.0f} ms", f"{bare[0]:.0f} ms"))
        rows.append(("settled", f"{app[1]:.0f} ms ({app[1] / bare[1]:.2f} ×)", f"{bare[1]:.0f} ms"))
        rows.append(("bytes to first paint", f"{app[2] / 1000:.1f} KB", f"{bare[2] / 1000:.1f} KB"))
        with Program(APP, env=env) as program, Program(BARE, env=env) as other:
            program.until(rb"VRAM")
            other.until(rb"gpu 1")
            program.settle()
            other.settle()
            time.sleep(1.0)
            program.settle()
            move, row = keys(program, DOWN, 3), keys(other, DOWN, 8)
            rows.append(("focus move", f"{move[0]:.1f} ms, {move[1]:.0f} B", f"{row[0]:.1f} ms, {row[1]:.0f} B"))
            change = keys(program, RIGHT, 6)
            rows.append(("value change", f"{change[0]:.1f} ms, {change[1]:.0f} B", "–"))
            program.settle(0.5)
            other.settle(0.5)
            idle, still = program.idle(8), other.idle(8)
            rows.append(("idle", f"{idle[0]:.0f} B/s, {idle[1]:.2f} %", f"{still[0]:.0f} B/s, {still[1]:.2f} %"))
            rows.append(("resident", f"{program.resident_mib():.0f} MiB", f"{other.resident_mib():.0f} MiB"))
        switches = screen_switches(env)
        plan = Path(__file__).parents[2] / "docs" / "plan.yaml"
        checked = processor_ms([*APP, "check", str(plan)], env)
        rows.append(("check, processor", f"{checked:.0f} ms", f"{processor_ms([*BARE[:1], '-c', ''], env):.0f} ms *"))
    again = [value for name, value in switches.items() if name.endswith("again")]
    switch = (statistics.median(v[0] for v in again), statistics.median(v[1] for v in again))
    rows.append(("screen switch", f"{switch[0]:.0f} ms, {switch[1] / 1000:.1f} KB", "–"))
    print(f"120×40, medians of {RUNS} starts; load average {os.getloadavg()[0]:.2f}\n")
    print(f"{'':24}{'infratui':>24}{'bare Textual':>20}   budget")
    for name, ours, theirs in rows:
        print(f"{name:24}{ours:>24}{theirs:>20}   {BUDGETS[name]}")
    print("\nscreen by screen (ms to last byte, bytes)")
    for name, (milliseconds, count) in switches.items():
        print(f"  {name:12}{milliseconds:8.0f} ms{count:10,} B")
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
