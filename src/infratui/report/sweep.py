"""What a sweep says: the answer over one field, the steps in it, and a chart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, counted, format_count, format_seconds
from ..engine.sweep import SWEPT, SweepPoint, SweepResult, Swept
from ..inputs import Kind
from ..scenario import INPUTS
from .cost_decision import ADVICE
from .inputs import input_text
from .money import figure, money
from .reasons import reason_text
from .show import Answer, Block, Cell, Chart, Column, Curve, Prose, Row, Rule, Says, Table

if TYPE_CHECKING:
    from ..engine.facts import Facts

ROWS = 40
"""Rows of the printed table: both ends, the steps, and as many between them as there is room for."""
_STEPS = 12
"""Steps that are told in words, and marked in the chart."""

_NAMES: Mapping[str, tuple[str, str]] = {
    "fewest": ("Fewest GPUs", "node"),
    "total": ("Memory", "vram"),
    "kv_cache": ("KV cache", "kv-cache"),
    "free_per_gpu": ("Free per GPU", "vram"),
    "max_users": ("Users at most", "concurrency"),
    "weights": ("Weights", "weights"),
    "bits_per_weight": ("Bits/weight", "effective-bits"),
    "ttft": ("TTFT", "ttft"),
    "tpot": ("TPOT", "tpot"),
    "output": ("Tokens/s", "throughput"),
    "monthly": ("Month", "on-demand"),
    "per_mtok": ("Per 1M tokens", "per-token-price"),
    "replicas": ("Replicas", "replica"),
    "busy": ("Busy", "duty-cycle"),
    "dense_gpus": ("Dense GPUs", "node"),
    "dense_output": ("Dense tokens/s", "throughput"),
    "dense_per_mtok": ("Dense per 1M", "per-token-price"),
    "moe_gpus": ("MoE GPUs", "node"),
    "moe_output": ("MoE tokens/s", "throughput"),
    "moe_per_mtok": ("MoE per 1M", "per-token-price"),
}
"""Figure → its name, and the glossary's term for it."""
_VERDICTS: Mapping[str, tuple[str, str]] = {
    "holds": ("✓ holds", "good"),
    "misses": ("! misses the targets", "tight"),
    "short": ("✗ does not hold", "bad"),
    "dense": ("dense costs less", ""),
    "moe": ("MoE costs less", ""),
    "even": ("even", ""),
}
_TONES = ("weights", "kv")
_SCALES = (Kind.COUNT, Kind.TOKENS, Kind.NUMBER, Kind.PERCENT, Kind.MONEY)


def verdict(point: SweepPoint) -> tuple[str, str]:
    """The verdict in words and its tone."""
    if point.refusal:
        return "✗ no answer", "bad"
    if point.verdict in _VERDICTS:
        return _VERDICTS[point.verdict]
    return next((words for leaf, words in ADVICE.items() if leaf.value == point.verdict), ""), ""


def value_words(found: SweepResult, value: object, facts: Facts) -> str:
    """A value of the field as people read it."""
    return input_text(found.field, value, facts, found.scenario.currency)


def answer(found: SweepResult, facts: Facts) -> Answer:
    """Where it goes from and to."""
    label = INPUTS[found.field].label
    good = found.answered
    if not good:
        why = next((reason_text(point.refusal) for point in found.points), "no value was tried")
        return Answer(f"{label}: no answer at any value", "", "bad", (Says("", why),))
    first, last = (value_words(found, point.value, facts) for point in (found.points[0], found.points[-1]))
    cut = "" if found.whole else ", stopped early"
    if not is_scale(found.field):
        tone, says = "" if found.whole else "tight", (Says("", _compared(found, facts)),)
        return Answer(label, f"{len(found.points)} values{cut}", tone, says)
    words = f"{len(found.points)} values, {len(found.steps)} step{'s' * (len(found.steps) != 1)}{cut}"
    says = (Says("", _compared(found, facts)),)
    return Answer(f"{label} {first} → {last}", words, "" if found.whole else "tight", says)


