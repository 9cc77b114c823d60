"""The planner: plans hold the targets, the front is a front, losers say why, the catalog takes under a second."""

import datetime as dt
from itertools import pairwise

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.cluster.layout import Layout
from infratui.engine.cost.options import Option
from infratui.engine.deployment.fleet import rated
from infratui.engine.deployment.judge import NoReplicaError, Replica
from infratui.engine.deployment.planner import DemandPlan, Search, pareto, plan_demand
from infratui.engine.evaluate import Evaluator
from infratui.report.plans import answer
from infratui.report.reasons import reason_text
from infratui.scenario import Scenario

FACTS = Catalog(today=dt.date(2026, 11, 1))


def plan(search: Search | None = None, **changes: object) -> DemandPlan:
    return plan_demand(Case(Scenario(**changes), FACTS), search or Search())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guide() -> DemandPlan:
    """70B, 50,000 requests a day, first token within a second, 20 tokens/s for each user."""
    return plan(model="llama-3.3-70b", requests_per_day=50_000, ttft_ms=1000, tpot_ms=50)


def test_every_plan_holds_the_targets(guide: DemandPlan) -> None:
    assert len(guide.candidates) > 20
    for entry in (*guide.candidates, *guide.pareto):
        assert entry.replica.ttft_s <= 1.0 + 1e-9
        assert entry.replica.tpot_s <= 0.050 + 1e-9
        carried = (entry.replicas) * entry.replica.requests_per_s
        assert carried >= guide.offered.peak_rate * (1 - 1e-9)


def test_the_best_is_the_cheapest_and_the_others_say_why(guide: DemandPlan) -> None:
    assert guide.best is not None
    assert guide.best.monthly == min(entry.monthly for entry in guide.candidates)
    assert guide.candidates[0].loses is None
    for entry in guide.candidates[1:]:
        assert reason_text(entry.loses).startswith("costs")
        assert entry.monthly >= guide.best.monthly


def test_nothing_on_the_front_is_beaten_in_both(guide: DemandPlan) -> None:
    front = guide.pareto
    assert front[0].monthly == guide.candidates[0].monthly
    for one, other in pairwise(front):
        assert one.monthly <= other.monthly
        assert one.tokens_per_s_per_user < other.tokens_per_s_per_user
    assert pareto(front) == front


def test_the_screen_and_the_planner_price_a_plan_alike(guide: DemandPlan) -> None:
    entry = next(each for each in guide.candidates if each.accelerator.id == "h100-sxm")
    scenario = Scenario(requests_per_day=50_000, ttft_ms=1000, accelerator="h100-sxm", precision=entry.precision.id)
    result = Evaluator(FACTS)(scenario).cost
    assert result.fleet.gpus == entry.gpus
    assert result.costs[entry.option].monthly == pytest.approx(entry.monthly)


@pytest.mark.long
def test_narrow_formats_are_tried_only_when_asked() -> None:
    unasked = plan(requests_per_day=50_000)
    asked = plan(Search(min_bits=4), requests_per_day=50_000)
    assert min(entry.precision.bits for entry in unasked.candidates) > 7
    assert min(entry.precision.bits for entry in asked.candidates) < 5


def test_one_accelerator_can_be_kept_to() -> None:
    found = plan(Search(accelerators=("h100",)), requests_per_day=50_000)
    assert {entry.accelerator.id for entry in found.candidates} == {"h100-sxm"}


@pytest.mark.long
def test_compliance_is_bought() -> None:
    found = plan(requests_per_day=1_000_000, compliance=True)
    assert {entry.option for entry in found.candidates} == {Option.OWNED}
    assert any("no price for an option" in reason_text(entry.reason) for entry in found.refused)


def test_targets_nobody_holds_leave_reasons() -> None:
    found = plan(tpot_ms=1)
    assert found.best is None
    assert found.pareto == ()
    assert "No plan holds that" in answer(found).text
    assert any("misses the TPOT target" in reason_text(entry.reason) for entry in found.refused)


@pytest.mark.long
@pytest.mark.parametrize("requests", [0, 10**12])
def test_no_demand_and_all_demand_have_finite_answers(requests: int) -> None:
    found = plan(requests_per_day=requests)
    assert found.best is not None
    assert 0 <= found.best.monthly < float("inf")
    assert (found.best.usd_per_mtok is None) is (requests == 0)


def test_a_tighter_target_never_makes_a_batch_larger() -> None:
    cases = [Case(Scenario(tpot_ms=tpot), FACTS) for tpot in (20, 30, 50, 100, 0)]
    batches = [rated(case, case.site, Layout(4)) for case in cases]
    rates = [entry.requests_per_s for entry in batches if isinstance(entry, Replica)]
    assert len(rates) == len(cases)
    assert rates == sorted(rates)


def test_a_forced_layout_is_kept() -> None:
    result = Evaluator(FACTS)(Scenario(tp=4)).cost
    assert result.replica.layout.tp == 4
    with pytest.raises(NoReplicaError, match="TP3: attention heads do not split"):
        _ = Evaluator(FACTS)(Scenario(tp=3)).cost


@pytest.mark.long
def test_ones_own_price_is_of_ones_own_accelerator_only() -> None:
    found = plan(requests_per_day=5_000_000, purchase_usd=100, staff_usd_per_year=0)
    priced = {entry.accelerator.id for entry in found.candidates if entry.price == "your own figure"}
    assert priced == {"h100-sxm"}


def test_a_fleet_is_listed_once_whatever_its_batch(catalog: Catalog) -> None:
    plan = plan_demand(Case(Scenario(model="llama-3.1-8b", requests_per_day=500_000), catalog))

    labels = [entry.label for entry in plan.pareto]
    assert len(labels) == len(set(labels))
    assert len({entry.tokens_per_s_per_user for entry in plan.pareto}) == len(labels)
