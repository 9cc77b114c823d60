"""How far predictions are off: measured rows scored with constants of a fit that did not see them.

Rows are left out in two ways, by study and by model and GPU: engines, models and parallel degrees recur in every study,
so that leaving a study out alone flatters. What is published is the worse of the two.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from ...value_types import dataclass
from ..facts import Facts, UnknownFactError
from ..memory.runtime import RuntimeTable
from ..speed.constants import Band, Constants, Way
from ..speed.workload import SpeedError
from .rows import QUANTITIES, MeasuredRow, Prepared, Quantity, as_metric, predict, prepare

Key = Literal["regime", "model", "gpu", "engine"]
WAYS: tuple[Way, ...] = ("study", "cell")
INSIDE = 0.8
"""Share of the rows left out that an interval is made to hold."""
ENOUGH = 20
"""Predictions of rows left out below which a kind has no interval of its own: dense models and mixtures share one."""

_LOSSES = frozenset(
    (
        "layer", "step", "sequence", "request", "expert_layer",
        "idle_tokens", "expert_idle_tokens", "activation_touches",
        "kernel", "burst", "bunched", "bunched_varied", "admission", "dp_wait",
    )
)  # fmt: skip
RULE_BANDWIDTH = 0.7
"""Rule of thumb: every token reads the active weights once, at this share of all GPUs' bandwidth."""
RULE_COMPUTE = 0.5
"""Rule of thumb: a prompt computes at this share of all GPUs' peak rate."""


def rule_of_thumb(prepared: Prepared) -> float:
    """Baseline: active weights at 70 % of all bandwidth per step, prompts at 50 % of all compute, GPUs add up."""
    row, load, workload = prepared.row, prepared.load, prepared.workload
    accelerator = prepared.accelerator
    active = load.active_parameters() * load.tp
    bits = prepared.weights.bits
    peak = accelerator.peak(load.dense_compute) or accelerator.peak("bf16") or math.inf
    step = active * bits / 8 / (RULE_BANDWIDTH * (accelerator.bandwidth or math.inf) * load.tp)
    prompt = 2 * active * workload.input_tokens / (RULE_COMPUTE * peak * load.tp)
    dp = row.layout.dp
    batch = (workload.concurrency or 0) / dp
    if row.metric == "ttft_ms":
        return prompt * max(1.0, batch if row.static else 1.0) * 1e3
    if row.metric == "tpot_ms":
        return step * 1e3
    if workload.concurrency is None:
        size = load.sequence_bytes(workload.input_tokens + workload.output_tokens)
        batch = max(1.0, min(prepared.kv_space, 1e12) / size) if size > 0 else 1.0
    seconds = workload.output_tokens * step + prompt * batch
    return as_metric(batch * dp * workload.output_tokens / seconds, row)


def plain_roofline(constants: Constants) -> Constants:
    """Constants of a machine that loses nothing: every rate at its published peak, no latency, no host."""
    ideal: dict[str, float] = {}
    for name in constants.values:
        if name in ("routing_skew", "early_grouped"):
            ideal[name] = 1e6
        elif name in _LOSSES or name.endswith(("_latency", "_growth")) or name.split(".")[0] in _LOSSES:
            ideal[name] = 0.0
        else:
            ideal[name] = 1.0
    return replace(constants, values=ideal)


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one set of predictions, in percent of the measured figure."""

    mean_ape: float
    median_ape: float
    bias: float
    """Mean signed error: above 0, predictions are too high."""
    p90_ape: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Errors:
        """From predicted over measured."""
        signed = [100 * (ratio - 1) for ratio in ratios]
        absolute = sorted(abs(value) for value in signed)
        return cls(
            sum(absolute) / len(absolute), quantile(absolute, 0.5), sum(signed) / len(signed), quantile(absolute, 0.9)
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics, as `statistics.quantiles(method="inclusive")`.

    >>> quantile([1, 2, 3, 4], 0.5)
    2.5
    """
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


