"""Buy or rent for whole scenarios: the circulating flows with their own inputs, properties, and refusals in words."""

import datetime as dt
import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog import decision as reference_walk
from infratui.catalog import reference
from infratui.catalog.cost_data import api_prices
from infratui.catalog.cost_rules import cost_rules
from infratui.catalog.load import Catalog
from infratui.engine.cluster.hardware import Price
from infratui.engine.cost.decision import TREE, Leaf
from infratui.engine.cost.options import Option
from infratui.engine.cost.prices import PriceKind, committed, price_range
from infratui.engine.deployment.judge import NoReplicaError
from infratui.engine.evaluate import Evaluator
from infratui.engine.metrics import metric
from infratui.engine.sections.cost import CostResult
from infratui.report.as_json import dumps
from infratui.report.cost import summary
from infratui.report.cost_decision import ADVICE, breakeven_text, note_text, why_text
from infratui.report.cost_json import data
from infratui.report.cost_options import options
from infratui.report.reasons import error_text
from infratui.scenario import Scenario

TODAY = dt.date(2026, 11, 1)
FACTS = Catalog(today=TODAY)
EVALUATE = Evaluator(FACTS)
GUIDE = Scenario(model="llama-3.1-70b", precision="fp8", accelerator="h100-sxm", peak_factor=1, requests_per_day=50_000)
"""The guide, section 4: 70B in FP8 on H100, 50,000 requests a day of 500 + 500 tokens."""


def cost(**changes: object) -> CostResult:
    return EVALUATE(GUIDE.with_(**changes)).cost


class TestTheGuide:
    def test_on_demand_becomes_competitive_as_hours_fall(self) -> None:
        """24 → 8 hours a day: on demand falls with the hours it is billed, reservations do not."""
        around_the_clock, eight = cost(hours_per_day=24), cost(hours_per_day=8)
        assert eight.costs[Option.ON_DEMAND].monthly == pytest.approx(
            around_the_clock.costs[Option.ON_DEMAND].monthly / 3
        )
        for option in (Option.RESERVED_1Y, Option.RESERVED_3Y):
            assert around_the_clock.costs[Option.ON_DEMAND].monthly > around_the_clock.costs[option].monthly
            assert eight.costs[Option.ON_DEMAND].monthly < eight.costs[option].monthly
            assert eight.costs[option].monthly == around_the_clock.costs[option].monthly
        for entry in eight.hours:
            assert entry.value is not None
            assert 8 < entry.value < 24

    def test_measured_speed_changes_its_verdict(self) -> None:
        """The guide counts 60 tokens/s per 70B instance at 75 %, and all 1,000 tokens of a request: 13 instances.

        A batch serves them on one, so the volume is far below what fills a replica, and an API is cheaper still.
        """
        by_rule = cost(precision="fp8", users=10, estimator="rule-of-thumb")
        result = cost(precision="fp8", users=10)
        assert by_rule.fleet.replicas == 13
        assert result.fleet.replicas == 1
        assert result.decision.leaf is Leaf.API
        assert f"A calculator without batching would say {by_rule.fleet.gpus} GPUs" in note_text(result.notes[0])
        assert by_rule.best is not None
        assert result.best is not None
        assert by_rule.best.monthly > 5 * result.best.monthly

    def test_compliance_forces_owning_and_says_what_it_costs(self) -> None:
        result = cost(compliance=True)
        assert result.decision.leaf is Leaf.OWN_BY_RULE
        assert result.best is result.costs[Option.OWNED]
        assert result.api is not None
        premium = result.costs[Option.OWNED].monthly - result.api.monthly
        assert f"${premium:,.0f} a month" in why_text(result.decision)


