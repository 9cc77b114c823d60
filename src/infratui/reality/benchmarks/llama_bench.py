"""`llama-bench -o json` or `-o jsonl`: prompts alone and answers alone, one sequence, no server.

`n_prompt` tokens at `avg_ts` tokens/s are a first token; `n_gen` tokens after `n_depth` in the cache are answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .reading import BenchPlan, BenchPoint, BenchReading, count, listed, number, positive, word


def knows(content: Any) -> bool:
    """Tests with a prompt, an answer and tokens per second."""
    first = listed(content)[0] if listed(content) else None
    return isinstance(first, Mapping) and {"n_prompt", "n_gen", "avg_ts"} <= first.keys()


def read(content: Any) -> BenchReading:
    """Every test of one model on one card; others than the first are left out."""
    points: list[BenchPoint] = []
    left: list[str] = []
    plan: BenchPlan | None = None
    for at, test in enumerate((test for test in listed(content) if isinstance(test, Mapping)), 1):
        own = _plan(test)
        plan = plan or own
        found = _point(test) if own == plan else "another model or card than the first; give each a file"
        if isinstance(found, str):
            left.append(f"test {at}: {found}")
        else:
            points.append(found)
    return BenchReading("llama-bench", tuple(points), plan or BenchPlan(), tuple(left))


def _plan(test: Mapping[str, Any]) -> BenchPlan:
    # `name.Q4_K_M.gguf`: the format is no part of a version.
    name = re.sub(r"[.](?=(?:i?q\d|b?f16))", "-", word(test, "model_filename"), flags=re.IGNORECASE)
    cards = [card.strip() for card in word(test, "gpu_info").split(",") if card.strip()]
    return BenchPlan(
        model=name or word(test, "model_type"),
        weights=_stored(word(test, "model_type")),
        cache=word(test, "type_k"),
        gpu=cards[0] if len(set(cards)) == 1 else "",
        gpus=len(cards) if len(set(cards)) == 1 else 0,
        engine="llama.cpp",
        version=str(count(number(test, "build_number")) or ""),
    )


def _stored(kind: str) -> str:
    """`llama 8B Q4_K - Medium` → `q4_k_m`; empty where the words name no format."""
    found = re.search(r"\b(i?q\d\w*|tq\d\w*|bf16|f16|mxfp4)\b(?: - (small|medium|large))?", kind.lower())
    if found is None:
        return ""
    name = {"f16": "fp16"}.get(found[1], found[1])
    return f"{name}_{found[2][0]}" if found[2] else name


def _point(test: Mapping[str, Any]) -> BenchPoint | str:
    prompt, answer = number(test, "n_prompt"), number(test, "n_gen")
    rate, depth = positive(test, "avg_ts"), number(test, "n_depth") or 0.0
    layers = number(test, "n_gpu_layers")
    if prompt is None or answer is None or rate is None:
        return "its tokens or their rate are not stated"
    if layers == 0:
        return "it ran on the CPU"
    if prompt and answer:
        return "prompt and answer in one figure"
    if prompt:
        if depth:
            return f"a prompt behind {depth:,.0f} tokens"
        return BenchPoint(f"pp{prompt:.0f}", prompt, 1.0, 1.0, None, prompt / rate * 1000, single=True)
    if not answer:
        return "neither prompt nor answer"
    return BenchPoint(
        f"tg{answer:.0f}" + (f" @ d{depth:.0f}" if depth else ""), depth, answer, 1.0, None, None, 1000 / rate,
        rate, single=True,
    )  # fmt: skip
