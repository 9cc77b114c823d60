"""What measured demand asks for beside the typed means: the same search at each, GPUs and dollars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cost.case import CostCase, cheapest_monthly
from ..deployment.answer import fleet_of
from ..deployment.fleet import FleetPlan
from ..figures.reason import Reason

if TYPE_CHECKING:
    from ...demand_profile import DemandProfile
    from ...scenario import Scenario
    from ..case import Case

_LONG = 90
"""Percentile of both lengths that the last row takes for every request."""


@dataclass(frozen=True, slots=True)
class AskedFleet:
    """One way to state the demand, and the fleet that it takes."""

    id: str
    """`typed`, `means`, `60s`, `10s` or `long`."""
    input_tokens: int
    output_tokens: int
    peak_factor: float
    fleet: FleetPlan | None
    """None where nothing serves it."""
    usd_per_month: float | None
    reason: Reason | None = None
    in_force: bool = False
    """What the scenario is sized for."""


@dataclass(frozen=True, slots=True)
class DemandEffect:
    """A scenario's measured demand beside its typed one."""

    profile: DemandProfile
    context: int
    """Longest sequence that the engine takes."""
    users: int
    tokens_per_user: float
    """That memory keeps for each of the users, in place of a share of the context."""
    rows: tuple[AskedFleet, ...]

    def row(self, id: str) -> AskedFleet | None:
        """One of the ways."""
        return next((entry for entry in self.rows if entry.id == id), None)

    @property
    def measured(self) -> AskedFleet:
        """What the scenario is sized for."""
        return next(entry for entry in self.rows if entry.in_force)


def demand_effect(typed: Scenario, case_of: Callable[[Scenario], Case]) -> DemandEffect:
    """Every row by the one search. Raises ValueError where the scenario has no profile, or names what is not known."""
    profile = typed.demand_profile
    if profile is None:
        raise ValueError("no measured demand; `infratui demand FILE --apply SCENARIO` sets it")
    load = case_of(typed.in_force()).load
    rows = []
    for name, scenario in _ways(typed, profile):
        case = case_of(scenario.in_force())
        found = fleet_of(case)
        usd = cheapest_monthly(CostCase.of(case)) if found.plan is not None else None
        force = case.scenario
        rows.append(
            AskedFleet(
                id=name,
                input_tokens=force.input_tokens,
                output_tokens=force.output_tokens,
                peak_factor=force.peak_factor,
                fleet=found.plan,
                usd_per_month=usd,
                reason=found.reason,
                in_force=scenario is typed,
            )
        )
    return DemandEffect(profile, typed.context, load.users, load.held, tuple(rows))


def _ways(typed: Scenario, profile: DemandProfile) -> Iterator[tuple[str, Scenario]]:
    plain = typed.replaced({"demand_profile": None})
    yield "typed", plain
    lengths = {name: profile.in_place()[name] for name in ("input_tokens", "output_tokens")}
    yield "means", plain.replaced(lengths)
    for window, peak in (("60s", profile.peak_60s), ("10s", profile.peak_10s)):
        if window == typed.peak_window:
            yield window, typed
        elif peak is not None:
            yield window, typed.replaced({"peak_window": window})
    force = typed.in_force()
    long = {
        "input_tokens": round(profile.input.at(_LONG)),
        "output_tokens": max(1, round(profile.output.at(_LONG))),
        "peak_factor": force.peak_factor,
        "prefix_hit": force.prefix_hit,
    }
    yield "long", plain.replaced(long)