class TestTheLab:
    @pytest.mark.parametrize(
        ("model", "precision", "accelerator", "usd_per_hour", "claimed_tokens_per_s", "predicted_usd"),
        [
            ("llama-2-7b", "int8", "a10g", 1.20, 1000, 0.64),
            ("llama-2-13b", "bf16", "a100-80gb-sxm", 3.00, 600, 0.82),
            ("llama-3.1-70b", "int4-awq", "a100-80gb-sxm", 3.00, 600, 2.71),
        ],
    )
    def test_dollars_per_million_tokens_with_predicted_speed(
        self, model: str, precision: str, accelerator: str, usd_per_hour: float, claimed_tokens_per_s: float,
        predicted_usd: float,
    ) -> None:  # fmt: skip
        """The lab's hardware and hourly rates, at the speed of full batches of 500 + 500 tokens, 85 % loaded.

        Its own tokens/s give $0.33, $1.39 and $1.39 per 1M (test_cost.py); it prints $0.83 for the last two.
        An A10G makes about half the tokens it is said to, an A100 in 16 bit more, and one with 4-bit 70B weights fewer.
        """
        scenario = Scenario(
            model=model, precision=precision, accelerator=accelerator, on_demand_usd=usd_per_hour, ttft_ms=0, tpot_ms=0
        )
        replica = EVALUATE(scenario).cost.replica
        tokens_per_s_per_gpu = replica.requests_per_s_per_gpu * scenario.output_tokens
        usd = usd_per_hour / (tokens_per_s_per_gpu * 3600) * 1e6
        assert usd == pytest.approx(predicted_usd, rel=0.35)
        assert 0.3 < tokens_per_s_per_gpu / claimed_tokens_per_s < 3


class TestTheReference:
    @pytest.mark.parametrize(("purchase", "usd_per_month", "months"), [(50_000, 66_667, 12), (62_500, 55_556, 18)])
    def test_two_nodes_break_even_in_twelve_to_eighteen_months(
        self, purchase: float, usd_per_month: float, months: float
    ) -> None:
        """Two DGX H200 for $0.8M to $1M against $50K to $80K of cloud a month, nothing but the hardware counted.

        The price is of the whole system, so the uplift for server and network is taken out of it.
        """
        rules = cost_rules()
        uplift = 1 + (rules.server_pct.value + rules.network_pct.value) / 100
        scenario = Scenario(
            model="glm-5", precision="fp8", accelerator="h200-sxm", users=16, requests_per_day=300_000, peak_factor=1,
            tp=8, pp=2,
            on_demand_usd=usd_per_month / (16 * 730.5), spot_usd=1e5, reserved_1y_usd=1e5, reserved_3y_usd=1e5,
            purchase_usd=purchase / uplift, staff_usd_per_year=0, electricity_usd_per_kwh=0, maintenance_pct=0,
            hosting_usd_per_kw_month=0, api_usd_per_mtok=1e5,
        )  # fmt: skip
        result = EVALUATE(scenario).cost
        assert result.fleet.gpus == 16
        assert result.month.value == pytest.approx(months, rel=0.01)
        assert result.decision.leaf is Leaf.OWN

    def test_what_owning_hides_moves_it_out(self) -> None:
        bare = cost(requests_per_day=5_000_000, purchase_usd=12_000, staff_usd_per_year=0, maintenance_pct=0)
        full = cost(requests_per_day=5_000_000, purchase_usd=12_000)
        assert bare.month.value is not None
        assert full.month.value is None or full.month.value > bare.month.value


SCENARIOS = st.builds(
    dict,
    requests_per_day=st.integers(0, 10**12),
    hours_per_day=st.floats(0.1, 24),
    days_per_week=st.floats(0.5, 7),
    peak_factor=st.floats(1, 10),
    spares=st.integers(0, 3),
    compliance=st.booleans(),
    term_years=st.floats(0.1, 10),
    life_years=st.floats(0.5, 10),
    interest_pct=st.floats(0, 50),
    resale_pct=st.floats(0, 100),
    on_demand_usd=st.sampled_from([0.0, 0.01, 2.0, 50.0]),
    reserved_1y_usd=st.sampled_from([0.0, 1e-6, 3.0]),
    purchase_usd=st.sampled_from([0.0, 1000.0, 60_000.0]),
    api_usd_per_mtok=st.sampled_from([0.0, 0.01, 5.0]),
    ttft_ms=st.sampled_from([0.0, 2000.0]),
)


