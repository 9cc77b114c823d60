"""What a load does to the chosen layout: charts of TTFT and TPOT, and a table with the tails beside every mean."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import format_count, format_seconds, significant
from .reasons import error_text
from .show import Block, Cell, Chart, Column, Curve, Prose, Row, Rule, Says, Table

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.sections.load_curve import LoadCurve
    from ..engine.speed.tails import LoadPoint, Percentiles

_TITLE = "Load: requests/s against latency"
_SHARES = (("p50", "weights"), ("p90", "kv"), ("p99", "bad"))
_COLUMNS = (
    Column("", "left"),
    Column("requests/s", term="throughput"),
    Column("tokens/s", keep=1, term="throughput"),
    Column("in flight", keep=4, term="concurrency"),
    Column("TTFT mean", keep=3, term="ttft"),
    Column("TTFT p50", keep=2, term="percentile"),
    Column("TTFT p90", term="percentile"),
    Column("TTFT p99", term="percentile"),
    Column("TPOT mean", keep=3, term="tpot"),
    Column("TPOT p50", keep=2, term="percentile"),
    Column("TPOT p90", term="percentile"),
    Column("TPOT p99", term="percentile"),
)


def of(evaluation: Evaluation) -> tuple[Block, ...]:
    """What an evaluation says of load; nothing where no layout holds."""
    try:
        return page(evaluation.load_curve)
    except ValueError:
        return ()


def data_of(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values; why there are none."""
    try:
        return data(evaluation.load_curve)
    except ValueError as error:
        return {"load": {"refused": error_text(error)}}


def page(found: LoadCurve) -> tuple[Block, ...]:
    """Both charts, the table and what it says."""
    return (ttft(found), tpot(found), table(found), words(found))


def ttft(found: LoadCurve) -> Chart:
    """Time to first token over the load."""
    return _chart(found, "TTFT", "ttft", found.targets.ttft_s)


def tpot(found: LoadCurve) -> Chart:
    """Time per output token over the load."""
    return _chart(found, "TPOT", "tpot", found.targets.tpot_s)


def _chart(found: LoadCurve, name: str, quantity: str, target_s: float) -> Chart:
    curves = tuple(
        Curve(
            label,
            tuple((point.requests_per_s, getattr(getattr(point, quantity), label)) for point in found.points),
            tone,
        )
        for label, tone in _SHARES
    )
    most = found.points[-1].requests_per_s
    rules = [Rule("knee", found.knee.requests_per_s, "muted", upright=True)]
    if found.peak_per_s <= most:
        rules.append(Rule("peak now", found.peak_per_s, "key", upright=True))
    lowest = found.points[0]
    # Beyond a few times the knee's tail a wait for slots would hide everything else.
    top = 4 * getattr(found.knee, quantity).p99
    if target_s and getattr(lowest, quantity).p50 < target_s <= top:
        rules.append(Rule("target", target_s, "tight"))
    return Chart(
        curves,
        tuple(rules),
        "requests/s",
        name,
        significant,
        partial(format_seconds),
        top=top,
        id=f"load-{quantity}",
        title=f"{name} under load",
    )


def table(found: LoadCurve) -> Table:
    """The loads that matter, with mean and tails."""
    rows = [_row("mean", "demand, mean", found.mean, found.mean_per_s)]
    rows.append(_row("peak", "demand, peak", found.peak, found.peak_per_s, marked=True))
    rows.append(_row("knee", "knee", found.knee, found.knee.requests_per_s))
    rows.append(_row("most", "just below full", found.points[-1], found.points[-1].requests_per_s))
    return Table("load", f"{_TITLE}, {found.layout.label}", _COLUMNS, tuple(rows))


def _row(id: str, label: str, point: LoadPoint | None, rate: float, marked: bool = False) -> Row:
    first = (Cell(label, "bold"), Cell(significant(rate), rank=rate))
    if point is None:
        blank = Cell("–", "muted")
        return Row(id, (*first, *(blank for _ in _COLUMNS[2:])), "bad", marked, "beyond what can be held")
    cells = [
        Cell(format_count(round(point.output_per_s)), rank=point.output_per_s),
        Cell(significant(point.in_flight), rank=point.in_flight),
    ]
    for mean, tails in ((point.ttft_mean_s, point.ttft), (point.tpot_mean_s, point.tpot)):
        cells += [Cell(format_seconds(value), rank=value) for value in (mean, tails.p50, tails.p90, tails.p99)]
    return Row(id, (*first, *cells), "", marked)


