"""Dense beside mixture of experts in words: the verdict, the summary, and the section as plain text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, format_bytes, format_count, format_value, significant

if TYPE_CHECKING:
    from ..engine.experts.router import RouterResult
    from ..engine.sections.moe import MoeResult, TradeOff
    from ..engine.sections.moe_side import Served, Side

SIDES = {"dense": "dense", "moe": "MoE", "even": "even", "": "–"}


def summary(result: MoeResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences."""
    parts = (
        headline(result, bytes_as),
        fewest(result),
        same(result),
        sentence(result, bytes_as),
        even_batch(result),
        offload(result, bytes_as),
        result.quality_caveat,
    )
    return " ".join(part for part in parts if part)


def headline(result: MoeResult, bytes_as: ByteUnit) -> str:
    """Compute and memory of both, in one sentence."""
    dense, moe = result.dense, result.moe
    compute, memory = ratios(result)
    return (
        f"{moe.model.name} computes with {format_count(moe.active)} of {format_count(moe.total)} parameters per token, "
        f"{compute} {dense.model.name}'s {format_count(dense.active)}, and holds "
        f"{format_bytes(moe.weight_bytes, bytes_as)} of weights, {memory} its "
        f"{format_bytes(dense.weight_bytes, bytes_as)}."
    )


def ratios(result: MoeResult) -> tuple[str, str]:
    """Compute per token and weights in memory of the mixture, as multiples of the dense model: `0.59×`, `10×`."""
    compute = result.moe.active / result.dense.active
    memory = result.moe.weight_bytes / result.dense.weight_bytes
    return f"{significant(compute, 2)}×", f"{significant(memory, 2)}×"


def fewest(result: MoeResult) -> str:
    """What each side needs at least, and what it then does."""
    return f"On the fewest GPUs: {served(result.dense, result.dense.fewest)}; {served(result.moe, result.moe.fewest)}."


def same(result: MoeResult) -> str:
    """What each side does on the same GPUs; empty where that has been said."""
    if all(side.fewest.gpus == result.budget for side in (result.dense, result.moe)):
        return ""
    why = f" ({result.budget_words})" if result.budget_words else ""
    return (
        f"On {result.budget} GPUs each{why}: {served(result.dense, result.dense.budget)}; "
        f"{served(result.moe, result.moe.budget)}."
    )


def sentence(result: MoeResult, bytes_as: ByteUnit) -> str:
    """Memory is for all experts, speed for the touched ones, with the model's own numbers."""
    moe, router = result.moe, result.router
    share = router.batch.touched / router.spec.experts
    tokens = "1 token" if result.batch == 1 else f"{result.batch:,} tokens"
    return (
        f"Memory is for all experts, speed for the touched ones: all {router.spec.experts} of each layer must be held "
        f"({format_bytes(moe.weight_bytes, bytes_as)} of weights), while a token computes with "
        f"{format_count(moe.active)} of {format_count(moe.total)} parameters and this batch of {tokens} reads "
        f"{router.batch.touched} experts of the layer ({share:.0%})."
    )


def pays(result: MoeResult, bytes_as: ByteUnit) -> tuple[str, str]:
    """Where the dense model wins and where the mixture does, each in one sentence of these two models' figures."""
    dense, moe = result.dense, result.moe
    won = {side: [line.name for line in result.trade_offs if line.winner == side] for side in ("dense", "moe")}
    small = dense.fewest.gpus, moe.fewest.gpus
    for_dense = [f"{dense.model.name} wins {len(won['dense'])} of {len(result.trade_offs)} lines"]
    if all(small) and small[0] < small[1]:
        for_dense.append(f"it starts on {small[0]} GPUs where {moe.model.name} takes {small[1]}")
    if result.even_batch is not None and result.even_batch <= result.batch:
        read = format_bytes(dense.read_bytes, bytes_as), format_bytes(moe.read_bytes, bytes_as)
        for_dense.append(f"a step of {result.batch} tokens reads {read[0]} against {read[1]}")
    for_moe = [f"{moe.model.name} wins {len(won['moe'])}"]
    if moe.active < dense.active:
        less = significant(dense.active / moe.active, 2)
        for_moe.append(f"{less}× less compute per token, which long prompts and work bound by compute turn into speed")
    if result.even_batch is None or result.even_batch > 1:
        limit = "at any batch" if result.even_batch is None else f"below a batch of {result.even_batch:,}"
        for_moe.append(f"it reads fewer weight bytes per step {limit}")
    if moe.kv_bytes_per_token < dense.kv_bytes_per_token:
        ratio = significant(dense.kv_bytes_per_token / moe.kv_bytes_per_token, 2)
        for_moe.append(f"its KV cache is {ratio}× smaller, which longer contexts and more users multiply")
    return "; ".join(for_dense) + ".", "; ".join(for_moe) + "."


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


