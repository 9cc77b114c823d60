"""Inputs as a person reads them: names instead of ids, units, and words for zero; the same on screen and in reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.figures.units import format_count, format_tokens, significant
from ..inputs import Kind
from ..scenario import INPUTS
from .money import label

if TYPE_CHECKING:
    from ..engine.facts import Facts

NAMED = frozenset({Kind.MODEL, Kind.ACCELERATOR, Kind.PRECISION, Kind.KV_PRECISION})
"""Fields that hold an id and show the catalog's name for it."""


HINTS: Mapping[str, str] = {
    "model": "the checkpoint to serve; enter lists them, or takes a path",
    "precision": "how the weights are stored",
    "kv_precision": "how the cache of past tokens is stored",
    "users": "sequences served at the same moment, not accounts",
    "context": "the longest conversation, prompt and answer together",
    "mean_fill": "share of the context that is in use on average",
    "shared_prefix": "prompt tokens that all users have in common",
    "accelerator": "the kind of GPU; enter lists them",
    "gpus": "how many of them you have",
    "utilization": "share of the GPU memory that the engine may take",
    "engine": "the serving framework",
    "windowed_kv": "cache of window layers: only the window, or the whole context",
    "tp": "GPUs that each layer is split over",
    "pp": "stages that the layers are split into",
    "dp": "copies of the model that share the users",
    "ep": "GPUs that the experts are spread over",
    "pools": "replicas for prompts : replicas for answers, such as 1:3; empty: each does both",
    "dcp": "GPUs of a TP group that share out the cached tokens; 1 is off",
    "input_tokens": "tokens in a typical prompt",
    "output_tokens": "tokens in a typical answer",
    "prefix_hit": "share of prompt tokens that are cached already",
    "acceptance": "speculative decoding: share of draft tokens that are accepted",
    "draft_tokens": "speculative decoding: tokens guessed at a time",
    "requests_per_day": "requests a day that the service must answer",
    "peak_factor": "the busiest minute against the mean",
    "peak_window": "what a fleet is sized for where arrivals were measured",
    "demand_profile": "lengths, peaks and repetition as measured, in place of typed ones; none drops it",
    "ttft_ms": "the longest wait for a first token",
    "tpot_ms": "the longest wait between two tokens",
    "cascade_pct": "share of requests that a small model answers first",
    "compliance": "the data must stay on premises",
    "router_batch": "tokens that one step routes together",
    "router_top_k": "experts that each token goes to",
    "router_skew": "bias of the router towards some experts",
    "dense_model": "the dense model of the comparison",
    "moe_model": "the mixture of experts of the comparison",
    "lab_value": "the weight whose bits are shown",
    "lab_group": "weights that share its scale: what it is compared with",
    "lab_distribution": "what the other weights are drawn from",
}
"""What an input is, in a few words; its glossary term says more."""


def input_text(field: str, value: object, facts: Facts, currency: str = "$") -> str:
    """A value of a field with its name or unit: `Llama 3.3 70B Instruct`, `32K`, `$3.00 /GPU·h`, `auto`."""
    if value == "" and INPUTS[field].zero:
        return INPUTS[field].zero
    try:
        match INPUTS[field].kind:
            case Kind.MODEL:
                return facts.model(str(value)).name
            case Kind.ACCELERATOR:
                return facts.accelerator(str(value)).name
            case Kind.PRECISION | Kind.KV_PRECISION:
                return facts.precision(str(value)).label
        if field == "node_link":
            return facts.link(str(value)).name
    except (ValueError, OSError):
        return f"{value} (unknown)"
    return value_text(field, value, currency)


def value_text(field: str, value: object, currency: str = "$") -> str:
    """A value that needs no catalog: a number with its unit, a switch, a word."""
    spec = INPUTS[field]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return spec.zero if value is None else str(value) or spec.zero
    if value == 0 and spec.zero:
        return spec.zero
    match spec.kind:
        case Kind.TOKENS:
            return format_tokens(value)
        case Kind.COUNT:
            return format_count(value)
        case Kind.MONEY:
            dollars = f"{value:,.0f}" if value >= 1000 else f"{value:,.2f}" if value >= 0.1 else significant(value)
            return f"{label(currency)}{dollars}{spec.unit.removeprefix('$')}"
        case Kind.PERCENT:
            return f"{significant(value)} {spec.unit or '%'}" if value % 1 else f"{value:.0f} {spec.unit or '%'}"
    number = f"{value:g}" if abs(value) < 1e6 else significant(value)
    if field == "utilization":
        number = f"{value:.2f}"
    return f"{number} {spec.unit}".strip()
