"""What a benchmark's result says: points of load with what was measured at each, and what it tells of the plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...plain_text import printable
from ...value_types import dataclass

_HIGHEST = 1e12


@dataclass(frozen=True, slots=True)
class BenchPoint:
    """One load. Latencies are milliseconds, means where the tool gives means, else medians; None: not measured."""

    name: str
    """How the tool calls it: `16 at once`, `2 requests/s`."""
    input_tokens: float
    output_tokens: float
    concurrency: float | None
    """Requests in flight; None: all of `requests` at once."""
    requests: int | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    output_per_s: float | None = None
    """Output tokens per second of the whole deployment."""
    medians: bool = False
    """Latencies are medians."""
    by_little: bool = False
    """The requests in flight were not stated: rate times latency."""
    single: bool = False
    """No server and no batch: one sequence in a loop of its own."""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What the file tells of the deployment; empty or 0: nothing."""

    model: str = ""
    weights: str = ""
    """How the weights are stored, as the tool says it."""
    cache: str = ""
    gpu: str = ""
    gpus: int = 0
    tp: int = 0
    ep: int = 0
    engine: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class BenchReading:
    """A whole result."""

    tool: str
    points: tuple[BenchPoint, ...]
    plan: BenchPlan = BenchPlan()
    left_out: tuple[str, ...] = ()
    """Runs of the file that say nothing here, and why."""


def paced(
    name: str,
    input_tokens: float,
    output_tokens: float,
    in_flight: float,
    ttft_ms: float | None,
    tpot_ms: float | None,
    output_per_s: float | None,
    *,
    medians: bool = False,
) -> BenchPoint:
    """A load whose requests in flight follow from Little's law. Below one the pace alone makes the throughput."""
    output = output_per_s if in_flight >= 1 else None
    return BenchPoint(
        name, input_tokens, output_tokens, max(1.0, in_flight), None, ttft_ms, tpot_ms, output, medians, by_little=True
    )


def number(source: object, *path: str) -> float | None:
    """A finite number from 0 at a path of keys; None where there is none."""
    for key in path:
        if not isinstance(source, Mapping):
            return None
        source = source.get(key)
    if isinstance(source, bool) or not isinstance(source, int | float):
        return None
    if isinstance(source, float) and not math.isfinite(source):
        return None
    return float(source) if 0 <= source <= _HIGHEST else None


def positive(source: object, *path: str) -> float | None:
    """The same, above 0."""
    found = number(source, *path)
    return found or None


def word(source: object, *path: str) -> str:
    """A text at a path of keys, on one line; empty where there is none."""
    for key in path:
        source = source.get(key) if isinstance(source, Mapping) else None
    return printable(" ".join(source.split()), 200) if isinstance(source, str) else ""


def listed(content: Any) -> list[Any]:
    """A value, or those of a list."""
    return content if isinstance(content, list) else [content]


def count(value: float | None) -> int:
    """A whole number; 0 where there is none."""
    return int(value) if value is not None and value.is_integer() and value < 1e6 else 0
