"""Points that InferenceX (formerly InferenceMAX) aggregates: hardware, layout, lengths, seconds and tokens/s per GPU.

`tput_per_gpu` counts input and output, `output_tput_per_gpu` the output; latencies are seconds; `conc` is in flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...plain_text import printable
from .reading import BenchPlan, BenchPoint, BenchReading, count, listed, positive, word
from .vllm import latency

_OFF = ("", "none", "false", "off")


def knows(content: Any) -> bool:
    """Throughput per GPU at a concurrency."""
    first = listed(content)[0] if listed(content) else None
    return isinstance(first, Mapping) and {"conc", "output_tput_per_gpu"} <= first.keys()


def read(content: Any) -> BenchReading:
    """Points of one plan; those of other plans than the first are left out."""
    points: list[BenchPoint] = []
    left: list[str] = []
    plan: BenchPlan | None = None
    for at, row in enumerate((row for row in listed(content) if isinstance(row, Mapping)), 1):
        refusal = _refusal(row)
        if refusal:
            left.append(f"point {at}: {refusal}")
            continue
        own = _plan(row)
        plan = plan or own
        if own != plan:
            left.append(f"point {at}: another model, GPU or layout than the first; give each a file")
            continue
        points.append(_point(row, own))
    return BenchReading("InferenceX", tuple(points), plan or BenchPlan(), tuple(left))


def _refusal(row: Mapping[str, Any]) -> str:
    drafts = row.get("spec_decoding", row.get("mtp", ""))
    if str(drafts).lower() not in _OFF:
        return f"drafts tokens ({printable(str(drafts), 20)}); how many were accepted is not stated"
    if str(row.get("disagg", "")).lower() == "true" or str(row.get("is_multinode", "")).lower() == "true":
        return "prefill and decode on machines of their own"
    if positive(row, "conc") is None or positive(row, "tp") is None:
        return "concurrency or layout is not stated"
    if positive(row, "isl") is None or positive(row, "osl") is None:
        return "its lengths are not stated; older points have them in the file name only"
    return ""


def _plan(row: Mapping[str, Any]) -> BenchPlan:
    framework = word(row, "framework").lower()
    engine = {"trt": "tensorrt-llm", "trtllm": "tensorrt-llm"}.get(framework, framework)
    tp = count(positive(row, "tp"))
    return BenchPlan(
        model=word(row, "model"),
        weights=word(row, "precision"),
        gpu=word(row, "hw").partition("-")[0],
        gpus=tp,
        tp=tp,
        ep=count(positive(row, "ep")),
        engine=engine if engine in ("vllm", "sglang", "tensorrt-llm") else "",
    )


def _point(row: Mapping[str, Any], plan: BenchPlan) -> BenchPoint:
    held = positive(row, "conc") or 1.0
    ttft, medians = latency(row, "ttft")
    tpot, _ = latency(row, "tpot")
    per_gpu = positive(row, "output_tput_per_gpu")
    output = None if per_gpu is None else per_gpu * plan.tp
    isl, osl = positive(row, "isl") or 1.0, positive(row, "osl") or 1.0
    return BenchPoint(f"{held:,.0f} at once", isl, max(1.0, osl), held, None, ttft, tpot, output, medians)
