"""What the Quantization screen says: headline, bars, table rows, and the explanation of one precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....engine.figures.units import ByteUnit, format_bytes, format_gigabytes
from ....engine.formats.quality import Badge
from ....report.quantization import (
    GLYPHS,
    badge,
    beside_rule,
    decibels,
    decode_reason,
    differs,
    native,
    number,
    percent,
    prefill_reason,
    rule_speed,
    saved,
    times,
)
from ....report.vram import short_name
from ...widgets.headline import Answer
from ...widgets.prose import Says
from ...widgets.table import Cell, Column, Row
from .format_bars import FormatBar

if TYPE_CHECKING:
    from ....engine.cluster.hardware import Accelerator
    from ....engine.formats.methods import QuantizationMethod
    from ....engine.formats.quality import Evidence
    from ....engine.sections.bit_lab import LabResult, Snap
    from ....engine.sections.precision_rows import KvRow, PrecisionRow
    from ....engine.sections.quantization import QuantizationResult

TONES = {Badge.SAFE: "good", Badge.CAUTION: "tight", Badge.NOTICEABLE: "bad", Badge.NO_DATA: "muted"}
_SHORT = {Badge.NO_DATA: "no data"}
_NONE = float("inf")
_ANSWERS = ("gptq", "awq", "smoothquant", "rotations")
"""Methods that exist because of outliers and rounding errors."""


def weights(row: PrecisionRow, estimator: str) -> int:
    """Bytes of the weights by the chosen estimator."""
    return row.weights if estimator == "detailed" else row.rule.weights


def gpus(row: PrecisionRow, estimator: str) -> int | None:
    """GPUs for the workload, or for the weights alone as the rule of thumb counts."""
    return row.gpus if estimator == "detailed" else row.rule.gpus


def bits(row: PrecisionRow, estimator: str) -> float:
    """Bits per weight: over the whole model, or nominal as the rule of thumb counts."""
    return row.bits_per_weight if estimator == "detailed" else 8 * row.precision.nominal_bytes


def less(row: PrecisionRow, result: QuantizationResult) -> str:
    """What is saved against 16 bit, by the chosen estimator."""
    if result.estimator == "detailed":
        return saved(row.saved_pct)
    return saved(100 * (1 - row.rule.weights / result.reference.rule.weights))


def _name(accelerator: Accelerator) -> str:
    return short_name(accelerator.name, accelerator.vendor)


def answer(result: QuantizationResult, bytes_as: ByteUnit) -> Answer:
    """The headline: the scenario's precision in a line, and why it is as fast as that."""
    row, how = result.chosen, result.estimator
    count = gpus(row, how)
    held = f"{count} × {_name(result.accelerator)}" if count else f"no {_name(result.accelerator)} layout holds it"
    parts = [f"{less(row, result)} against {result.reference.precision.label}", held, row.quality.badge.value]
    if how == "detailed":
        parts += [f"decode {times(row.speed.decode)}"] if row.speed else []
        detail = f"{beside_rule(row)}; {row.quality.reason}" if row.speed else result.no_speed
    else:
        parts += [f"speed {times(row.rule.speed)}"] if row.rule.speed else []
        detail = "by the rule of thumb: nominal bytes, GPUs for the weights alone; d shows the detailed estimate"
    return Answer(
        f"{row.precision.label}: {format_bytes(weights(row, how), bytes_as)}",
        " · ".join(parts),
        TONES[row.quality.badge].replace("muted", ""),
        detail,
    )