class TestProperties:
    @settings(max_examples=60, deadline=None)
    @given(SCENARIOS)
    def test_no_figure_is_negative_or_not_a_number(self, changes: dict[str, object]) -> None:
        result = cost(**changes)
        for entry in result.options:
            for value in (entry.monthly, entry.low, entry.high, entry.cost and entry.cost.per_mtok):
                assert value is None or (math.isfinite(value) and value >= 0)
        for breakeven in (*result.hours, result.month, result.requests):
            assert breakeven_text(breakeven)
            assert breakeven.value is None or (math.isfinite(breakeven.value) and breakeven.value >= 0)
        for derivation in result.derivations:
            assert all(math.isfinite(step.value) for step in derivation)
        assert "nan" not in summary(result)
        json.loads(dumps(data(result)))

    @settings(max_examples=40, deadline=None)
    @given(SCENARIOS)
    def test_compliance_never_recommends_a_cloud(self, changes: dict[str, object]) -> None:
        assert cost(**{**changes, "compliance": True}).decision.leaf is Leaf.OWN_BY_RULE

    @settings(max_examples=40, deadline=None)
    @given(SCENARIOS)
    def test_the_recommended_option_has_a_price_and_is_allowed(self, changes: dict[str, object]) -> None:
        result = cost(**changes)
        if result.decision.option is not None:
            entry = result.priced(result.decision.option)
            assert entry.cost is not None
            assert entry.barred == ""

    @settings(max_examples=30, deadline=None)
    @given(a=st.integers(0, 10**9), b=st.integers(0, 10**9))
    def test_costs_grow_with_demand(self, a: int, b: int) -> None:
        few, many = (cost(requests_per_day=count) for count in sorted((a, b)))
        for option, each in few.costs.items():
            assert each.monthly <= many.costs[option].monthly * (1 + 1e-12)

    @settings(max_examples=30, deadline=None)
    @given(SCENARIOS)
    def test_the_breakeven_month_is_where_the_curves_cross(self, changes: dict[str, object]) -> None:
        result = cost(**changes)
        if result.month.value is None:
            return
        rent = next(
            entry
            for entry in result.costs.values()
            if f"overtakes {entry.option.value} after" in breakeven_text(result.month)
        )
        own = result.costs[Option.OWNED]
        assert own.cumulative(result.month.value) == pytest.approx(rent.cumulative(result.month.value))

    @pytest.mark.parametrize(
        "changes", [{}, {"compliance": True}, {"requests_per_day": 5_000_000}, {"cascade_pct": 50}]
    )
    def test_the_math_shown_is_the_math_done(self, changes: dict[str, object]) -> None:
        names = {"ceil": math.ceil, "floor": math.floor, "max": max, "min": min, "log2": math.log2, "sqrt": math.sqrt}
        for derivation in cost(**changes).derivations:
            for step in derivation:
                assert eval(step.substituted, {"__builtins__": {}}, names) == pytest.approx(step.value, rel=2e-4)


class TestBadInput:
    def test_no_demand_is_said_in_words(self) -> None:
        result = cost(requests_per_day=0)
        assert result.decision.leaf is Leaf.NOTHING
        assert all(entry.cost is None or entry.cost.per_mtok is None for entry in result.options)
        assert any("No demand" in note_text(note) for note in result.notes)
        assert result.per_request is None

    def test_more_gpus_than_exist_are_said_to_be_arithmetic(self) -> None:
        result = cost(requests_per_day=10**12)
        assert result.fleet.gpus > 1_000_000
        assert any("more than any operator has" in note_text(note) for note in result.notes)

    def test_a_gpu_without_a_price_asks_for_one(self) -> None:
        result = cost(accelerator="h200-nvl")
        assert all(entry.cost is None and "set your own" in entry.words for entry in result.options)
        assert result.best is None
        assert any("set your own" in cell.text for row in options(result).rows for cell in row.cells)
        alone = cost(accelerator="h200-nvl", compliance=True)
        assert "no purchase price" in why_text(alone.decision)

    def test_a_reservation_that_costs_next_to_nothing_pays_at_any_use(self) -> None:
        result = cost(reserved_1y_usd=1e-6)
        assert breakeven_text(result.hours[0]) == "reserving pays at practically any use"

    def test_targets_that_nothing_holds_are_refused_with_the_prediction(self) -> None:
        with pytest.raises(NoReplicaError) as refusal:
            cost(tpot_ms=1)
        assert re.search(r"misses the TPOT target: \d+ ms of 1 ms even for one user", error_text(refusal.value))

    def test_a_model_without_api_price_says_so(self) -> None:
        result = cost(model="falcon-180b", tpot_ms=0, ttft_ms=0)
        assert result.api is None
        assert "no published API price" in breakeven_text(result.requests)


