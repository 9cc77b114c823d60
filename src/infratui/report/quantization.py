"""Precisions and number formats in words: verdicts, reasons for a speed, the summaries of the quantization screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import ByteUnit, format_bytes
from ..engine.formats.quality import Assessment, Badge, Evidence

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.cluster.hardware import Accelerator
    from ..engine.formats import Encoded
    from ..engine.sections.bit_lab import LabResult
    from ..engine.sections.precision_rows import KvRow, PrecisionRow, SpeedEffect
    from ..engine.sections.quantization import QuantizationResult

GLYPHS = {Badge.SAFE: "✓", Badge.CAUTION: "!", Badge.NOTICEABLE: "▼", Badge.NO_DATA: "?"}
"""Badge → the glyph that carries it without colour."""
_UNITS = {"bf16": "16-bit", "fp8": "FP8", "int8": "INT8", "fp4": "FP4", "fp32": "FP32"}


def badge(quality: Assessment) -> str:
    """`✓ Safe`, `! Caution`, `▼ Noticeable`, `? no published data`."""
    return f"{GLYPHS[quality.badge]} {quality.badge.value}"


def times(ratio: float) -> str:
    """A multiple: `1.57×`, `12×`."""
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.2f}×"


def saved(percent: float) -> str:
    """`−49 %` for a saving, `+100 %` for more, `±0 %`."""
    if abs(percent) < 0.5:
        return "±0 %"
    return f"{'−' if percent > 0 else '+'}{abs(percent):.0f} %"


def decibels(value: float | None) -> str:
    """A signal-to-noise ratio; `exact` where nothing was lost."""
    return "exact" if value is None else f"{value:.1f} dB"


def number(value: float) -> str:
    """A weight as a person reads it: every digit of short ones, nine significant digits of long ones."""
    text = f"{value:.12g}"
    return text if float(text) == value and len(text) <= 12 else f"{value:.9g}"


def percent(share: float | None) -> str:
    """A relative error: `3.71 %`, `exact` for none; an en dash for a value of zero."""
    if share is None:
        return "–"
    if share == 0:
        return "exact"
    return f"{100 * share:.2g} %" if share < 0.001 else f"{100 * share:.2f} %"


def native(row: PrecisionRow, accelerator: Accelerator) -> str:
    """In what the products run on this accelerator, in a sentence."""
    from ..engine.sections.precision_rows import Arithmetic

    units = _UNITS[row.precision.compute]
    match row.arithmetic:
        case Arithmetic.NATIVE:
            return f"{accelerator.name} computes it natively, on its {units} units"
        case Arithmetic.UNPACKED:
            return "weights are unpacked to 16 bit before each product, so arithmetic gets no faster"
        case Arithmetic.EMULATED:
            return f"{accelerator.name} has no {units} units: products run at 16 bit"


def decode_reason(speed: SpeedEffect, row: PrecisionRow) -> str:
    """Why decode is as fast as predicted."""
    if row.is_reference and abs(speed.decode - 1) < 0.005:
        return f"{speed.weights_share:.0%} of a decode step reads weights: what fewer bits can shorten".replace(
            "%", " %"
        )
    match speed.bound:
        case "weights":
            if row.byte_ratio <= 1:
                return "decode waits for weights, and there are more of them"
            limit = f"decode waits for weights; {times(row.byte_ratio)} fewer bytes are the limit"
            return f"{limit}, and cache, collectives and launches do not shrink"
        case "kv cache":
            return "decode mostly reads the cache, which the weights' format leaves as it is"
        case "compute":
            return "at these users decode computes more than it reads, so fewer bytes help less"
        case "communication":
            return "decode waits for the GPUs to exchange results, which no format shortens"
        case "launch":
            return "weights are so few that launches and the host take most of a step"


def prefill_reason(speed: SpeedEffect, row: PrecisionRow) -> str:
    """Why prefill is as fast as predicted."""
    if speed.prefill_bound != "compute":
        return "prefill of prompts this short reads more than it computes"
    if row.arithmetic == "native" and speed.prefill > 1.05:
        return "prefill computes, and these units do it at a higher rate"
    if speed.prefill < 0.95:
        return "prefill computes, and these units do it at a lower rate"
    return "prefill computes at the 16-bit rate and gains nothing"


def rule_speed(row: PrecisionRow) -> str:
    """What the rule of thumb promises, or the byte ratio as the limit where it is silent."""
    return times(row.rule.speed) if row.rule.speed is not None else f"≤{row.byte_ratio:.1f}×"


def differs(row: PrecisionRow, users: float) -> str:
    """The rule of thumb beside the prediction."""
    speed = row.speed
    if speed is None:
        return "rule of thumb only"
    predicted = f"predicted {times(speed.decode)} decode at {users:g} users, {times(speed.decode_alone)} at one, "
    predicted += f"{times(speed.prefill)} prefill"
    if row.rule.speed is None or row.rule.speed_fp32 is None:
        return predicted
    return f"{predicted}; rule of thumb {times(row.rule.speed)} ({row.rule.speed_fp32:g}× FP32)"


def beside_rule(row: PrecisionRow) -> str:
    """The rule of thumb and the predictions apart from decode, in short."""
    rule = f"rule of thumb {times(row.rule.speed)}; " if row.rule.speed is not None else ""
    if row.speed is None:
        return f"{rule}no prediction"
    return f"{rule}at one user {times(row.speed.decode_alone)}, prefill {times(row.speed.prefill)}"


def evidence_line(row: Evidence) -> str:
    """One published comparison."""
    loss = f"{-row.loss_percent:+.1f} %" if row.higher_is_better else f"{row.loss_percent:+.1f} %"
    return (
        f"{row.model}, {row.method}: {row.metric} {row.baseline:g} → {row.quantized:g} ({loss.replace('-', '−')}) "
        f"[{row.source}]"
    )


def gpus(row: PrecisionRow, accelerator: Accelerator) -> str:
    """`8 × NVIDIA H100 SXM (TP8)`, or why none."""
    if row.least.plan is None:
        return f"no number of {accelerator.name} holds the workload: {row.least.reason}"
    layout = row.least.plan.layout
    reason = f", since {row.least.reason}" if row.least.reason else ""
    return f"{layout.gpus} × {accelerator.name} ({layout.label}{reason})"


def summary(result: QuantizationResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer of the screen in plain sentences."""
    row, base = result.chosen, result.reference
    sentences = [
        f"{result.model.name} in {row.precision.label} weighs {format_bytes(row.weights, bytes_as)}, "
        f"{row.bits_per_weight:.2f} bits per weight ({saved(row.saved_pct)} against {base.precision.label}), "
        f"and needs {gpus(row, result.accelerator)} for this workload.",
    ]
    if row.speed is not None:
        sentences.append(
            f"On {result.layout.label} it decodes {times(row.speed.decode)} as fast as {base.precision.label} at "
            f"{result.batch:g} users per replica and prefills {times(row.speed.prefill)}: "
            f"{decode_reason(row.speed, row)}; {prefill_reason(row.speed, row)}."
        )
    else:
        sentences.append(f"No speed is predicted: {result.no_speed}.")
    sentences.append(f"Quality: {row.quality.badge.value} ({row.quality.reason}).")
    best = result.safest_smallest
    if best is not None and best is not row and (best.gpus or 0) < (row.gpus or 1 << 30):
        sentences.append(f"{best.precision.label} is published as Safe and needs {gpus(best, result.accelerator)}.")
    return " ".join(sentences)


