"""What each value of a list would do to the answer here: said beside it where one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.figures.units import ByteUnit, format_bytes
from ..scenario import Scenario
from . import thumb_vram
from .money import money
from .published import badge
from .reasons import no_layout_text
from .thumb_precisions import badge_text

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


def _by_thumb(evaluation: Evaluation) -> bool:
    return evaluation.scenario.estimator == "rule-of-thumb"


def _accelerators(evaluation: Evaluation) -> Mapping[str, str]:
    if _by_thumb(evaluation):
        thumb = thumb_vram.evaluate(evaluation)
        return _aligned(
            {
                row.accelerator.id: (_GLYPHS["fits"], *_needs(row.gpus, thumb.monthly(row), thumb.currency))
                for row in thumb.rows
            }
        )
    result = evaluation.vram
    found: dict[str, tuple[str, ...]] = {}
    for row in result.rows:
        glyph = _GLYPHS[row.verdict]
        if row.gpus is None or row.layout is None:
            found[row.accelerator.id] = (glyph, no_layout_text(row.reason))
            continue
        found[row.accelerator.id] = (glyph, *_needs(row.gpus, result.monthly(row), result.currency))
    return _aligned(found)


def _precisions(evaluation: Evaluation, bytes_as: ByteUnit) -> Mapping[str, str]:
    rows = {row.precision.id: row for row in evaluation.quantization.rows}
    if _by_thumb(evaluation):
        told = _aligned(
            {
                key: (format_bytes(row.rule.weights, bytes_as), *_rented(evaluation, row.rule.gpus))
                for key, row in rows.items()
            }
        )
        return {key: f"{text}  {badge_text(rows[key])}" for key, text in told.items()}
    told = _aligned(
        {key: (format_bytes(row.weights, bytes_as), *_rented(evaluation, row.gpus)) for key, row in rows.items()}
    )
    return {key: f"{text}  {badge(rows[key].quality)}" for key, text in told.items()}


def _kv_precisions(evaluation: Evaluation, bytes_as: ByteUnit) -> Mapping[str, str]:
    if _by_thumb(evaluation):
        return _aligned(
            {
                row.precision.id: (format_bytes(row.rule_total, bytes_as), *_rented(evaluation, row.rule_gpus))
                for row in evaluation.quantization.kv_rows
                if row.rule_total is not None
            }
        )
    return _aligned(
        {
            row.precision.id: (format_bytes(row.total, bytes_as), *_rented(evaluation, row.gpus))
            for row in evaluation.quantization.kv_rows
        }
    )


def _aligned(rows: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """Quantities under each other, to the right of their columns; rows of fewer parts as they come."""
    most = max((len(parts) for parts in rows.values()), default=0)
    whole = [parts for parts in rows.values() if len(parts) == most]
    widths = [max(len(parts[at]) for parts in whole) for at in range(most)]
    return {
        key: "  ".join(part.rjust(width) for part, width in zip(parts, widths, strict=True))
        if len(parts) == most
        else "  ".join(parts)
        for key, parts in rows.items()
    }


def _rented(evaluation: Evaluation, gpus: int | None) -> tuple[str, ...]:
    """GPUs of the scenario's kind and their rent."""
    if gpus is None:
        return "✗ no layout holds it", ""
    rent = evaluation.vram.rents.get(evaluation.case.accelerator.id)
    return _needs(gpus, None if rent is None else rent * gpus, evaluation.scenario.currency)


def _needs(gpus: int, usd: float | None, currency: str) -> tuple[str, str]:
    return f"{gpus:,} GPU{'s' if gpus > 1 else ' '}", "" if usd is None else f"{money(usd, currency)}/mo"
