"""One field varied, everything else as it stands: the answer of a section at each value, and where it steps.

A point is the search's own answer for the changed scenario: no section is evaluated in full, so that two hundred points
take a second or two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from ..value_types import dataclass
from .cost.case import CostCase, chosen
from .cost.decision import decide
from .deployment.answer import deployed
from .deployment.judge import refused_by
from .deployment.reasons import ReasonKind
from .deployment.thumb import sized
from .figures.derivation import Number, Unit
from .figures.reason import Reason, because
from .memory.weights import total_weights
from .model.architecture import parameters
from .sections.moe import compared
from .sections.moe_side import on_fewest, sides

if TYPE_CHECKING:
    from ..scenario import Scenario
    from .case import Case
    from .deployment.answer import Deployed
    from .evaluate import Evaluator


@dataclass(frozen=True, slots=True)
class Swept:
    """A figure that a section's sweep follows."""

    id: str
    unit: Unit
    chart: bool = False
    """Drawn over the field."""


SWEPT: Mapping[str, tuple[Swept, ...]] = {
    "vram": (
        Swept("fewest", Unit.COUNT, chart=True),
        Swept("total", Unit.BYTES),
        Swept("kv_cache", Unit.BYTES),
        Swept("free_per_gpu", Unit.BYTES),
        Swept("max_users", Unit.COUNT),
    ),
    "quantization": (
        Swept("fewest", Unit.COUNT, chart=True),
        Swept("weights", Unit.BYTES),
        Swept("bits_per_weight", Unit.BITS),
        Swept("tpot", Unit.SECONDS),
        Swept("output", Unit.TOKENS_PER_S),
    ),
    "parallelism": (
        Swept("output", Unit.TOKENS_PER_S, chart=True),
        Swept("ttft", Unit.SECONDS),
        Swept("tpot", Unit.SECONDS),
        Swept("max_users", Unit.COUNT),
        Swept("fewest", Unit.COUNT),
    ),
    "cost": (
        Swept("monthly", Unit.USD, chart=True),
        Swept("per_mtok", Unit.USD_PER_MTOK),
        Swept("replicas", Unit.COUNT),
        Swept("busy", Unit.PERCENT),
    ),
    "moe": (
        Swept("dense_gpus", Unit.COUNT),
        Swept("dense_output", Unit.TOKENS_PER_S),
        Swept("dense_per_mtok", Unit.USD_PER_MTOK, chart=True),
        Swept("moe_gpus", Unit.COUNT),
        Swept("moe_output", Unit.TOKENS_PER_S),
        Swept("moe_per_mtok", Unit.USD_PER_MTOK, chart=True),
    ),
}
"""Section → what its sweep follows, in reading order."""


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """The answer at one value."""

    value: object
    gpus: int | None = None
    """The fewest that hold it; of `cost` those of the fleet, of `moe` those of the scenario's own model."""
    layout: str = ""
    verdict: str = ""
    """`holds`, `misses` (the targets), `short`; of `cost` what to pay for, of `moe` whose tokens cost less."""
    figures: Mapping[str, Number | None] = field(default_factory=dict)
    refusal: Reason | None = None
    """Why there is no answer."""
    changed: tuple[str, ...] = ()
    """What differs from the point before: `gpus`, `layout`, `verdict`."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A section's answer over one field."""

    section: str
    field: str
    scenario: Scenario
    points: tuple[SweepPoint, ...]
    whole: bool = True
    """False where it was stopped."""

    @property
    def steps(self) -> tuple[SweepPoint, ...]:
        """The points at which something changes."""
        return tuple(point for point in self.points if point.changed)

    @property
    def answered(self) -> tuple[SweepPoint, ...]:
        return tuple(point for point in self.points if not point.refusal)


def sweep(
    evaluate: Evaluator, scenario: Scenario, section: str, name: str, values: Iterable[object]
) -> Iterator[SweepPoint]:
    """The points one by one, in the order of the values. Raises ScenarioError for a value that no scenario takes."""
    before: SweepPoint | None = None
    for value in values:
        point = _point(evaluate(scenario.with_(**{name: value})).case, section, value)
        if before is not None:
            point = _compared(point, before)
        before = point
        yield point


def _point(case: Case, section: str, value: object) -> SweepPoint:
    readers = _READERS if case.scenario.estimator == "detailed" else _BY_THUMB
    if section not in readers:
        return SweepPoint(value, refusal=because(ReasonKind.RULE_HAS_NO_SPEED))
    try:
        return readers[section](case, value)
    except (ValueError, OSError) as error:
        return SweepPoint(value, refusal=refused_by(error))


def _compared(point: SweepPoint, before: SweepPoint) -> SweepPoint:
    now = {"gpus": point.gpus, "layout": point.layout, "verdict": point.verdict or point.refusal}
    then = {"gpus": before.gpus, "layout": before.layout, "verdict": before.verdict or before.refusal}
    changed = tuple(key for key, value in now.items() if value != then[key])
    return SweepPoint(point.value, point.gpus, point.layout, point.verdict, point.figures, point.refusal, changed)


