"""The figures that each section leads with: what two scenarios are compared by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Better, Headline
from ..engine.figures.derivation import Number, Unit
from ..engine.figures.metrics import metric
from .deployment import reasons_text
from .sections import Answer, answer, sections_of

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation


def headlines(evaluation: Evaluation) -> tuple[Headline, ...]:
    """The headlines of every section, in the order of the screens. A refusal is a headline without a value."""
    found: list[Headline] = []
    for section in sections_of(evaluation):
        found += section_headlines(evaluation, answer(evaluation, section))
    return tuple(found)


def section_headlines(evaluation: Evaluation, found: Answer) -> tuple[Headline, ...]:
    """The headlines of one section."""
    if found.result is None:
        return (Headline(found.section.id, "Answer", None, Unit.COUNT, words=found.refusal),)
    own = getattr(found.result, "headlines", None)
    if own is not None:
        return tuple(own)
    build = _BUILDERS.get(found.section.id)
    return build(evaluation, found.result) if build else ()


def _of(section: str) -> Callable[..., Headline]:
    def make(
        name: str, value: Number | None, unit: Unit = Unit.COUNT, better: Better = Better.LOWER, words: str = ""
    ) -> Headline:
        return Headline(section, name, value, unit, better, words if value is None else "")

    return make


def _vram(evaluation: Evaluation, result: Any) -> tuple[Headline, ...]:
    make = _of("vram")
    estimate, plan = result.headline, result.selected.plan
    short = "; ".join(result.selected.refused) or reasons_text(result.selected.reasons) or "no layout"
    smallest = result.smallest.plan
    return (
        make("Memory of one replica", estimate.total, Unit.BYTES),
        make("Weights", estimate.weights, Unit.BYTES),
        make("KV cache", estimate.kv_cache, Unit.BYTES),
        make("Runtime", estimate.runtime, Unit.BYTES),
        make("GPUs needed", smallest.layout.gpus if smallest else None, words=result.smallest.reason),
        make("Free per GPU", plan.free if plan else None, Unit.BYTES, Better.HIGHER, short),
        make("Largest users", plan.max_users if plan else None, Unit.COUNT, Better.HIGHER, short),
        make("Longest context", plan.max_context if plan else None, Unit.TOKENS, Better.HIGHER, short),
    )


def _quantization(evaluation: Evaluation, result: Any) -> tuple[Headline, ...]:
    make = _of("quantization")
    return (
        make("Bits per weight", metric(evaluation, "bits_per_weight"), Unit.BITS),
        make("Saved against FP16", metric(evaluation, "saved_pct"), Unit.PERCENT, Better.HIGHER),
        make("Decode against FP16", metric(evaluation, "speedup"), Unit.RATIO, Better.HIGHER, "no prediction"),
    )


def _parallelism(evaluation: Evaluation, result: Any) -> tuple[Headline, ...]:
    make = _of("parallelism")
    none = "no layout serves it"

    def seconds(key: str) -> float | None:
        value = metric(evaluation, key)
        return None if value is None else value / 1e3

    total = result.serving.output_per_s if result.serving else None
    return (
        make("Time to first token", seconds("ttft_ms"), Unit.SECONDS, words=none),
        make("Time per output token", seconds("tpot_ms"), Unit.SECONDS, words=none),
        make("Output of one replica", metric(evaluation, "tokens_per_s"), Unit.TOKENS_PER_S, Better.HIGHER, none),
        make("Output of all replicas", total, Unit.TOKENS_PER_S, Better.HIGHER, none),
        make("Output per user", metric(evaluation, "tokens_per_s_user"), Unit.TOKENS_PER_S, Better.HIGHER, none),
        make("Pipeline bubble", metric(evaluation, "bubble_pct"), Unit.PERCENT, words=none),
    )


def _moe(evaluation: Evaluation, result: Any) -> tuple[Headline, ...]:
    make = _of("moe")
    found = []
    for label, side in (("Dense", result.dense), ("MoE", result.moe)):
        served = side.fewest
        found += [
            make(f"{label}: weights", side.weight_bytes, Unit.BYTES),
            make(f"{label}: read per token", side.read_bytes_per_token, Unit.BYTES),
            make(f"{label}: GPUs", served.gpus or None, words=served.reason),
            make(f"{label}: 1M tokens", served.usd_per_mtok, Unit.USD_PER_MTOK, words=served.reason or "no price"),
        ]
    return tuple(found)


_BUILDERS: Mapping[str, Callable[[Any, Any], tuple[Headline, ...]]] = {
    "vram": _vram,
    "quantization": _quantization,
    "parallelism": _parallelism,
    "moe": _moe,
}
