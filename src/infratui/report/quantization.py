"""Precisions and number formats in words: verdicts, reasons for a speed, and every panel of the section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.cluster.abilities import Cannot
from ..engine.figures.compare import Better, Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, counted, format_bytes
from ..engine.formats.quality import Assessment, Badge, QualityBasis
from ..engine.metrics import metric
from . import thumb_precisions
from .interval import ends
from .names import short_name
from .precision_json import row_data
from .precision_tables import NOT_COUNTED, kv_cache, pillars, trade_offs
from .precision_words import (
    LINK,
    beside_rule,
    decode_reason,
    differs,
    native,
    prefill_reason,
    saved,
    times,
)
from .published import TONES, badge, evidence, methods, quality_text
from .reasons import reason_text
from .show import Answer, Block, Prose, Says

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.cluster.hardware import Accelerator
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.precision_rows import PrecisionRow
    from ..engine.sections.quantization import QuantizationResult

ASSUMED = (
    "input_tokens", "output_tokens", "prefix_hit", "engine", "utilization", "max_batched_tokens", "max_num_seqs",
)  # fmt: skip
"""Inputs that the summary rests on without naming them."""
_LEADS = {Badge.SAFE: "Yes", Badge.CAUTION: "Yes, with care", Badge.NO_DATA: "Perhaps"}
"""By published quality, where a format gains something at all."""


def evaluate(evaluation: Evaluation) -> QuantizationResult:
    """The section's result."""
    return evaluation.quantization


