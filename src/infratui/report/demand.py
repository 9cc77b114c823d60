"""Measured demand in words: lengths in strips, arrivals with the peak marked, and what is to be said of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import format_count, format_seconds, format_tokens, significant
from .show import Answer, Block, Cell, Column, Line, Lines, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..demand.measured import MeasuredDemand
    from ..demand_profile import DemandProfile, LengthSpread

STRIP = 40
"""Cells of a strip."""
_HEIGHTS = " ▁▂▃▄▅▆▇█"
_LABEL = 9
_SHARES = (50, 90, 99)
_COLUMNS = (
    Column("tokens", "left"),
    Column("mean"),
    *(Column(f"p{share}", term="percentile") for share in _SHARES),
    Column("longest", keep=1),
)


def answer(found: MeasuredDemand) -> Answer:
    """How many requests of what lengths, how they arrive, and whether the server was full."""
    count = f"{format_count(found.requests)} request{'' if found.requests == 1 else 's'}"
    over = f" in {format_seconds(found.seconds)}" if found.seconds else ""
    text = f"{count}{over}, read as {found.format}: {lengths(found.input, found.output)} tokens"
    figures = []
    if found.requests_per_s:
        figures.append(f"{significant(found.requests_per_s)} requests/s")
    if found.peak_60s is not None:
        figures.append(f"×{significant(found.peak_60s)} in the busiest minute")
    if found.peak_10s is not None:
        figures.append(f"×{significant(found.peak_10s)} in the busiest 10 s")
    if found.prefix_share is not None:
        figures.append(f"{found.prefix_share:.1%} of the prompts repeat")
    if found.saturated:
        figures.append("saturated")
    return Answer(text, " · ".join(figures), "tight" if found.saturated else "good")


def lengths(prompts: LengthSpread, answers: LengthSpread) -> str:
    """`2,048 → 28`, the means."""
    return f"{prompts.mean:,.0f} → {answers.mean:,.0f}"


def page(found: MeasuredDemand) -> tuple[Block, ...]:
    """Quantiles, strips, remarks."""
    notes = tuple(Says("", note) for note in found.notes)
    return (table(found), strips(found.profile, found.by_length), Prose("remarks", "Remarks", notes))


def table(found: MeasuredDemand) -> Table:
    """Mean and quantiles of both lengths."""
    rows = (_row("input", found.input, found.by_length), _row("output", found.output, found.by_length))
    return Table("lengths", "Lengths", _COLUMNS, rows)


def _row(name: str, spread: LengthSpread, known: tuple[str, ...]) -> Row:
    values = [spread.mean, *(spread.at(share) if name in known else None for share in (*_SHARES, 100))]
    cells = (Cell("–", "muted") if value is None else Cell(f"{value:,.0f}", "", value) for value in values)
    return Row(name, (Cell(name), *cells))


# Strips


def strips(profile: DemandProfile, known: tuple[str, ...] = ("input", "output")) -> Lines:
    """Histograms of both lengths and the arrivals, one line each, the busiest minute marked."""
    lines: list[Line] = []
    for name, spread in (("input", profile.input), ("output", profile.output)):
        if name in known and spread.points[0] < spread.points[-1]:
            lines.append(_histogram(name, spread))
        else:
            lines.append(((name.ljust(_LABEL), "muted"), (f"{spread.mean:,.0f} tokens, no histogram", "")))
    lines += _arrivals(profile)
    return Lines("strips", "Lengths (each cell a step of the logarithm) and arrivals", tuple(lines))


def _histogram(name: str, spread: LengthSpread) -> Line:
    low, high = max(1.0, spread.points[0]), max(2.0, spread.points[-1])
    step = (high / low) ** (1 / STRIP) if high > low else 2.0
    edges = [low * step**at for at in range(STRIP + 1)]
    edges[-1] = high
    reached = [spread.below(edge) for edge in edges]
    shares = [after - before for before, after in pairwise(reached)]
    shares[0] += reached[0]
    quantiles = " ".join(f"p{share} {spread.at(share):,.0f}" for share in _SHARES)
    return (
        (name.ljust(_LABEL), "muted"),
        (_bars(shares), "weights" if name == "input" else "kv"),
        (f"  {format_tokens(round(low))} … {format_tokens(round(high))} tokens · {quantiles}", ""),
    )


def _arrivals(profile: DemandProfile) -> list[Line]:
    """The arrivals, and a mark under the busiest slice."""
    if not profile.arrivals or profile.peak_60s is None:
        return [(("arrivals".ljust(_LABEL), "muted"), ("no peak is known", ""))]
    each = -(-len(profile.arrivals) // STRIP)
    heights = [max(profile.arrivals[at : at + each]) for at in range(0, len(profile.arrivals), each)]
    place = heights.index(max(heights))
    drawn = _bars(heights)
    ten = "" if profile.peak_10s is None else f", ×{significant(profile.peak_10s)} in 10 s"
    return [
        (
            ("arrivals".ljust(_LABEL), "muted"),
            (drawn[:place], "activation"),
            (drawn[place], "bold tight"),
            (drawn[place + 1 :], "activation"),
            (f"{' ' * (STRIP - len(drawn))}  requests/s over time", ""),
        ),
        ((" " * (_LABEL + place), ""), (f"▲ ×{significant(profile.peak_60s)} in the busiest minute{ten}", "tight")),
    ]


def _bars(amounts: list[float]) -> str:
    """A strip to the highest: what is there at all shows."""
    most = max(amounts, default=0.0)
    if most <= 0:
        return _HEIGHTS[0] * len(amounts)
    top = len(_HEIGHTS) - 1
    return "".join(_HEIGHTS[max(amount > 0, round(max(0.0, amount) / most * top))] for amount in amounts)


# Values


def data(found: MeasuredDemand) -> dict[str, Any]:
    """The reading as plain values; keys are part of the schema."""
    return {
        "format": found.format,
        "requests": found.requests,
        "seconds": found.seconds,
        "input": _quantiles("input", found.input, found.by_length),
        "output": _quantiles("output", found.output, found.by_length),
        "peak_factor_60s": found.peak_60s,
        "peak_factor_10s": found.peak_10s,
        "prefix_share": found.prefix_share,
        "saturated": found.saturated,
        "notes": found.notes,
    }


def _quantiles(name: str, spread: LengthSpread, known: tuple[str, ...]) -> dict[str, float | None]:
    return {"mean": spread.mean} | {f"p{share}": spread.at(share) if name in known else None for share in _SHARES}
