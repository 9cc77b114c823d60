"""From a scenario and a memory plan to predicted speed: the one place where the two engines meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..case import link_of
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..deployment.placement import Site
from ..facts import Facts
from ..memory.plan import Deployment, MemoryPlan
from . import Plan, Speculation, Workload, fabric_of

if TYPE_CHECKING:
    from ...scenario import Scenario


def workload_of(
    scenario: Scenario, deployment: Deployment, accelerator: Accelerator, concurrency: float | None = None
) -> Workload:
    """The traffic: as many requests in flight as users, unless told otherwise; step limits as the engine sets them."""
    limits = deployment.batch(accelerator)
    return Workload(
        scenario.input_tokens,
        scenario.output_tokens,
        concurrency=float(scenario.users) if concurrency is None else concurrency,
        prefix_hit=scenario.prefix_hit / 100,
        # Users arrive at random, not in step.
        lockstep=0.0,
        max_num_seqs=limits.max_num_seqs,
        max_batched_tokens=limits.max_batched_tokens,
        speculation=Speculation(scenario.acceptance / 100, scenario.draft_tokens) if scenario.acceptance else None,
    )


def speed_plan(
    scenario: Scenario,
    facts: Facts,
    deployment: Deployment,
    site: Site,
    layout: Layout,
    memory: MemoryPlan,
) -> Plan:
    """A layout with its rates and the cache space that memory leaves it. Raises SpeedError in words."""
    return Plan.of(
        deployment.model,
        deployment.precision,
        deployment.kv_precision,
        site.accelerator,
        layout,
        facts.speed(),
        engine=scenario.engine,
        fabric=fabric_of(site.accelerator, link_of(scenario, facts)),
        kv_space=float(memory.kv_space),
        windowed=deployment.windowed,
        rules=deployment.constants.kv,
    )