class TestPrices:
    def price(self, **changes: object) -> Price:
        given = {
            "accelerator": "x",
            "kind": "on_demand",
            "usd": 2.0,
            "provider": "P",
            "date": "2026-06-01",
            "source": "s",
        }
        return Price(**{**given, **changes})  # type: ignore[arg-type]

    def test_old_rows_and_estimates_give_way_to_recent_offers(self) -> None:
        rows = [self.price(usd=usd, provider=str(usd)) for usd in (1.0, 2.0, 3.0)]
        rows += [self.price(usd=9.0, date="2024-01"), self.price(usd=7.0, quoted=False)]
        found = price_range(rows, PriceKind.ON_DEMAND)
        assert found is not None
        assert (found.low, found.median, found.high) == (1.0, 2.0, 3.0)

    def test_the_users_own_rows_displace_the_built_in_ones(self) -> None:
        found = price_range([self.price(), self.price(usd=1.1, origin="mine.yaml")], PriceKind.ON_DEMAND)
        assert found is not None
        assert found.own
        assert found.median == 1.1

    @pytest.mark.parametrize(("date", "stale"), [("2026-06-01", False), ("2026-04", True), ("2025", True)])
    def test_a_price_is_stale_after_half_a_year(self, date: str, stale: bool) -> None:
        found = price_range([self.price(date=date)], PriceKind.ON_DEMAND)
        assert found is not None
        assert found.stale(TODAY) is stale
        assert ("check it" in found.words(TODAY)) is stale

    def test_a_commitment_of_another_market_is_estimated_from_todays(self) -> None:
        today = price_range([self.price(provider=name) for name in "abc"], PriceKind.ON_DEMAND)
        old = price_range([self.price(kind="reserved_3y", usd=5.0, date="2024-02")], PriceKind.RESERVED_3Y)
        found = committed(old, today, PriceKind.RESERVED_3Y, 50, "source")
        assert found is not None
        assert found.median == pytest.approx(1.0)
        assert found.estimate is not None
        assert "2024-02-01" in found.words(TODAY)

    def test_without_a_market_no_commitment_is_estimated(self) -> None:
        alone = price_range([self.price()], PriceKind.ON_DEMAND)
        assert committed(None, alone, PriceKind.RESERVED_1Y, 35, "source") is None


class TestData:
    def test_defaults_of_the_scenario_are_those_with_a_source(self) -> None:
        inputs = [entry for entry in cost_rules() if entry.input]
        assert len(inputs) == 12
        for entry in inputs:
            assert getattr(Scenario(), entry.key) == entry.value
        assert all(entry.source for entry in cost_rules())

    def test_api_prices_are_of_models_that_the_catalog_knows(self) -> None:
        listed = api_prices()
        assert set(listed) <= set(FACTS.model_ids())
        assert sum(len(entry.prices) for entry in listed.values()) >= 200
        assert all(price.output > 0 and price.page for entry in listed.values() for price in entry.prices)

    def test_the_reference_draws_the_same_tree(self) -> None:
        tree = reference.tree("buy-or-rent")
        assert {entry.id: (entry.yes, entry.no) for entry in tree.questions} == {
            node.id: (node.yes, node.no) for node in TREE
        }
        assert {leaf.id for leaf in tree.leaves} == {leaf.value for leaf in ADVICE} - {Leaf.NOTHING.value}

    @pytest.mark.parametrize("requests", [1000, 1_000_000, 20_000_000])
    @pytest.mark.parametrize("hours", [4.0, 24.0])
    @pytest.mark.parametrize(
        "changes",
        [
            {}, {"compliance": True}, {"ttft_ms": 0, "tpot_ms": 0}, {"term_years": 0.5}, {"term_years": 1},
            {"purchase_usd": 9000, "staff_usd_per_year": 0}, {"term_years": 0.5, "ttft_ms": 0, "tpot_ms": 0},
        ],
    )  # fmt: skip
    def test_and_walks_it_to_the_same_leaf(self, requests: int, hours: float, changes: dict[str, object]) -> None:
        evaluation = EVALUATE(GUIDE.with_(requests_per_day=requests, hours_per_day=hours, **changes))
        walk = reference_walk.walk(reference.tree("buy-or-rent"), lambda key, card: metric(evaluation, key, card))
        assert walk.leaf.id == evaluation.cost.decision.leaf.value
