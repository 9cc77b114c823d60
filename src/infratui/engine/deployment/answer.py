"""The answer that every section shows: the chosen layout with its totals, the fewest GPUs, the fleet."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..figures.derivation import Ledger
from ..figures.reason import Reason, because
from ..memory.kv_cache import kv_demand
from ..memory.plan import MemoryPlan
from .choose import LayoutChoice, choose
from .demand import offered_load
from .fewest import Fewest, fewest
from .fleet import FleetPlan, fleet, one_copy
from .judge import NoReplicaError
from .reasons import ReasonKind
from .thumb import sized

if TYPE_CHECKING:
    from ..case import Case


NOTHING_HOLDS = because(ReasonKind.NOTHING_HOLDS)


@dataclass(frozen=True, slots=True)
class Totals:
    """Bytes of the chosen layout over all of its GPUs; copies, padding and full replicas included."""

    weights: int
    kv_cache: int
    runtime: int
    """What activations, contexts and graphs take of the memory that the engine requests."""
    capacity: int
    """What the engine requests on all of them."""
    gpus: int

    @property
    def used(self) -> int:
        return self.weights + self.kv_cache + self.runtime

    @property
    def free_per_gpu(self) -> int:
        """Capacity less what is used, over the GPUs; negative where memory is short."""
        return (self.capacity - self.used) // self.gpus


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the scenario's GPUs do, and the fewest that would."""

    choice: LayoutChoice
    fewest: Fewest
    totals: Totals | None
    """Of the chosen layout; None where none can be built."""

    @property
    def plan(self) -> MemoryPlan | None:
        return self.choice.plan

    @property
    def holds(self) -> bool:
        return self.choice.holds

    @property
    def missing_gpus(self) -> int | None:
        """GPUs to add until a layout holds it; 0: they do; None: no number of them does."""
        if self.holds:
            return 0
        return None if self.fewest.gpus is None else max(0, self.fewest.gpus - self.choice.gpus)


def deployed(case: Case) -> Deployed:
    """The answer for the scenario's GPUs: one search for all sections."""
    return case.part("deployment", _deployed)


def enough(case: Case) -> tuple[bool, int | None]:
    """Whether the scenario's GPUs hold it, and the fewest that do, by the scenario's estimator; None: no number."""
    if case.scenario.estimator == "rule-of-thumb":
        thumb = sized(case)
        return thumb.holds, thumb.least
    found = deployed(case)
    return found.holds, found.fewest.gpus


def fewest_of(case: Case) -> Fewest:
    """The fewest of the scenario's accelerator, whatever is pinned."""
    return case.part("fewest", lambda own: fewest(own.deployment, own.site, own.load))


def _deployed(case: Case) -> Deployed:
    choice = _pooled(case) if case.scenario.pools else choose(case, case.gpus, case.forced)
    least = fewest_of(case)
    plan = choice.plan
    if plan is not None and plan.fits and least.gpus == plan.layout.gpus and not choice.pools:
        # One answer, not two: the same count is taken in the layout that is chosen.
        least = replace(least, plan=plan)
    return Deployed(choice, least, totals_of(case, plan) if plan else None)


def _pooled(case: Case) -> LayoutChoice:
    from .pools import choose_pools

    return choose_pools(case, case.gpus)


def totals_of(case: Case, plan: MemoryPlan) -> Totals:
    """Every GPU of a layout counted: stages as they are, replicas with an even share of the users each."""
    layout = plan.layout
    load = replace(case.load, users=plan.users_per_replica)
    ranks = layout.tp * layout.dp
    return Totals(
        weights=ranks * sum(stage.total for stage in case.deployment.weights(layout).stages),
        kv_cache=ranks * sum(kv_demand(geometry, load).total for geometry in case.deployment.geometry(layout)),
        runtime=layout.gpus * plan.runtime_inside,
        capacity=layout.gpus * plan.requested,
        gpus=layout.gpus,
    )


@dataclass(frozen=True, slots=True)
class FleetAnswer:
    """What is paid for."""

    plan: FleetPlan | None
    """None where nothing serves within the targets."""
    reason: Reason | None = None
    """Why none."""
    mine: bool = False
    """The scenario's GPUs as they are, whatever the demand needs."""


def fleet_of(case: Case) -> FleetAnswer:
    """The fleet that the scenario asks for: by need, or the GPUs at hand."""
    return case.part("fleet", _fleet)


def _fleet(case: Case) -> FleetAnswer:
    mine = case.scenario.fleet_basis == "mine"
    try:
        if case.scenario.pools:
            from .pools import fleet_pools, mine_pools

            plan = mine_pools(case, deployed(case).choice) if mine else fleet_pools(case)
        else:
            plan = _mine(case) if mine else fleet(case)
        return FleetAnswer(plan, mine=mine)
    except NoReplicaError as error:
        return FleetAnswer(None, error.reason, mine)


def _mine(case: Case) -> FleetPlan:
    """The chosen layout of the scenario's GPUs, at the rate that it holds within the targets, or without them."""
    choice = deployed(case).choice
    replica = one_copy(case, case.site, case.load, choice)
    copies = choice.best.layout.dp // replica.layout.dp if choice.best else 1
    peak = offered_load(case.demand, Ledger(recording=False)).peak_rate
    return FleetPlan(
        replica,
        copies,
        0,
        case.gpus,
        math.ceil(case.load.users / replica.users) if replica.users else 0,
        max(1, math.ceil(peak / replica.requests_per_s)),
    )
