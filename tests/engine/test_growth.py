"""Growing demand: the fleet never shrinks, today is the section's own answer, the cheapest way is found by hand too."""

from __future__ import annotations

from itertools import pairwise

import pytest

from infratui.engine.cost.options import Option
from infratui.engine.evaluate import evaluate
from infratui.report import growth as words
from infratui.scenario import Scenario
from infratui.store import load_preset

BASE = load_preset("production").with_(requests_per_day=5_000_000, growth_months=12)


def grown(catalog, **changes: object):
    return evaluate(BASE.with_(**changes), catalog).growth


def test_today_and_the_target_are_the_ends(catalog) -> None:
    found = grown(catalog, growth_to=20_000_000)
    today = evaluate(BASE, catalog).cost
    assert found.months[0].gpus == today.fleet.gpus
    assert found.months[0].own == pytest.approx(today.priced(Option.OWNED).monthly)
    assert found.months[-1].month == 12
    assert found.months[-1].requests_per_day == pytest.approx(20_000_000, rel=1e-6)
    assert found.rate == pytest.approx(4 ** (1 / 12) - 1)


def test_the_fleet_never_shrinks_and_its_steps_are_told(catalog) -> None:
    found = grown(catalog, growth_pct=10)
    for before, now in pairwise(found.months):
        assert now.gpus >= before.gpus
        assert now.grows is (now.gpus > before.gpus)
    assert found.steps
    told = words.data(found)["growth"]
    assert told["fleet_grows_in_months"] == [month.month for month in found.steps]


def test_the_ways_to_pay_are_the_sums_of_their_months(catalog) -> None:
    found = grown(catalog, growth_pct=10, lead_months=2)
    rents, owns = ([getattr(month, kind) for month in found.months[:-1]] for kind in ("rent", "own"))
    by_id = {plan.id: plan for plan in found.plans}
    assert by_id["rent"].total == pytest.approx(sum(rents))
    assert by_id["buy-as-it-grows"].total == pytest.approx(sum(rents[:2]) + sum(owns[2:]))
    assert by_id["buy-now"].total == pytest.approx(sum(rents[:2]) + 10 * found.months[-1].own)
    later = by_id["rent-until"]
    assert later.total == pytest.approx(min(sum(rents[:at]) + sum(owns[at:]) for at in range(3, 12)))
    assert later.order_in == later.owned_from - 2
    assert [plan.total for plan in found.plans] == sorted(plan.total for plan in found.plans)


def test_cheap_hardware_is_bought_now_and_dear_hardware_never(catalog) -> None:
    cheap = grown(catalog, growth_pct=3, purchase_usd=500, staff_usd_per_year=0)
    assert cheap.plans[0].id in ("buy-now", "buy-as-it-grows")
    dear = grown(catalog, growth_pct=3, purchase_usd=500_000)
    assert dear.plans[0].id == "rent"


def test_a_long_lead_time_leaves_nothing_to_buy(catalog) -> None:
    assert [plan.id for plan in grown(catalog, growth_pct=5, lead_months=12).plans] == ["rent"]


@pytest.mark.parametrize(
    "changes",
    [{}, {"growth_to": 1000}, {"growth_to": 5000, "requests_per_day": 0}, {"growth_pct": 5.0, "ttft_ms": 1.0}],
)
def test_what_has_no_answer_is_one_line(catalog, changes) -> None:
    with pytest.raises(ValueError) as refusal:
        _ = grown(catalog, **changes)
    assert "\n" not in str(refusal.value)


def test_the_report_has_it_only_where_growth_is_stated(catalog) -> None:
    assert words.of(evaluate(Scenario(), catalog)) == ()
    blocks = words.of(evaluate(BASE.with_(growth_pct=5.0), catalog))
    assert [block.id for block in blocks] == ["growth-chart", "growth-words", "growth"]
    refused = words.of(evaluate(BASE.with_(growth_to=1000), catalog))
    assert "below today's" in str(refused)
