"""Measured demand put into a scenario: its profile, and the requests of a day where a rate was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .scenario import Scenario

if TYPE_CHECKING:
    from .demand.measured import MeasuredDemand


def measured_in(scenario: Scenario, found: MeasuredDemand) -> tuple[Scenario, str]:
    """The scenario with what was measured, and what was set in words. Raises ScenarioError.

    Typed lengths and peak stay beside the profile, which takes their place. How much is asked is set as if typed: to
    grow and to be varied. A saturated server's rate is no demand, and leaves it.
    """
    profile = found.profile
    changes: dict[str, object] = {"demand_profile": profile}
    said = [f"{profile.input.mean:,.0f} → {profile.output.mean:,.0f} tokens"]
    if profile.peak_60s is not None:
        said.append(f"peak ×{profile.peak_60s:.2f} over a minute")
    rate = found.requests_per_s
    if rate and not found.saturated:
        per_day = round(rate * scenario.hours_per_day * 3600)
        changes["requests_per_day"] = per_day
        said.append(f"{per_day:,} requests/day at {scenario.hours_per_day:g} h")
    return scenario.with_(**changes), "measured demand set: " + ", ".join(said)
