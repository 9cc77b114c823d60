"""What each value of a list would do to the answer here: said beside it where one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.figures.units import ByteUnit, format_bytes
from ..scenario import Scenario
from .money import money
from .published import badge

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation

LISTED = frozenset({"accelerator", "precision", "kv_precision"})
"""Inputs whose values are told by what they do; models are tried one by one."""
_GLYPHS = {"fits": "✓", "tight": "!", "no": "✗"}


def asked(field: str, scenario: Scenario) -> Scenario:
    """The scenario whose evaluation tells of every value of a field."""
    return scenario.with_(shown_formats="all") if field == "precision" else scenario


def consequences(field: str, evaluation: Evaluation, bytes_as: ByteUnit) -> Mapping[str, str]:
    """Value → its consequence. Raises ValueError where the scenario has no answer."""
    match field:
        case "accelerator":
            return _accelerators(evaluation)
        case "precision":
            return _precisions(evaluation, bytes_as)
        case "kv_precision":
            return _kv_precisions(evaluation, bytes_as)
    return {}


def _accelerators(evaluation: Evaluation) -> Mapping[str, str]:
    result = evaluation.vram
    found = {}
    for row in result.rows:
        glyph = _GLYPHS[row.verdict]
        if row.gpus is None or row.layout is None:
            found[row.accelerator.id] = f"{glyph} too large for any layout"
            continue
        found[row.accelerator.id] = f"{glyph} {_needs(row.gpus, result.monthly(row), result.currency)}"
    return found


def _precisions(evaluation: Evaluation, bytes_as: ByteUnit) -> Mapping[str, str]:
    result = evaluation.quantization
    return {
        row.precision.id: " · ".join(
            (format_bytes(row.weights, bytes_as), _rented(evaluation, row.gpus), badge(row.quality))
        )
        for row in result.rows
    }


def _kv_precisions(evaluation: Evaluation, bytes_as: ByteUnit) -> Mapping[str, str]:
    return {
        row.precision.id: f"{format_bytes(row.total, bytes_as)} · {_rented(evaluation, row.gpus)}"
        for row in evaluation.quantization.kv_rows
    }


def _rented(evaluation: Evaluation, gpus: int | None) -> str:
    """GPUs of the scenario's kind and their rent."""
    if gpus is None:
        return "✗ no layout holds it"
    rent = evaluation.vram.rents.get(evaluation.case.accelerator.id)
    return _needs(gpus, None if rent is None else rent * gpus, evaluation.scenario.currency)


def _needs(gpus: int, usd: float | None, currency: str) -> str:
    cards = f"{gpus:,} GPU{'s' if gpus > 1 else ''}"
    return cards if usd is None else f"{cards} {money(usd, currency)}/month"