def kv_line(row: KvRow, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """One way to store the cache, in a sentence."""
    count = f"{row.gpus} GPUs" if row.gpus else "no legal layout"
    size = f"{format_bytes(row.total, bytes_as)} ({saved(row.saved_pct)})"
    return f"{row.precision.label}: {size}, {count}, {badge(row.quality)}"


def bits_text(encoded: Encoded) -> str:
    """`S0 E0110 M101`."""
    return " ".join(f"{field.letter}{field.bits}" for field in encoded.bits)


def lab_summary(lab: LabResult) -> str:
    """The lab in plain sentences."""
    encoded, entry = lab.encoded, lab.format
    shared = "; ".join(f"{stored.name} {number(stored.value)} ({stored.type})" for stored in encoded.stored)
    with_scale = f" with {shared}" if shared else ""
    text = (
        f"{lab.value:g} in {entry.label} is {number(encoded.decoded)} ({bits_text(encoded)}{with_scale}), "
        f"off by {encoded.absolute_error:.3g} ({percent(encoded.relative_error)}). "
        f"The group of {len(lab.group.values)} keeps {decibels(lab.group.snr_db)}."
    )
    if lab.outlier is not None and entry.has_block_scale:
        text += (
            f" An outlier beside it takes the others from {decibels(lab.outlier.others_before_db)} to "
            f"{decibels(lab.outlier.others_after_db)}."
        )
    return text
