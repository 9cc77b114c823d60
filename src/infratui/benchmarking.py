"""A benchmark's result beside what is predicted for its loads on a scenario's GPUs: one call for every front end."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from .engine.case import Case
from .engine.cluster.layout import Layout
from .engine.deployment.answer import deployed
from .engine.measured.bench import ComparedPoint, compare_point, pace_of, paces_agree, paces_of
from .engine.measured.rows import MeasuredRow
from .plain_text import printable
from .reality.text import UnreadableError
from .scenario import Scenario, ScenarioError, choices
from .value_types import dataclass

if TYPE_CHECKING:
    from .catalog.load import Catalog
    from .engine.model.architecture import Model
    from .reality.benchmarks.reading import BenchPlan, BenchPoint, BenchReading

_METRICS = (("ttft_ms", "ttft_ms"), ("tpot_ms", "tpot_ms"), ("output_per_s", "output_tokens_per_s_total"))


@dataclass(frozen=True, slots=True)
class BenchComparison:
    """Every point, on one plan."""

    reading: BenchReading
    scenario: Scenario
    """With what the file told of the plan."""
    layout: Layout
    model: str
    precision: str
    cache: str
    accelerator: str
    """Catalog ids."""
    points: tuple[ComparedPoint, ...]
    from_file: tuple[str, ...] = ()
    """Fields that the file set."""
    differs: tuple[tuple[str, str], ...] = ()
    """Fields that the user set and the file tells otherwise, with what it says."""
    host: str = ""
    host_pace: float = 1.0
    """By which the host's profile slows predictions down; 1: not at all."""

    @property
    def pace(self) -> float | None:
        """Measured over predicted seconds, the host's own pace taken out."""
        return pace_of(self.points)

    @property
    def paces(self) -> tuple[float, ...]:
        """Of every figure, the fastest first."""
        return paces_of(self.points)

    @property
    def paces_agree(self) -> bool:
        """One pace describes the machine."""
        return paces_agree(self.points)

    @property
    def within(self) -> bool:
        """No figure lies outside its published interval, and some figure has one."""
        told = [figure.inside for point in self.points for figure in point.figures if figure.inside is not None]
        return bool(told) and all(told)


def compare_bench(text: str, scenario: Scenario, facts: Catalog, given: Collection[str] = ()) -> BenchComparison:
    """The result beside the prediction. `given`: fields that the user set, which a file does not change.

    Raises ValueError in one line for what is no result, or where no layout can be built.
    """
    from .reality.benchmarks import read_benchmark

    reading = read_benchmark(text)
    changes, differs = _told(reading.plan, facts, given, scenario)
    asked = scenario.with_(**changes)
    held = asked.with_(**_load(reading.points))
    case = Case(held, facts)
    layout = _layout(case, reading.plan.engine)
    engine = reading.plan.engine if "engine" not in given and reading.plan.engine else held.engine
    constants = case.speed_constants
    points = tuple(
        compare_point(
            _row(point, case, layout, engine, reading.plan),
            _measured(point),
            point.name,
            facts,
            constants,
            case.memory_constants,
        )
        for point in reading.points
    )
    return BenchComparison(
        reading, asked, layout, case.model.id, case.precision.id, case.kv_precision.id, case.accelerator.id, points,
        tuple(changes), differs, constants.host, constants.pace_on(case.accelerator.id),
    )  # fmt: skip


