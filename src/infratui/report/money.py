"""Amounts under the user's currency label: the engine counts dollars, and nothing is converted."""

from __future__ import annotations

from ..engine.figures.derivation import Number, Unit
from ..engine.figures.units import ByteUnit, format_usd, format_value


def label(currency: str) -> str:
    """What stands before an amount: a sign as it is, a code with a space."""
    return currency if len(currency) == 1 else f"{currency} "


def money(value: Number, currency: str = "$") -> str:
    """`€12.50`, `CHF 1,240`."""
    return format_usd(value, currency=label(currency))


def figure(value: Number, unit: Unit, bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> str:
    """Any figure with its unit, as the user has chosen it: `361 GB`, `€1.44/1M tokens`."""
    match unit:
        case Unit.USD:
            return money(value, currency)
        case Unit.USD_PER_HOUR:
            return f"{money(value, currency)}/h"
        case Unit.USD_PER_MTOK:
            return f"{money(value, currency)}/1M tokens"
    return format_value(value, unit, bytes_as)


def labelled(text: str, currency: str) -> str:
    """Words of the engine, which speaks of dollars, under the user's currency label."""
    return text.replace("$", label(currency))
