"""Inputs as a person reads them: names instead of ids, units, and words for zero; the same on screen and in reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import format_count, format_tokens, significant
from ..inputs import Kind
from ..scenario import INPUTS
from .money import label

if TYPE_CHECKING:
    from ..engine.facts import Facts

NAMED = frozenset({Kind.MODEL, Kind.ACCELERATOR, Kind.PRECISION, Kind.KV_PRECISION})
"""Fields that hold an id and show the catalog's name for it."""


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
        return str(value) or spec.zero
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
