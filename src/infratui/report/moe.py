"""Dense beside mixture of experts in words: the verdict, the summary, and every panel of the section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import (
    ByteUnit,
    counted,
    format_bytes,
    format_count,
    format_seconds,
    significant,
)
from ..engine.model.parts import Part as ModelPart
from .deployment import placed_label
from .interval import around
from .moe_json import side_data
from .moe_router import loads, placement, router, times
from .moe_tables import side_by_side, trade_offs
from .money import money
from .reasons import reason_text
from .show import Answer, Block, Prose, Says, Stacks

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.moe import MoeResult
    from ..engine.sections.moe_side import Served, Side

ASSUMED = ("router_batch", "router_top_k", "router_skew", "input_tokens", "output_tokens", "prefix_hit")
"""Inputs that the summary rests on without naming them."""


def evaluate(evaluation: Evaluation) -> MoeResult:
    """The section's result."""
    return evaluation.moe


def derivations(result: MoeResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: MoeResult, bytes_as: ByteUnit) -> Answer:
    """Compute against memory, who is faster on the same GPUs, why, and where that turns."""
    compute, memory = ratios(result)
    dense = result.dense.model.name
    text = f"MoE: {compute} the arithmetic and {memory} the memory of the dense {dense}"
    says = [Says("why", held_and_read(result, bytes_as)), Says("or", turns(result))]
    if result.budget_reason:
        says.append(Says("GPUs", reason_text(result.budget_reason), muted=True))
    return Answer(text, faster(result), "", tuple(says))


def faster(result: MoeResult) -> str:
    """Who makes more tokens per second on the same GPUs."""
    first, second = result.dense.budget.serving, result.moe.budget.serving
    if not first or not second:
        reasons = (reason_text(side.budget.reason) for side in (result.dense, result.moe) if side.budget.reason)
        return next(reasons, "no prediction for both")
    lead = "the dense one" if first.output_per_s > second.output_per_s else "the MoE"
    most, least = sorted((first.output_per_s, second.output_per_s), reverse=True)
    ratio = f"{times(most / least)} faster" if most / least >= 1.005 else "as fast"
    return f"on {counted(result.budget, 'GPU')} each {lead} is {ratio}"


def held_and_read(result: MoeResult, bytes_as: ByteUnit) -> str:
    """Memory is for all experts, a step reads those that its tokens choose."""
    router = result.router
    tokens = "1 token" if router.batch.batch == 1 else f"{router.batch.batch:,} tokens"
    return (
        f"all {router.spec.experts} experts must be in memory ({format_bytes(result.moe.weight_bytes, bytes_as)}); "
        f"a step of {tokens} reads {router.batch.touched} of them"
    )


def turns(result: MoeResult) -> str:
    """Where the advantage in bytes read ends, in one line."""
    if result.even_batch is None:
        return "the MoE reads fewer bytes per step at any batch"
    if result.even_batch <= 1:
        return "even for one token the MoE reads more bytes than the dense one"
    return f"below {result.even_batch:,} tokens a step the MoE reads fewer bytes than the dense one, above it more"


