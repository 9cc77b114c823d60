"""One precision in words: bits, bytes and GPUs as asked for, what it saves, why it is faster or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import short_name

if TYPE_CHECKING:
    # Screens import these words before the engine is asked for anything.
    from ..engine.cluster.hardware import Accelerator
    from ..engine.sections.precision_rows import PrecisionRow, SpeedEffect


UNITS = {"bf16": "16-bit", "fp8": "FP8", "int8": "INT8", "fp4": "FP4", "fp32": "FP32"}


LINK = ": it "


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

    units = UNITS[row.precision.compute]
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
        return f"prefill is bound by arithmetic, and {UNITS[row.precision.compute]} arithmetic is faster"
    if speed.prefill < 0.95:
        return f"prefill is bound by arithmetic, and {UNITS[row.precision.compute]} arithmetic is slower"
    return "prefill is bound by arithmetic, which runs at the 16-bit rate: no gain"


def rule_speed(row: PrecisionRow) -> str:
    """What the rule of thumb promises, or the byte ratio as the limit where it is silent."""
    return times(row.rule.speed) if row.rule.speed is not None else f"≤{row.byte_ratio:.1f}×"


def differs(row: PrecisionRow, users: float, *, answers: bool) -> str:
    """The rule of thumb beside the prediction; a model that does not answer only prefills."""
    speed = row.speed
    if speed is None:
        return "rule of thumb only"
    decode = f"{times(speed.decode)} decode at {users:g} users, {times(speed.decode_alone)} at one, " if answers else ""
    predicted = f"predicted {decode}{times(speed.prefill)} prefill"
    if row.rule.speed is None or row.rule.speed_fp32 is None:
        return predicted
    return f"{predicted}; rule of thumb {times(row.rule.speed)} ({row.rule.speed_fp32:g}× FP32)"


def beside_rule(row: PrecisionRow, *, answers: bool) -> str:
    """The rule of thumb and the predictions apart from decode, in short."""
    rule = f"rule of thumb {times(row.rule.speed)}; " if row.rule.speed is not None else ""
    if row.speed is None:
        return f"{rule}no prediction"
    alone = f"at one user {times(row.speed.decode_alone)}, " if answers else ""
    return f"{rule}{alone}prefill {times(row.speed.prefill)}"