def _compared(found: SweepResult, facts: Facts) -> str:
    """The ends against each other: `64K instead of 1M: 5 GPUs fewer`."""
    ends = [point for point in found.answered if point.gpus is not None]
    if len(ends) < 2 or ends[0].gpus == ends[-1].gpus:
        return "the GPUs are the same at both ends" if len(ends) > 1 else ""
    low, high = sorted((ends[0], ends[-1]), key=lambda point: point.gpus or 0)
    less = (high.gpus or 0) - (low.gpus or 0)
    texts = (value_words(found, point.value, facts) for point in (low, high))
    return f"{next(texts)} instead of {next(texts)}: {counted(less, 'GPU')} fewer"


def page(found: SweepResult, facts: Facts, bytes_as: ByteUnit = ByteUnit.GB, rows: int = ROWS) -> tuple[Block, ...]:
    """The chart, the steps in words, and a table of `rows` points; 0: all of them."""
    shown = table(found, facts, bytes_as, rows)
    return (chart(found, facts, bytes_as), steps(found, facts), shown) if is_scale(found.field) else (shown,)


def is_scale(name: str) -> bool:
    """The field's values are numbers in an order; names stand in none, so that nothing steps between them."""
    return INPUTS[name].kind in _SCALES


def table(found: SweepResult, facts: Facts, bytes_as: ByteUnit = ByteUnit.GB, rows: int = 0) -> Table:
    """The points; with `rows` both ends, the steps and as many others as there is room for."""
    swept = SWEPT[found.section]
    columns = [Column(INPUTS[found.field].label, "right" if is_scale(found.field) else "left")]
    named = {entry.id for entry in swept}
    if not named & {"fewest", "dense_gpus"}:
        columns.append(Column("GPUs", term="node"))
    for at, entry in enumerate(swept):
        name, term = _NAMES[entry.id]
        columns.append(Column(name, keep=0 if entry.chart else at + 1, term=term))
    columns += [Column("Layout", "left", keep=1), Column("Verdict", "left"), Column("Changes", "left")]
    extra = not named & {"fewest", "dense_gpus"}
    shown = [_row(found, point, facts, bytes_as, swept, extra) for point in _picked(found, rows)]
    title = f"{INPUTS[found.field].label} over {len(found.points)} values"
    return Table("sweep", title, tuple(columns), tuple(shown))


def _picked(found: SweepResult, rows: int) -> tuple[SweepPoint, ...]:
    points = found.points
    if not rows or len(points) <= rows:
        return points
    kept = {0, len(points) - 1}
    kept |= {at for at, point in enumerate(points) if point.changed}
    if len(kept) > rows:
        order = sorted(kept)
        kept = {order[round(at * (len(order) - 1) / (rows - 1))] for at in range(rows)}
    for at in range(1, rows):
        if len(kept) >= rows:
            break
        kept.add(round(at * (len(points) - 1) / (rows - 1)))
    return tuple(points[at] for at in sorted(kept))


def _row(
    found: SweepResult, point: SweepPoint, facts: Facts, bytes_as: ByteUnit, swept: tuple[Swept, ...], extra: bool
) -> Row:
    currency = found.scenario.currency
    rank = float(point.value) if isinstance(point.value, int | float) else str(point.value)
    cells = [Cell(value_words(found, point.value, facts), "bold", rank)]
    if extra:
        cells.append(_cell(point.gpus, Unit.COUNT, bytes_as, currency))
    cells += [_cell(point.figures.get(entry.id), entry.unit, bytes_as, currency) for entry in swept]
    words, tone = verdict(point)
    cells += [
        Cell(point.layout or "–"),
        Cell(words, tone),
        Cell(", ".join("GPUs" if key == "gpus" else key for key in point.changed), "key"),
    ]
    at_hand = point.value == getattr(found.scenario, found.field)
    return Row(str(point.value), tuple(cells), marked=at_hand, detail=reason_text(point.refusal))


def _cell(value: float | None, unit: Unit, bytes_as: ByteUnit, currency: str) -> Cell:
    if value is None:
        return Cell("–", "muted")
    if unit is Unit.USD_PER_MTOK:
        text = money(value, currency)
    elif unit in (Unit.TOKENS_PER_S, Unit.COUNT):
        text = format_count(round(value))
    elif unit is Unit.BITS:
        text = f"{value:.2f}"
    elif unit is Unit.PERCENT:
        text = f"{value:.0f} %"
    else:
        text = figure(value, unit, bytes_as, currency)
    return Cell(text, rank=float(value))