def offload(result: MoeResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """What experts in host memory do to the rate."""
    found = result.offload
    beside = ""
    if found.in_memory_per_s is not None:
        beside = f" instead of {significant(found.in_memory_per_s)} with all of them on {found.in_memory_gpus} GPUs"
    return (
        f"With the experts in host memory {format_bytes(found.resident_bytes, bytes_as)} of weights stay on the GPU, "
        f"and a batch of {result.batch} fetches {format_bytes(found.bytes_per_step, bytes_as)} per step over "
        f"{found.link}: at most {significant(found.tokens_per_s)} tokens/s{beside}."
    )


def gate(router: RouterResult) -> str:
    """How the router scores and chooses."""
    spec = router.spec
    scores = "softmax" if spec.gate == "softmax" else "sigmoid + bias" if spec.bias_correction else "sigmoid"
    groups = f", best {spec.group_top_k} of {spec.groups} groups" if spec.groups > 1 else ""
    return f"{scores}{groups}"


def margin(line: TradeOff) -> str:
    """Who wins a line and by how much: `MoE 1.7×`."""
    if line.winner in ("", "even") or line.ratio is None:
        return SIDES[line.winner]
    return f"{SIDES[line.winner]} {times(line.ratio)}"


def times(ratio: float) -> str:
    """A ratio in as many digits as tell it from one: `3.1×`, `1.05×`."""
    return f"{significant(ratio, 2 if ratio >= 1.095 else 3)}×"


def value(line: TradeOff, side: str, bytes_as: ByteUnit) -> str:
    """One side's figure with its unit."""
    amount = line.dense if side == "dense" else line.moe
    if amount is None:
        return "–"
    if line.unit is Unit.FLOP:
        return f"{significant(amount / 1e9)} GFLOP"
    return format_value(amount, line.unit, bytes_as)


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
    yield from pays(result, bytes_as)
    yield ""
    yield (
        f"Router of layer {router.layer}: top-{router.spec.top_k} of {router.spec.experts}, batch {batch.batch}: "
        f"{batch.touched} experts touched ({batch.touched_expected:.1f} if the choice were uniform), fullest / mean "
        f"{significant(batch.imbalance)}, entropy {batch.entropy:.3f}"
    )
    yield (
        f"Over {router.ep} GPUs the fullest has {significant(router.linear.slowdown)} × the mean load, "
        f"{significant(router.replicated.slowdown)} × with hot experts copied"
        f"{'; ' + router.ep_note if router.ep_note else ''}"
    )
    if batch.capacity is not None:
        yield (
            f"Capacity {batch.capacity} tokens per expert: {batch.assignments_dropped} assignments overflow, "
            f"{batch.tokens_dropped} tokens lose an expert"
        )


def as_json(result: MoeResult, *, explain: bool = False) -> dict[str, object]:
    """The section as plain values for scripts."""
    router = result.router
    return {
        "dense": _side(result.dense),
        "moe": _side(result.moe),
        "batch_tokens": result.batch,
        "even_batch": result.even_batch,
        "same_gpus": result.budget,
        "same_gpus_reason": result.budget_words,
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
            "top_k_of_model": router.own_top_k,
            "shared_experts": router.spec.shared_experts,
            "groups": router.spec.groups,
            "gate": router.spec.gate,
            "moe_layers": len(router.moe_layers),
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
