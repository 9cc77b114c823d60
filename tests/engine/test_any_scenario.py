"""Any scenario that is valid gets finite figures from every section, or a refusal in one line; soon."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import re
import time
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.demand_profile import LONGEST, SHARES, DemandProfile, profile_from
from infratui.engine.deployment.which_models import which_models
from infratui.engine.evaluate import Evaluator
from infratui.engine.sweep import SWEPT, SweepResult, sweep
from infratui.inputs import Kind
from infratui.report import sweep as words
from infratui.report import which_models as which_words
from infratui.report.export import json_report
from infratui.report.full import markdown_report, plain_report
from infratui.report.reasons import reason_text
from infratui.scenario import INPUTS, Scenario, bounds, choices, parse

SECTIONS = (
    "vram",
    "quantization",
    "parallelism",
    "cost",
    "cost_levers",
    "cost_tornado",
    "moe",
    "lab",
    "load_curve",
    "fleet_load",
    "apart",
    "growth",
    "demand_effect",
)
SLOW = {"cost_tornado", "cost_levers", "load_curve", "fleet_load", "growth"}
"""Each asks for many deployments."""
PATIENCE_S = 30.0
"""Processor time after which a section hangs: far beyond any answer, however busy the machine."""

CATALOG = Catalog()
NAMES = {
    Kind.MODEL: CATALOG.model_ids(),
    Kind.ACCELERATOR: [entry.id for entry in CATALOG.accelerators()],
    Kind.PRECISION: [entry.id for entry in CATALOG.precisions()],
    Kind.KV_PRECISION: [entry.id for entry in CATALOG.precisions()],
}
IDS = {
    "node_link": [entry.id for entry in CATALOG.links()],
    "lab_format": [entry.id for entry in CATALOG.formats()],
}

SIGNED = re.compile(
    r"lab\b|lab_|decision.*numbers|\.format\.|bias$|quality|saved_pct|derivation"
    r"|cost_levers.*(saves|share)|cost_tornado.*(at_low|at_high|advantage)"
)
"""Figures that may be negative: values and codes of number formats, errors that lean to one side, gains and losses."""
UNLIMITED = re.compile(r"\.kv_space$")
"""Plans that are compared without a memory limit carry an infinite one."""


@st.composite
def profiles(draw: st.DrawFn) -> DemandProfile:
    """Measured demand from one token to millions, alike or with long tails; what is not measured is left out."""
    tokens = st.one_of(st.integers(0, 50), st.integers(0, 200_000), st.integers(0, LONGEST))

    def spread(least: int) -> dict[str, object]:
        points = sorted(
            max(least, entry) for entry in draw(st.lists(tokens, min_size=len(SHARES), max_size=len(SHARES)))
        )
        middle = draw(st.floats(0, 1))
        return {"mean": points[0] + middle * (points[-1] - points[0]), "points": points}

    found: dict[str, object] = {"source": "drawn", "input": spread(0), "output": spread(1)}
    for key, high in (("peak_60s", 1e4), ("peak_10s", 1e4)):
        if draw(st.booleans()):
            found[key] = draw(st.floats(1, high))
    if draw(st.booleans()):
        found["prefix_share"] = draw(st.floats(0, 1))
    profile = profile_from(found)
    assert profile is not None
    return profile


def values(name: str) -> st.SearchStrategy[object]:
    """Everything that a field takes: its ends, its steps, and what lies between, evenly by size."""
    spec = INPUTS[name]
    if options := choices(name):
        return st.sampled_from(options)
    if spec.kind in NAMES:
        return st.sampled_from(NAMES[spec.kind])
    if name in IDS:
        return st.sampled_from(IDS[name])
    if spec.kind is Kind.SWITCH:
        return st.booleans()
    if spec.kind is Kind.PROFILE:
        return st.one_of(st.none(), profiles())
    low, high = bounds(name)
    if low is None or high is None:
        return st.just(Scenario.FIELDS[name].default)
    whole = Scenario.FIELDS[name].type is int
    spread = st.floats(0, 1).map(lambda share: max(low, 0) + math.expm1(share * math.log1p(high - max(low, 0))))
    found = st.one_of(st.sampled_from([low, high, *spec.steps]), spread, st.floats(low, high))
    return found.map(lambda value: min(high, max(low, int(value) if whole else float(value))))


FIELDS = {name: values(name) for name in INPUTS}


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A few fields changed, as a person does, or all of them."""
    names = draw(st.one_of(st.sets(st.sampled_from(sorted(FIELDS)), max_size=10), st.just(set(FIELDS))))
    return parse({name: draw(FIELDS[name]) for name in sorted(names)})


