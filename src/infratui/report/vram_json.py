"""Memory as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import (
    GIB,
    ByteUnit,
)
from .deployment import way_flag, way_text
from .reasons import reason_text

if TYPE_CHECKING:
    from ..engine.sections.vram import VramResult


def data(result: VramResult, *, explain: bool = False) -> dict[str, object]:
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
        "kv_offload": [
            {
                "tier": tier.name,
                "bytes_per_gpu": tier.capacity or None,
                "bytes_per_s": tier.bandwidth,
                "more_users": tier.users,
                "ttft_cost_s": tier.restore_s,
                "recompute_s": tier.recompute_s,
            }
            for tier in result.tiers
        ],
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
        "ways_out": [
            {
                "change": dict(entry.changes),
                "words": way_text(entry),
                "flag": way_flag(entry),
                "gpus": entry.gpus,
                "holds": entry.holds,
            }
            for entry in result.ways
        ],
        "vllm_startup": None if result.startup is None else result.startup.lines,
        "accelerators": [
            {
                "id": row.accelerator.id,
                "usable_gib": row.usable / GIB,
                "usd_per_month": result.monthly(row),
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
    }