def words(found: LoadCurve) -> Prose:
    """Where the demand stands, and how much holds."""
    most, within = found.most_per_s, found.within
    said = []
    if found.peak is None:
        said.append(
            Says(
                "Demand",
                f"{significant(found.peak_per_s)} requests/s at peak, {significant(most)} is the most it completes",
                "beyond what can be held:",
                "bad",
            )
        )
    else:
        held = next((share for share in (99, 90, 50) if found.peak_per_s <= within[share]), 0)
        where = "below" if found.peak_per_s <= found.knee.requests_per_s else "beyond"
        promise = f"p{held} holds the targets" if held else "the targets are missed"
        said.append(
            Says(
                "Demand",
                f"{promise}; {found.peak_per_s / most:.0%} of what it completes, {where} the knee",
                "at the peak",
                "good" if held else "bad",
            )
        )
    rates = ", ".join(f"{significant(rate)} at p{share}" for share, rate in within.items())
    aims = " and ".join(
        f"{name} {format_seconds(target)}"
        for name, target in (("TTFT", found.targets.ttft_s), ("TPOT", found.targets.tpot_s))
        if target
    )
    if aims:
        said.append(
            Says("Capacity", f"{rates} within {aims}; {significant(most)} in all, at any latency", "requests/s")
        )
    else:
        said.append(Says("Capacity", f"{significant(most)} in all, at any latency; no target is set", "requests/s"))
    said.append(
        Says(
            "Basis",
            f"arrivals at random, requests of {'measured lengths' if found.unequal else 'one length'}, dealt to the "
            "replicas evenly; TPOT is an answer's mean gap after its first token",
            muted=True,
        )
    )
    return Prose("load-words", "", tuple(said))


def tails_text(point: LoadPoint) -> str:
    """`TTFT 68 ms (p90 85 ms, p99 106 ms), TPOT 11 ms (p90 12 ms, p99 13 ms)`."""

    def one(name: str, mean: float, tails: Percentiles) -> str:
        return f"{name} {format_seconds(mean)} (p90 {format_seconds(tails.p90)}, p99 {format_seconds(tails.p99)})"

    return f"{one('TTFT', point.ttft_mean_s, point.ttft)}, {one('TPOT', point.tpot_mean_s, point.tpot)}"


def fleet(evaluation: Evaluation) -> tuple[Block, ...]:
    """Tails of the fleet that is paid for, at mean and peak; nothing where there is none, or a rule of thumb."""
    if evaluation.scenario.estimator != "detailed":
        return ()
    try:
        found = evaluation.fleet_load
    except ValueError:
        return ()
    said = [
        Says(label, f"{tails_text(point)}; {significant(point.in_flight * found.replicas)} in flight")
        for label, point in (("On average", found.mean), ("At the peak", found.peak))
        if point is not None
    ]
    if found.peak is None:
        said.append(Says("At the peak", "the queue grows without end: the fleet completes less", "", "bad"))
    return (Prose("tails", f"Latency of {found.replicas:,} × {found.layout.label}, mean and tails", tuple(said)),)


def fleet_data(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values."""
    if evaluation.scenario.estimator != "detailed":
        return {}
    try:
        found = evaluation.fleet_load
    except ValueError:
        return {}
    return {"latency_of_fleet": {"mean": _point(found.mean), "peak": _point(found.peak), "per_replica": True}}


def data(found: LoadCurve) -> dict[str, Any]:
    """The curve as plain values: seconds, requests and tokens per second."""
    return {
        "load": {
            "layout": found.layout.label,
            "most_requests_per_s": found.most_per_s,
            "requests_per_s_within_targets": {f"p{share}": rate for share, rate in found.within.items()},
            "knee": _point(found.knee),
            "mean": _point(found.mean),
            "peak": _point(found.peak),
            "demand_requests_per_s": {"mean": found.mean_per_s, "peak": found.peak_per_s},
            "points": [_point(point) for point in found.points],
        }
    }


def _point(point: LoadPoint | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {
        "requests_per_s": point.requests_per_s,
        "output_tokens_per_s": point.output_per_s,
        "in_flight": point.in_flight,
        "ttft_s": {"mean": point.ttft_mean_s, **_shares(point.ttft)},
        "tpot_s": {"mean": point.tpot_mean_s, **_shares(point.tpot)},
    }


def _shares(tails: Percentiles) -> dict[str, float]:
    return {"p50": tails.p50, "p90": tails.p90, "p95": tails.p95, "p99": tails.p99}
