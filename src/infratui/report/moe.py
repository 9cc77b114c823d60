"""Dense beside mixture of experts in words: the verdict, the summary, and the section as plain text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..engine.derivation import Unit
from ..engine.units import ByteUnit, format_bytes, format_count, format_value, significant

if TYPE_CHECKING:
    from ..engine.moe import MoeResult, Served, Side, TradeOff

SIDES = {"dense": "dense", "moe": "MoE", "even": "even", "": "–"}


def summary(result: MoeResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences."""
    return " ".join((headline(result, bytes_as), fewest(result), result.sentence, even_batch(result), offload(result)))


def headline(result: MoeResult, bytes_as: ByteUnit) -> str:
    """Compute and memory of both, in one sentence."""
    dense, moe = result.dense, result.moe
    compute, memory = moe.active / dense.active, moe.weight_bytes / dense.weight_bytes
    return (
        f"{moe.model.name} computes with {format_count(moe.active)} of {format_count(moe.total)} parameters per token, "
        f"{significant(compute, 2)} × {dense.model.name}'s {format_count(dense.active)}, and holds "
        f"{format_bytes(moe.weight_bytes, bytes_as)} of weights, {significant(memory, 2)} × its "
        f"{format_bytes(dense.weight_bytes, bytes_as)}."
    )


def fewest(result: MoeResult) -> str:
    """What each side needs at least, and what it then does."""
    return f"On the fewest GPUs: {served(result.dense, result.dense.fewest)}; {served(result.moe, result.moe.fewest)}."


def served(side: Side, on: Served) -> str:
    """A model on some GPUs, in words."""
    if on.memory is None or on.serving is None:
        return f"{side.model.name}: {on.reason or 'no legal layout'}"
    cost = "" if on.usd_per_mtok is None else f", {format_value(on.usd_per_mtok, Unit.USD_PER_MTOK)}"
    band = f" ±{on.band_pct:.0f} %" if on.band_pct is not None else " (no measured data)"
    return (
        f"{side.model.name} takes {on.gpus} as {on.memory.layout.label}, "
        f"{significant(on.serving.output_per_s)} tokens/s at TPOT {significant(on.serving.tpot_s * 1e3)} ms{band}{cost}"
    )


def even_batch(result: MoeResult) -> str:
    """Where the advantage in bytes ends."""
    if result.even_batch is None:
        return f"{result.moe.model.name} reads fewer weight bytes per step than {result.dense.model.name} at any batch."
    if result.even_batch <= 1:
        return f"Even for one token {result.moe.model.name} reads more weight bytes than {result.dense.model.name}."
    return (
        f"From a batch of {result.even_batch:,} tokens on, {result.moe.model.name} reads more weight bytes per step "
        f"than {result.dense.model.name}: its advantage in bytes is for smaller ones."
    )


def offload(result: MoeResult) -> str:
    """What experts in host memory do to the rate."""
    found = result.offload
    beside = "" if found.in_memory_per_s is None else f" instead of {significant(found.in_memory_per_s)}"
    return (
        f"With the experts in host memory a batch of {result.batch} fetches "
        f"{format_bytes(found.bytes_per_step)} per step over PCIe: {significant(found.tokens_per_s)} tokens/s{beside}."
    )


def margin(line: TradeOff) -> str:
    """Who wins a line and by how much: `MoE 1.7×`."""
    if line.winner in ("", "even") or line.ratio is None:
        return SIDES[line.winner]
    return f"{SIDES[line.winner]} {significant(line.ratio, 2)}×"


def value(line: TradeOff, side: str, bytes_as: ByteUnit) -> str:
    """One side's figure with its unit."""
    amount = line.dense if side == "dense" else line.moe
    return "–" if amount is None else format_value(amount, line.unit, bytes_as)


def text(result: MoeResult, bytes_as: ByteUnit) -> str:
    """The section for the command line."""
    return "\n".join(_lines(result, bytes_as))