def _told(
    plan: BenchPlan, facts: Catalog, given: Collection[str], scenario: Scenario
) -> tuple[dict[str, object], tuple[tuple[str, str], ...]]:
    """Fields that the file states and the user does not; and where the two differ, what the file says.

    Raises UnreadableError where neither says which model or which card was measured.
    """
    from .reality.naming import find_cache, find_model

    model = find_model(plan.model, facts) if plan.model else None
    if "model" not in given and model is None:
        named = f"the model of the file, {printable(plan.model, 60)!r}, is not known"
        raise UnreadableError(f"{named if plan.model else 'no model is named'}; say which it is with --model")
    told: dict[str, object] = {}
    if model is not None:
        told["model"] = model.id
    if plan.model:
        # A name that is not known still says how its weights are stored.
        served = model or facts.model(scenario.model)
        told["precision"] = _stored(plan, served, facts, "precision" in given)
    if plan.cache:
        told["kv_precision"] = find_cache({"f16": "fp16"}.get(plan.cache, plan.cache), facts).id
    if plan.gpu:
        try:
            told["accelerator"] = facts.accelerator(plan.gpu).id
        except ValueError as error:
            if "accelerator" not in given:
                raise UnreadableError(f"the card of the file: {error}; say which it is with --gpu") from None
    if "accelerator" not in given and "accelerator" not in told:
        raise UnreadableError("the file does not say which GPUs it was measured on; give --gpu and --gpus")
    told |= {field: size for field in ("gpus", "tp", "ep") if (size := getattr(plan, field))}
    if plan.engine in choices("engine"):
        told["engine"] = plan.engine
    changes = {field: value for field, value in told.items() if field not in given}
    if "model" in given and told.get("model") not in (None, facts.model(scenario.model).id):
        # Another model's format says nothing of this one's.
        changes.pop("precision", None)
    ids = {"model": facts.model(scenario.model).id, "accelerator": facts.accelerator(scenario.accelerator).id}
    own = {field: ids.get(field, getattr(scenario, field)) for field in told if field in given}
    automatic = {field for field, value in own.items() if value in (0, "")}
    differs = {field: str(told[field]) for field, value in own.items() if value != told[field]}
    return changes, tuple((field, said) for field, said in differs.items() if field not in automatic)


def _stored(plan: BenchPlan, model: Model, facts: Catalog, given: bool) -> str:
    """The weights' format, as the file tells it. Raises UnreadableError for one that is not known."""
    from .reality.naming import find_precision

    if plan.engine == "llama.cpp" and plan.weights:
        try:
            return facts.precision(plan.weights).id
        except ValueError as error:
            if given:
                return ""
            raise UnreadableError(f"the weights of the file: {error}; give --set precision=") from None
    words = plan.weights
    if words.lower() == "fp4":
        # Alone it says neither block nor scale: the name or the release may; else NVIDIA's take NVFP4, AMD's MXFP4.
        other = "mxfp4" if plan.gpu.lower().startswith("mi") else "nvfp4"
        words = "" if "fp4" in plan.model.lower() or "fp4" in model.weight_precision else other
    dtype = words if words in ("bf16", "fp16") else ""
    return find_precision(plan.model, "" if dtype else words, dtype, model, facts).id


def _load(points: tuple[BenchPoint, ...]) -> dict[str, object]:
    """The layout is chosen for the heaviest point: its sequences must fit."""
    heaviest = max(points, key=lambda point: (point.concurrency or 1.0) * (point.input_tokens + point.output_tokens))
    return {
        "users": max(1, math.ceil(heaviest.concurrency or 1.0)),
        "context": max(1, math.ceil(heaviest.input_tokens + heaviest.output_tokens)),
        "mean_fill": 100.0,
        "input_tokens": math.ceil(heaviest.input_tokens),
        "output_tokens": max(1, math.ceil(heaviest.output_tokens)),
    }


def _layout(case: Case, engine: str) -> Layout:
    """What is taken on the scenario's GPUs; an engine that splits by layers only runs in stages."""
    if engine == "llama.cpp":
        return Layout(1, case.gpus)
    choice = deployed(case).choice
    if choice.best is None:
        raise ScenarioError(f"nothing is predicted: {'; '.join(map(str, choice.refused))}")
    return choice.best.layout


def _row(point: BenchPoint, case: Case, layout: Layout, engine: str, plan: BenchPlan) -> MeasuredRow:
    scenario = case.scenario
    return MeasuredRow(
        id=point.name,
        study="",
        source="",
        date="",
        engine=engine,
        version=scenario.engine_version,
        model=scenario.model,
        precision=case.precision.id,
        kv_precision=case.kv_precision.id,
        accelerator=case.accelerator.id,
        layout=layout,
        input_tokens=point.input_tokens,
        output_tokens=point.output_tokens,
        concurrency=point.concurrency,
        static=False,
        # Requests that a pace spreads out are not in step.
        lockstep=0.0 if point.by_little or point.single else None,
        requests=point.requests,
        max_num_seqs=scenario.max_num_seqs or None,
        utilization=scenario.utilization,
        metric="",
        value=None,
    )


def _measured(point: BenchPoint) -> dict[str, float]:
    return {metric: value for field, metric in _METRICS if (value := getattr(point, field)) is not None}
