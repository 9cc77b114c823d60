"""A layout with its prediction as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .interval import ends
from .reasons import reason_text, reasons_text

if TYPE_CHECKING:
    from ..engine.sections.layout_table import LayoutRow
    from ..engine.sections.parallelism import Chosen
    from ..engine.speed import Band, Interval


def interval_of(band: Band | None) -> Interval | None:
    """What holds 80 % of unseen rows; None without measured data."""
    return band.interval if band else None


def _serving_data(row: LayoutRow | Chosen) -> dict[str, Any]:
    serving = row.serving
    if serving is None:
        return {"ttft_ms": None, "tpot_ms": None, "output_tokens_per_s": None}
    return {
        "ttft_ms": serving.ttft_s * 1e3,
        "tpot_ms": serving.tpot_s * 1e3,
        "output_tokens_per_s": serving.output_per_s,
        "output_tokens_per_s_per_gpu": serving.output_per_s_per_gpu,
        "batch_per_replica": serving.batch,
        "bound": serving.bound,
        "mbu": serving.mbu,
        "mfu": serving.mfu,
        "bubble": serving.bubble,
    }


def _sizes(row: LayoutRow | Chosen) -> dict[str, int]:
    layout = row.layout
    return {"tp": layout.tp, "pp": layout.pp, "dp": layout.dp, "ep": layout.ep, "dcp": layout.dcp}


def chosen_data(chosen: Chosen) -> dict[str, Any]:
    """The layout that every section shows, with its prediction."""
    serving = chosen.serving
    figures = {
        "ttft_ms": (None if serving is None else serving.ttft_s * 1e3, chosen.ttft_band),
        "tpot_ms": (None if serving is None else serving.tpot_s * 1e3, chosen.tpot_band),
        "output_tokens_per_s": (None if serving is None else serving.output_per_s, chosen.throughput_band),
    }
    intervals: dict[str, float | None] = {}
    for name, (value, band) in figures.items():
        intervals |= ends(name, value, interval_of(band))
    return {
        **_sizes(chosen),
        "forced": chosen.forced,
        "reasons": [reason_text(reason) for reason in chosen.reasons],
        "idle_gpus": chosen.idle,
        "memory_short_bytes": chosen.memory.missing,
        "memory_free_bytes": chosen.memory.free,
        **_serving_data(chosen),
        "no_speed": chosen.no_speed,
        **intervals,
    }


def row_data(row: LayoutRow) -> dict[str, Any]:
    """One layout of the table."""
    traffic = row.traffic
    return {
        "layout": row.layout.label,
        **_sizes(row),
        "gpus": row.layout.gpus,
        "idle_gpus": row.idle,
        "legal": row.legal,
        "reason": reasons_text(row.reasons, between="; "),
        **_serving_data(row),
        "kv_copies": row.kv_copies,
        "bytes_per_token_in_node": traffic.inside.bytes if traffic else None,
        "bytes_per_token_between_nodes": traffic.between.bytes if traffic else None,
    }
