"""One deployment on every screen: the same layout everywhere, nothing smaller holds, more demand never costs less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.cluster.layout import Layout
from infratui.engine.cluster.legal import divisors, enumerate_layouts, refusals
from infratui.engine.deployment.answer import deployed
from infratui.engine.deployment.candidates import copies, served, users_held
from infratui.engine.deployment.choose import CLOSE, listed
from infratui.engine.deployment.demand import offered_load
from infratui.engine.deployment.fewest import fewest
from infratui.engine.deployment.fleet import fleet
from infratui.engine.deployment.judge import Replica, judge, replica_on
from infratui.engine.evaluate import Evaluator, evaluate
from infratui.engine.figures.derivation import Ledger
from infratui.report.deployment import as_json
from infratui.scenario import INPUTS, Scenario
from infratui.store import load_preset

FACTS = Catalog()
PRESETS = sorted(path.stem for path in (Path(__file__).parents[2] / "presets").glob("*.yaml"))
QUICK = {"production", "frontier-moe"}
each_preset = pytest.mark.parametrize(
    "preset", [pytest.param(one, marks=() if one in QUICK else pytest.mark.long) for one in PRESETS]
)
MODELS = ("llama-3.1-8b", "llama-3.3-70b", "qwen3-30b-a3b", "gpt-oss-20b", "mixtral-8x7b", "deepseek-v2-lite")
GPUS = ("h100", "l4", "a10g", "mi300x", "gh200-96gb", "rtx-4090")
MOST = 10
"""GPUs up to which every layout is laid out by the oracle."""
MEASURED = {
    "input": {"mean": 1500, "points": [10, *(60 * at for at in range(1, 24)), 20_000]},
    "output": {"mean": 120, "points": [1, *(9 * at for at in range(1, 24)), 3000]},
    "peak_60s": 3.5,
    "peak_10s": 9.0,
    "prefix_share": 0.25,
}
"""Lengths with a long tail: as a trace would have them."""
SLOW = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])


def scenarios(**fixed: Any) -> st.SearchStrategy[Scenario]:
    """Scenarios of a few GPUs: any model and card, memory from idle to far too little."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "model": st.sampled_from(MODELS),
        "accelerator": st.sampled_from(GPUS),
        "precision": st.sampled_from(("", "fp8", "int4", "q4_k_m")),
        "kv_precision": st.sampled_from(("bf16", "fp8", "q8_0")),
        "users": st.integers(1, 200),
        "context": st.sampled_from((512, 4096, 8192, 32_768)),
        "mean_fill": st.sampled_from((25.0, 100.0)),
        "shared_prefix": st.sampled_from((0, 400)),
        "gpus": st.integers(1, MOST),
        "gpus_per_node": st.sampled_from((0, 4, 8)),
        "engine": st.sampled_from(("vllm", "sglang", "tensorrt-llm", "tgi", "llama.cpp", "ollama")),
        "requests_per_day": st.sampled_from((0, 50_000, 5_000_000)),
        "tpot_ms": st.sampled_from((0.0, 50.0)),
        "demand_profile": st.sampled_from((None, MEASURED)),
        **{key: st.just(value) for key, value in fixed.items()},
    }
    return st.fixed_dictionaries(values).map(lambda found: Scenario(**found).in_force())


