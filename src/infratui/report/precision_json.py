"""A precision as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .precision_words import (
    decode_reason,
    prefill_reason,
)
from .published import quality_text

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.sections.precision_rows import PrecisionRow
    from ..engine.sections.quantization import QuantizationResult


def row_data(result: QuantizationResult, row: PrecisionRow, *, explain: bool) -> dict[str, Any]:
    """Memory, speed and quality; what it is made of where math is asked for."""
    found: dict[str, Any] = {
        "precision": row.precision.id,
        "label": row.precision.label,
        "chosen": row is result.chosen,
        "weights_bytes": row.weights,
        "bits_per_weight": row.bits_per_weight,
        "saved_pct": row.saved_pct,
        "gpus": row.gpus,
        "layout": row.least.plan.layout.label if row.least.plan else None,
        "gpus_reason": row.least.reason,
        "gpus_weights_alone": row.gpus_alone,
        "gpus_weights_alone_reason": row.alone.reason,
        "arithmetic": row.arithmetic,
        "speed": None,
        "rule_of_thumb": {
            "weights_bytes": row.rule.weights,
            "gpus_weights_alone": row.rule.gpus,
            "speed": row.rule.speed,
            "speed_against_fp32": row.rule.speed_fp32,
        },
        "quality": row.quality.badge,
        "quality_reason": quality_text(row.quality),
        "evidence": [
            {
                "model": entry.model,
                "method": entry.method,
                "metric": entry.metric,
                "baseline": entry.baseline,
                "quantized": entry.quantized,
                "loss_pct": entry.loss_percent,
                "source": entry.source,
            }
            for entry in row.quality.rows
        ],
        "source": row.precision.source,
    }
    if row.speed is not None:
        found["speed"] = {
            "decode": row.speed.decode,
            "decode_one_user": row.speed.decode_alone,
            "prefill": row.speed.prefill,
            "decode_step_ms": 1e3 * row.speed.step_s,
            "prompt_ms": 1e3 * row.speed.prompt_s,
            "decode_bound": row.speed.bound,
            "why_decode": decode_reason(row.speed, row),
            "why_prefill": prefill_reason(row.speed, row),
        }
    if explain:
        found["derivations"] = result.derivations(row)
    return found
