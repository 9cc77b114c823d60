"""Figures of the user's own: measured tokens/s, the load to size for, what a cloud bills by the gigabyte."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.cost.levers import LeverEffect, evaluate_levers
from infratui.engine.cost.options import GIGABYTES, Option
from infratui.engine.deployment.fleet import fleet
from infratui.engine.evaluate import Evaluator
from infratui.report import cost as report
from infratui.scenario import Scenario

FACTS = Catalog()
BUSY = Scenario(precision="fp8", kv_precision="fp8", requests_per_day=2_000_000)


def evaluated(**changes: object):
    return Evaluator(FACTS)(BUSY.with_(**changes))


def test_my_tokens_per_second_size_the_fleet() -> None:
    """2,000,000 requests a day of 500 tokens at twice the mean are 23,148 tokens/s: 17 copies of 1,500 at 92.6 %."""
    found = evaluated(own_tokens_per_s=1500, load_pct=92.6, users=1).cost
    assert found.replica.requests_per_s == pytest.approx(1500 / 500 * 0.926)
    assert found.fleet.replicas == 17
    assert found.replica.layout.gpus_per_replica == found.fleet.gpus_per_replica


def test_copies_are_like_the_one_that_was_measured() -> None:
    chosen = evaluated(tp=2, dp=4).parallelism.chosen.layout
    plan = fleet(Case(BUSY.with_(own_tokens_per_s=1500, tp=2, dp=4), FACTS))
    assert (plan.layout.tp, plan.layout.pp, plan.layout.dp) == (chosen.tp, chosen.pp, 1)


def test_words_say_whose_figure_it_is_and_what_is_predicted() -> None:
    found = evaluated(own_tokens_per_s=1500).cost
    assert "by your own 1,500 tokens/s (predicted " in report.replica_line(found)
    assert "(no measured data)" not in report.replica_line(found)


def test_a_measured_rate_holds_for_nothing_else() -> None:
    case = Case(BUSY.with_(own_tokens_per_s=1500), FACTS)
    assert case.own_rate(FACTS.accelerator("h100")) == 1500
    assert case.own_rate(FACTS.accelerator("h200")) == 0
    for change in ({"precision": "bf16"}, {"model": "llama-3.1-8b"}, {"engine": "sglang"}, {"prefix_hit": 50.0}):
        assert case.with_(**change).own_rate(case.accelerator) == 0
    assert case.with_(users=10).own_rate(case.accelerator) == 1500


def test_levers_that_change_the_speed_wait_for_a_measurement() -> None:
    found = {lever.note.id: lever.effect for lever in evaluate_levers(Case(BUSY.with_(own_tokens_per_s=1500), FACTS))}
    assert found["eight-bit"] is found["prefix-caching"] is LeverEffect.OWN_SPEED
    assert found["spot"] not in (LeverEffect.OWN_SPEED, LeverEffect.UNMEASURED)


@pytest.mark.parametrize("load", [50.0, 75.0, 85.0])
def test_a_fleet_for_less_load_is_larger(load: float) -> None:
    found = evaluated(load_pct=load).cost
    assert found.replica.requests_per_s == pytest.approx(
        evaluated(load_pct=100).cost.replica.requests_per_s * load / 100, rel=0.05
    )


def test_egress_and_storage_move_what_is_rented_and_not_what_is_owned() -> None:
    """10 TB out at $0.09 and 2 TB kept at $0.08 a GB are $1,060 a month."""
    plain, more = evaluated().cost, evaluated(egress_gb=10_000, storage_gb=2_000).cost
    for option in Option:
        before, after = plain.costs[option], more.costs[option]
        extra = 0 if option is Option.OWNED else 1060
        assert after.monthly - before.monthly == pytest.approx(extra)
        assert sum(part.monthly for part in after.parts if part.name == GIGABYTES) == pytest.approx(extra)
    hidden = next(entry for entry in more.hidden if entry.cost.counted == GIGABYTES)
    assert hidden.usd_per_month == pytest.approx(1060)
    assert next(entry for entry in plain.hidden if entry.cost.counted == GIGABYTES).usd_per_month is None


def test_the_breakeven_with_an_api_carries_them_once() -> None:
    plain, more = evaluated().cost.requests, evaluated(egress_gb=10_000).cost.requests
    assert plain.value is not None
    assert more.value is not None
    assert more.value > plain.value
