"""Precisions by the rule of thumb in words: nominal bytes, × of FP32, the guides' badge, GPUs for the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import ByteUnit, counted, format_bytes, format_gigabytes
from .names import short_name
from .show import Answer, Cell, Column, Pillar, Pillars, Prose, Row, Says, Span, Table
from .thumb_words import GIGABYTES, unknown_text

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.sections.precision_rows import KvRow, PrecisionRow
    from ..engine.sections.quantization import QuantizationResult

_BADGES: dict[str, Span] = {
    "baseline": ("○ Baseline", ""),
    "safe": ("✓ Safe", "good"),
    "caution": ("! Caution", "tight"),
    "": ("? none given", "muted"),
}
"""The guides' badge → glyph and word, tone."""


def badge_text(row: PrecisionRow) -> str:
    """`✓ Safe`, `○ Baseline`: as guides have it."""
    return _BADGES[row.rule.quality][0]


def speed_text(row: PrecisionRow) -> str:
    """`3.5×` of FP32, as guides promise it."""
    return f"{row.rule.speed_fp32:g}×" if row.rule.speed_fp32 else "–"


def share_text(row: PrecisionRow) -> str:
    """`25 % of FP32`, in weights."""
    return f"{100 * row.rule.share_of_fp32:.3g} % of FP32"


def _cards(row: PrecisionRow, result: QuantizationResult) -> str:
    return f"{row.rule.gpus:,} × {short_name(result.accelerator)}"


def answer(result: QuantizationResult, bytes_as: ByteUnit) -> Answer:
    """The scenario's format against FP32: bytes, speed, badge; then the next smaller one."""
    row = result.chosen
    word, tone = _BADGES[row.rule.quality]
    promised = f", {speed_text(row)} its speed" if row.rule.speed_fp32 else ""
    text = f"By the rule of thumb {row.precision.label} takes {share_text(row)}{promised}"
    figure = f"{format_bytes(row.rule.weights, bytes_as)} on {_cards(row, result)} · {word}"
    smaller = [entry for entry in result.rows if entry.rule.weights < row.rule.weights]
    says = [Says("why", f"weights alone over {GIGABYTES}")]
    if smaller:
        other = max(smaller, key=lambda entry: (bool(entry.rule.speed_fp32), entry.rule.weights))
        size = format_bytes(other.rule.weights, bytes_as)
        says.append(
            Says("or", f"{other.precision.label}: {size} on {_cards(other, result)}, {_BADGES[other.rule.quality][0]}")
        )
    says.append(Says("detailed", f"as stored it weighs {format_bytes(row.weights, bytes_as)}", muted=True))
    return Answer(text, figure, tone.replace("muted", "tight") or "good", tuple(says))


def pillars(result: QuantizationResult, bytes_as: ByteUnit) -> Pillars:
    """Every way to store the weights as a standing bar."""
    return Pillars("bars", "Weights in each precision", tuple(_pillar(row, result, bytes_as) for row in result.rows))


