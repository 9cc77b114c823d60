"""Measured points of one plan beside what is predicted for each: error, and whether the published interval holds it."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from ...value_types import dataclass
from ..facts import Facts
from ..memory.runtime import RuntimeTable
from ..speed.constants import Constants
from ..speed.serving import predict_mix
from ..speed.workload import SpeedError
from .rows import MeasuredRow, Prepared, Quantity, prepare


@dataclass(frozen=True, slots=True)
class BenchFigure:
    """One measured figure beside its prediction, in the unit of the metric."""

    metric: str
    measured: float
    predicted: float
    low: float | None
    high: float | None
    """Ends of the published interval; None: nothing measured backs this kind of prediction."""

    @property
    def error(self) -> float:
        """Predicted over measured, less 1."""
        return self.predicted / self.measured - 1

    @property
    def inside(self) -> bool | None:
        """The measured figure lies in the published interval; None: there is none."""
        return None if self.low is None or self.high is None else self.low <= self.measured <= self.high

    @property
    def pace(self) -> float:
        """Seconds measured over seconds predicted: above 1 the machine is slower than predicted."""
        ratio = self.measured / self.predicted
        return 1 / ratio if self.metric == "output_tokens_per_s_total" else ratio


@dataclass(frozen=True, slots=True)
class ComparedPoint:
    """One load with its figures, or why nothing is predicted for it."""

    name: str
    figures: tuple[BenchFigure, ...]
    refusal: str = ""


def compare_point(
    row: MeasuredRow,
    measured: dict[str, float],
    name: str,
    facts: Facts,
    constants: Constants,
    table: RuntimeTable,
) -> ComparedPoint:
    """A plan under one load. `measured`: metric → figure."""
    try:
        prepared = prepare(row, facts, constants, table)
        figures = tuple(_figures(prepared, constants, measured))
    except (SpeedError, ValueError) as error:
        return ComparedPoint(name, (), str(error))
    return ComparedPoint(name, figures)


def _figures(prepared: Prepared, constants: Constants, measured: dict[str, float]) -> list[BenchFigure]:
    plan = prepared.plan(constants)
    row, workload = prepared.row, prepared.workload
    mix = predict_mix(plan, workload)
    busy = row.layout.dp if workload.concurrency is None else min(float(row.layout.dp), workload.concurrency)
    predicted = {
        "ttft_ms": mix.ttft_s * 1e3,
        "tpot_ms": mix.tpot_s * 1e3,
        "output_tokens_per_s_total": mix.per_replica * busy,
    }
    found = []
    for metric, value in measured.items():
        quantity: Quantity = replace(row, metric=metric).quantity
        band = plan.band(quantity)
        low, high = (None, None) if band is None else band.interval.around(predicted[metric])
        found.append(BenchFigure(metric, value, predicted[metric], low, high))
    return found


AGREES = 1.5
"""Factor within which a figure's pace is that of the others."""


def paces_of(points: tuple[ComparedPoint, ...]) -> tuple[float, ...]:
    """The pace of every figure, the fastest first."""
    return tuple(sorted(figure.pace for point in points for figure in point.figures))


def pace_of(points: tuple[ComparedPoint, ...]) -> float | None:
    """The median of all figures: by how much the machine is slower (above 1) or faster than predicted."""
    paces = paces_of(points)
    return median(paces) if paces else None


def paces_agree(points: tuple[ComparedPoint, ...]) -> bool:
    """One pace describes the machine: more than half of the figures lie close to the median."""
    middle, paces = pace_of(points), paces_of(points)
    if middle is None:
        return False
    return 2 * sum(1 for pace in paces if 1 / AGREES <= pace / middle <= AGREES) > len(paces)
