"""Results of load generators, read into measured points: whose they are is told by their content.

Shapes were read in the tools' own sources and samples: vLLM `bench serve --save-result` (milliseconds), its variant
with seconds that InferenceX keeps, InferenceX's aggregated points, GuideLLM reports, the JSON of GenAI-Perf and AIPerf,
AIPerf's records, `llama-bench -o json` and `-o jsonl`. What is none of these is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..text import UnreadableError, clean
from . import genai_perf, guidellm, inferencex, llama_bench, vllm
from .reading import BenchReading

_MOST = 20_000
"""Records of one file: a benchmark of that many requests is cut no shorter."""

_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], BenchReading]], ...] = (
    (guidellm.knows, guidellm.read),
    (llama_bench.knows, llama_bench.read),
    (inferencex.knows, inferencex.read),
    (genai_perf.knows_records, genai_perf.read_records),
    (genai_perf.knows, genai_perf.read),
    (vllm.knows, vllm.read),
)
_ELSE = (
    ("Serving Benchmark Result", "the screen output of a benchmark; give the JSON that --save-result writes"),
    ("Inter Token Latency (ms)", "a table of GenAI-Perf or AIPerf; give its profile_export_…json beside it"),
    ("| model ", "the Markdown of llama-bench; run it with -o json"),
    ("model_filename,", "the CSV of llama-bench; run it with -o json"),
)


def read_benchmark(text: str) -> BenchReading:
    """The points of a result. Raises UnreadableError in one line."""
    text = clean(text).strip()
    if not text:
        raise UnreadableError("empty; give the JSON result of a benchmark")
    content = _content(text)
    for knows, read in _KINDS:
        if knows(content):
            found = read(content)
            if not found.points:
                why = found.left_out[0] if found.left_out else "it holds no finished run"
                raise UnreadableError(f"{found.tool}: nothing to compare: {why}")
            return found
    raise UnreadableError(
        "JSON, but no result of vllm bench serve, GuideLLM, GenAI-Perf, AIPerf, llama-bench or InferenceX"
    )


def _content(text: str) -> Any:
    """One JSON value, or a list of those that stand on lines of their own."""
    try:
        return json.loads(text)
    except RecursionError:
        raise UnreadableError("nested beyond all measure; no benchmark's result") from None
    except ValueError as error:
        found = _lines(text)
        if found is not None:
            return found
        for mark, what in _ELSE:
            if mark in text[:20_000]:
                raise UnreadableError(what) from None
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "a number in it"
        raise UnreadableError(f"no JSON: {place} is not well-formed; give the whole file") from None


def _lines(text: str) -> list[Any] | None:
    """A JSON object per line; None where that is not what it is."""
    if not text.startswith("{"):
        return None
    try:
        found = [json.loads(line) for line in text.split("\n")[:_MOST] if line.strip()]
    except (ValueError, RecursionError):
        return None
    return found if len(found) > 1 and all(isinstance(entry, dict) for entry in found) else None


__all__ = ["read_benchmark"]