def _lines(result: MoeResult, bytes_as: ByteUnit) -> Iterator[str]:
    yield summary(result, bytes_as)
    yield ""
    yield f"{'':26}{result.dense.model.name[:22]:>24}{result.moe.model.name[:22]:>24}   wins"
    for line in result.trade_offs:
        pair = f"{value(line, 'dense', bytes_as):>24}{value(line, 'moe', bytes_as):>24}"
        yield f"{line.name:26}{pair}   {margin(line)}{'  ' + line.words if line.words else ''}"
    yield ""
    router, batch = result.router, result.router.batch
    yield (
        f"Router of layer {router.layer}: top-{router.spec.top_k} of {router.spec.experts}, batch {batch.batch}: "
        f"{batch.touched} experts touched ({batch.touched_expected:.1f} if the choice were uniform), fullest / mean "
        f"{significant(batch.imbalance)}, entropy {batch.entropy:.3f}"
    )
    yield (
        f"Over {router.ep} GPUs the fullest has {significant(router.linear.slowdown)} × the mean load, "
        f"{significant(router.replicated.slowdown)} × with hot experts copied"
    )
    if batch.capacity is not None:
        yield (
            f"Capacity {batch.capacity} tokens per expert: {batch.assignments_dropped} assignments overflow, "
            f"{batch.tokens_dropped} tokens lose an expert"
        )
    yield result.quality_caveat


def as_json(result: MoeResult, *, explain: bool = False) -> dict[str, object]:
    """The section as plain values for scripts."""
    router = result.router
    return {
        "dense": _side(result.dense),
        "moe": _side(result.moe),
        "batch_tokens": result.batch,
        "even_batch": result.even_batch,
        "trade_offs": [
            {
                "name": line.name, "dense": line.dense, "moe": line.moe, "unit": line.unit, "winner": line.winner,
                "ratio": line.ratio, "words": line.words,
            }
            for line in result.trade_offs
        ],
        "router": {
            "layer": router.layer,
            "experts": router.spec.experts,
            "top_k": router.spec.top_k,
            "gate": router.spec.gate,
            "touched": router.batch.touched,
            "touched_expected": router.batch.touched_expected,
            "imbalance": router.batch.imbalance,
            "entropy": router.batch.entropy,
            "capacity": router.batch.capacity,
            "tokens_dropped": router.batch.tokens_dropped,
            "expert_gpus": router.ep,
            "slowdown_linear": router.linear.slowdown,
            "slowdown_replicated": router.replicated.slowdown,
        },
        "offload": {
            "bytes_per_step": result.offload.bytes_per_step,
            "bandwidth_bytes_per_s": result.offload.bandwidth,
            "tokens_per_s": result.offload.tokens_per_s,
            "tokens_per_s_in_gpu_memory": result.offload.in_memory_per_s,
        },
        **({"derivations": result.derivations} if explain else {}),
    }  # fmt: skip


def _side(side: Side) -> dict[str, object]:
    return {
        "model": side.model.id,
        "parameters": side.total,
        "active_parameters": side.active,
        "embedding_parameters": side.embedded,
        "weights_bytes": side.weight_bytes,
        "parts": {size.part: {"parameters": size.parameters, "bytes": size.bytes} for size in side.parts},
        "kv_bytes_per_token": side.kv_bytes_per_token,
        "read_bytes_per_step": side.read_bytes,
        "flops_per_token": side.flops_per_token,
        "fewest_gpus": _served(side.fewest),
        "same_gpus": _served(side.budget),
    }


def _served(on: Served) -> dict[str, object]:
    serving = on.serving
    return {
        "gpus": on.gpus,
        "layout": None if on.memory is None else on.memory.layout.label,
        "reason": on.reason,
        "ttft_ms": None if serving is None else serving.ttft_s * 1e3,
        "tpot_ms": None if serving is None else serving.tpot_s * 1e3,
        "output_tokens_per_s": None if serving is None else serving.output_per_s,
        "usd_per_mtok": on.usd_per_mtok,
        "band_pct": on.band_pct,
    }
