"""From a scenario and a memory plan to predicted speed: the one place where the two engines meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .facts import Facts
from .hardware import Accelerator, Link
from .kv_cache import Sequences
from .layout import Layout
from .memory import Deployment, MemoryPlan
from .placement import Site, topology_of
from .speed import Plan, Speculation, Workload, fabric_of

if TYPE_CHECKING:
    from ..scenario import Scenario


def deployment_of(scenario: Scenario, facts: Facts, model: str = "") -> Deployment:
    """What a scenario serves; `model` replaces the scenario's. Raises UnknownFactError."""
    return Deployment(
        facts.model(model or scenario.model),
        facts.precision(scenario.precision),
        facts.precision(scenario.kv_precision),
        facts.runtime().of(scenario.engine),
        scenario.utilization,
        scenario.max_batched_tokens,
        scenario.max_num_seqs,
        scenario.windowed_kv == "windowed",
    )


def load_of(scenario: Scenario) -> Sequences:
    """The sequences that memory must hold."""
    return Sequences(scenario.users, scenario.context, scenario.mean_fill / 100, scenario.shared_prefix)


def link_of(scenario: Scenario, facts: Facts) -> Link | None:
    """The link between nodes, where one is named."""
    return facts.link(scenario.node_link) if scenario.node_link else None


def site_of(scenario: Scenario, facts: Facts, accelerator: Accelerator | None = None) -> Site:
    """The chosen accelerator (or another) with its links and the engines' memory constants."""
    gpu = accelerator or facts.accelerator(scenario.accelerator)
    return Site(gpu, topology_of(gpu, link_of(scenario, facts)), facts.runtime())


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