def _pillar(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Pillar:
    count = row.rule.gpus
    facts = (
        (share_text(row), ""),
        (f"{8 * row.precision.nominal_bytes:g} bits", ""),
        (counted(count, "GPU"), ""),
        (f"speed {speed_text(row)}", ""),
        _BADGES[row.rule.quality],
    )
    label = row.precision.id.upper() if len(row.precision.label) > 10 else row.precision.label
    size = row.rule.weights
    return Pillar(row.precision.id, label, size, format_bytes(size, bytes_as), facts, row is result.chosen)


def trade_offs(result: QuantizationResult, bytes_as: ByteUnit) -> Table:
    """Every way to store the weights, against FP32."""
    columns = (
        Column("Weights in", "left", flex=True),
        Column(bytes_as.value),
        Column("bits", keep=2),
        Column("of FP32"),
        Column("GPUs"),
        Column("speed"),
        Column("Quality", "left"),
    )
    rows = tuple(_trade_row(row, result, bytes_as) for row in result.rows)
    return Table("trade", "Trade-offs by the rule of thumb: × the speed of FP32, GPUs for the weights", columns, rows)


def _trade_row(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Row:
    rule, marked = row.rule, row is result.chosen
    word, tone = _BADGES[rule.quality]
    bits = 8 * row.precision.nominal_bytes
    return Row(
        row.precision.id,
        (
            Cell(row.precision.label, "bold" if marked else ""),
            Cell(format_gigabytes(rule.weights, bytes_as), "", rule.weights),
            Cell(f"{bits:g}", "", bits),
            Cell(f"{100 * rule.share_of_fp32:.3g} %", "", rule.share_of_fp32),
            Cell(f"{rule.gpus:,}", "", rule.gpus),
            Cell(speed_text(row), "", rule.speed_fp32 or -1.0),
            Cell(word, tone, list(_BADGES).index(rule.quality)),
        ),
        marked=marked,
    )


def kv_cache(result: QuantizationResult, bytes_as: ByteUnit) -> Table:
    """Every way to store the cache of all users; empty where the rule knows no such cache."""
    columns = (
        Column("KV cache in", "left", flex=True),
        Column(bytes_as.value),
        Column("bits", keep=1),
        Column("GPUs"),
    )
    rows = tuple(_kv_row(row, bytes_as) for row in result.kv_rows if row.rule_total is not None)
    return Table("kv", "KV cache by the rule of thumb, GPUs with weights and 15 % on top", columns, rows)


def _kv_row(row: KvRow, bytes_as: ByteUnit) -> Row:
    total, bits = row.rule_total or 0, 8 * row.precision.nominal_bytes
    cells = (
        Cell(row.precision.label, "bold" if row.chosen else ""),
        Cell(format_gigabytes(total, bytes_as), "", total),
        Cell(f"{bits:g}", "", bits),
        Cell(f"{row.rule_gpus:,}", "", row.rule_gpus),
    )
    return Row(row.precision.id, cells, marked=row.chosen)


def explanation(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Prose:
    """What the rule makes of one precision."""
    rule, each = row.rule, row.precision.nominal_bytes
    speed = f"{speed_text(row)} of FP32" if rule.speed_fp32 else "guides promise nothing for it"
    says = [
        Says("size", f"parameters × {each:g} B = {format_bytes(rule.weights, bytes_as)}, {share_text(row)}"),
        Says("GPUs", f"{_cards(row, result)}: weights alone over {GIGABYTES}"),
        Says("speed", speed),
        Says("quality", "as guides have it; published tests stand below", *_BADGES[rule.quality]),
    ]
    if result.unknown_cache is not None:
        says.append(Says("KV cache", unknown_text(result.model.name, result.unknown_cache)))
    return Prose("why", f"Why: {row.precision.label}", tuple(says))


def summary(result: QuantizationResult, bytes_as: ByteUnit) -> str:
    """The answer in plain sentences."""
    said = answer(result, bytes_as)
    return f"{result.model.name}: {said.text}; {said.figure}."


def data(result: QuantizationResult) -> dict[str, Any]:
    """The section as plain values."""
    unknown = result.unknown_cache
    return {
        "model": result.model.id,
        "accelerator": result.accelerator.id,
        "estimator": result.estimator,
        "summary": summary(result, ByteUnit.GB),
        "precisions": [
            {
                "precision": row.precision.id,
                "label": row.precision.label,
                "chosen": row is result.chosen,
                "weights_bytes": row.rule.weights,
                "bits_per_weight": 8 * row.precision.nominal_bytes,
                "share_of_fp32": row.rule.share_of_fp32,
                "gpus_weights_alone": row.rule.gpus,
                "speed_against_fp32": row.rule.speed_fp32,
                "quality": row.rule.quality or None,
            }
            for row in result.rows
        ],
        "kv_cache": [
            {
                "precision": row.precision.id,
                "total_bytes": row.rule_total,
                "gpus": row.rule_gpus,
                "chosen": row.chosen,
            }
            for row in result.kv_rows
        ],
        "kv_cache_reason": None if unknown is None else unknown_text(result.model.name, unknown),
    }
