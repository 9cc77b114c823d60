"""What would save money, what the decision turns on, and what is really bought."""

import datetime as dt

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.cost.options import Option
from infratui.engine.evaluate import Evaluator
from infratui.engine.sections.cost import CostResult
from infratui.report.cost_levers import lever_words
from infratui.scenario import Scenario

TODAY = dt.date(2026, 11, 1)
FACTS = Catalog(today=TODAY)
EVALUATE = Evaluator(FACTS)
GUIDE = Scenario(model="llama-3.1-70b", precision="fp8", accelerator="h100-sxm", peak_factor=1, requests_per_day=50_000)
"""The guide, section 4: 70B in FP8 on H100, 50,000 requests a day of 500 + 500 tokens."""


def cost(**changes: object) -> CostResult:
    return EVALUATE(GUIDE.with_(**changes)).cost


class TestLevers:
    def test_each_says_what_it_does_here(self) -> None:
        levers = {entry.note.id: entry for entry in EVALUATE(GUIDE.with_(requests_per_day=20_000_000)).cost_levers}
        assert levers["eight-bit"].on
        assert levers["eight-bit"].saves is not None
        assert levers["eight-bit"].saves > 0
        # An H100 computes 4-bit weights at 16 bit: at a full batch they cost more.
        assert levers["four-bit"].saves is not None
        assert levers["four-bit"].saves < 0
        assert levers["speculation"].turn == ()
        assert "measured" in lever_words(levers["speculation"], "$")

    def test_turning_one_turns_its_switch(self) -> None:
        scenario = GUIDE.with_(requests_per_day=20_000_000)
        for lever in EVALUATE(scenario).cost_levers:
            if lever.turn:
                turned = {entry.note.id: entry for entry in EVALUATE(scenario.with_(**dict(lever.turn))).cost_levers}
                assert turned[lever.note.id].on is not lever.on

    def test_a_cascade_takes_its_share_off_the_large_model(self) -> None:
        whole, half = cost(requests_per_day=20_000_000), cost(requests_per_day=20_000_000, cascade_pct=50)
        assert half.small is not None
        assert whole.fleet.gpus / 2 < half.fleet.gpus < whole.fleet.gpus
        assert half.offered.tokens_per_month == whole.offered.tokens_per_month


class TestTornado:
    def test_flips_are_where_the_two_cost_the_same(self) -> None:
        tornado = EVALUATE(GUIDE.with_(requests_per_day=5_000_000)).cost_tornado
        assert tornado is not None
        assert [entry.width for entry in tornado.swings] == sorted(
            (entry.width for entry in tornado.swings), reverse=True
        )
        flip = next(entry for entry in tornado.swings if entry.flips_at is not None)
        assert flip.lever.name == "reserved_3y"
        at_flip = cost(requests_per_day=5_000_000, reserved_3y_usd=flip.flips_at)
        leader, runner = (Option(name) for name in (tornado.leader, tornado.runner_up))
        assert at_flip.costs[leader].monthly == pytest.approx(at_flip.costs[runner].monthly, rel=1e-6)

    def test_nothing_to_compare_is_none(self) -> None:
        assert EVALUATE(GUIDE.with_(accelerator="h200-nvl", api_usd_per_mtok=0)).cost_tornado is None


class TestWhatIsBought:
    def test_servers_are_bought_whole(self) -> None:
        """One GPU or eight: an HGX board is one purchase, and its power is paid for too."""
        few, eight = cost(users=4), cost(gpus=8, fleet_basis="mine")
        assert (few.fleet.gpus, eight.fleet.gpus) == (2, 8)
        assert few.costs[Option.OWNED].monthly == pytest.approx(eight.costs[Option.OWNED].monthly)
        assert any(step.symbol == "GPUs bought" for step in few.costs[Option.OWNED].derivation.steps)

    def test_cards_are_bought_one_by_one(self) -> None:
        result = cost(model="llama-3.1-8b", accelerator="rtx-4090", users=4, purchase_usd=2000)
        assert not any(step.symbol == "GPUs bought" for step in result.costs[Option.OWNED].derivation.steps)

    def test_staff_grows_with_the_fleet(self) -> None:
        def staff(gpus: int) -> float:
            parts = cost(gpus=gpus, fleet_basis="mine").costs[Option.OWNED].parts
            return next(part.monthly for part in parts if part.name == "staff")

        assert staff(64) == pytest.approx(staff(8)) == pytest.approx(GUIDE.staff_usd_per_year / 12)
        assert staff(256) == pytest.approx(4 * staff(64))


class TestCachedPrompts:
    def test_tokens_in_the_cache_are_charged_at_their_own_price(self) -> None:
        """Moonshot lists Kimi K2.5 at $0.60 in, $0.10 cached and $3.00 out: at 50 % hits 500 → 500 is $1.675."""
        model = {"model": "kimi-k2.5", "precision": "int4", "accelerator": "h200", "input_tokens": 500}
        plain, cached = cost(**model, prefix_hit=0).api, cost(**model, prefix_hit=50).api
        assert plain is not None
        assert cached is not None
        rows = {entry.provider: entry for entry in cached.providers}
        assert rows["Moonshot AI"].usd_per_mtok == pytest.approx((0.5 * 0.6 + 0.5 * 0.1 + 3.0) / 2)
        assert rows["Together AI"].cached is None
        assert rows["Together AI"].usd_per_mtok == pytest.approx((0.5 + 2.8) / 2)
        assert cached.median < plain.median


def test_the_kind_of_gpu_is_among_what_moves_the_decision() -> None:
    """Both ends are whole fleets of another kind, each with its own prices."""
    tornado = EVALUATE(GUIDE).cost_tornado
    assert tornado is not None
    kinds = next(swing for swing in tornado.swings if swing.lever.name == "accelerator")
    assert kinds.lever.kinds is not None
    assert len({entry.id for entry in kinds.lever.kinds}) == 3
    other = kinds.lever.kinds[1].id
    found = cost(accelerator=other)
    usd = {entry.option.value: entry.monthly for entry in found.options} | {"API": found.api and found.api.monthly}
    assert kinds.at_low == pytest.approx(usd[tornado.runner_up] - usd[tornado.leader], rel=0.02)
