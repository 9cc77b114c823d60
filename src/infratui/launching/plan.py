"""What is to be started: the chosen deployment of a scenario, reduced to what a command line can state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..engine.cluster.hardware import CPU
from ..engine.cluster.layout import Layout
from ..engine.deployment.answer import deployed
from ..engine.deployment.judge import NoReplicaError
from ..value_types import dataclass
from .flags import LaunchError

if TYPE_CHECKING:
    from ..engine.case import Case
    from ..engine.model.architecture import Model
    from ..engine.model.precision import Precision
    from ..scenario import Scenario


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One deployment to start."""

    model: str
    """What the engine loads: a repository on the hub, or a path."""
    name: str
    """A name for manifests: lower case letters, digits and dashes."""
    precision: Precision
    released: Precision
    """The format of the checkpoint that `model` names."""
    kv_precision: Precision
    layout: Layout
    gpus_per_node: int
    context: int
    users: int
    """Sequences that memory is sized for, of one server."""
    sequences: int
    """Sequences in a batch of one engine."""
    batched_tokens: int
    sequences_set: bool
    """Stated in the scenario; else the engine's own default."""
    batched_tokens_set: bool
    utilization: float
    full_length_windows: bool
    prefix_caching: bool
    speculation: bool
    accelerator: str
    """Catalog id."""
    moe: bool
    answers: bool
    """It writes text."""
    cpu: bool
    """There is no GPU: the model runs in host memory."""

    @property
    def slots(self) -> int:
        """Sequences of a server that sets the whole cache of each aside at its start."""
        return self.sequences if self.sequences_set else self.users

    @property
    def engines(self) -> int:
        """Servers that are started: independent replicas, or one group of replicas that shares its experts."""
        return self.layout.dp // self.ranks_together

    @property
    def ranks_together(self) -> int:
        """Replicas that one server runs side by side because they share experts."""
        return max(1, self.layout.ep // self.layout.tp)

    @property
    def gpus_per_engine(self) -> int:
        return self.layout.gpus_per_replica * self.ranks_together

    @property
    def nodes_per_engine(self) -> int:
        return max(1, math.ceil(self.gpus_per_engine / self.gpus_per_node))


def launch_plan(case: Case) -> LaunchPlan:
    """The plan of the chosen layout. Raises LaunchError, or NoReplicaError with the reason, where nothing starts."""
    choice = deployed(case).choice
    if choice.best is None:
        raise NoReplicaError(choice.refused[0])
    if not choice.holds:
        missing = choice.best.memory.missing / 1e9
        raise LaunchError(
            f"{choice.best.layout.label} would not start: {missing:,.1f} GB short per GPU; `vram` names ways out"
        )
    if choice.pools is not None:
        raise LaunchError("prompts and answers on pools of their own are two servers and a proxy; set pools= for one")
    scenario, model = case.whole, case.model
    limits = case.deployment.batch(case.accelerator)
    return LaunchPlan(
        model=_loaded(scenario.model, model),
        name=_named(scenario.name if scenario.name != "Untitled" else model.name),
        precision=case.precision,
        released=case.facts.precision(model.weight_precision),
        kv_precision=case.kv_precision,
        layout=choice.best.layout,
        gpus_per_node=case.site.fabric.domain,
        context=scenario.context,
        users=choice.best.memory.users_per_replica * max(1, choice.best.layout.ep // choice.best.layout.tp),
        sequences=limits.max_num_seqs,
        batched_tokens=limits.max_batched_tokens,
        sequences_set=bool(scenario.max_num_seqs),
        batched_tokens_set=bool(scenario.max_batched_tokens),
        utilization=scenario.utilization,
        full_length_windows=scenario.windowed_kv == "full-length",
        prefix_caching=bool(scenario.prefix_hit or scenario.shared_prefix),
        speculation=scenario.acceptance > 0,
        accelerator=case.accelerator.id,
        moe=model.is_moe,
        answers=model.answers,
        cpu=case.accelerator.arch == CPU,
    )


def _loaded(asked: str, model: Model) -> str:
    """A checkpoint on disk or a repository stays what was typed; another name of the catalog is its repository."""
    return asked if "/" in asked or (model.origin != "built-in" and not model.hf_id) else model.hf_id or asked


def _named(text: str) -> str:
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower())
    return "-".join(filter(None, plain.split("-")))[:40].strip("-") or "model"


def for_engine(scenario: Scenario, engine: str, version: str = "") -> Scenario:
    """The scenario as an engine would serve it: layout, memory and speed are the engine's."""
    stated = version or (scenario.engine_version if engine == scenario.engine else "")
    return scenario.with_(engine=engine, engine_version=stated)