def holds_by_force(case: Case, gpus: int) -> bool:
    """Whether any legal layout of exactly so many GPUs holds the load: every split there is, laid out."""
    deployment, site = case.deployment, case.site
    if deployment.refusal(site.accelerator):
        return False
    layouts = [*enumerate_layouts(gpus, case.model.is_moe)]
    if case.model.is_moe:
        # Redundant experts: as many ranks as there are GPUs, in whole tensor-parallel groups.
        layouts += [Layout(tp, 1, gpus // tp, gpus) for tp in range(1, gpus) if gpus % tp == 0]
    # Cached tokens shared out over any part of a tensor-parallel group.
    layouts += [replace(layout, dcp=dcp) for layout in layouts for dcp in divisors(layout.tp)[1:]]
    return any(
        not refusals(deployment.model, deployment.precision, layout, site.fabric, deployment.engine)
        and site.plan(deployment, layout, case.load).fits
        for layout in layouts
    )


@SLOW
@given(scenarios())
def test_fewest_is_legal_and_no_smaller_count_holds(scenario: Scenario) -> None:
    case = Case(scenario, FACTS)

    found = fewest(case.deployment, case.site, case.load)

    first = next((gpus for gpus in range(1, MOST + 1) if holds_by_force(case, gpus)), None)
    if first is None:
        assert found.gpus is None or found.gpus > MOST
    else:
        assert found.gpus == first
        assert found.plan is not None
        assert refusals(case.model, case.precision, found.plan.layout, case.site.fabric, case.abilities) == ()


@SLOW
@given(scenarios())
def test_do_not_hold_is_said_only_where_no_layout_holds(scenario: Scenario) -> None:
    case = Case(scenario, FACTS)

    assert deployed(case).holds == any(holds_by_force(case, gpus) for gpus in range(1, scenario.gpus + 1))


@SLOW
@given(scenarios())
def test_the_chosen_layout_has_the_best_prediction(scenario: Scenario) -> None:
    case = Case(scenario, FACTS)
    choice = deployed(case).choice
    plans = [case.site.plan(case.deployment, layout, case.load) for layout in listed(case, case.site, case.gpus)]
    rivals = [judge(case, case.site, plan.layout, plan) for plan in plans if plan.fits]
    if choice.best is None or choice.best.output_per_s is None:
        return

    assert choice.best.meets or not any(rival.meets for rival in rivals)
    most = max(rival.output_per_s or 0.0 for rival in rivals if rival.meets == choice.best.meets)
    assert choice.best.output_per_s >= (1 - CLOSE) * most * 0.999_999


@SLOW
@given(scenarios())
@pytest.mark.long
def test_totals_are_those_of_the_layout_that_is_named(scenario: Scenario) -> None:
    found = evaluate(scenario, FACTS)
    totals, plan = found.deployment.totals, found.deployment.plan
    if totals is None or plan is None:
        return

    assert totals.gpus == plan.layout.gpus
    assert found.vram.detailed.total == totals.used
    assert found.vram.detailed.derivation.value == pytest.approx(totals.used, abs=2)
    assert 0 <= totals.capacity - totals.used - totals.free_per_gpu * totals.gpus < totals.gpus
    if plan.layout.pp == 1:
        assert totals.used == plan.used * totals.gpus


@pytest.mark.long
@SLOW
@given(scenarios())
def test_no_candidate_serves_the_demand_on_fewer_gpus_than_the_fleet(scenario: Scenario) -> None:
    case = Case(scenario, FACTS)
    peak = offered_load(case.demand, Ledger(recording=False)).peak_rate
    least: int | None = None
    for group in served(case.model, case.precision, case.site.fabric.domain):
        held = users_held(case.deployment, case.site, case.load, group) if group.gpus <= 2 * MOST else 0
        replica = replica_on(case, case.site, group) if held else ""
        if isinstance(replica, Replica):
            count = max(-(-case.load.users // held), -(-peak // replica.requests_per_s), 1)
            if not refusals(case.model, case.precision, copies(group, int(count)), case.site.fabric):
                least = min(least or 1 << 30, int(count) * group.gpus)

    found = evaluate(scenario, FACTS).fleet.plan

    if least is not None and least <= 2 * MOST:
        assert found is not None
        assert found.gpus == least


@SLOW
@given(
    scenarios(precision="fp8", model="llama-3.1-8b"),
    st.sampled_from(("users", "context", "requests_per_day", "tpot_ms", "ttft_ms")),
)
def test_more_demand_never_needs_fewer_gpus(scenario: Scenario, field: str) -> None:
    tighter = field.endswith("_ms")
    value = getattr(scenario, field)
    more = scenario.with_(**{field: (value or 100.0) / 2 if tighter else value * 2 + 1})
    less, larger = (evaluate(entry, FACTS) for entry in (scenario, more))

    if larger.deployment.fewest.gpus is not None:
        assert less.deployment.fewest.gpus is not None
        assert less.deployment.fewest.gpus <= larger.deployment.fewest.gpus
    if larger.fleet.plan is not None:
        assert less.fleet.plan is not None
        assert less.fleet.plan.gpus <= larger.fleet.plan.gpus


@each_preset
def test_every_section_names_the_same_deployment(preset: str) -> None:
    found = evaluate(load_preset(preset), FACTS)
    plan, told = found.deployment.plan, as_json(found)

    assert plan is not None
    assert found.vram.selected.plan is not None
    assert found.parallelism.chosen is not None
    assert found.vram.selected.plan.layout == plan.layout == found.parallelism.chosen.layout
    assert found.quantization.layout == plan.layout
    side = found.moe.moe if found.moe.moe.model is found.vram.model else found.moe.dense
    if found.moe.budget == found.scenario.gpus:
        assert side.budget.memory is not None
        assert side.budget.memory.layout == plan.layout
    assert found.cost.fleet.gpus == told["fleet"]["gpus"]
    assert found.cost.replica.layout.label == told["fleet"]["layout"]
    assert found.vram.smallest.gpus == found.parallelism.needed.gpus == told["fewest"]["gpus"]
    assert found.vram.row(found.vram.selected.accelerator.id).gpus == told["fewest"]["gpus"]


@each_preset
def test_the_fleet_of_a_preset_holds_its_users(preset: str) -> None:
    found = evaluate(load_preset(preset), FACTS).fleet.plan

    assert found is not None
    assert (found.replicas - found.spares) * found.replica.users >= load_preset(preset).users


def test_a_pinned_layout_is_what_cost_prices_and_moe_compares() -> None:
    found = evaluate(Scenario(model="deepseek-r1", gpus=72, tp=1, dp=72, ep=72, users=64, context=8192), FACTS)

    pinned = Layout(1, 1, 72, 72)
    assert found.deployment.plan is not None
    assert found.deployment.plan.layout == found.cost.replica.layout == pinned
    assert found.moe.moe.budget.memory is not None
    assert found.moe.moe.budget.memory.layout == pinned


def test_my_gpus_are_priced_as_they_are() -> None:
    needs, mine = (evaluate(Scenario(gpus=16, fleet_basis=basis), FACTS) for basis in ("needs", "mine"))

    assert mine.cost.fleet.gpus == 16
    assert needs.cost.fleet.gpus < 16
    assert mine.cost.fleet.utilization > 0
    assert mine.cost.best is not None
    assert needs.cost.best is not None
    assert mine.cost.best.monthly > needs.cost.best.monthly


def test_the_context_moves_the_money() -> None:
    months = [
        found.monthly
        for context in (4096, 32_768, 131_072)
        if (found := evaluate(Scenario(context=context, users=200), FACTS).cost.best) is not None
    ]

    assert months == sorted(months)
    assert months[-1] > 2 * months[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "llama-3.1-405b", "precision": "fp16", "kv_precision": "fp16", "users": 100, "context": 32_768,
         "accelerator": "gh200-96gb", "gpus": 42},
        {"model": "glm-5", "precision": "fp8", "gpus": 16},
        {"model": "kimi-k2.5", "accelerator": "h200", "gpus": 8, "users": 1},
        {"model": "deepseek-v4-pro", "accelerator": "h200", "gpus": 8, "users": 1},
        {"model": "deepseek-r1", "gpus": 16, "tp": 16, "users": 8},
        {"model": "deepseek-r1", "gpus": 72, "tp": 1, "dp": 72, "ep": 72},
    ],
)  # fmt: skip
def test_what_holds_is_found(changes: dict[str, Any]) -> None:
    assert evaluate(Scenario(**changes), FACTS).deployment.holds


def test_gpt_oss_at_its_full_context_names_utilization_and_sequences() -> None:
    found = evaluate(Scenario(model="gpt-oss-120b", gpus=1, users=1, context=131_072), FACTS).parallelism

    assert not found.fits
    fields = {field for way in found.help if way.holds for field, _ in way.changes}
    assert {"utilization", "max_num_seqs"} <= fields


def test_a_model_by_name_is_as_it_was_released() -> None:
    found = evaluate(Scenario(model="kimi-k2.5", accelerator="h200", users=1), FACTS).vram

    assert found.deployment.precision.id == FACTS.model("kimi-k2.5").weight_precision
    assert found.checkpoint_bytes == pytest.approx(609e9, rel=0.03)


CHANGES: dict[str, tuple[object, ...]] = {
    "users": (1, 40, 400),
    "context": (2048, 65_536),
    "gpus": (2, 8),
    "accelerator": ("h100-sxm", "l40s"),
    "model": ("llama-3.1-8b", "qwen3-30b-a3b"),
    "precision": ("", "fp8"),
    "tp": (0, 2),
    "dcp": (0, 1),
    "estimator": ("detailed", "rule-of-thumb"),
    "requests_per_day": (1000, 1_000_000),
    "tpot_ms": (0.0, 30.0),
    "input_tokens": (100, 4000),
    "cascade_pct": (0.0, 50.0),
    "spares": (0, 1),
    "fleet_basis": ("needs", "mine"),
    "on_demand_usd": (0.0, 9.0),
    "staff_usd_per_year": (0.0, 90_000.0),
    "router_seed": (1, 2),
    "shown_formats": ("classic", "all"),
    "gpus_per_node": (0, 4),
    "demand_profile": (None, MEASURED),
    "peak_window": ("60s", "10s"),
}


def figures(evaluator: Evaluator, scenario: Scenario) -> list[object]:
    """What a few parts answer, or why they do not."""
    found = evaluator(scenario)
    told: list[object] = []
    for look in (
        lambda: found.vram.detailed.total,
        lambda: found.deployment.plan and found.deployment.plan.layout,
        lambda: found.parallelism.serving and found.parallelism.serving.output_per_s,
        lambda: [row.gpus for row in found.quantization.rows],
        lambda: [found.cost.fleet, found.cost.best and found.cost.best.monthly, found.cost.scenario],
        lambda: [line.moe for line in found.moe.trade_offs],
    ):
        try:
            told.append(look())
        except ValueError as error:
            told.append(str(error))
    return told


@pytest.mark.long
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(CHANGES)).flatmap(
    lambda field: st.tuples(st.just(field), st.sampled_from(CHANGES[field]))), min_size=1, max_size=4))  # fmt: skip
