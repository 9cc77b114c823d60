"""The scenario is one immutable, validated model, and text becomes values in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.inputs import Kind
from infratui.scenario import INPUTS, Scenario, ScenarioError, bounds, parse
from infratui.settings_text import assign, describe_range, parse_value


def test_a_change_makes_a_new_scenario():
    before = Scenario()
    after = before.with_(users=100)
    assert (before.users, after.users) == (50, 100)
    assert after.changed() == {"users": 100}


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(ScenarioError, match="did you mean 'users'"):
        parse({"usres": 5}, "team.yaml")


def test_a_wrong_value_says_where_and_what_would_be_right():
    with pytest.raises(ScenarioError, match=r"team\.yaml: users: -3 is not allowed; at least 1"):
        parse({"users": -3}, "team.yaml")


def test_every_field_says_what_it_is():
    for name, spec in INPUTS.items():
        assert spec.label, name
        assert describe_range(name), name


def test_steps_stay_within_bounds():
    for name, spec in INPUTS.items():
        low, high = bounds(name)
        for step in spec.steps:
            assert low is None or step >= low, name
            assert high is None or step <= high, name


def test_settings_as_typed():
    scenario = assign(Scenario(), ["users=1.5k", "context=32K", "compliance=yes", "tp=auto", "ttft_ms=none"])
    assert (scenario.users, scenario.context, scenario.compliance, scenario.tp, scenario.ttft_ms) == (
        1500, 32_768, True, 0, 0.0,
    )  # fmt: skip


@pytest.mark.parametrize("setting", ["users", "users=1.5", "compliance=maybe", "nothing=1", "context=abc"])
def test_bad_settings_are_refused(setting: str):
    with pytest.raises(ScenarioError):
        assign(Scenario(), [setting])


@given(name=st.sampled_from(sorted(INPUTS)), text=st.text(max_size=30))
def test_any_text_is_a_value_or_a_scenario_error(name: str, text: str):
    try:
        Scenario().with_(**{name: parse_value(name, text)})
    except ScenarioError as error:
        reason = str(error)
        assert reason.startswith(name) or INPUTS[name].kind is Kind.TEXT