def page(result: MoeResult, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel, in reading order."""
    return (
        weight_bars(result, bytes_as),
        side_by_side(result, bytes_as),
        trade_offs(result, bytes_as),
        router(result.router),
        loads(result.router),
        placement(result.router),
        notes(result, bytes_as),
    )


def weight_bars(result: MoeResult, bytes_as: ByteUnit) -> Stacks:
    """Both models' weights, the routed experts split into those that the batch reads and those that wait."""
    batch = result.router.batch
    share = batch.touched / result.router.spec.experts
    wholes = []
    for label, side in (("dense", result.dense), ("MoE", result.moe)):
        routed = side.bytes_of(ModelPart.ROUTED_EXPERTS)
        mlp = side.bytes_of(ModelPart.MLP, ModelPart.SHARED_EXPERTS)
        read = round(routed * share)
        rest = side.weight_bytes - routed - mlp
        amounts = (float(rest), float(mlp), float(read), float(routed - read))
        wholes.append((label, amounts, format_bytes(side.weight_bytes, bytes_as)))
    # The ghost: a dense model of the mixture's size reads all of it for every token.
    size = result.moe.weight_bytes
    ghost = f"all {format_bytes(size, bytes_as)} read"
    wholes.append(("dense of that size", (0.0, float(size), 0.0, 0.0), ghost))
    tokens = "1 token" if batch.batch == 1 else f"{batch.batch:,} tokens"
    legend = (("attention, head", "overhead"), ("MLP, shared", "weights"), (f"read by {tokens}", "key"),
              ("idle this step", "muted"))  # fmt: skip
    return Stacks("weights", "Weights", legend, tuple(wholes))


def headlines(evaluation: Evaluation, result: MoeResult) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    found = []
    for label, side in (("Dense", result.dense), ("MoE", result.moe)):
        on = side.fewest
        found += [
            headline(f"{label}: weights", side.weight_bytes, Unit.BYTES),
            headline(f"{label}: read per token", side.read_bytes_per_token, Unit.BYTES),
            headline(f"{label}: GPUs", on.gpus or None, words=reason_text(on.reason)),
            headline(
                f"{label}: 1M tokens", on.usd_per_mtok, Unit.USD_PER_MTOK, words=reason_text(on.reason) or "no price"
            ),
        ]
    return tuple(found)


def summary(result: MoeResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences."""
    parts = (
        _lead(result, bytes_as),
        fewest(result),
        same(result),
        sentence(result, bytes_as),
        even_batch(result),
        offload(result, bytes_as),
        result.quality_caveat,
    )
    return " ".join(part for part in parts if part)


def _lead(result: MoeResult, bytes_as: ByteUnit) -> str:
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
    sides = (served(side, side.fewest, result.currency) for side in (result.dense, result.moe))
    return f"On the fewest GPUs: {'; '.join(sides)}."


def same(result: MoeResult) -> str:
    """What each side does on the same GPUs; empty where that has been said."""
    if all(side.fewest.gpus == result.budget for side in (result.dense, result.moe)):
        return ""
    why = f" ({reason_text(result.budget_reason)})" if result.budget_reason else ""
    return (
        f"On {counted(result.budget, 'GPU')} each{why}: {served(result.dense, result.dense.budget, result.currency)}; "
        f"{served(result.moe, result.moe.budget, result.currency)}."
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
        for_dense.append(f"it starts on {counted(small[0], 'GPU')} where {moe.model.name} takes {small[1]}")
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


def served(side: Side, on: Served, currency: str) -> str:
    """A model on some GPUs, in words."""
    if on.memory is None or on.serving is None:
        return f"{side.model.name}: {reason_text(on.reason) or 'no legal layout'}"
    cost = "" if on.usd_per_mtok is None else f", {money(on.usd_per_mtok, currency)}/1M tokens"
    tpot = around(on.serving.tpot_s, on.interval, format_seconds) or " (no measured data)"
    return (
        f"{side.model.name} takes {on.gpus} as {placed_label(on.memory.layout, on.pools)}, "
        f"{significant(on.serving.output_per_s)} tokens/s at TPOT {format_seconds(on.serving.tpot_s)}{tpot}{cost}"
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
        held = counted(found.in_memory_gpus, "GPU")
        beside = f" instead of {significant(found.in_memory_per_s)} with all of them on {held}"
    return (
        f"With the experts in host memory {format_bytes(found.resident_bytes, bytes_as)} of weights stay on the GPU, "
        f"and a batch of {result.batch} fetches {format_bytes(found.bytes_per_step, bytes_as)} per step over "
        f"{found.link}: at most {significant(found.tokens_per_s)} tokens/s{beside}."
    )


def notes(result: MoeResult, bytes_as: ByteUnit) -> Prose:
    """When which model pays, in words."""
    for_dense, for_moe = pays(result, bytes_as)
    parts = (
        ("memory, speed", sentence(result, bytes_as).partition(": ")[2]),
        ("dense pays", for_dense),
        ("MoE pays", for_moe),
        ("bytes", even_batch(result)),
        ("offload", offload(result, bytes_as)),
        ("quality", result.quality_caveat),
        *((("GPUs", f"{reason_text(result.budget_reason)}."),) if result.budget_reason else ()),
    )
    return Prose("notes", "When which pays", tuple(Says(label, text) for label, text in parts))


def data(result: MoeResult, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values, units in the key names."""
    router = result.router
    return {
        "dense": side_data(result.dense),
        "moe": side_data(result.moe),
        "batch_tokens": result.batch,
        "even_batch": result.even_batch,
        "same_gpus": result.budget,
        "same_gpus_reason": result.budget_reason,
        "trade_offs": [
            {
                "name": line.name, "dense": line.dense, "moe": line.moe, "unit": line.unit, "winner": line.winner,
                "ratio": line.ratio, "words": line.words or line.reason or "",
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
    }  # fmt: skip
