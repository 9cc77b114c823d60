"""Fills the figures that reference text leaves to the catalog: `{{model.params_total:glm-5}}` → `744B`."""

from __future__ import annotations

from ..engine.cluster.hardware import Accelerator
from ..engine.facts import Facts
from ..engine.figures.units import format_count, format_tokens, significant
from ..engine.memory.kv_cache import DEFAULT_RULES, kv_layers
from ..engine.model.architecture import Model, group_counts, parameters
from .markup import Figure, fill

UNKNOWN = "unknown"


def filled(text: str, facts: Facts) -> str:
    """The text with every figure in place; links stay marked.

    Raises MarkError for a figure that is not on the list, UnknownFactError for a row the catalog does not carry.
    """
    return fill(text, lambda figure: figure_text(figure, facts))


def figure_text(figure: Figure, facts: Facts) -> str:
    """One figure as text; `unknown` where the catalog has none."""
    if figure.table == "model":
        return _of_model(facts.model(figure.row), figure.field, facts)
    return _of_accelerator(facts.accelerator(figure.row), figure.field)


def _of_model(model: Model, field: str, facts: Facts) -> str:
    match field:
        case "params_total":
            return format_count(model.published.total if model.published else parameters(model).total)
        case "params_active":
            published = model.published.active if model.published else None
            return format_count(published or parameters(model).active)
        case "layers":
            return f"{model.layers}"
        case "max_context":
            return format_tokens(model.max_context)
        case "license":
            return model.license or UNKNOWN
        case "kv_bytes_per_token":
            # One copy at BF16, before any window caps it.
            kept = (
                kv_layers(group, count, facts.precision("bf16"), 1, False, DEFAULT_RULES)
                for group, count in group_counts(model)
            )
            return f"{sum(entry.layers * entry.token_bytes for entry in kept):,.0f}"
        case _:
            return model.name


def _of_accelerator(card: Accelerator, field: str) -> str:
    match field:
        case "memory_gib":
            return significant(card.memory_gib)
        case "memory_gb":
            return significant(card.memory_marketing_gb)
        case "bandwidth_gb_s":
            return _scaled(card.bandwidth, 1e9)
        case "bf16_tflops":
            return _scaled(card.peak("bf16"), 1e12)
        case "fp8_tflops":
            return _scaled(card.fp8, 1e12)
        case "fp4_tflops":
            return _scaled(card.fp4, 1e12)
        case "link_gb_s":
            return _scaled(card.link_bandwidth, 1e9)
        case "tdp_w":
            return _scaled(card.tdp_w, 1)
        case _:
            return card.name


def _scaled(value: float | None, unit: float) -> str:
    return UNKNOWN if value is None else f"{value / unit:,.0f}"