def numbers(value: object, path: str) -> Iterator[tuple[str, float]]:
    """Every number of a result with the way to it."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from numbers(entry, path)
    elif isinstance(value, list | tuple | set | frozenset):
        for entry in value:
            yield from numbers(entry, path)


FEW = settings.default.max_examples // 4 if settings.default.max_examples > 30 else 3
"""A whole evaluation takes as long as a thousand of the cheap properties."""


def hold(section: str, scenario: Scenario) -> None:
    evaluation = Evaluator(CATALOG)(scenario)
    begun = time.process_time()
    try:
        result = getattr(evaluation, section)
    except ValueError as refusal:
        words = str(refusal)
        assert words
        assert words.isprintable()
        assert not re.search(r"math domain|convert float|out of range|expected \w+ argument|not in list", words), words
        return
    finally:
        assert time.process_time() - begun < PATIENCE_S
    for path, number in numbers(result, section):
        if not math.isfinite(number):
            assert UNLIMITED.search(path), f"{path} = {number}"
        elif number < 0:
            assert SIGNED.search(path), f"{path} = {number}"


@pytest.mark.parametrize(
    "section", [pytest.param(name, marks=pytest.mark.long) if name in SLOW else name for name in SECTIONS]
)
@settings(suppress_health_check=list(HealthCheck), derandomize=True, max_examples=FEW)
@given(scenario=scenarios())
@example(scenario=Scenario(users=1_000_000, context=16_777_216, gpus=16_384))
@example(scenario=Scenario(users=1, context=1, gpus=1, utilization=0.01, mean_fill=0.01, input_tokens=0))
@example(scenario=Scenario(model="deepseek-v3", gpus=16_384, tp=1024, pp=1024, dp=4096, ep=1024))
@example(scenario=Scenario(requests_per_day=0, hours_per_day=0.01, days_per_week=0.01))
@example(scenario=Scenario(requests_per_day=10**13, peak_factor=100, term_years=0.01, life_years=0.01))
@example(scenario=Scenario(ttft_ms=0, tpot_ms=0, spares=1024, cascade_pct=100, acceptance=100, prefix_hit=100))
@example(scenario=Scenario(lab_value=5e-324, lab_format="q4_k"))
@example(scenario=Scenario(lab_value=1e300, lab_format="mxfp4", lab_outlier=1e6))
@example(scenario=Scenario(purchase_usd=1e9, staff_usd_per_year=0, on_demand_usd=1e-9, api_usd_per_mtok=1e-9))
def test_any_scenario_is_answered_or_refused(section: str, scenario: Scenario) -> None:
    hold(section, scenario)


@pytest.mark.long
@settings(suppress_health_check=list(HealthCheck), derandomize=True, max_examples=FEW)
@given(scenario=scenarios())
def test_any_scenario_can_be_reported(scenario: Scenario) -> None:
    evaluation = Evaluator(CATALOG)(scenario)
    day = dt.date(2026, 1, 1)
    for text in (plain_report(scenario, CATALOG), markdown_report(evaluation, day)):
        assert not re.search(r"(?<![\w-])(nan|inf|None)(?![\w-])", text)
    assert json.loads(json_report(evaluation, day), parse_constant=pytest.fail)


@settings(suppress_health_check=list(HealthCheck), derandomize=True, max_examples=FEW)
@given(scenario=scenarios(), section=st.sampled_from(sorted(SWEPT)), name=st.sampled_from(["users", "context", "gpus"]))
def test_any_scenario_can_be_swept(scenario: Scenario, section: str, name: str) -> None:
    points = list(sweep(Evaluator(CATALOG), scenario, section, name, (1, 64)))
    assert [point.value for point in points] == [1, 64]
    for point in points:
        assert reason_text(point.refusal).isprintable()
        assert all(value is None or math.isfinite(value) for value in point.figures.values())
    found = SweepResult(section, name, scenario, tuple(points))
    assert words.page(found, CATALOG)
    assert words.answer(found, CATALOG).text


@settings(suppress_health_check=list(HealthCheck), derandomize=True, max_examples=FEW)
@given(scenario=scenarios(), model=st.sampled_from(["llama-3.1-8b", "deepseek-v3", "nemotron-h-56b"]))
def test_any_hardware_is_asked_what_it_holds(scenario: Scenario, model: str) -> None:
    evaluation = Evaluator(CATALOG)(scenario)
    try:
        rows = list(which_models(evaluation.case, [CATALOG.model(model)]))
    except ValueError:
        # The scenario's own accelerator or links have no answer: that is held above.
        return
    assert which_words.data(rows, evaluation.case)["models"][0]["id"] == model
    assert which_words.table(rows, evaluation.case).rows
