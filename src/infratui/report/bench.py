"""A benchmark beside its prediction, in words: every figure with error and interval, and what it was compared as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import counted, format_count, significant
from ..plain_text import printable
from ..scenario import INPUTS
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..benchmarking import BenchComparison
    from ..engine.measured.bench import BenchFigure
    from ..reality.benchmarks.reading import BenchPoint

_NAMES = {"ttft_ms": "TTFT", "tpot_ms": "TPOT", "output_tokens_per_s_total": "output"}
_UNITS = {"ttft_ms": "ms", "tpot_ms": "ms", "output_tokens_per_s_total": "tok/s"}
_COLUMNS = (
    Column("load", "left"),
    Column("tokens", keep=2),
    Column("", "left"),
    Column("measured"),
    Column("predicted"),
    Column("interval", keep=1),
    Column("error"),
    Column("", "left"),
)
_INSIDE = {True: ("✓ inside", "good"), False: ("✗ outside", "bad"), None: ("? no interval", "muted")}


def answer(found: BenchComparison) -> Answer:
    """How many figures lie where they were predicted to."""
    figures = [figure for point in found.points for figure in point.figures]
    told = [figure for figure in figures if figure.inside is not None]
    inside = sum(1 for figure in told if figure.inside)
    plan = f"{found.model} in {found.precision} on {found.layout.gpus} × {found.accelerator} as {found.layout.label}"
    lines = [Says("", f"{found.reading.tool}: {plan}", muted=True)]
    if not figures:
        return Answer("nothing is predicted for these loads", "", "bad", tuple(lines))
    pace = found.pace
    if pace is not None:
        word = f"{abs(pace - 1):.0%} {'slower' if pace >= 1 else 'faster'} than" if abs(pace - 1) >= 0.005 else "as"
        spread = f", from × {found.paces[0]:.2f} to × {found.paces[-1]:.2f}" if len(figures) > 1 else ""
        lines.append(Says("pace", f"{word} predicted, the median of {_figures(len(figures))}{spread}"))
    if not told:
        return Answer("no interval is published for this kind of prediction", "", "tight", tuple(lines))
    tone = "good" if found.within else "bad"
    return Answer(f"{inside} of {_figures(len(told))} inside the published interval", "", tone, tuple(lines))


def _figures(count: int) -> str:
    return counted(count, "figure")


def page(found: BenchComparison) -> tuple[Block, ...]:
    """Every figure, and what it was compared as."""
    return (table(found), remarks(found))


def table(found: BenchComparison) -> Table:
    """A row per figure."""
    rows: list[Row] = []
    for at, (point, read) in enumerate(zip(found.points, found.reading.points, strict=True)):
        rows += [_row(f"{at}-{figure.metric}", read, figure) for figure in point.figures]
        if point.refusal:
            blank = (Cell("–", "muted"),) * 5
            rows.append(Row(str(at), (*_load(read), *blank, Cell(printable(point.refusal, 80), "bad")), "muted"))
    return Table("figures", "Measured beside predicted", _COLUMNS, tuple(rows))


def _load(point: BenchPoint) -> tuple[Cell, Cell]:
    return Cell(point.name), Cell(f"{point.input_tokens:,.0f} → {point.output_tokens:,.0f}", "muted")


def _row(id: str, point: BenchPoint, figure: BenchFigure) -> Row:
    unit = _UNITS[figure.metric]
    ends = "–"
    if figure.low is not None and figure.high is not None:
        ends = f"{_plain(figure.low, unit)} – {_plain(figure.high, unit)}"
    mark, tone = _INSIDE[figure.inside]
    cells = (
        *_load(point),
        Cell(_NAMES[figure.metric], "bold"),
        Cell(f"{_plain(figure.measured, unit)} {unit}", rank=figure.measured),
        Cell(f"{_plain(figure.predicted, unit)} {unit}", rank=figure.predicted),
        Cell(ends, "muted"),
        Cell(f"{figure.error:+.0%}".replace("-", "−"), rank=figure.error),
        Cell(mark, tone),
    )
    return Row(id, cells)


def _plain(value: float, unit: str) -> str:
    return significant(value, 3) if unit == "ms" else format_count(round(value))


def remarks(found: BenchComparison) -> Prose:
    """What the file told, what it left open, and what was adjusted."""
    points = found.reading.points
    said = []
    if found.from_file:
        said.append(Says("from the file", ", ".join(_field(field, found) for field in found.from_file)))
    said += [
        Says(
            "differs", f"{INPUTS[field].label}: the file says {printable(value, 80)}, you said otherwise", "!", "tight"
        )
        for field, value in found.differs
    ]
    if found.host_pace != 1:
        change = f"all predicted times × {found.host_pace:.3g}, by its profile; intervals move with them"
        said.append(Says("host", f"{found.host}: {change}"))
    said.append(Says("lengths", "requests of the mean length are predicted, whatever lengths were sent", muted=True))
    if any(point.medians for point in points):
        said.append(Says("medians", "latencies of the file are medians; predictions are means"))
    if any(point.by_little for point in points):
        said.append(Says("in flight", "not stated: rate times latency, and arrivals taken as spread out"))
    if any(point.concurrency is None for point in points):
        said.append(Says("all at once", "latencies are those of a queue, and are not compared"))
    if any(point.single for point in points):
        said.append(
            Says("no server", "one sequence in a loop: what a server adds to a request is in the prediction only")
        )
    said += [Says("left out", printable(reason, 160), "", "muted") for reason in found.reading.left_out[:8]]
    return Prose("remarks", "Compared as", tuple(said))


def _field(field: str, found: BenchComparison) -> str:
    return f"{INPUTS[field].label} {printable(str(getattr(found.scenario, field)), 40)}"


def data(found: BenchComparison) -> dict[str, Any]:
    """The same as plain values; keys are part of the schema."""
    return {
        "tool": found.reading.tool,
        "model": found.model,
        "precision": found.precision,
        "kv_precision": found.cache,
        "accelerator": found.accelerator,
        "gpus": found.layout.gpus,
        "layout": found.layout.label,
        "from_file": list(found.from_file),
        "differs": dict(found.differs),
        "within": found.within,
        "pace": found.pace,
        "paces": list(found.paces),
        "paces_agree": found.paces_agree,
        "host": found.host,
        "host_pace": found.host_pace,
        "points": [
            {
                "load": read.name,
                "input_tokens": read.input_tokens,
                "output_tokens": read.output_tokens,
                "in_flight": read.concurrency,
                "medians": read.medians,
                "refused": point.refusal,
                "figures": [
                    {
                        "metric": figure.metric,
                        "measured": figure.measured,
                        "predicted": figure.predicted,
                        "low": figure.low,
                        "high": figure.high,
                        "error": figure.error,
                        "inside": figure.inside,
                    }
                    for figure in point.figures
                ],
            }
            for point, read in zip(found.points, found.reading.points, strict=True)
        ],
        "left_out": list(found.reading.left_out),
    }
