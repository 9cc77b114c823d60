"""What the engine makes of a profile: of equal requests the typed answer, of unequal ones memory and money for them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.demand_profile import SHARES, DemandProfile, InFlight, LengthSpread
from infratui.engine.cluster.layout import Layout
from infratui.engine.cost.case import CostCase, cheapest_monthly
from infratui.engine.evaluate import evaluate
from infratui.engine.memory.lengths import Lengths
from infratui.measuring import measured_in
from infratui.report import demand as words
from infratui.report.deployment import workload
from infratui.report.sections import SECTIONS, outcome
from infratui.scenario import Scenario

from .samples import azure, read

FACTS = Catalog()
SLOW = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


def constant(prompt: int, answer: int) -> Scenario:
    """A scenario with a trace of equal requests, a few each minute, every second one of a pair at once."""
    requests = [(6.0 * (at // 2) + 2.0 * (at % 7 == 0), prompt, answer) for at in range(80)]
    scenario, _ = measured_in(Scenario(context=prompt + answer), read(azure(requests)))
    return scenario


def uneven(*, prompts: int = 2000, answers: int = 300, spread: float = 1.0) -> DemandProfile:
    """Prompts and answers that have nothing to do with each other, with tails as long as asked."""

    def lengths(mean: int) -> LengthSpread:
        points = tuple(mean * (1 - spread + 2 * spread * share / 100) for share in SHARES)
        return LengthSpread(float(mean), mean * spread / 3**0.5, points)

    first, second = lengths(prompts), lengths(answers)
    return DemandProfile("test", first, second, InFlight.independent(first, second), 1000, 2.0, 3.0, 6.0)


@pytest.mark.parametrize(
    ("model", "lengths"),
    [
        ("llama-3.1-8b", (500, 500)),
        ("gpt-oss-20b", (2048, 28)),
        ("gemma-3-12b", (2048, 28)),
        ("qwen3-30b-a3b", (30, 700)),
    ],
)
def test_of_equal_requests_the_answer_is_the_typed_one(model: str, lengths: tuple[int, int]):
    measured = constant(*lengths).with_(model=model, gpus=4)
    profile = measured.demand_profile
    assert profile is not None
    assert profile.peak_60s is not None
    typed = measured.with_(
        demand_profile=None, input_tokens=lengths[0], output_tokens=lengths[1], peak_factor=max(1.0, profile.peak_60s)
    )
    one, other = evaluate(measured, FACTS), evaluate(typed, FACTS)
    assert one.deployment.plan is not None
    assert one.deployment.totals == other.deployment.totals
    assert dataclasses.replace(one.deployment.plan, derivation=None) == other.deployment.plan
    assert one.fleet == other.fleet
    assert one.load_curve == other.load_curve
    assert one.fleet_load == other.fleet_load
    assert cheapest_monthly(CostCase.of(one.case)) == cheapest_monthly(CostCase.of(other.case))


@given(mean=st.floats(1, 1e5), deviation=st.floats(0, 1e5), more=st.floats(0, 1e6), count=st.integers(1, 10_000))
def test_more_sequences_hold_more_together_and_each_less(mean: float, deviation: float, more: float, count: int):
    lengths = Lengths(mean, deviation, mean + more)
    assert lengths.each(count) >= max(1.0, mean) * (1 - 1e-12)
    assert lengths.each(count) <= max(1.0, mean + more) * (1 + 1e-12)
    assert lengths.each(count + 1) <= lengths.each(count)
    assert (count + 1) * lengths.each(count + 1) >= count * lengths.each(count) * (1 - 1e-12)


@SLOW
@given(
    model=st.sampled_from(("llama-3.1-8b", "gpt-oss-20b", "deepseek-v2-lite")),
    users=st.integers(1, 300),
    spread=st.sampled_from((0.1, 0.5, 1.0)),
    prefix=st.sampled_from((0, 300)),
)
def test_memory_of_a_distribution_is_no_less_than_of_its_mean(model: str, users: int, spread: float, prefix: int):
    profile = uneven(spread=spread)
    scenario = Scenario(model=model, users=users, gpus=8, context=2300, shared_prefix=prefix)
    measured = evaluate(scenario.with_(demand_profile=profile), FACTS).case
    typed = evaluate(scenario, FACTS).case
    layout = Layout(1, 1, 4)
    one, other = (case.site.plan(case.deployment, layout, case.load) for case in (measured, typed))
    assert one.kv_needed >= other.kv_needed
    assert one.max_users <= other.max_users
    # Exactly so many are held, and not one more per copy.
    for count, fits in ((one.max_users, True), (one.max_users + layout.dp, False)):
        if count:
            assert measured.site.plan(measured.deployment, layout, measured.load.of(count)).fits is fits


def test_longer_tails_and_peaks_never_take_fewer_gpus():
    gpus = []
    for spread in (0.0, 0.5, 1.0):
        found = evaluate(Scenario(users=200).with_(demand_profile=uneven(spread=spread)), FACTS)
        assert found.fleet.plan is not None
        gpus.append(found.fleet.plan.gpus)
    assert gpus == sorted(gpus)
    minute = evaluate(Scenario(demand_profile=uneven()), FACTS).fleet.plan
    burst = evaluate(Scenario(demand_profile=uneven(), peak_window="10s"), FACTS).fleet.plan
    assert minute is not None
    assert burst is not None
    assert burst.gpus >= minute.gpus
    assert burst.keeping >= minute.keeping


def test_tails_are_longer_for_unequal_prompts_and_the_median_is_near():
    equal = evaluate(Scenario(demand_profile=uneven(spread=0.0), users=20), FACTS).load_curve.mean
    unequal = evaluate(Scenario(demand_profile=uneven(spread=1.0), users=20), FACTS).load_curve.mean
    assert equal is not None
    assert unequal is not None
    assert unequal.ttft.p90 > 1.3 * equal.ttft.p90
    assert unequal.ttft.p99 > equal.ttft.p99
    assert unequal.ttft.p50 < 1.3 * equal.ttft.p50


def test_every_row_is_the_answer_of_its_own_scenario():
    scenario = Scenario(users=10, demand_profile=uneven(prompts=2048, answers=28))
    found = evaluate(scenario, FACTS).demand_effect
    assert [entry.id for entry in found.rows] == ["typed", "means", "60s", "10s", "long"]
    typed = evaluate(scenario.with_(demand_profile=None), FACTS)
    assert found.rows[0].fleet == typed.fleet.plan
    assert found.measured.fleet == evaluate(scenario, FACTS).fleet.plan
    assert found.measured.id == "60s"
    assert (found.measured.input_tokens, found.measured.output_tokens) == (2048, 28)
    line = words.effect_line(found)
    assert line.startswith("typed 500/500 ×2.0 → measured 2,048/28 ×3.0: ")
    assert line.endswith(" a month")
    assert f"{found.rows[0].fleet.gpus} → {found.measured.fleet.gpus} GPUs" in line


def test_what_nothing_serves_says_why():
    found = evaluate(Scenario(demand_profile=uneven(prompts=200_000), ttft_ms=10), FACTS)
    blocks = words.of(found)
    assert found.demand_effect.measured.fleet is None
    assert "none" in words.effect_line(found.demand_effect)
    assert "target" in str(blocks[0])


def test_the_workload_says_that_it_is_measured_and_how_to_drop_it():
    scenario = Scenario(demand_profile=uneven(prompts=2048, answers=28))
    said = workload(evaluate(scenario, FACTS)).text(200)
    assert "measured 2,048 → 28 ×3" in said
    assert "demand_profile=none" in said
    assert "measured" in workload(evaluate(scenario, FACTS)).text(60)
    assert "measured" not in workload(evaluate(Scenario(), FACTS)).text(200)


def test_every_section_answers_and_the_math_adds_up():
    found = evaluate(Scenario(model="llama-3.1-8b", gpus=1, users=30, demand_profile=uneven()), FACTS)
    for section in SECTIONS:
        answer = outcome(found, section)
        assert not answer.refusal, section.id
        assert answer.data(explain=True)
    assert "measured" in outcome(found, SECTIONS[0]).summary()
    steps = {step.symbol: step for derivation in outcome(found, SECTIONS[0]).derivations() for step in derivation}
    assert "quantile" in steps["tokens"].expression
    plan = found.deployment.plan
    assert plan is not None
    assert steps["kv_per_user"].value == pytest.approx(plan.kv_per_user, abs=2)


@pytest.mark.long
def test_growth_and_levers_vary_the_measured_demand():
    scenario = Scenario(demand_profile=uneven(), requests_per_day=2_000_000, growth_pct=40, growth_months=2)
    found = evaluate(scenario, FACTS)
    months = found.growth.months
    assert months[-1].gpus > months[0].gpus
    tornado = found.cost_tornado
    assert tornado is not None
    assert "Peak factor" in {swing.lever.label for swing in tornado.swings}