@dataclass(frozen=True, slots=True)
class Scored:
    """One row with its predictions."""

    prepared: Prepared
    predicted: dict[Way, float]
    """By constants that did not see the row's study, and by others that did not see its model on its GPU."""
    rule_of_thumb: float
    roofline: float

    @property
    def row(self) -> MeasuredRow:
        return self.prepared.row

    @property
    def measured(self) -> float:
        assert self.row.value is not None
        return self.row.value

    def ratio(self, way: Way) -> float:
        """Predicted over measured."""
        return self.predicted[way] / self.measured


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not scored, and why."""

    row: MeasuredRow
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of one group of rows, beside two baselines."""

    quantity: Quantity
    group: str
    n: int
    studies: int
    way: Way
    """The way of leaving out that came out worse."""
    errors: Errors
    """Of that way."""
    ways: dict[Way, Errors]
    inside: float
    """Share of the rows, either way, within the printed interval; nan where there is none."""
    rule_of_thumb: Errors
    roofline: Errors


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Every row scored, and those that could not be."""

    rows: tuple[Scored, ...]
    left_out: tuple[LeftOut, ...]
    bands: tuple[Band, ...] = ()
    """What predictions are printed with."""

    def scores(self, by: Key = "regime") -> tuple[Score, ...]:
        """Errors by quantity and, within each, by regime (dense or MoE), model, GPU or engine generation."""
        groups: dict[tuple[Quantity, str], list[Scored]] = defaultdict(list)
        for entry in self.rows:
            groups[entry.row.quantity, _group(entry, by)].append(entry)
        ordered = sorted(groups.items(), key=lambda item: (QUANTITIES.index(item[0][0]), item[0][1]))
        return tuple(self._score(quantity, group, rows) for (quantity, group), rows in ordered)

    def _score(self, quantity: Quantity, group: str, rows: Sequence[Scored]) -> Score:
        ways = {way: Errors.of([entry.ratio(way) for entry in rows]) for way in WAYS}
        worse = max(WAYS, key=lambda way: ways[way].mean_ape)
        return Score(
            quantity,
            group,
            len(rows),
            len({entry.row.study for entry in rows}),
            worse,
            ways[worse],
            ways,
            self.inside(rows),
            Errors.of([entry.rule_of_thumb / entry.measured for entry in rows]),
            Errors.of([entry.roofline / entry.measured for entry in rows]),
        )

    def inside(self, rows: Sequence[Scored]) -> float:
        """Share of the predictions of these rows, left out either way, whose printed interval holds the measurement."""
        bands = {(band.quantity, band.kind): band for band in self.bands}
        held = []
        for entry in rows:
            band = bands.get((entry.row.quantity, "moe" if entry.prepared.model.is_moe else "dense"))
            if band:
                held += [band.low <= 1 / entry.ratio(way) <= band.high for way in WAYS]
        return sum(held) / len(held) if held else math.nan

    def interval(self, quantity: Quantity, group: str) -> tuple[float, float]:
        """Measured over predicted that holds `INSIDE` of the rows of a regime, left out either way."""
        same = [entry for entry in self.rows if entry.row.quantity == quantity]
        own = [entry for entry in same if _group(entry, "regime") == group]
        ratios = sorted(1 / entry.ratio(way) for entry in (own if 2 * len(own) >= ENOUGH else same) for way in WAYS)
        return quantile(ratios, (1 - INSIDE) / 2), quantile(ratios, (1 + INSIDE) / 2)


def _group(entry: Scored, by: Key) -> str:
    prepared = entry.prepared
    match by:
        case "regime":
            return "moe" if prepared.model.is_moe else "dense"
        case "model":
            return prepared.model.name
        case "gpu":
            return prepared.accelerator.name
        case "engine":
            return prepared.generation.label


def prepare_rows(
    rows: Iterable[MeasuredRow], facts: Facts, constants: Constants, table: RuntimeTable
) -> tuple[tuple[Prepared, ...], tuple[LeftOut, ...]]:
    """Rows that can be predicted, and the others with their reasons."""
    usable: list[Prepared] = []
    left: list[LeftOut] = []
    for row in rows:
        if row.left_out or row.value is None:
            left.append(LeftOut(row, row.left_out or "no measured value"))
            continue
        try:
            prepared = prepare(row, facts, constants, table)
            predict(prepared, constants)
            usable.append(prepared)
        except (UnknownFactError, SpeedError) as error:
            left.append(LeftOut(row, str(error)))
    return tuple(usable), tuple(left)


def score_rows(
    rows: Iterable[MeasuredRow],
    facts: Facts,
    constants: Constants,
    table: RuntimeTable,
    fold: Callable[[Way, str], Constants],
) -> Accuracy:
    """Score measured rows, each with the constants that `fold` gives for its study, and for its model and GPU."""
    usable, left = prepare_rows(rows, facts, constants, table)
    ideal = plain_roofline(constants)
    folds: dict[tuple[Way, str], Constants] = {}
    scored = []
    for prepared in usable:
        groups: dict[Way, str] = {"study": prepared.row.study, "cell": prepared.cell}
        for key in groups.items():
            if key not in folds:
                folds[key] = fold(*key)
        predicted: dict[Way, float] = {way: predict(prepared, folds[way, group]) for way, group in groups.items()}
        scored.append(Scored(prepared, predicted, rule_of_thumb(prepared), predict(prepared, ideal)))
    return Accuracy(tuple(scored), left, constants.bands)


def families_measured(accuracy: Accuracy, constants: Constants) -> Mapping[tuple[Quantity, str], tuple[str, ...]]:
    """GPU families with measured rows, by quantity and dense or MoE."""
    found: dict[tuple[Quantity, str], set[str]] = defaultdict(set)
    for entry in accuracy.rows:
        family = constants.family(entry.prepared.accelerator.arch)
        if family:
            found[entry.row.quantity, _group(entry, "regime")].add(family)
    return {key: tuple(sorted(families)) for key, families in found.items()}