def bar(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> FormatBar:
    """One precision as a standing bar."""
    how = result.estimator
    count = gpus(row, how)
    size = weights(row, how)
    speed = times(row.speed.decode) if row.speed and how == "detailed" else rule_speed(row)
    quality = _SHORT.get(row.quality.badge, row.quality.badge.value)
    facts = (
        (less(row, result), ""),
        (f"{bits(row, how):.2f} bits", ""),
        (f"{count} GPU{'s' if count != 1 else ''}" if count else "no layout", "" if count else "bad"),
        (f"{'decode' if row.speed and how == 'detailed' else 'rule'} {speed}", ""),
        (f"{GLYPHS[row.quality.badge]} {quality}", TONES[row.quality.badge]),
    )
    label = row.precision.id.upper() if len(row.precision.label) > 10 else row.precision.label
    return FormatBar(row.precision.id, label, size, format_bytes(size, bytes_as), facts, marked=row is result.chosen)


def trade_columns(bytes_as: ByteUnit) -> tuple[Column, ...]:
    """Columns of the trade-off table."""
    return (
        Column("Weights in", "left", flex=True),
        Column(bytes_as.value),
        Column("bits", keep=5),
        Column("saved", sortable=False),
        Column("GPUs"),
        Column("alone", keep=6),
        Column("decode"),
        Column("one user", keep=8),
        Column("prefill", keep=1, sortable=False),
        Column("rule", keep=2, sortable=False),
        Column("products", "left", keep=7),
        Column("Quality", "left"),
    )


def trade_row(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Row:
    """One precision in the table."""
    how, speed = result.estimator, row.speed
    size, count = weights(row, how), gpus(row, how)
    marked = row is result.chosen
    own = "◆ " if row.precision.origin != "built-in" else ""
    dash = Cell("–", "muted", -1.0)
    return Row(
        row.precision.id,
        (
            Cell(own + row.precision.label, "bold" if marked else ""),
            Cell(format_gigabytes(size, bytes_as), "", size),
            Cell(f"{bits(row, how):.2f}", "", bits(row, how)),
            Cell(less(row, result), "", row.saved_pct),
            Cell(str(count), "", count) if count else Cell("none", "bad", _NONE),
            Cell(str(row.gpus_alone), "", row.gpus_alone) if row.gpus_alone else Cell("none", "bad", _NONE),
            Cell(times(speed.decode), "", speed.decode) if speed else dash,
            Cell(times(speed.decode_alone), "", speed.decode_alone) if speed else dash,
            Cell(times(speed.prefill), "", speed.prefill) if speed else dash,
            Cell(rule_speed(row), "muted", row.rule.speed or row.byte_ratio),
            Cell(row.arithmetic.value, "tight" if row.arithmetic == "emulated" else ""),
            Cell(f"{GLYPHS[row.quality.badge]} {_SHORT.get(row.quality.badge, row.quality.badge.value)}",
                 TONES[row.quality.badge], list(TONES).index(row.quality.badge)),
        ),
        marked=marked,
    )  # fmt: skip


def explanation(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> list[Says]:
    """What is behind one precision, sentence by sentence."""
    from ....engine.model.architecture import parameters

    precision, rule = row.precision, row.rule
    held = dict(parameters(result.model).parts)
    kept = [part for part in precision.parts if part.bits >= precision.bits + 1 and held.get(part.part)]
    wide = ", ".join(f"{part.part.value.replace('_', ' ')} {part.bits:g}" for part in kept)
    true = f"{row.bits_per_weight:.3f} bits per weight over the whole model, {precision.bits:g} in quantized layers"
    says = [
        Says("", precision.notes, precision.label, "key", muted=True),
        Says("size", f"{format_bytes(row.weights, bytes_as)}: {true}{f'; kept wider: {wide} bit' if wide else ''}"),
        Says("GPUs", _gpus(row, result)),
        Says("products", native(row, result.accelerator)),
    ]
    if row.speed is not None:
        says += [
            Says("decode", decode_reason(row.speed, row)),
            Says("prefill", prefill_reason(row.speed, row)),
            Says(
                "speed", f"{differs(row, result.batch)}; steps on {result.layout.label}, whether or not all fit there"
            ),
        ]
    else:
        says.append(Says("speed", f"rule of thumb only: {result.no_speed}"))
    thumb = f"{format_bytes(rule.weights, bytes_as)} on {rule.gpus} × {_name(result.accelerator)} for the weights alone"
    says.append(Says("rule", f"{thumb}; the smallest legal layout that holds them takes {row.gpus_alone or 'more'}"))
    says.append(Says("quality", row.quality.reason, badge(row.quality), TONES[row.quality.badge]))
    if row.format is not None:
        says.append(Says("native on", ", ".join(row.format.native_hardware) or "no matrix unit"))
    return says


def _gpus(row: PrecisionRow, result: QuantizationResult) -> str:
    name = _name(result.accelerator)
    if row.least.plan is None:
        return f"no number of {name} holds this workload: {row.least.reason}"
    reason = f": {row.least.reason}" if row.least.reason else ""
    alone = f"; the weights alone take {row.gpus_alone}" if row.gpus_alone else ""
    why = f" ({row.alone.reason})" if row.gpus_alone and row.alone.reason else ""
    return f"{row.gpus} × {name} as {row.least.plan.layout.label}{reason}{alone}{why}"


EVIDENCE_COLUMNS = (
    Column("Published for", "left", flex=True),
    Column("method", "left", keep=2),
    Column("metric", "left", keep=1),
    Column("baseline", keep=3),
    Column("quantized"),
    Column("change"),
    Column("source", "left", keep=4),
)


def evidence_row(place: int, entry: Evidence, grade: Badge) -> Row:
    """One published comparison; a fall of an accuracy and a rise of a perplexity are both a loss."""
    change = -entry.loss_percent if entry.higher_is_better else entry.loss_percent
    text = f"{change:+.1f} %".replace("-", "−")
    return Row(
        str(place),
        (
            Cell(entry.model),
            Cell(entry.method),
            Cell(entry.metric),
            Cell(f"{entry.baseline:g}", "", entry.baseline),
            Cell(f"{entry.quantized:g}", "", entry.quantized),
            Cell(f"{GLYPHS[grade]} {text}", TONES[grade], entry.loss_percent),
            Cell(entry.source, "muted"),
        ),
    )


def kv_columns(bytes_as: ByteUnit) -> tuple[Column, ...]:
    """Columns of the cache table."""
    return (
        Column("KV cache in", "left", flex=True),
        Column(bytes_as.value),
        Column("bits", keep=1),
        Column("saved"),
        Column("GPUs"),
        Column("Quality", "left"),
    )


def kv_row(row: KvRow, bytes_as: ByteUnit) -> Row:
    """One way to store the cache."""
    precision = row.precision
    return Row(
        precision.id,
        (
            Cell(precision.label, "bold" if row.chosen else ""),
            Cell(format_gigabytes(row.total, bytes_as), "", row.total),
            Cell(f"{precision.bits:g}", "", precision.bits),
            Cell(saved(row.saved_pct), "", row.saved_pct),
            Cell(str(row.gpus), "", row.gpus) if row.gpus else Cell("none", "bad", _NONE),
            Cell(badge(row.quality), TONES[row.quality.badge], list(TONES).index(row.quality.badge)),
        ),
        marked=row.chosen,
    )


SNAP_COLUMNS = (
    Column("Number format", "left", flex=True),
    Column("bits", keep=3),
    Column("value becomes"),
    Column("off by"),
    Column("group", keep=1),
    Column("tensor", keep=2),
    Column("→ 0", keep=4),
    Column("here", "left", keep=5),
)


def snap_row(snap: Snap, lab: LabResult, accelerator: Accelerator | None) -> Row:
    """Where the value lands in one format."""
    entry, marked = snap.format, snap.format is lab.format
    here = "native" if accelerator is not None and entry.is_native_on(accelerator.arch) else ""
    exact = 1e9
    return Row(
        entry.id,
        (
            Cell(entry.label, "bold" if marked else ""),
            Cell(f"{entry.effective_bits:.6g}", "", entry.effective_bits),
            Cell(number(snap.decoded), "", snap.decoded),
            Cell(percent(snap.relative_error), "", snap.relative_error or 0.0),
            Cell(decibels(snap.group_db), "", exact if snap.group_db is None else snap.group_db),
            Cell(decibels(snap.tensor_db), "", exact if snap.tensor_db is None else snap.tensor_db),
            Cell(f"{100 * snap.flushed_share:.0f} %", "bad" if snap.flushed_share > 0.01 else "", snap.flushed_share),
            Cell(here, "good"),
        ),
        marked=marked,
    )


METHOD_COLUMNS = (
    Column("Method", "left", flex=True),
    Column("weights", "left", keep=2),
    Column("calibration", "left"),
    Column("engines", "left", keep=3),
    Column("here", "left"),
)


def method_row(method: QuantizationMethod, accelerator: Accelerator) -> Row:
    """One method."""
    runs = method.runs_on_arch(accelerator.arch)
    return Row(
        method.id,
        (
            Cell(method.label),
            Cell(method.weights),
            Cell(method.calibration.value),
            Cell(", ".join(method.engines)),
            Cell("✓ runs" if runs else "✗ no", "good" if runs else "bad"),
        ),
    )


def method_says(method: QuantizationMethod) -> list[Says]:
    """One method in full."""
    return [
        Says("", method.does, method.label, "key"),
        Says("idea", method.idea),
        Says("weights", f"{method.weights}; activations {method.activations}"),
        Says("data", method.calibration_data),
        Says("products", method.compute),
        Says("engines", ", ".join(method.engines)),
        Says("GPUs", ", ".join(method.runs_on)),
        Says("choose", method.choose_when),
        Says("avoid", method.avoid_when),
        Says("source", method.source, muted=True),
    ]


def outlier_says(lab: LabResult, methods: tuple[QuantizationMethod, ...]) -> list[Says]:
    """What one outlier does to its group, and which methods answer it."""
    effect, entry = lab.outlier, lab.format
    if effect is None:
        says = [Says("", "A value alone has nobody to harm: give weights beside it.")]
    else:
        others = len(effect.before.values) - 1
        size = number(effect.after.values[effect.index])
        says = [Says("", f"Weight {effect.index + 1} of the group becomes an outlier of {size}.", entry.label, "key")]
        before, after = decibels(effect.others_before_db), decibels(effect.others_after_db)
        zeros = f"{effect.others_flushed_after} of them become zero, {effect.others_flushed_before} did before"
        if entry.has_block_scale:
            says.append(Says("", f"is what the other {others} keep; {zeros}.", f"{before} → {after}", "bad"))
            says.append(Says("", "The scale follows the largest weight of a block, so all others get coarser steps."))
        else:
            says.append(Says("", f"is what the other {others} keep: no scale is shared.", after, "good"))
    if lab.rotation is not None and entry.has_block_scale:
        plain, rotated = decibels(lab.rotation.plain_db), decibels(lab.rotation.rotated_db)
        says.append(Says("", "for the whole group when it is rotated first.", f"{plain} → {rotated}", "good"))
    answers = (method for method in methods if method.id in _ANSWERS)
    says.extend(Says("", method.idea, method.label, "key") for method in answers)
    return says
