"""Memory in words: the headline, why it takes as many GPUs as it does, the summary, and the section as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..engine.figures.units import GIB, ByteUnit, format_bytes, format_count, format_gigabytes, format_tokens
from .deployment import reason_text

if TYPE_CHECKING:
    from ..engine.sections.vram_result import Estimate, VramResult


def short_name(name: str, vendor: str) -> str:
    """An accelerator's name without its maker: `H100 SXM`."""
    return name.removeprefix(vendor).strip() or name


def total_text(estimate: Estimate, bytes_as: ByteUnit) -> str:
    """`409 GB ±4 %`."""
    band = f" ±{estimate.band_pct:.0f} %" if estimate.band_pct is not None else ""
    return f"{format_bytes(estimate.total, bytes_as)}{band}"


def chosen(result: VramResult) -> str:
    """`8 × H100 SXM`."""
    accelerator = result.selected.accelerator
    return f"{result.selected.gpus} × {short_name(accelerator.name, accelerator.vendor)}"


def verdict(result: VramResult, bytes_as: ByteUnit) -> str:
    """Whether the chosen GPUs hold the load, and by how much."""
    selected = result.selected
    name = chosen(result)
    if selected.plan is None:
        return f"{name}: no legal layout"
    layout = selected.plan.layout.label
    if selected.verdict == "no":
        short = format_bytes(selected.missing, bytes_as)
        add = f"; {selected.missing_gpus} more would do" if selected.missing_gpus else ""
        return f"{name} {'do' if selected.gpus > 1 else 'does'} not hold it: {short} short per GPU{add}"
    free = format_bytes(selected.plan.free, bytes_as)
    hold = "hold it" if selected.gpus > 1 else "holds it"
    barely = " barely" if selected.verdict == "tight" else ""
    return f"{name}{barely} {hold} as {layout}, {free} free per GPU"


def reasons(result: VramResult, bytes_as: ByteUnit) -> str:
    """Why so many GPUs, and what the other estimator says."""
    parts = []
    least, selected = result.smallest, result.selected
    if (plan := selected.plan) is not None:
        parts.append(f"max {format_count(plan.max_users)} users, or {format_tokens(plan.max_context)} tokens each")
    if least.plan is not None:
        need = least.plan.layout.gpus
        if least.arithmetic is not None and least.arithmetic != need:
            parts.append(f"{least.arithmetic} → {need} GPUs at least: {least.reason}")
        else:
            parts.append(f"{need} GPU{'s' if need > 1 else ''} at least")
    elif least.reason:
        parts.append(least.reason)
    other = result.rule_of_thumb if result.estimator == "detailed" else result.detailed
    parts.append(f"{other.estimator.replace('-', ' ')} says {format_bytes(other.total, bytes_as)}")
    return " · ".join(parts)


def summary(result: VramResult, bytes_as: ByteUnit) -> str:
    """The answer in plain sentences, for a ticket or a chat."""
    headline, load = result.headline, result.load
    parts = " + ".join(
        f"{label} {format_bytes(amount, bytes_as)}"
        for label, amount in (
            ("weights", headline.weights), ("KV cache", headline.kv_cache), ("runtime", headline.runtime)
        )
    )  # fmt: skip
    fill = f", filled {load.mean_fill:.0%} on average" if load.mean_fill < 1 else ""
    count = f"{load.users:,} user{'s' if load.users > 1 else ''}"
    precision, cache = result.deployment.precision.label, result.deployment.kv_precision.label
    return (
        f"{result.model.name} with {precision} weights and {cache} KV cache, for {count} at "
        f"{format_tokens(load.context)} tokens{fill}: {total_text(headline, bytes_as)} ({parts}; {result.estimator} "
        f"estimate). {verdict(result, bytes_as)}. {reasons(result, bytes_as)}."
    )


def text(result: VramResult, bytes_as: ByteUnit) -> str:
    """The section for the command line: summary, parts, the table of accelerators, the start-up lines."""
    return "\n".join(_lines(result, bytes_as))