def test_what_is_remembered_is_what_a_fresh_evaluation_says(changes: list[tuple[str, object]]) -> None:
    assert set(CHANGES) <= set(INPUTS)
    keeping, scenario = Evaluator(FACTS), Scenario(gpus=4)
    figures(keeping, scenario)

    for field, value in changes:
        scenario = scenario.with_(**{field: value})
        assert figures(keeping, scenario) == figures(Evaluator(FACTS), scenario)


def test_a_price_sizes_nothing_again() -> None:
    evaluator = Evaluator(FACTS)
    first = evaluator(Scenario()).parallelism

    assert evaluator(Scenario(on_demand_usd=9.0)).parallelism is first
    assert evaluator(Scenario(users=3)).parallelism is not first


def test_a_fleet_of_no_demand_is_one_replica() -> None:
    found = fleet(Case(Scenario(requests_per_day=0, users=1), FACTS))

    assert (found.replicas, found.binds) == (1, "one replica")


def test_what_users_ask_for_is_among_what_moves_the_decision() -> None:
    found = evaluate(Scenario(precision="fp8", requests_per_day=5_000_000), FACTS).cost_tornado

    assert found is not None
    names = {swing.lever.name for swing in found.swings}
    assert "tpot_ms" in names or "TPOT target" in found.idle
    assert {"Users", "TTFT target"} <= {*found.idle, *(swing.lever.label for swing in found.swings)}


def test_the_error_of_speed_reaches_gpus_and_dollars() -> None:
    found = evaluate(Scenario(precision="fp8", requests_per_day=5_000_000), FACTS).cost

    assert found.gpus_band is not None
    assert found.monthly_band is not None
    assert found.best is not None
    assert found.gpus_band[0] <= found.fleet.gpus <= found.gpus_band[1]
    assert found.gpus_band[0] < found.gpus_band[1]
    assert found.monthly_band[0] <= found.best.monthly <= found.monthly_band[1]


def test_an_api_can_be_ruled_out() -> None:
    on, off = (evaluate(Scenario(precision="fp8", api=choice), FACTS).cost for choice in (True, False))

    assert on.api is not None
    assert off.api is None
    assert off.decision.option is not None
