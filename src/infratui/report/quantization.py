"""Precisions and number formats in words: verdicts, reasons for a speed, and every panel of the section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Better, Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, format_bytes, format_gigabytes
from ..engine.formats.quality import Badge
from ..engine.metrics import metric
from .interval import ends
from .names import short_name
from .published import GLYPHS, SHORT, TONES, badge, evidence, methods
from .show import Answer, Block, Cell, Column, Pillar, Pillars, Prose, Row, Says, Table

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.cluster.hardware import Accelerator
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.precision_rows import KvRow, PrecisionRow, SpeedEffect
    from ..engine.sections.quantization import QuantizationResult

ASSUMED = (
    "input_tokens", "output_tokens", "prefix_hit", "engine", "utilization", "max_batched_tokens", "max_num_seqs",
)  # fmt: skip
"""Inputs that the summary rests on without naming them."""
_UNITS = {"bf16": "16-bit", "fp8": "FP8", "int8": "INT8", "fp4": "FP4", "fp32": "FP32"}
_NONE = float("inf")
_LINK = ": it "


def evaluate(evaluation: Evaluation) -> QuantizationResult:
    """The section's result."""
    return evaluation.quantization


def derivations(result: QuantizationResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations(result.chosen)


def answer(result: QuantizationResult, bytes_as: ByteUnit) -> Answer:
    """Whether to quantize, and to what; what decides the GPUs; what else there is."""
    row = advised(result)
    if row is None:
        text = f"No: no format below 16 bit is published as safe for {result.model.name}"
        return Answer(text, "", "tight", _beside(result.chosen, result, bytes_as))
    badge_, how = row.quality.badge, result.estimator
    lead = {Badge.SAFE: "Yes", Badge.CAUTION: "Yes, with care", Badge.NO_DATA: "Perhaps"}.get(badge_, "No")
    take = "" if row is result.chosen else "take "
    text = f"{lead}: {take}{row.precision.label}{_LINK if take else ' '}{effects(row, result)}"
    size = (
        f"{format_bytes(weights(row, how), bytes_as)}, {less(row, result)} against {result.reference.precision.label}"
    )
    if row is not result.chosen:
        size = f"{size} · enter on its bar takes it"
    return Answer(text, size, TONES[badge_].replace("muted", "tight"), _beside(row, result, bytes_as))


def advised(result: QuantizationResult) -> PrecisionRow | None:
    """The scenario's format where it is below 16 bit; else the safe one with the fewest GPUs, then the fastest."""
    if result.chosen.bits_per_weight < result.reference.bits_per_weight - 1:
        return result.chosen
    safe = [
        row
        for row in result.rows
        if row.quality.badge is Badge.SAFE and row.precision.family != "gguf"
        and row.bits_per_weight < result.reference.bits_per_weight - 1
    ]  # fmt: skip
    return min(safe, key=lambda row: (row.gpus or _NONE, -(row.speed.decode if row.speed else 0.0)), default=None)


def effects(row: PrecisionRow, result: QuantizationResult) -> str:
    """What a format does to weights, quality and speed: `halves the weights, keeps quality and decodes 1.4×`."""
    share = weights(row, result.estimator) / weights(result.reference, result.estimator)
    size = "halves the weights" if 0.47 <= share <= 0.56 else f"takes {1 - share:.0%} off the weights"
    tests = len(row.quality.rows)
    published = f"{tests} published test{'' if tests == 1 else 's'}"
    quality = {
        Badge.SAFE: f"keeps quality ({published})",
        Badge.CAUTION: f"costs a little quality ({published})",
        Badge.NO_DATA: "no quality is published for it",
    }.get(row.quality.badge, f"loses quality ({published})")
    if row.speed is None or result.estimator != "detailed":
        return f"{size}; {quality}"
    return f"{size}, {quality} and decodes {times(row.speed.decode)} as fast"


def decides(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> str:
    """Whether the weights or the cache decide how many GPUs it takes."""
    how, base = result.estimator, result.reference
    name = short_name(result.accelerator)
    mine, before = gpus(row, how), gpus(base, how)
    cache = next((entry.total for entry in result.kv_rows if entry.chosen), 0)
    beside = f"KV cache {format_bytes(cache, bytes_as)}, weights {format_bytes(weights(row, how), bytes_as)}"
    if mine is None:
        return f"no number of {name} holds it: {row.least.reason}"
    if before is None:
        return f"it fits at all: on {mine} × {name}, where {base.precision.label} fits on none"
    if mine < before:
        return f"{mine} × {name} hold the load instead of {before}"
    what = "the cache decides, not the weights" if cache > weights(row, how) else "layers and heads split only so far"
    return f"it still takes {mine} × {name}: {what} ({beside})"


def _beside(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> tuple[Says, ...]:
    """What decides, what the rule promises, and the next smaller format."""
    says = [Says("decides", decides(row, result, bytes_as))]
    if result.estimator != "detailed":
        says.append(
            Says("textbook", "nominal bytes, GPUs for the weights alone; the detailed estimate counts the rest")
        )
    elif row.speed is None:
        says.append(Says("speed", result.no_speed))
    else:
        says.append(Says("speed", beside_rule(row)))
    smaller = [entry for entry in result.rows if entry.bits_per_weight < row.bits_per_weight - 1 and entry is not row]
    if smaller:
        other = max(smaller, key=lambda entry: (-list(TONES).index(entry.quality.badge), entry.bits_per_weight))
        speed = f", decode {times(other.speed.decode)}" if other.speed else ""
        takes = f"{count} GPUs" if (count := gpus(other, result.estimator)) else "no layout"
        says.append(
            Says("or", f"{other.precision.label}: {less(other, result)}, {takes}{speed}, {badge(other.quality)}")
        )
    return tuple(says)


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
    speedup = metric(evaluation, "speedup")
    return (
        headline("Bits per weight", metric(evaluation, "bits_per_weight"), Unit.BITS),
        headline("Saved against FP16", metric(evaluation, "saved_pct"), Unit.PERCENT, Better.HIGHER),
        headline("Decode against FP16", speedup, Unit.RATIO, Better.HIGHER, "no prediction"),
    )


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


def times(ratio: float) -> str:
    """A multiple: `1.57×`, `12×`."""
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.2f}×"


def saved(percent: float) -> str:
    """`−49 %` for a saving, `+100 %` for more, `±0 %`."""
    if abs(percent) < 0.5:
        return "±0 %"
    return f"{'−' if percent > 0 else '+'}{abs(percent):.0f} %"


def native(row: PrecisionRow, accelerator: Accelerator) -> str:
    """In what the products run on this accelerator, in a sentence."""
    from ..engine.sections.precision_rows import Arithmetic

    units = _UNITS[row.precision.compute]
    match row.arithmetic:
        case Arithmetic.NATIVE:
            return f"{short_name(accelerator)} multiplies {units} directly"
        case Arithmetic.UNPACKED:
            return "weights are unpacked to 16 bit before each product, which slows long prompts"
        case Arithmetic.EMULATED:
            return f"{short_name(accelerator)} has no {units} units: products run at 16 bit, weights unpacked"


def decode_reason(speed: SpeedEffect, row: PrecisionRow) -> str:
    """Why decode is as fast as predicted."""
    if row.is_reference and abs(speed.decode - 1) < 0.005:
        return f"{speed.weights_share:.0%} of a decode step reads weights: what fewer bits can shorten".replace(
            "%", " %"
        )
    match speed.bound:
        case "weights":
            if row.byte_ratio <= 1:
                return "decode is bound by reading weights, and there are more of them"
            limit = f"decode is bound by reading weights: fewer bytes could give {times(row.byte_ratio)}"
            return f"{limit}; cache reads, GPU-to-GPU traffic and launches do not shrink, so {times(speed.decode)}"
        case "kv cache":
            return "decode mostly reads the cache, which the weights' format leaves as it is"
        case "compute":
            return "at these users decode computes more than it reads, so fewer bytes help less"
        case "communication":
            return "decode is bound by GPU-to-GPU traffic, which no format shortens"
        case "launch":
            return "weights are so few that launches and the host take most of a step"


def prefill_reason(speed: SpeedEffect, row: PrecisionRow) -> str:
    """Why prefill is as fast as predicted."""
    if speed.prefill_bound != "compute":
        return "prefill of prompts this short reads more than it computes"
    if row.arithmetic == "native" and speed.prefill > 1.05:
        return f"prefill is bound by arithmetic, and {_UNITS[row.precision.compute]} arithmetic is faster"
    if speed.prefill < 0.95:
        return f"prefill is bound by arithmetic, and {_UNITS[row.precision.compute]} arithmetic is slower"
    return "prefill is bound by arithmetic, which runs at the 16-bit rate: no gain"


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


def needs(row: PrecisionRow, accelerator: Accelerator) -> str:
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
        f"and needs {needs(row, result.accelerator)} for this workload.",
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
        sentences.append(f"{best.precision.label} is published as Safe and needs {needs(best, result.accelerator)}.")
    return " ".join(sentences)


def pillars(result: QuantizationResult, bytes_as: ByteUnit) -> Pillars:
    """Every way to store the weights as a standing bar, with what matters about each below it."""
    return Pillars("bars", "Weights in each precision", tuple(_pillar(row, result, bytes_as) for row in result.rows))


def _pillar(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Pillar:
    how = result.estimator
    count = gpus(row, how)
    size = weights(row, how)
    speed = times(row.speed.decode) if row.speed and how == "detailed" else rule_speed(row)
    quality = SHORT.get(row.quality.badge, row.quality.badge.value)
    facts = (
        (less(row, result), ""),
        (f"{bits(row, how):.2f} bits", ""),
        (f"{count} GPU{'s' if count != 1 else ''}" if count else "no layout", "" if count else "bad"),
        (f"{'decode' if row.speed and how == 'detailed' else 'rule'} {speed}", ""),
        (f"{GLYPHS[row.quality.badge]} {quality}", TONES[row.quality.badge]),
    )
    label = row.precision.id.upper() if len(row.precision.label) > 10 else row.precision.label
    return Pillar(row.precision.id, label, size, format_bytes(size, bytes_as), facts, row is result.chosen)


def trade_offs(result: QuantizationResult, bytes_as: ByteUnit) -> Table:
    """Every way to store the weights."""
    users = f"{result.batch:g} user{'s' if result.batch != 1 else ''} per replica"
    title = f"Trade-offs: speed against {result.reference.precision.label} on {result.layout.label}, {users}"
    rows = tuple(_trade_row(row, result, bytes_as) for row in result.rows)
    return Table("trade", title, _trade_columns(bytes_as), rows)


def kv_cache(result: QuantizationResult, bytes_as: ByteUnit) -> Table:
    """Every way to store the cache."""
    rows = tuple(_kv_row(row, bytes_as) for row in result.kv_rows)
    return Table("kv", "KV cache, apart from the weights", _kv_columns(bytes_as), rows)


def _trade_columns(bytes_as: ByteUnit) -> tuple[Column, ...]:
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


def _trade_row(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Row:
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
            Cell(f"{GLYPHS[row.quality.badge]} {SHORT.get(row.quality.badge, row.quality.badge.value)}",
                 TONES[row.quality.badge], list(TONES).index(row.quality.badge)),
        ),
        marked=marked,
    )  # fmt: skip


def explanation(row: PrecisionRow, result: QuantizationResult, bytes_as: ByteUnit) -> Prose:
    """What is behind one precision, sentence by sentence."""
    from ..engine.model.architecture import parameters

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
        says += [
            Says("decode", decode_reason(row.speed, row)),
            Says("prefill", prefill_reason(row.speed, row)),
            Says(
                "speed",
                f"{differs(row, result.batch)}; for {result.layout.label} even where a format does not fit it",
            ),
        ]
    else:
        says.append(Says("speed", f"rule of thumb only: {result.no_speed}"))
    cards = f"{rule.gpus} × {short_name(result.accelerator)}"
    thumb = f"{format_bytes(rule.weights, bytes_as)} on {cards} for the weights alone"
    says.append(Says("rule", f"{thumb}; the smallest legal layout that holds them takes {row.gpus_alone or 'more'}"))
    says.append(Says("quality", row.quality.reason, badge(row.quality), TONES[row.quality.badge]))
    if row.format is not None:
        says.append(Says("native on", ", ".join(row.format.native_hardware) or "no matrix unit"))
    return Prose("why", f"Why: {precision.label}", tuple(says))


def _takes(row: PrecisionRow, result: QuantizationResult) -> str:
    name = short_name(result.accelerator)
    if row.least.plan is None:
        return f"no number of {name} holds this workload: {row.least.reason}"
    reason = f": {row.least.reason}" if row.least.reason else ""
    alone = f"; the weights alone take {row.gpus_alone}" if row.gpus_alone else ""
    why = f" ({row.alone.reason})" if row.gpus_alone and row.alone.reason else ""
    return f"{row.gpus} × {name} as {row.least.plan.layout.label}{reason}{alone}{why}"


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
            Cell(str(row.gpus), "", row.gpus) if row.gpus else Cell("none", "bad", _NONE),
            Cell(badge(row.quality), TONES[row.quality.badge], list(TONES).index(row.quality.badge)),
        ),
        marked=row.chosen,
    )


def data(result: QuantizationResult, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values, units in the key names."""
    return {
        "model": result.model.id,
        "accelerator": result.accelerator.id,
        "estimator": result.estimator,
        "layout": result.layout.label,
        "users_per_replica": result.batch,
        **ends("decode_step", 1.0, result.interval),
        "no_speed": result.no_speed,
        "summary": summary(result),
        "precisions": [_row_data(result, row, explain=explain) for row in result.rows],
        "kv_cache": [
            {
                "precision": row.precision.id,
                "bytes_per_user": row.bytes_per_user,
                "total_bytes": row.total,
                "saved_pct": row.saved_pct,
                "gpus": row.gpus,
                "quality": row.quality.badge,
                "quality_reason": row.quality.reason,
                "chosen": row.chosen,
            }
            for row in result.kv_rows
        ],
    }


def _row_data(result: QuantizationResult, row: PrecisionRow, *, explain: bool) -> dict[str, Any]:
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
        "quality_reason": row.quality.reason,
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