def _lines(result: VramResult, bytes_as: ByteUnit) -> Iterator[str]:
    yield summary(result, bytes_as)
    yield ""
    for name, estimate in (("detailed", result.detailed), ("rule of thumb", result.rule_of_thumb)):
        parts = (estimate.weights, estimate.kv_cache, estimate.runtime)
        weights, cache, runtime = (format_bytes(part, bytes_as) for part in parts)
        total = total_text(estimate, bytes_as)
        yield f"{name:14} {total:>16}   weights {weights}   KV cache {cache}   runtime {runtime}"
    per_user = format_bytes(result.kv_bytes_per_user, bytes_as)
    yield f"{'KV cache':14} {result.kv_bytes_per_token:,.0f} B/token, {per_user} per user"
    yield ""
    unit = bytes_as.value
    head = f"{'GPU':37}{'usable ' + unit:>12}{'GPUs':>8}  {'layout':14}"
    yield f"{head}{'free ' + unit:>10}{'max users':>11}{'max ctx':>9}  fits"
    for row in result.rows:
        name = row.accelerator.name + (" *" if row.accelerator.origin != "built-in" else "")
        usable = format_gigabytes(row.usable, bytes_as)
        if row.gpus is None or row.layout is None:
            yield f"{name:37}{usable:>12}{'–':>8}  {row.reason}"
            continue
        more = row.gpus_arithmetic is not None and row.gpus_arithmetic != row.gpus
        gpus = f"{row.gpus_arithmetic}→{row.gpus}" if more else str(row.gpus)
        free = format_gigabytes(row.free or 0, bytes_as)
        users, longest = format_count(row.max_users or 0), format_tokens(row.max_context or 0)
        place = f"{name:37}{usable:>12}{gpus:>8}  {row.layout.label:14}"
        yield f"{place}{free:>10}{users:>11}{longest:>9}  {row.verdict.value}"
    if result.startup is not None:
        yield ""
        yield "vLLM will print:"
        yield from (f"  {line}" for line in result.startup.lines)


def as_json(result: VramResult, *, explain: bool = False) -> dict[str, object]:
    """The section as plain values for scripts. Bytes are integers; GiB where the engine's own log prints GiB."""
    selected = result.selected
    plan = selected.plan
    return {
        "model": result.model.id,
        "precision": result.deployment.precision.id,
        "kv_precision": result.deployment.kv_precision.id,
        "users": result.load.users,
        "context_tokens": result.load.context,
        "estimator": result.estimator,
        "estimates": {
            estimate.estimator: {
                "weights_bytes": estimate.weights,
                "kv_cache_bytes": estimate.kv_cache,
                "runtime_bytes": estimate.runtime,
                "total_bytes": estimate.total,
                "total_gib": estimate.total / GIB,
                "band_pct": estimate.band_pct,
            }
            for estimate in (result.detailed, result.rule_of_thumb)
        },
        "checkpoint_bytes": result.checkpoint_bytes,
        "checkpoint_gib": result.checkpoint_bytes / GIB,
        "weights_by_part": {
            entry.part: {"parameters": entry.parameters, "bits": entry.bits, "bytes": entry.bytes}
            for entry in result.weights_by_part
        },
        "kv_bytes_per_token": result.kv_bytes_per_token,
        "kv_bytes_per_user": result.kv_bytes_per_user,
        "kv_gib_per_user": result.kv_bytes_per_user / GIB,
        "kv_groups": result.kv_groups,
        "fits": result.fits,
        "selected": {
            "accelerator": selected.accelerator.id,
            "gpus": selected.gpus,
            "verdict": selected.verdict,
            "missing_bytes_per_gpu": selected.missing,
            "missing_gpus": selected.missing_gpus,
            "reasons": [reason_text(reason, ByteUnit.GB) for reason in selected.reasons] or selected.refused,
            "kv_copies": selected.kv_copies,
            "layout": None if plan is None else plan.layout,
            "per_gpu": None
            if plan is None
            else {
                "visible_gib": plan.visible / GIB,
                "requested_gib": plan.requested / GIB,
                "weights_gib": plan.weights.total / GIB,
                "activation_gib": plan.runtime.activation / GIB,
                "non_torch_gib": plan.runtime.non_torch / GIB,
                "cudagraph_gib": plan.runtime.graphs / GIB,
                "kv_space_gib": plan.kv_space / GIB,
                "kv_needed_gib": plan.kv_needed / GIB,
                "free_gib": plan.free / GIB,
            },
            "kv_tokens": None if plan is None else plan.kv_tokens,
            "max_concurrency": None if plan is None else plan.concurrency,
            "max_users": None if plan is None else plan.max_users,
            "max_context": None if plan is None else plan.max_context,
        },
        "vllm_startup": None if result.startup is None else result.startup.lines,
        "accelerators": [
            {
                "id": row.accelerator.id,
                "usable_gib": row.usable / GIB,
                "gpus_arithmetic": row.gpus_arithmetic,
                "gpus": row.gpus,
                "layout": None if row.layout is None else row.layout.label,
                "nodes": row.nodes,
                "free_gib_per_gpu": None if row.free is None else row.free / GIB,
                "max_users": row.max_users,
                "max_context": row.max_context,
                "verdict": row.verdict,
                "reason": row.reason,
            }
            for row in result.rows
        ],
        **({"derivations": result.derivations} if explain else {}),
    }
