"""`vllm bench serve --save-result`, formerly benchmark_serving.py: one run per file, or one per line.

A key that ends in `_ms` is milliseconds; InferenceX keeps the same result in seconds, without that ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .reading import BenchPlan, BenchPoint, BenchReading, listed, number, paced, positive, word

_SATURATED = 0.9
"""Share of the requested rate below which requests pile up: then the run is one of all prompts at once."""


def knows(content: Any) -> bool:
    """Totals of tokens beside a rate of requests: no other tool names them so."""
    first = listed(content)[0] if listed(content) else None
    return isinstance(first, Mapping) and {"total_output_tokens", "request_throughput", "completed"} <= first.keys()


def read(content: Any) -> BenchReading:
    """Every run."""
    runs = [run for run in listed(content) if isinstance(run, Mapping)]
    points: list[BenchPoint] = []
    left: list[str] = []
    for at, run in enumerate(runs, 1):
        found = _point(run)
        if isinstance(found, str):
            left.append(f"run {at}: {found}")
        else:
            points.append(found)
    names = {word(run, "model_id") for run in runs} - {""}
    # `backend` is how requests were sent, not what answered them.
    plan = BenchPlan(model=names.pop() if len(names) == 1 else "")
    return BenchReading("vllm bench serve", tuple(points), plan, tuple(left))


def _point(run: Mapping[str, Any]) -> BenchPoint | str:
    completed = positive(run, "completed")
    if completed is None:
        return "no request was completed"
    prompt, answer = number(run, "total_input_tokens"), positive(run, "total_output_tokens")
    if prompt is None or answer is None:
        return "its tokens are not stated"
    rate = positive(run, "request_throughput")
    asked = positive(run, "request_rate")
    ttft, medians = latency(run, "ttft")
    tpot, _ = latency(run, "tpot")
    output = positive(run, "output_throughput")
    isl, osl = prompt / completed, max(1.0, answer / completed)
    limit = positive(run, "max_concurrency")
    if limit is not None and (asked is None or rate is None or rate < _SATURATED * asked):
        held = min(limit, completed)
        return BenchPoint(f"{held:,.0f} at once", isl, osl, held, None, ttft, tpot, output, medians)
    if asked is not None and rate is not None and rate >= _SATURATED * asked:
        if ttft is None or tpot is None:
            return "a paced run without TTFT and TPOT: how many were in flight is not known"
        flying = rate * (ttft + tpot * (osl - 1)) / 1000
        return paced(f"{asked:g} requests/s", isl, osl, flying, ttft, tpot, output, medians=medians)
    # All prompts at once: latencies are those of a queue, which says nothing of a server in use.
    return BenchPoint(f"{completed:,.0f} prompts at once", isl, osl, None, int(completed), output_per_s=output)


def latency(run: Mapping[str, Any], name: str) -> tuple[float | None, bool]:
    """Milliseconds, and whether they are a median: means first."""
    for statistic in ("mean", "median"):
        found = positive(run, f"{statistic}_{name}_ms")
        if found is not None:
            return found, statistic == "median"
        found = positive(run, f"{statistic}_{name}")
        if found is not None:
            return found * 1000, statistic == "median"
    return None, False
