"""Precisions beside each other: the trade-off, the pillars, the cache formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import ByteUnit, counted, format_bytes, format_gigabytes
from . import thumb_precisions
from .precision_words import (
    rule_speed,
    saved,
    times,
)
from .published import GLYPHS, SHORT, TONES, badge
from .show import Cell, Column, Pillar, Pillars, Row, Table

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.sections.precision_rows import KvRow, PrecisionRow
    from ..engine.sections.quantization import QuantizationResult


NOT_COUNTED = float("inf")


def pillars(result: QuantizationResult, bytes_as: ByteUnit) -> Pillars:
    """Every way to store the weights as a standing bar, with what matters about each below it."""
    if result.estimator != "detailed":
        return thumb_precisions.pillars(result, bytes_as)
    return Pillars("bars", "Weights in each precision", tuple(_pillar(row, result, bytes_as) for row in result.rows))


def _pillar(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Pillar:
    count, size = row.gpus, row.weights
    step = "decode" if result.model.answers else "prefill"
    predicted = row.speed and (row.speed.decode if result.model.answers else row.speed.prefill)
    speed = times(predicted) if predicted else rule_speed(row)
    quality = SHORT.get(row.quality.badge, row.quality.badge.value)
    facts = (
        (saved(row.saved_pct), ""),
        (f"{row.bits_per_weight:.2f} bits", ""),
        (counted(count, "GPU") if count else "no layout", "" if count else "bad"),
        (f"{step if row.speed else 'rule'} {speed}", ""),
        (f"{GLYPHS[row.quality.badge]} {quality}", TONES[row.quality.badge]),
    )
    label = row.precision.id.upper() if len(row.precision.label) > 10 else row.precision.label
    return Pillar(row.precision.id, label, size, format_bytes(size, bytes_as), facts, row is result.chosen)


def trade_offs(result: QuantizationResult, bytes_as: ByteUnit) -> Table:
    """Every way to store the weights."""
    if result.estimator != "detailed":
        return thumb_precisions.trade_offs(result, bytes_as)
    users = f"{result.batch:g} user{'s' if result.batch != 1 else ''} per replica"
    title = f"Trade-offs: speed against {result.reference.precision.label} on {result.layout.label}, {users}"
    rows = tuple(_trade_row(row, result, bytes_as) for row in result.rows)
    return Table("trade", title, _trade_columns(result, bytes_as), rows)


def kv_cache(result: QuantizationResult, bytes_as: ByteUnit) -> Table:
    """Every way to store the cache."""
    if result.estimator != "detailed":
        return thumb_precisions.kv_cache(result, bytes_as)
    kept = result.kv_rows
    if not any(row.total for row in kept):
        kept = tuple(row for row in kept if row.chosen)
    title = "KV cache, apart from the weights" if len(kept) > 1 else "KV cache: a pass leaves none behind"
    return Table("kv", title, _kv_columns(bytes_as), tuple(_kv_row(row, bytes_as) for row in kept))


def _trade_columns(result: QuantizationResult, bytes_as: ByteUnit) -> tuple[Column, ...]:
    """Columns of the trade-off table; a model that writes nothing decodes nothing."""
    decode = (Column("decode"), Column("one user", keep=8)) if result.model.answers else ()
    return (
        Column("Weights in", "left", flex=True),
        Column(bytes_as.value),
        Column("bits", keep=5),
        Column("saved", sortable=False),
        Column("GPUs"),
        Column("alone", keep=6),
        *decode,
        Column("prefill", keep=1, sortable=False),
        Column("rule", keep=2, sortable=False),
        Column("products", "left", keep=7),
        Column("Quality", "left"),
    )


def _trade_row(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Row:
    """One precision in the table."""
    speed, size, count = row.speed, row.weights, row.gpus
    marked = row is result.chosen
    own = "◆ " if row.precision.origin != "built-in" else ""
    dash = Cell("–", "muted", -1.0)
    decode = (
        (
            Cell(times(speed.decode), "", speed.decode) if speed else dash,
            Cell(times(speed.decode_alone), "", speed.decode_alone) if speed else dash,
        )
        if result.model.answers
        else ()
    )
    return Row(
        row.precision.id,
        (
            Cell(own + row.precision.label, "bold" if marked else ""),
            Cell(format_gigabytes(size, bytes_as), "", size),
            Cell(f"{row.bits_per_weight:.2f}", "", row.bits_per_weight),
            Cell(saved(row.saved_pct), "", row.saved_pct),
            Cell(str(count), "", count) if count else Cell("none", "bad", NOT_COUNTED),
            Cell(str(row.gpus_alone), "", row.gpus_alone) if row.gpus_alone else Cell("none", "bad", NOT_COUNTED),
            *decode,
            Cell(times(speed.prefill), "", speed.prefill) if speed else dash,
            Cell(rule_speed(row), "muted", row.rule.speed or row.byte_ratio),
            Cell(row.arithmetic.value, "tight" if row.arithmetic == "emulated" else ""),
            Cell(f"{GLYPHS[row.quality.badge]} {SHORT.get(row.quality.badge, row.quality.badge.value)}",
                 TONES[row.quality.badge], list(TONES).index(row.quality.badge)),
        ),
        marked=marked,
    )  # fmt: skip


def _kv_columns(bytes_as: ByteUnit) -> tuple[Column, ...]:
    """Columns of the cache table."""
    return (
        Column("KV cache in", "left", flex=True),
        Column(bytes_as.value),
        Column("bits", keep=1),
        Column("saved"),
        Column("GPUs"),
        Column("Quality", "left"),
    )


def _kv_row(row: KvRow, bytes_as: ByteUnit) -> Row:
    """One way to store the cache."""
    precision = row.precision
    return Row(
        precision.id,
        (
            Cell(precision.label, "bold" if row.chosen else ""),
            Cell(format_gigabytes(row.total, bytes_as), "", row.total),
            Cell(f"{precision.bits:g}", "", precision.bits),
            Cell(saved(row.saved_pct), "", row.saved_pct),
            Cell(str(row.gpus), "", row.gpus) if row.gpus else Cell("none", "bad", NOT_COUNTED),
            Cell(badge(row.quality), TONES[row.quality.badge], list(TONES).index(row.quality.badge)),
        ),
        marked=row.chosen,
    )