def _verdict(found: Deployed) -> str:
    best = found.choice.best
    if best is None or not found.holds:
        return "short"
    return "holds" if best.meets or best.tpot_s is None else "misses"


def _vram(case: Case, value: object) -> SweepPoint:
    found = deployed(case)
    totals, plan = found.totals, found.plan
    figures: dict[str, Number | None] = {
        "fewest": found.fewest.gpus,
        "total": totals.used if totals else None,
        "kv_cache": totals.kv_cache if totals else None,
        "free_per_gpu": totals.free_per_gpu if totals else None,
        "max_users": plan.max_users if plan else None,
    }
    layout = plan.layout.label if plan is not None and found.holds else ""
    return SweepPoint(value, found.fewest.gpus, layout, _verdict(found), figures)


def _thumb(case: Case, value: object) -> SweepPoint:
    """Memory by the rule of thumb: one copy over the cards' gigabytes, the ladder's split of the GPUs at hand."""
    found = sized(case)
    if found.memory is None:
        return SweepPoint(value, refusal=because(ReasonKind.RULE_HAS_NO_CACHE, found.model.name))
    figures: dict[str, Number | None] = {
        "fewest": found.least,
        "total": found.memory.total,
        "kv_cache": found.memory.kv_cache,
        "free_per_gpu": found.free_per_gpu,
        "max_users": found.max_users,
    }
    layout = found.split.layout.label if found.holds else ""
    return SweepPoint(value, found.least, layout, "holds" if found.holds else "short", figures)


def _thumb_weights(case: Case, value: object) -> SweepPoint:
    """A precision by the rule of thumb: nominal bytes, GPUs for the weights alone."""
    found, split = sized(case), sized(case).split
    figures: dict[str, Number | None] = {
        "fewest": split.min_gpus,
        "weights": found.weights,
        "bits_per_weight": 8 * found.bytes_per_parameter,
    }
    layout = split.layout.label if split.enough else ""
    return SweepPoint(value, split.min_gpus, layout, "holds" if split.enough else "short", figures)


def _speed(found: Deployed) -> dict[str, Number | None]:
    best = found.choice.best
    return {
        "ttft": best.ttft_s if best else None,
        "tpot": best.tpot_s if best else None,
        "output": best.output_per_s if best else None,
    }


def _parallelism(case: Case, value: object) -> SweepPoint:
    point = _vram(case, value)
    figures = {**point.figures, **_speed(deployed(case))}
    return SweepPoint(value, point.gpus, point.layout, point.verdict, figures)


def _quantization(case: Case, value: object) -> SweepPoint:
    point = _parallelism(case, value)
    weights = total_weights(case.model, case.precision)
    bits = 8 * weights / parameters(case.model).total
    figures = {**point.figures, "weights": weights, "bits_per_weight": bits}
    return SweepPoint(value, point.gpus, point.layout, point.verdict, figures)


def _cost(case: Case, value: object) -> SweepPoint:
    costed = CostCase.of(case)
    offered, fleet, costs = costed.costs()
    quote = costed.quote(offered) if case.scenario.api else None
    circumstances = costed.circumstances(costs, fleet, quote.monthly if quote else None)
    decision = decide(circumstances)
    best = chosen(decision, costs, circumstances)
    figures: dict[str, Number | None] = {
        "monthly": best.monthly if best else None,
        "per_mtok": best.per_mtok if best else None,
        "replicas": fleet.replicas,
        "busy": 100 * fleet.utilization,
    }
    return SweepPoint(value, fleet.gpus, costed.replica.layout.label, decision.leaf.value, figures)


def _moe(case: Case, value: object) -> SweepPoint:
    figures: dict[str, Number | None] = {}
    own: tuple[int | None, str] = None, ""
    for name, side in zip(("dense", "moe"), sides(case, *compared(case)), strict=True):
        served = on_fewest(side)
        figures[f"{name}_gpus"] = served.gpus or None
        figures[f"{name}_output"] = served.serving.output_per_s if served.serving else None
        figures[f"{name}_per_mtok"] = served.usd_per_mtok
        if side.model is case.model:
            own = served.gpus or None, served.memory.layout.label if served.memory else ""
    dense, moe = figures["dense_per_mtok"], figures["moe_per_mtok"]
    verdict = ""
    if dense is not None and moe is not None:
        verdict = "even" if math.isclose(dense, moe, rel_tol=0.005) else "dense" if dense < moe else "moe"
    return SweepPoint(value, *own, verdict, figures)


_READERS: Mapping[str, Callable[[Case, object], SweepPoint]] = {
    "vram": _vram,
    "quantization": _quantization,
    "parallelism": _parallelism,
    "cost": _cost,
    "moe": _moe,
}
_BY_THUMB: Mapping[str, Callable[[Case, object], SweepPoint]] = {
    "vram": _thumb,
    "quantization": _thumb_weights,
    "cost": _cost,
}
"""Sections that the rule of thumb has figures to follow in."""
