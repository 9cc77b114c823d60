"""GenAI-Perf and its successor AIPerf: statistics per metric with their unit, or AIPerf's record of each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..text import UnreadableError
from .reading import BenchPlan, BenchPoint, BenchReading, listed, number, paced, positive, word

_MS = {"ms": 1.0, "sec": 1e3, "s": 1e3, "us": 1e-3, "ns": 1e-6, "milliseconds": 1.0, "seconds": 1e3}


def knows(content: Any) -> bool:
    """Statistics under the names that both tools share."""
    return isinstance(content, Mapping) and {"request_throughput", "request_latency"} <= content.keys()


def read(content: Any) -> BenchReading:
    """The one run of a file. Raises UnreadableError for a unit that is not known."""
    config = content.get("input_config")
    is_genai = isinstance(config, Mapping) and "perf_analyzer" in config
    is_ai = "aiperf_version" in content or (isinstance(config, Mapping) and "loadgen" in config)
    tool = "GenAI-Perf" if is_genai else "AIPerf" if is_ai else "GenAI-Perf or AIPerf"
    plan = BenchPlan(model=_model(config))
    prompt, answer = _mean(content, "input_sequence_length"), _mean(content, "output_sequence_length")
    if prompt is None and (total := number(content, "total_isl", "avg")) is not None:
        done = positive(content, "request_count", "avg")
        prompt = total / done if done else None
    rate, latency = _mean(content, "request_throughput"), _milliseconds(content, "request_latency")
    if prompt is None or answer is None or rate is None or latency is None:
        return BenchReading(tool, (), plan, ("its lengths, rate or latency are not stated",))
    stated = positive(config, "loadgen", "concurrency")
    ttft, gap = _milliseconds(content, "time_to_first_token"), _milliseconds(content, "inter_token_latency")
    output = _mean(content, "output_token_throughput") or rate * answer
    answer = max(1.0, answer)
    if stated:
        point = BenchPoint(f"{stated:,.0f} at once", prompt, answer, stated, None, ttft, gap, output)
    else:
        point = paced(f"{rate:.3g} requests/s", prompt, answer, rate * latency / 1000, ttft, gap, output)
    return BenchReading(tool, (point,), plan)


def _model(config: Any) -> str:
    if not isinstance(config, Mapping):
        return ""
    endpoint = config.get("endpoint")
    names = config.get("model_names") or (endpoint.get("model_names") if isinstance(endpoint, Mapping) else None)
    one = names[0] if isinstance(names, list) and len(names) == 1 else ""
    return word({"name": one}, "name")


def _mean(content: Mapping[str, Any], name: str) -> float | None:
    return positive(content, name, "avg")


def _milliseconds(content: Mapping[str, Any], name: str) -> float | None:
    found = _mean(content, name)
    return None if found is None else found * _factor(word(content, name, "unit"), name)


def _factor(unit: str, name: str) -> float:
    if unit not in _MS:
        raise UnreadableError(f"{name}: unit {unit[:20]!r} is not known; one of {', '.join(_MS)}")
    return _MS[unit]


# -- records


def knows_records(content: Any) -> bool:
    """A record per request: metadata beside metrics."""
    first = listed(content)[0] if listed(content) else None
    return isinstance(first, Mapping) and {"metadata", "metrics"} <= first.keys() and "benchmarks" not in first


def read_records(content: Any) -> BenchReading:
    """The run that the records are of. Raises UnreadableError for a unit that is not known."""
    good = [row for row in listed(content) if isinstance(row, Mapping) and _counts(row)]
    starts = [value for row in good if (value := _nanoseconds(row, "request_start_ns"))]
    ends = [value for row in good if (value := _nanoseconds(row, "request_end_ns"))]
    prompts, answers = _values(good, "input_sequence_length"), _values(good, "output_sequence_length")
    latencies = _times(good, "request_latency")
    if not good or any(len(values) < len(good) for values in (starts, ends, prompts, answers, latencies)):
        return BenchReading("AIPerf", (), BenchPlan(), ("no request was successful, or its records are not whole",))
    seconds = max(1e-9, (max(ends) - min(starts)) / 1e9)
    point = paced(
        f"{len(good):,} requests recorded",
        _average(prompts),
        max(1.0, _average(answers)),
        sum(latencies) / 1000 / seconds,
        _average(_times(good, "time_to_first_token")) or None,
        _average(_times(good, "inter_token_latency")) or None,
        sum(answers) / seconds,
    )
    left = len(listed(content)) - len(good)
    said = (f"{left:,} requests failed or were cancelled",) if left else ()
    return BenchReading("AIPerf", (point,), BenchPlan(), said)


def _counts(row: Mapping[str, Any]) -> bool:
    metadata = row.get("metadata")
    if not isinstance(metadata, Mapping) or row.get("error") is not None or metadata.get("was_cancelled"):
        return False
    return bool(metadata.get("benchmark_phase", "profiling") == "profiling")


def _nanoseconds(row: Mapping[str, Any], name: str) -> int | None:
    value = row["metadata"].get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [value for row in rows if (value := positive(row, "metrics", name, "value")) is not None]


def _times(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [
        value * _factor(word(row, "metrics", name, "unit"), name)
        for row in rows
        if (value := positive(row, "metrics", name, "value")) is not None
    ]


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
