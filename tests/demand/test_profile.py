"""A profile is a plain value: it survives files, settings and copies, and refuses what is none in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.demand_profile import SHARES, InFlight, LengthSpread, profile_from
from infratui.measuring import measured_in
from infratui.scenario import Scenario, ScenarioError, parse
from infratui.settings_text import assign
from infratui.store import dump, load_scenario, save_scenario

from .samples import REQUESTS, TRACES, azure, read, vllm


@pytest.mark.parametrize("name", TRACES)
def test_it_survives_a_file_and_other_settings(tmp_path: Path, name: str):
    scenario, said = measured_in(Scenario(users=7), read(TRACES[name]))
    path = tmp_path / "plan.yaml"
    save_scenario(scenario, path)
    loaded = load_scenario(path)
    assert loaded == scenario
    changed = assign(loaded, ["users=9", "context=32K"])
    assert (changed.demand_profile, changed.users) == (scenario.demand_profile, 9)
    assert hash(loaded.demand_profile) == hash(scenario.demand_profile)
    assert "requests/day" in said
    assert not [line for line in dump(scenario).splitlines() if line != line.rstrip()]


def test_none_drops_it():
    scenario, _ = measured_in(Scenario(), read(TRACES["azure"]))
    assert assign(scenario, ["demand_profile=none"]).demand_profile is None
    assert Scenario().in_force() == Scenario()


def test_measured_values_take_the_place_of_typed_ones_and_leave_them():
    scenario, _ = measured_in(Scenario(), read(TRACES["mooncake"]))
    force = scenario.in_force()
    assert (scenario.input_tokens, scenario.peak_factor) == (500, 2.0)
    prompts = [prompt for _, prompt, _ in REQUESTS]
    assert force.input_tokens == round(sum(prompts) / len(prompts))
    assert force.prefix_hit > 0
    assert scenario.with_(peak_window="10s").in_force().peak_factor > force.peak_factor
    assert force.in_force() == force


def test_how_much_is_asked_is_a_typed_value_from_then_on():
    scenario, _ = measured_in(Scenario(hours_per_day=12), read(azure()))
    seconds = REQUESTS[-1][0] - REQUESTS[0][0]
    assert scenario.requests_per_day == round(len(REQUESTS) / seconds * 12 * 3600)
    full, _ = measured_in(Scenario(), read(vllm(REQUESTS[:30]), vllm(waiting=50), seconds=1))
    assert full.requests_per_day == Scenario().requests_per_day


def test_a_profile_by_hand_needs_two_means():
    profile = profile_from({"input": 2048, "output": {"mean": 28}})
    assert profile is not None
    assert (profile.input.at(99), profile.in_flight.mean, profile.in_flight.deviation) == (2048, 2076, 0)
    assert parse({"demand_profile": {"input": 5, "output": 5}}).demand_profile is not None


@pytest.mark.parametrize(
    "value",
    [
        "a trace",
        5,
        [],
        {},
        {"input": 5},
        {"input": -5, "output": 5},
        {"input": float("nan"), "output": 5},
        {"input": 5, "output": 5, "unknown": 1},
        {"input": {"mean": 5, "points": [1, 2]}, "output": 5},
        {"input": {"mean": 5, "points": list(range(len(SHARES), 0, -1))}, "output": 5},
        {"input": {"mean": 500, "points": list(range(len(SHARES)))}, "output": 5},
        {"input": 5, "output": 5, "prefix_share": 1.5},
        {"input": 5, "output": 5, "peak_60s": 0.5},
        {"input": 5, "output": 5, "arrivals": [1.0] * 1000},
        {"input": 5, "output": 5, "in_flight": {"mean": 5, "decoding": 6}},
    ],
)
def test_what_is_none_is_refused_in_one_line(value: object):
    with pytest.raises(ScenarioError, match="demand_profile: ") as refusal:
        parse({"demand_profile": value})
    assert "\n" not in str(refusal.value)


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_of_one_length_all_that_is_in_flight_is_of_that_length(prompt: int, answer: int):
    found = InFlight.independent(LengthSpread.constant(prompt), LengthSpread.constant(answer))
    assert found.mean == pytest.approx(prompt + answer)
    assert found.decoding == pytest.approx(prompt + answer / 2)
    assert found.deviation == 0


def test_a_mean_that_its_quantiles_do_not_have_leaves_what_is_in_flight_within_them():
    """The mean of a histogram is counted, its quantiles are not; by hand they may contradict each other."""
    points = [1] * 20 + [10, 100, 1000, 10_000, 1_000_000]
    profile = profile_from({"input": 50, "output": {"mean": 1.5, "points": points}})
    assert profile is not None
    assert 51.5 <= profile.in_flight.mean <= 50 + 1_000_000
    assert profile_from(profile.mapping()) == profile
