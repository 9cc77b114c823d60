"""One side of the comparison as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .deployment import placed_label
from .interval import ends

if TYPE_CHECKING:
    from ..engine.sections.moe_side import Served, Side


def side_data(side: Side) -> dict[str, object]:
    """One model: sizes, what a step reads, and the GPUs of either count."""
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
        "fewest_gpus": _served_data(side.fewest),
        "same_gpus": _served_data(side.budget),
    }


def _served_data(on: Served) -> dict[str, object]:
    serving = on.serving
    return {
        "gpus": on.gpus,
        "layout": None if on.memory is None else placed_label(on.memory.layout, on.pools),
        "reason": on.reason,
        "ttft_ms": None if serving is None else serving.ttft_s * 1e3,
        "tpot_ms": None if serving is None else serving.tpot_s * 1e3,
        "output_tokens_per_s": None if serving is None else serving.output_per_s,
        "usd_per_mtok": on.usd_per_mtok,
        **ends("tpot_ms", None if serving is None else serving.tpot_s * 1e3, on.interval),
    }
