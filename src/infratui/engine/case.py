"""What a scenario says, as the engine's own values: what is served, for whom, where, and on which layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cluster.hardware import Accelerator, Link
from .deployment.placement import Forced, Site, topology_of
from .facts import Facts
from .memory.kv_cache import Sequences
from .memory.plan import Deployment
from .memory.runtime import NEWEST, RuntimeTable

if TYPE_CHECKING:
    from ..scenario import Scenario

LOAD_FIELDS = (
    "precision", "kv_precision", "users", "context", "mean_fill", "shared_prefix", "accelerator", "gpus", "utilization",
    "engine", "engine_version", "host", "max_batched_tokens", "max_num_seqs", "windowed_kv", "node_link",
)  # fmt: skip
"""Scenario fields that `load_of`, `site_of` and `deployment_of` read, the model apart."""
LAYOUT_FIELDS = ("tp", "pp", "dp", "ep")
"""Scenario fields that `forced_of` reads."""
TRAFFIC_FIELDS = ("input_tokens", "output_tokens", "prefix_hit", "acceptance", "draft_tokens")
"""Scenario fields that describe the traffic."""


def deployment_of(scenario: Scenario, facts: Facts, model: str = "") -> Deployment:
    """The served model and engine settings; `model` replaces the scenario's. Raises ValueError in one line."""
    precision, kv_precision = facts.precision(scenario.precision), facts.precision(scenario.kv_precision)
    if not precision.for_weights:
        raise ValueError(f"precision: {precision.id} is not for weights; try fp8 or bf16")
    if not kv_precision.for_kv:
        raise ValueError(f"kv_precision: {kv_precision.id} is not for a KV cache; try bf16 or fp8")
    return Deployment(
        model=facts.model(model or scenario.model),
        precision=precision,
        kv_precision=kv_precision,
        constants=memory_constants(scenario, facts).of(scenario.engine, scenario.engine_version or NEWEST),
        utilization=scenario.utilization,
        max_batched_tokens=scenario.max_batched_tokens,
        max_num_seqs=scenario.max_num_seqs,
        windowed=scenario.windowed_kv == "windowed",
    )


def memory_constants(scenario: Scenario, facts: Facts) -> RuntimeTable:
    """The engines' memory constants, as seen on the scenario's host where it names one."""
    return facts.runtime(scenario.host) if scenario.host else facts.runtime()


def load_of(scenario: Scenario) -> Sequences:
    """The sequences that memory must hold."""
    return Sequences(scenario.users, scenario.context, scenario.mean_fill / 100, scenario.shared_prefix)


def link_of(scenario: Scenario, facts: Facts) -> Link:
    """The link between nodes."""
    return facts.link(scenario.node_link)


def site_of(scenario: Scenario, facts: Facts, accelerator: Accelerator | None = None) -> Site:
    """The chosen accelerator (or another) with its links and the engines' memory constants."""
    gpu = accelerator or facts.accelerator(scenario.accelerator)
    return Site(gpu, topology_of(gpu, link_of(scenario, facts)), memory_constants(scenario, facts))


def forced_of(scenario: Scenario) -> Forced:
    """The layout sizes that a scenario sets."""
    return Forced(scenario.tp, scenario.pp, scenario.dp, scenario.ep)
