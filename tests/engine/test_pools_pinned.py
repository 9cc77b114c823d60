"""Prefill and decode on pinned pools: judged on given GPUs, priced for a demand, named everywhere, refused in words."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from click.testing import CliRunner

from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.engine.case import Case
from infratui.engine.deployment.answer import deployed, fleet_of
from infratui.engine.deployment.apart import prefill_units
from infratui.engine.deployment.candidates import copies, users_held, usual
from infratui.engine.deployment.demand import offered_load
from infratui.engine.deployment.judge import Replica, judge, replica_on
from infratui.engine.evaluate import Evaluator, evaluate
from infratui.engine.figures.derivation import Ledger
from infratui.launching.flags import LaunchError
from infratui.launching.plan import launch_plan
from infratui.report.reasons import reason_text
from infratui.report.sections import SECTIONS, outcome
from infratui.scenario import Scenario, ScenarioError

FACTS = Catalog()
EVALUATE = Evaluator(FACTS)
BUSY = {"model": "llama-3.1-8b", "gpus": 12, "users": 60, "context": 8192, "requests_per_day": 5_000_000}


def case(**changes: object) -> Case:
    return Case(Scenario(**{**BUSY, "pools": "1:2", **changes}), FACTS)


def groups(asked: Case) -> list:
    found = usual(asked.model, asked.precision, asked.site.fabric.domain, asked.abilities)
    return [group for group in found if group.gpus <= 16]


def test_on_given_gpus_no_other_pair_in_the_ratio_makes_more_within_the_targets() -> None:
    asked = case()
    choice = deployed(asked).choice
    assert choice.best is not None
    assert choice.pools is not None
    assert choice.best.meets
    assert choice.best.layout.gpus + choice.pools.gpus + choice.idle == asked.gpus
    undisturbed = asked.with_(prefix_hit=100.0)
    for unit in prefill_units(asked, asked.site, groups(asked)):
        for group in groups(asked):
            count = asked.gpus // (unit.layout.gpus + 2 * group.gpus)
            layout = copies(group, 2 * max(1, count))
            plan = asked.site.plan(asked.deployment, layout, asked.load)
            if not count or not plan.fits:
                continue
            other = judge(undisturbed, asked.site, layout, plan)
            ttft = unit.prompt_s + unit.transfer_s + (other.tpot_s or 0)
            if asked.targets.met(ttft, other.tpot_s or 0):
                fed = min(other.output_per_s or 0, count * unit.rate / 0.85 * asked.scenario.output_tokens)
                assert fed <= (choice.best.output_per_s or 0) * (1 + 1e-9)


def test_the_fleet_is_the_fewest_gpus_in_the_ratio() -> None:
    asked = case(peak_factor=3.0)
    plan = fleet_of(asked).plan
    assert plan is not None
    peak = offered_load(asked.demand, Ledger(recording=False)).peak_rate
    undisturbed = asked.with_(prefix_hit=100.0, ttft_ms=0.0)
    fewest = math.inf
    for unit in prefill_units(asked, asked.site, groups(asked)):
        for group in groups(asked):
            made = replica_on(undisturbed, asked.site, group)
            held = users_held(asked.deployment, asked.site, asked.load, group)
            if not isinstance(made, Replica) or not held or not made.requests_per_s:
                continue
            if unit.prompt_s + unit.transfer_s + made.tpot_s > asked.targets.ttft_s:
                continue
            rate = min(unit.rate, 2 * made.requests_per_s)
            count = max(math.ceil(peak / rate - 1e-9), math.ceil(asked.load.users / (2 * held)), 1)
            fewest = min(fewest, count * (unit.layout.gpus + 2 * group.gpus))
    assert plan.gpus == fewest
    assert plan.gpus == plan.replicas * plan.replica.gpus


def test_a_first_token_waits_for_prompt_and_transfer_and_a_step_for_no_prompt() -> None:
    together, apart = (deployed(entry).choice.best for entry in (case(pools="", tp=1), case(tp=1)))
    pools = deployed(case(tp=1)).choice.pools
    assert together is not None
    assert apart is not None
    assert pools is not None
    assert apart.ttft_s == pytest.approx(pools.prompt_s + pools.transfer_s + (apart.tpot_s or 0))
    assert pools.transfer_s > 0


@pytest.mark.parametrize("section", SECTIONS, ids=lambda entry: entry.id)
def test_every_section_names_both_pools(section) -> None:  # type: ignore[no-untyped-def]
    told = outcome(EVALUATE(Scenario(**{**BUSY, "pools": "1:2"})), section).data()
    choice = deployed(case()).choice
    assert choice.pools is not None
    assert told["deployment"]["prefill"]["gpus"] == choice.pools.gpus
    assert "for prompts" in told["deployment"]["layout"]
    assert "for prompts" in told["fleet"]["layout"]
    assert told["fleet"]["prefill"]["replicas"] >= 1


def test_cost_prices_all_gpus_of_both_pools() -> None:
    found = evaluate(Scenario(**{**BUSY, "pools": "2:1"}), FACTS)
    plan = found.fleet.plan
    assert plan is not None
    assert found.cost.fleet.gpus == plan.gpus
    assert plan.replica.pools is not None
    assert plan.replica.pools.replicas == 2
    mine = evaluate(Scenario(**{**BUSY, "pools": "2:1", "fleet_basis": "mine"}), FACTS)
    assert mine.cost.fleet.gpus == BUSY["gpus"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engine": "sglang", "engine_version": "0.4.2"}, "this version of sglang has no pools"),
        ({"input_tokens": 0}, "there are no prompts to compute apart"),
        ({"gpus": 2}, "1:2 takes 3 GPUs; there are 2"),
        ({"pools": "9:9"}, "9:9 takes 18 GPUs; there are 12"),
    ],
)
def test_what_cannot_be_split_is_refused_in_a_sentence(changes: dict[str, object], words: str) -> None:
    choice = deployed(case(**changes)).choice
    assert choice.best is None
    assert words in reason_text(choice.refused[0])


def test_a_ratio_is_two_counts() -> None:
    with pytest.raises(ScenarioError, match="1:3"):
        Scenario(pools="three")
    told = CliRunner().invoke(cli, ["plan", "--set", "pools=1:0"])
    assert told.exit_code
    assert len(told.output.strip().splitlines()) == 1


def test_no_server_is_started_for_two_pools() -> None:
    with pytest.raises(LaunchError, match="two servers and a proxy"):
        launch_plan(case())


def test_load_is_not_simulated_for_them() -> None:
    told = json.loads(json.dumps(outcome(evaluate(case().whole, FACTS), SECTIONS[2]).data(), default=str))
    assert "not simulated" in told["load"]["refused"]
    assert replace(deployed(case()).choice, pools=None).idle > deployed(case()).choice.idle


def test_the_table_of_layouts_has_the_pools_as_they_are_predicted() -> None:
    found = EVALUATE(Scenario(**{**BUSY, "pools": "1:2"})).parallelism
    assert found.chosen is not None
    row = next(row for row in found.rows if row.pools is not None)
    assert row.layout == found.chosen.layout
    assert row.serving is found.chosen.serving
    assert row.idle == found.chosen.idle
