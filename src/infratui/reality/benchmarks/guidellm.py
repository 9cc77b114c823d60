"""GuideLLM's report: a benchmark per load, statistics of its successful requests.

`time_per_output_token_ms` counts the first token's time as well; TPOT of other tools is its `inter_token_latency_ms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .reading import BenchPlan, BenchPoint, BenchReading, number, paced, positive, word

_MODEL = (
    ("config", "spec", "backend", "model"),
    ("args", "model"),
)
_OF_BENCHMARK = (("config", "backend", "model"), ("benchmarker", "backend", "model"))


def knows(content: Any) -> bool:
    """A list of benchmarks with metrics."""
    if not isinstance(content, Mapping) or not isinstance(content.get("benchmarks"), list):
        return False
    return any(isinstance(run, Mapping) and "metrics" in run for run in content["benchmarks"])


def read(content: Any) -> BenchReading:
    """Every benchmark that finished requests."""
    points: list[BenchPoint] = []
    left: list[str] = []
    names = [word(content, *path) for path in _MODEL]
    for at, run in enumerate(content["benchmarks"], 1):
        found = _point(run)
        names += [word(run, *path) for path in _OF_BENCHMARK]
        if isinstance(found, str):
            left.append(f"benchmark {at}: {found}")
        else:
            points.append(found)
    return BenchReading("GuideLLM", tuple(points), BenchPlan(model=next(filter(None, names), "")), tuple(left))


def _point(run: Any) -> BenchPoint | str:
    def mean(name: str) -> float | None:
        return positive(run, "metrics", name, "successful", "mean")

    prompt = number(run, "metrics", "prompt_token_count", "successful", "mean")
    answer = mean("output_token_count")
    if prompt is None or answer is None:
        return "no request was successful, or its tokens are not stated"
    ttft, gap, rate = mean("time_to_first_token_ms"), mean("inter_token_latency_ms"), mean("requests_per_second")
    output = rate * answer if rate is not None else mean("output_tokens_per_second")
    kind = word(run, "config", "strategy", "type_")
    stated = positive(run, "config", "strategy", "streams")
    if kind == "synchronous":
        stated = 1.0
    answer = max(1.0, answer)
    if kind == "throughput":
        done = positive(run, "metrics", "request_totals", "successful")
        requests = int(done) if done else None
        return BenchPoint("all at once", prompt, answer, None, requests, output_per_s=output)
    if kind == "concurrent" and stated is None:
        return "its streams are not stated"
    if stated is not None:
        return BenchPoint(f"{stated:,.0f} at once", prompt, answer, stated, None, ttft, gap, output)
    latency = mean("request_latency")
    if rate is None or latency is None:
        return "how many requests were in flight is not known"
    # Of this tool the latency of a request is in seconds.
    asked = positive(run, "config", "strategy", "rate") or rate
    return paced(f"{asked:g} requests/s", prompt, answer, rate * latency, ttft, gap, output)
