"""What is published of precisions, in words: badges, the comparisons behind them, and ways to quantize."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import counted
from ..engine.formats.quality import Assessment, Badge, Evidence, QualityBasis
from .show import Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.cluster.hardware import Accelerator
    from ..engine.formats.methods import QuantizationMethod
    from ..engine.sections.precision_rows import PrecisionRow
    from ..engine.sections.quantization import QuantizationResult

GLYPHS = {Badge.SAFE: "✓", Badge.CAUTION: "!", Badge.NOTICEABLE: "▼", Badge.NO_DATA: "?"}
"""Badge → the glyph that carries it without colour."""


TONES = {Badge.SAFE: "good", Badge.CAUTION: "tight", Badge.NOTICEABLE: "bad", Badge.NO_DATA: "muted"}


SHORT = {Badge.NO_DATA: "no data"}


_NOISE = "no measurable loss"
"""What a gain is: a quantized model is not better, its test is noisy."""


def quality_text(quality: Assessment) -> str:
    """What a badge rests on, in one sentence."""
    match quality.basis:
        case QualityBasis.REFERENCE:
            return "the format the others are measured against"
        case QualityBasis.RELEASED:
            return "as released: what the others are measured against"
        case QualityBasis.NONE:
            return "no published comparison was found"
        case QualityBasis.OUT_OF_REACH:
            return "published comparisons are of models too unlike this one in size or kind"
        case QualityBasis.OTHER_ACTIVATIONS:
            return "published comparisons are of activations in another width"
        case QualityBasis.MORE_BITS:
            return f"no worse than {quality.beside}, which has fewer bits and more tests; {_tests(quality)}"
        case QualityBasis.FEWER_BITS:
            return f"no better than {quality.beside}, which has more bits and more tests; {_tests(quality)}"
        case _:
            return _tests(quality)


def _tests(quality: Assessment) -> str:
    rows, parts = quality.rows, []
    losses = (("accuracy", quality.accuracy_loss_percent, -1), ("perplexity", quality.perplexity_rise_percent, 1))
    for name, loss, sign in losses:
        if loss is not None:
            parts.append(f"{name} {_NOISE if loss <= 0 else _signed(sign * loss)}")
    count = f"{len(rows)} published comparison{'s' if len(rows) > 1 else ''}"
    models = quality.models
    whose = f"of {quality.own_model}" if quality.own_model else f"on {counted(models, 'model')}"
    median = "median " if len(rows) > 1 else ""
    return f"{median}{' and '.join(parts)} in {count} {whose}"


def _signed(percent: float) -> str:
    return f"{percent:+.1f} %".replace("-", "−").replace("+0.0", "±0.0").replace("−0.0", "±0.0")


def badge(quality: Assessment) -> str:
    """`✓ Safe`, `! Caution`, `▼ Noticeable`, `? no published data`."""
    return f"{GLYPHS[quality.badge]} {quality.badge.value}"


_EVIDENCE_COLUMNS = (
    Column("Published for", "left", flex=True),
    Column("method", "left", keep=2),
    Column("metric", "left", keep=1),
    Column("baseline", keep=3),
    Column("quantized"),
    Column("change"),
    Column("source", "left", keep=4),
)


def evidence(row: PrecisionRow, result: QuantizationResult) -> Table:
    """Published comparisons of one precision with its baselines."""
    rows = tuple(_evidence_row(place, entry, result.rules.grade(entry)) for place, entry in enumerate(row.quality.rows))
    return Table("evidence", f"Published quality of {row.precision.label}", _EVIDENCE_COLUMNS, rows)


def _evidence_row(place: int, entry: Evidence, grade: Badge) -> Row:
    """One published comparison; a fall of an accuracy and a rise of a perplexity are both a loss."""
    change = -entry.loss_percent if entry.higher_is_better else entry.loss_percent
    text = f"{change:+.1f} %".replace("-", "−")
    return Row(
        str(place),
        (
            Cell(entry.model),
            Cell(entry.method),
            Cell(entry.metric),
            Cell(f"{entry.baseline:g}", "", entry.baseline),
            Cell(f"{entry.quantized:g}", "", entry.quantized),
            Cell(f"{GLYPHS[grade]} {text}", TONES[grade], entry.loss_percent),
            Cell(entry.source, "muted"),
        ),
        detail=f"{entry.method}, {entry.metric}: {entry.source} {entry.note}".strip(),
    )


_METHOD_COLUMNS = (
    Column("Method", "left", flex=True),
    Column("weights", "left", keep=2),
    Column("calibration", "left"),
    Column("engines", "left", keep=3),
    Column("here", "left"),
)


def methods(result: QuantizationResult) -> Table:
    """Ways to quantize a model."""
    rows = tuple(_method_row(entry, result.accelerator) for entry in result.methods)
    return Table("methods", "Methods", _METHOD_COLUMNS, rows)


def _method_row(method: QuantizationMethod, accelerator: Accelerator) -> Row:
    """One method."""
    runs = method.runs_on_arch(accelerator.arch)
    return Row(
        method.id,
        (
            Cell(method.label),
            Cell(method.weights),
            Cell(method.calibration.value),
            Cell(", ".join(method.engines)),
            Cell("✓ runs" if runs else "✗ no", "good" if runs else "bad"),
        ),
    )


def method(found: QuantizationMethod) -> Prose:
    """One method in full."""
    return Prose(
        "methods",
        found.label,
        (
            Says("", found.does, found.label, "key"),
            Says("idea", found.idea),
            Says("weights", f"{found.weights}; activations {found.activations}"),
            Says("data", found.calibration_data),
            Says("products", found.compute),
            Says("engines", ", ".join(found.engines)),
            Says("GPUs", ", ".join(found.runs_on)),
            Says("choose", found.choose_when),
            Says("avoid", found.avoid_when),
            Says("source", found.source, muted=True),
        ),
    )