def derivations(result: QuantizationResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations(result.chosen)


def answer(result: QuantizationResult, bytes_as: ByteUnit) -> Answer:
    """Whether to quantize, and to what; what decides the GPUs; what else there is."""
    if result.estimator != "detailed":
        return thumb_precisions.answer(result, bytes_as)
    row = advised(result)
    if row is None:
        text = f"No: no format below 16 bit is published as safe for {result.model.name}"
        chosen = result.chosen
        decided = Says("decides", decides(chosen, result, bytes_as))
        return Answer(text, "", "tight", (decided, _speed(chosen, result), *_smaller(chosen, result)))
    badge_, label, name = row.quality.badge, row.precision.label, short_name(result.accelerator)
    size = f"{format_bytes(row.weights, bytes_as)}, {saved(row.saved_pct)} against {result.reference.precision.label}"
    if _is_refused(row):
        # No question of formats: it is said as on every screen.
        return Answer(reason_text(row.least.reason), "", "bad", _smaller(row, result))
    decided, speed = Says("decides", decides(row, result, bytes_as)), _speed(row, result)
    if row.gpus is None:
        return Answer(f"No: {decided.text}", size, "bad", (speed, *_smaller(row, result)))
    lead = _LEADS.get(badge_, "No")
    if lead != "No" and not result.gains(row):
        best = _best(result)
        better = (_or(best, result),) if best is not None and result.gains(best) else ()
        text = f"No: {label} saves no {name} and {pace_text(row, result)}"
        return Answer(text, size, "tight", (decided, speed, *better))
    take = "" if row is result.chosen else "take "
    text = f"{lead}: {take}{label}{LINK if take else ' '}{effects(row, result)}"
    lines = decided, speed, *_smaller(row, result)
    return Answer(text, size, TONES[badge_].replace("muted", "tight"), lines)


def advised(result: QuantizationResult) -> PrecisionRow | None:
    """The scenario's format where it is below 16 bit; else the best."""
    if result.chosen.bits_per_weight < result.reference.bits_per_weight - 1:
        return result.chosen
    return _best(result)


def _best(result: QuantizationResult) -> PrecisionRow | None:
    """Of the safe formats below 16 bit the one with the fewest GPUs, then the fastest."""
    safe = [
        row
        for row in result.rows
        if row.quality.badge is Badge.SAFE and result.advisable(row)
        and row.bits_per_weight < result.reference.bits_per_weight - 1
    ]  # fmt: skip
    return min(safe, key=lambda row: (row.gpus or NOT_COUNTED, -(row.speed.decode if row.speed else 0.0)), default=None)


def effects(row: PrecisionRow, result: QuantizationResult) -> str:
    """What a format does to weights, quality and speed: `halves the weights, keeps quality and decodes 1.4×`."""
    share = row.weights / result.reference.weights
    size = "halves the weights" if 0.47 <= share <= 0.56 else f"takes {1 - share:.0%} off the weights"
    quality = _keeps(row.quality)
    pace = pace_text(row, result)
    if not pace:
        return f"{size}; {quality}"
    but = ", but" if result.slows(row) else " and"
    if row.quality.badge is Badge.NO_DATA and row.quality.basis is not QualityBasis.RELEASED:
        return f"{size}{but} {pace}; {quality}"
    return f"{size}, {quality}{but} {pace}"


def pace_text(row: PrecisionRow, result: QuantizationResult) -> str:
    """What a format does to what requests wait for: `decodes 1.40× as fast`; empty where that is not predicted."""
    pace, does = result.pace(row), "decodes" if result.is_decoding else "reads"
    return "" if pace is None else f"{does} {times(pace)} as fast"


def _keeps(quality: Assessment) -> str:
    if quality.basis is QualityBasis.RELEASED:
        return "is what the model was released in"
    tests = len(quality.rows)
    published = f"{tests} published test{'' if tests == 1 else 's'}"
    return {
        Badge.SAFE: f"keeps quality ({published})",
        Badge.CAUTION: f"costs a little quality ({published})",
        Badge.NO_DATA: "no quality is published for it",
    }.get(quality.badge, f"loses quality ({published})")


def decides(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> str:
    """Whether the weights or the cache decide how many GPUs it takes."""
    base = result.reference
    name = short_name(result.accelerator)
    mine, before = row.gpus, base.gpus
    cache = next((entry.total for entry in result.kv_rows if entry.chosen), 0)
    beside = f"KV cache {format_bytes(cache, bytes_as)}, weights {format_bytes(row.weights, bytes_as)}"
    if mine is None:
        return f"no number of {name} holds it: {reason_text(row.least.reason)}"
    if before is None:
        return f"it fits at all: on {mine} × {name}, where {base.precision.label} fits on none"
    if mine < before:
        return f"{mine} × {name} hold{'s' if mine == 1 else ''} the load instead of {before}"
    what = "the cache decides, not the weights" if cache > row.weights else "layers and heads split only so far"
    return f"it still takes {mine} × {name}: {what} ({beside})"


def _speed(row: PrecisionRow, result: QuantizationResult) -> Says:
    """What the rule promises beside the predictions."""
    words = beside_rule(row, answers=result.model.answers) if row.speed else reason_text(result.why_no_speed(row))
    return Says("speed", words)


def _smaller(row: PrecisionRow, result: QuantizationResult) -> tuple[Says, ...]:
    """The next smaller format that the engine serves, the best published first; none where there is none."""
    smaller = [
        entry for entry in result.rows if entry.bits_per_weight < row.bits_per_weight - 1 and not _is_refused(entry)
    ]
    if not smaller:
        return ()
    best = max(smaller, key=lambda entry: (-list(TONES).index(entry.quality.badge), entry.bits_per_weight))
    return (_or(best, result),)


def _or(other: PrecisionRow, result: QuantizationResult) -> Says:
    speed = f", decode {times(other.speed.decode)}" if other.speed and result.model.answers else ""
    takes = counted(count, "GPU") if (count := other.gpus) else "no layout"
    return Says("or", f"{other.precision.label}: {saved(other.saved_pct)}, {takes}{speed}, {badge(other.quality)}")


def _is_refused(row: PrecisionRow) -> bool:
    """The engine does not serve it, whatever the number of GPUs."""
    return row.least.reason is not None and isinstance(row.least.reason.kind, Cannot)


def page(result: QuantizationResult, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel of the trade-offs, in reading order."""
    chosen = result.chosen
    return (
        pillars(result, bytes_as),
        trade_offs(result, bytes_as),
        explanation(chosen, result, bytes_as),
        evidence(chosen, result),
        kv_cache(result, bytes_as),
        methods(result),
    )


def rest(evaluation: Evaluation, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """The bit lab beside the trade-offs."""
    from . import bit_lab

    return bit_lab.page(evaluation.lab, evaluation.quantization)


def headlines(evaluation: Evaluation, result: QuantizationResult) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    if result.estimator != "detailed":
        rule = result.chosen.rule
        return (
            headline("Weights", rule.weights, Unit.BYTES),
            headline("GPUs for the weights", rule.gpus),
            headline("Speed against FP32", rule.speed_fp32, Unit.RATIO, Better.HIGHER, "guides promise none"),
        )
    speedup = metric(evaluation, "speedup")
    decode = headline("Decode against FP16", speedup, Unit.RATIO, Better.HIGHER, "no prediction")
    return (
        headline("Bits per weight", metric(evaluation, "bits_per_weight"), Unit.BITS),
        headline("Saved against FP16", metric(evaluation, "saved_pct"), Unit.PERCENT, Better.HIGHER),
        *((decode,) if result.model.answers else ()),
    )


def needs(row: PrecisionRow, accelerator: Accelerator) -> str:
    """`8 × NVIDIA H100 SXM (TP8)`, or why none."""
    if row.least.plan is None:
        return f"no number of {accelerator.name} holds the workload: {reason_text(row.least.reason)}"
    layout = row.least.plan.layout
    reason = f", since {reason_text(row.least.reason)}" if row.least.reason else ""
    return f"{layout.gpus} × {accelerator.name} ({layout.label}{reason})"


def summary(result: QuantizationResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer of the screen in plain sentences."""
    if result.estimator != "detailed":
        return thumb_precisions.summary(result, bytes_as)
    row, base = result.chosen, result.reference
    sentences = [
        f"{result.model.name} in {row.precision.label} weighs {format_bytes(row.weights, bytes_as)}, "
        f"{row.bits_per_weight:.2f} bits per weight ({saved(row.saved_pct)} against {base.precision.label}), "
        f"and needs {needs(row, result.accelerator)} for this workload.",
    ]
    if row.speed is not None:
        name, prefill = base.precision.label, times(row.speed.prefill)
        does, why = f"prefills {prefill} as fast as {name}", prefill_reason(row.speed, row)
        if result.model.answers:
            users = "1 user" if result.batch == 1 else f"{result.batch:g} users"
            does = f"decodes {times(row.speed.decode)} as fast as {name} at {users} per replica"
            does += f" and prefills {prefill}"
            why = f"{decode_reason(row.speed, row)}; {why}"
        sentences.append(f"On {result.layout.label} it {does}: {why}.")
    else:
        sentences.append(f"No speed is predicted: {reason_text(result.why_no_speed(row))}.")
    sentences.append(f"Quality: {row.quality.badge.value} ({quality_text(row.quality)}).")
    best = result.safest_smallest
    if best is not None and best is not row and (best.gpus or 0) < (row.gpus or 1 << 30):
        sentences.append(f"{best.precision.label} is published as Safe and needs {needs(best, result.accelerator)}.")
    return " ".join(sentences)


def explanation(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Prose:
    """What is behind one precision, sentence by sentence."""
    from ..engine.model.architecture import parameters

    if result.estimator != "detailed":
        return thumb_precisions.explanation(row, result, bytes_as)
    precision, rule = row.precision, row.rule
    held = dict(parameters(result.model).parts)
    kept = [part for part in precision.parts if part.bits >= precision.bits + 1 and held.get(part.part)]
    wide = ", ".join(f"{part.part.value.replace('_', ' ')} {part.bits:g}" for part in kept)
    true = f"{precision.bits:.3g} bits for the layers, {row.bits_per_weight:.2f} on average"
    says = [
        Says("", precision.notes, precision.label, "key", muted=True),
        Says("size", f"{format_bytes(row.weights, bytes_as)}: {true}{f'; wider stay {wide} bit' if wide else ''}"),
        Says("GPUs", _takes(row, result)),
        Says("hardware", native(row, result.accelerator)),
    ]
    if row.speed is not None:
        compared = differs(row, result.batch, answers=result.model.answers)
        says += [
            *((Says("decode", decode_reason(row.speed, row)),) if result.model.answers else ()),
            Says("prefill", prefill_reason(row.speed, row)),
            Says("speed", f"{compared}; for {result.layout.label} even where a format does not fit it"),
        ]
    else:
        says.append(Says("speed", f"rule of thumb only: {reason_text(result.why_no_speed(row))}"))
    cards = f"{rule.gpus} × {short_name(result.accelerator)}"
    thumb = f"{format_bytes(rule.weights, bytes_as)} on {cards} for the weights alone"
    says.append(Says("rule", f"{thumb}; the smallest legal layout that holds them takes {row.gpus_alone or 'more'}"))
    says.append(Says("quality", quality_text(row.quality), badge(row.quality), TONES[row.quality.badge]))
    if row.format is not None:
        says.append(Says("native on", ", ".join(row.format.native_hardware) or "no matrix unit"))
    return Prose("why", f"Why: {precision.label}", tuple(says))


def _takes(row: PrecisionRow, result: QuantizationResult) -> str:
    name = short_name(result.accelerator)
    if row.least.plan is None:
        return f"no number of {name} holds this workload: {reason_text(row.least.reason)}"
    reason = f": {reason_text(row.least.reason)}" if row.least.reason else ""
    alone = f"; the weights alone take {row.gpus_alone}" if row.gpus_alone else ""
    why = f" ({reason_text(row.alone.reason)})" if row.gpus_alone and row.alone.reason else ""
    return f"{row.gpus} × {name} as {row.least.plan.layout.label}{reason}{alone}{why}"


def data(result: QuantizationResult, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values, units in the key names."""
    if result.estimator != "detailed":
        return thumb_precisions.data(result)
    return {
        "model": result.model.id,
        "accelerator": result.accelerator.id,
        "estimator": result.estimator,
        "layout": result.layout.label,
        "users_per_replica": result.batch,
        **ends("decode_step", 1.0, result.interval),
        "no_speed": result.no_speed,
        "summary": summary(result),
        "precisions": [row_data(result, row, explain=explain) for row in result.rows],
        "kv_cache": [
            {
                "precision": row.precision.id,
                "bytes_per_user": row.bytes_per_user,
                "total_bytes": row.total,
                "saved_pct": row.saved_pct,
                "gpus": row.gpus,
                "quality": row.quality.badge,
                "quality_reason": quality_text(row.quality),
                "chosen": row.chosen,
            }
            for row in result.kv_rows
        ],
    }
