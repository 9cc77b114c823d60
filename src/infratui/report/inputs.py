"""Inputs as a person reads them: names instead of ids, units, and words for zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.units import format_count, format_tokens, format_usd
from ..scenario import INPUTS, Kind

if TYPE_CHECKING:
    from ..engine.facts import Facts


def input_text(field: str, value: Any, facts: Facts) -> str:
    """A value of a field as a person reads it."""
    spec = INPUTS[field]
    try:
        match spec.kind:
            case Kind.MODEL:
                return facts.model(str(value)).name
            case Kind.ACCELERATOR:
                return facts.accelerator(str(value)).name
            case Kind.PRECISION | Kind.KV_PRECISION:
                return facts.precision(str(value)).label
    except (ValueError, OSError):
        return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if value == 0 and spec.zero:
        return spec.zero
    match spec.kind:
        case Kind.TOKENS:
            return format_tokens(value)
        case Kind.MONEY:
            return format_usd(value) + spec.unit.removeprefix("$")
        case Kind.COUNT:
            return format_count(value)
    return f"{value:g} {spec.unit}".strip()
