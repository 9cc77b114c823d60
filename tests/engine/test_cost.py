"""Demand, options and breakevens by worked example and property."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.cost import breakeven
from infratui.engine.cost.demand import DAYS_PER_MONTH, HOURS_PER_MONTH, Demand, Fleet, offered_load, size_fleet
from infratui.engine.cost.options import Option, OptionRates, Ownership, price_options
from infratui.engine.cost.sensitivity import Lever, tornado
from infratui.engine.figures.derivation import Ledger

OWN = Ownership(700, 0, 0, 1.5, 30, 10, 1.3, 0.1, 150, 100_000, 5, 8, 15, 4)
FREE = Ownership(0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3)


def fleet(gpus: int) -> Fleet:
    return Fleet(gpus, 0, 1, gpus, 1.0, 0.5)


def load(**changes: float):
    demand = Demand(**{"requests_per_day": 50_000, "input_tokens": 500, "output_tokens": 500, **changes})
    return offered_load(demand, Ledger(recording=False))


def test_the_guides_demand_is_served_within_its_hours():
    """50,000 requests/day (the guide's flow): 0.579/s around the clock, three times that in 8 hours."""
    assert load(hours_per_day=24).mean_rate == pytest.approx(50_000 / 86_400)
    assert load(hours_per_day=8).mean_rate == pytest.approx(50_000 / 28_800)
    assert load(hours_per_day=8).tokens_per_month == pytest.approx(50_000 * 1000 * DAYS_PER_MONTH)


@pytest.mark.parametrize(
    ("usd_per_hour", "tokens_per_s", "said"),
    [(1.20, 1000, 0.33), (3.00, 600, 1.39), (15.00, 400, 10.42)],
)
def test_cost_per_million_tokens_of_the_lab(usd_per_hour: float, tokens_per_s: float, said: float):
    """The lab's own inputs. It prints $0.33 for the first row; its $0.83 and $12.50 do not follow from its inputs."""
    requests = round(tokens_per_s * 86_400 / 1000)
    offered = load(requests_per_day=requests, hours_per_day=24)
    cost = price_options(fleet(1), offered, OptionRates(on_demand=usd_per_hour), OWN)[Option.ON_DEMAND]
    assert cost.per_mtok == pytest.approx(said, abs=0.006)


@pytest.mark.parametrize(("capital", "cloud_per_month", "months"), [(800_000, 66_667, 12), (1_000_000, 55_556, 18)])
def test_breakeven_month_of_the_reference(capital: float, cloud_per_month: float, months: float):
    """Two DGX H200 nodes at $0.8M to $1M against $50-80K of cloud a month: the reference says 12 to 18 months."""
    rates = OptionRates(on_demand=cloud_per_month / (16 * HOURS_PER_MONTH), purchase=capital / 16)
    options = price_options(fleet(16), load(hours_per_day=24), rates, FREE)
    solved = breakeven.month(options[Option.OWNED], options[Option.ON_DEMAND])
    assert solved.value == pytest.approx(months, rel=0.01)


def test_power_and_staff_push_that_breakeven_out():
    rates = OptionRates(on_demand=66_667 / (16 * HOURS_PER_MONTH), purchase=800_000 / 16)
    options = price_options(fleet(16), load(hours_per_day=24), rates, OWN)
    solved = breakeven.month(options[Option.OWNED], options[Option.ON_DEMAND])
    assert solved.value is not None
    assert solved.value > 15


def test_reservation_pays_above_its_share_of_the_day():
    solved = breakeven.hours_per_day(4.0, 2.0, 7, "1 year")
    assert solved.value == pytest.approx(12.0)


def test_reservation_dearer_than_on_demand_never_pays():
    solved = breakeven.hours_per_day(2.0, 4.0, 7, "1 year")
    assert solved.value is None
    assert solved.crossing is breakeven.Crossing.NEVER


@given(
    monthly=st.floats(10, 1e6), fixed=st.floats(0, 1e5), capacity=st.floats(1, 1e7), spares=st.integers(0, 3),
    price=st.floats(0.001, 100), tokens=st.integers(1, 100_000), days=st.floats(0.5, 7),
)  # fmt: skip
def test_requests_breakeven_satisfies_its_own_equation(monthly, fixed, capacity, spares, price, tokens, days):
    solved = breakeven.requests_per_day(monthly, fixed, capacity, spares, price, (tokens, 0), days)
    if solved.value is None:
        return
    replicas = max(1, math.ceil(solved.value / capacity - 1e-9))
    self_hosted = fixed + (replicas + spares) * monthly
    api = solved.value * tokens / 1e6 * price * DAYS_PER_MONTH * days / 7
    assert api == pytest.approx(self_hosted, rel=1e-6)


@given(rate=st.floats(0.01, 50), reserved=st.floats(0.01, 50), days=st.floats(0.5, 7))
def test_hours_breakeven_satisfies_its_own_equation(rate: float, reserved: float, days: float):
    solved = breakeven.hours_per_day(rate, reserved, days, "1 year")
    if solved.value is None:
        return
    assert rate * solved.value * DAYS_PER_MONTH * days / 7 == pytest.approx(reserved * HOURS_PER_MONTH)


@given(a=st.integers(0, 10**12), b=st.integers(0, 10**12), rate=st.floats(0.001, 1e4))
def test_more_demand_never_needs_fewer_gpus(a: int, b: int, rate: float):
    small, large = sorted((a, b))
    ledger = Ledger(recording=False)
    first = size_fleet(load(requests_per_day=small), rate, 8, 0, ledger)
    second = size_fleet(load(requests_per_day=large), rate, 8, 0, ledger)
    assert 8 <= first.gpus <= second.gpus


@given(a=st.floats(0.1, 24), b=st.floats(0.1, 24))
def test_on_demand_cost_grows_with_hours(a: float, b: float):
    few, many = sorted((a, b))
    costs = [
        price_options(fleet(8), load(hours_per_day=hours), OptionRates(on_demand=3.0), OWN)[Option.ON_DEMAND].monthly
        for hours in (few, many)
    ]
    assert 0 < costs[0] <= costs[1]


def test_a_replica_that_holds_nothing_is_refused_in_words():
    with pytest.raises(ValueError, match="relax TTFT or TPOT"):
        size_fleet(load(), 0.0, 8, 0, Ledger(recording=False))


def test_tornado_names_the_widest_swing_and_the_flip():
    levers = (Lever("rate", "Rate", 2.0, 1.0, 4.0), Lever("hours", "Hours", 8.0, 7.0, 9.0))
    swings = tornado(levers, lambda name, value: 3.0 - value if name == "rate" else 1.0 + 0.1 * (value - 8))
    assert [swing.lever.name for swing in swings] == ["rate", "hours"]
    assert swings[0].flips_at == pytest.approx(3.0)
    assert swings[1].flips_at is None