def steps(found: SweepResult, facts: Facts) -> Prose:
    """Where GPUs, layout or verdict change, in words."""
    label = INPUTS[found.field].label
    before = {id(now): then for then, now in zip(found.points, found.points[1:], strict=False)}
    said = []
    for point in found.steps[:_STEPS]:
        words = "; ".join(_step(key, before[id(point)], point) for key in point.changed)
        said.append(Says(f"{label} {value_words(found, point.value, facts)}", words))
    more = len(found.steps) - _STEPS
    if more > 0:
        said.append(Says("", f"and {more} more steps, in the table", muted=True))
    if not said:
        said.append(Says("", "GPUs, layout and verdict stay the same over all values", muted=True))
    return Prose("steps", "Where it steps", tuple(said))


def _step(key: str, before: SweepPoint, point: SweepPoint) -> str:
    match key:
        case "gpus":
            counts = ("none" if entry.gpus is None else f"{entry.gpus:,}" for entry in (before, point))
            return f"GPUs {next(counts)} → {next(counts)}"
        case "layout":
            return f"layout {before.layout or 'none'} → {point.layout or 'none'}"
    return f"{verdict(before)[0]} → {verdict(point)[0]}"


def chart(found: SweepResult, facts: Facts, bytes_as: ByteUnit = ByteUnit.GB) -> Chart:
    """The section's main figure over the field; nothing for names."""
    swept = [entry for entry in SWEPT[found.section] if entry.chart]
    if not is_scale(found.field):
        return Chart(id="sweep-chart")
    places = [float(str(point.value)) for point in found.points]
    curves = []
    for entry, tone in zip(swept, _TONES, strict=False):
        points = tuple(
            (x, float(value))
            for x, point in zip(places, found.points, strict=True)
            if (value := point.figures.get(entry.id)) is not None
        )
        curves.append(Curve(_NAMES[entry.id][0], points, tone))
    rules = []
    now = getattr(found.scenario, found.field)
    spread = max(places, default=0.0) - min(places, default=0.0)
    if places and min(places) < now < max(places):
        rules.append(Rule("now", float(now), "key", upright=True))
    positive = bool(places) and min(places) > 0 and max(places) / min(places) > 100

    def x_text(value: float) -> str:
        whole = INPUTS[found.field].kind in (Kind.COUNT, Kind.TOKENS)
        return value_words(found, round(value) if whole else value, facts)

    unit = swept[0].unit
    return Chart(
        tuple(curve for curve in curves if curve.points),
        tuple(rules),
        INPUTS[found.field].label,
        _NAMES[swept[0].id][0] if len(swept) == 1 else "per 1M tokens",
        x_text,
        partial(_axis, unit, bytes_as, found.scenario.currency),
        logarithmic_x=positive and spread > 0,
        id="sweep-chart",
        title=f"{_NAMES[swept[0].id][0]} over {INPUTS[found.field].label}",
    )


def _axis(unit: Unit, bytes_as: ByteUnit, currency: str, value: float) -> str:
    match unit:
        case Unit.COUNT | Unit.TOKENS_PER_S:
            return f"{round(value):,}" if value < 1e6 else format_count(value)
        case Unit.SECONDS:
            return format_seconds(value)
        case Unit.USD_PER_MTOK:
            return money(value, currency)
    return figure(value, unit, bytes_as, currency)


def data(found: SweepResult) -> dict[str, Any]:
    """Every point as plain values; bytes, seconds and dollars as the engine counts."""
    units = {entry.id: entry.unit.value for entry in SWEPT[found.section]}
    return {
        "section": found.section,
        "field": found.field,
        "whole": found.whole,
        "units": units,
        "points": [
            {
                "value": point.value,
                "gpus": point.gpus,
                "layout": point.layout or None,
                "verdict": point.verdict or None,
                **dict(point.figures),
                "refused": point.refusal,
                "changed": list(point.changed),
            }
            for point in found.points
        ],
    }
