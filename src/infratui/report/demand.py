"""Measured demand in words: lengths in strips, arrivals with the peak marked, and what is to be said of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import counted, format_count, format_seconds, format_usd, significant
from .money import label
from .reasons import reason_text
from .show import Answer, Block, Cell, Column, Line, Lines, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..demand.measured import MeasuredDemand
    from ..demand_profile import DemandProfile, LengthSpread
    from ..engine.evaluate import Evaluation
    from ..engine.sections.demand_effect import AskedFleet, DemandEffect

STRIP = 36
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
            lines += _histogram(name, spread)
        else:
            lines.append(((name.ljust(_LABEL), "muted"), (f"{spread.mean:,.0f} tokens, no histogram", "")))
    lines += _arrivals(profile)
    return Lines("strips", "Lengths (each cell a step of the logarithm) and arrivals", tuple(lines))


def _histogram(name: str, spread: LengthSpread) -> list[Line]:
    """The strip, and what it spans below."""
    low, high = max(1.0, spread.points[0]), max(2.0, spread.points[-1])
    step = (high / low) ** (1 / STRIP) if high > low else 2.0
    edges = [low * step**at for at in range(STRIP + 1)]
    edges[-1] = high
    reached = [spread.below(edge) for edge in edges]
    shares = [after - before for before, after in pairwise(reached)]
    shares[0] += reached[0]
    quantiles = " · ".join(f"p{share} {spread.at(share):,.0f}" for share in _SHARES)
    return [
        ((name.ljust(_LABEL), "muted"), (_bars(shares), "weights" if name == "input" else "kv")),
        ((" " * _LABEL, ""), (f"{round(low):,} … {round(high):,} tokens · {quantiles}", "muted")),
    ]


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
            (drawn[:place], "overhead"),
            (drawn[place], "bold tight"),
            (drawn[place + 1 :], "overhead"),
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


# Beside what is typed

_WAYS = {
    "typed": "typed",
    "means": "measured lengths, typed peak",
    "60s": "measured, busiest minute",
    "10s": "measured, busiest 10 s",
    "long": "every request as long as p90",
}
_EFFECT = (
    Column("demand", "left"),
    Column("input"),
    Column("output"),
    Column("peak", term="peak-factor"),
    Column("GPUs", term="replica"),
    Column("layout", "left", keep=2),
    Column("a month", keep=1),
)


def of(evaluation: Evaluation) -> tuple[Block, ...]:
    """What measured demand changes; nothing where there is none."""
    if evaluation.typed.demand_profile is None:
        return ()
    try:
        found = evaluation.demand_effect
    except ValueError:
        return ()
    return effect(found, evaluation.scenario.currency)


def data_of(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values; nothing where there is none."""
    profile = evaluation.typed.demand_profile
    if profile is None:
        return {}
    rows = evaluation.demand_effect.rows
    return {
        "measured_demand": {
            "profile": profile.mapping(),
            "asks_for": {
                entry.id: {
                    "input_tokens": entry.input_tokens,
                    "output_tokens": entry.output_tokens,
                    "peak_factor": entry.peak_factor,
                    "gpus": entry.fleet.gpus if entry.fleet else None,
                    "layout": entry.fleet.layout.label if entry.fleet else None,
                    "usd_per_month": entry.usd_per_month,
                    "in_force": entry.in_force,
                    "reason": entry.reason,
                }
                for entry in rows
            },
        }
    }


def effect(found: DemandEffect, currency: str = "$") -> tuple[Block, ...]:
    """Typed against measured in one line, the strips, and every way to state the demand."""
    rows = tuple(_effect_row(entry, currency) for entry in found.rows)
    return (
        Prose("measured", "Measured demand", tuple(_effect_says(found, currency))),
        Lines("measured", "", strips(found.profile).lines),
        Table("measured", "What each demand asks for", _EFFECT, rows),
    )


def effect_line(found: DemandEffect, currency: str = "$") -> str:
    """`typed 500/500 ×2 → measured 2,048/28 ×4.1: 4 → 8 GPUs, $4,368 → $8,737 a month`."""
    typed, measured = found.rows[0], found.measured
    gpus = " → ".join(f"{entry.fleet.gpus:,}" if entry.fleet else "none" for entry in (typed, measured))
    money = " → ".join(_usd(entry.usd_per_month, currency) for entry in (typed, measured))
    return f"typed {_stated(typed)} → measured {_stated(measured)}: {gpus} GPUs, {money} a month"


def _stated(entry: AskedFleet) -> str:
    return f"{entry.input_tokens:,}/{entry.output_tokens:,} ×{significant(entry.peak_factor, 2)}"


def _usd(amount: float | None, currency: str) -> str:
    return "–" if amount is None else format_usd(amount, currency=label(currency))


def _effect_says(found: DemandEffect, currency: str) -> list[Says]:
    profile = found.profile
    said = [Says("", effect_line(found, currency))]
    reason = next((entry.reason for entry in found.rows if entry.in_force and entry.fleet is None), None)
    if reason:
        said.append(Says("none", reason_text(reason), "", "bad"))
    said.append(
        Says(
            "memory",
            f"{counted(found.users, 'user')} of {found.tokens_per_user:,.0f} tokens each, "
            f"{profile.in_flight.mean:,.0f} in the mean: enough in 99 of 100 moments",
        )
    )
    longest = profile.input.at(99) + profile.output.at(99)
    if longest > found.context:
        said.append(
            Says(
                "context",
                f"one request in a hundred holds {longest:,.0f} tokens; the engine refuses what is beyond "
                f"{found.context:,}",
                "too short:",
                "tight",
            )
        )
    if profile.peak_60s is None:
        said.append(Says("peak", "arrivals were not measured: the typed peak holds", "", muted=True))
    said.append(
        Says("from", f"{profile.source}; demand_profile=none drops it, peak_window takes 60s or 10s", muted=True)
    )
    return said


def _effect_row(entry: AskedFleet, currency: str) -> Row:
    fleet = entry.fleet
    cells = (
        Cell(_WAYS[entry.id], "bold" if entry.in_force else ""),
        Cell(f"{entry.input_tokens:,}", rank=entry.input_tokens),
        Cell(f"{entry.output_tokens:,}", rank=entry.output_tokens),
        Cell(f"×{significant(entry.peak_factor)}", rank=entry.peak_factor),
        Cell("–" if fleet is None else f"{fleet.gpus:,}", "bad" if fleet is None else "", fleet.gpus if fleet else -1),
        Cell("–" if fleet is None else f"{fleet.replicas:,} × {fleet.layout.label}"),
        Cell(_usd(entry.usd_per_month, currency), rank=entry.usd_per_month or 0.0),
    )
    return Row(entry.id, cells, "", entry.in_force, reason_text(entry.reason))


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
