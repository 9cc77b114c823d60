"""What a scenario says, as the engine's own values, read once: what is served, for whom, where, on which layout."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from .cluster.fabric import Fabric, fabric_of
from .cluster.hardware import Accelerator, Link
from .cluster.traffic import Traffic, traffic_of
from .deployment.demand import Demand, Targets
from .deployment.site import Forced, Site
from .memory.kv_cache import Sequences
from .memory.plan import Deployment
from .memory.runtime import NEWEST, RuntimeTable
from .recording import note, plain, recording, what_if, whole
from .speed.measured_shape import shape_of
from .speed.workload import Shape, Speculation, Workload

if TYPE_CHECKING:
    from ..scenario import Scenario
    from .cluster.abilities import EngineProfile
    from .cluster.layout import Layout
    from .facts import Facts
    from .model.architecture import Model
    from .model.precision import Precision
    from .speed.constants import Constants

T = TypeVar("T")


_MEASURED_ON = frozenset({
    "model", "precision", "kv_precision", "accelerator", "engine", "prefix_hit", "acceptance", "draft_tokens", "pools",
})  # fmt: skip


class Remembers(Protocol):
    """Keeps results by the fields that they were made of."""

    def find(self, part: str, scenario: Scenario) -> tuple[object, tuple[str, ...]] | None: ...

    def keep(self, part: str, scenario: Scenario, fields: tuple[str, ...], result: object) -> None: ...


def in_force(scenario: Scenario, facts: Facts) -> Scenario:
    """With what was measured in place of what was typed, and one token for what a model that writes no text makes."""
    found = scenario.in_force()
    try:
        writes = found.output_tokens == 1 or facts.model(found.model).answers
    except ValueError:
        # A name that is not known is refused where it is used.
        writes = True
    return found if writes else found.replaced({"output_tokens": 1})


class Case:
    """A scenario over a catalog. Everything is looked up on first use; lookups raise ValueError in one line."""

    def __init__(self, scenario: Scenario, facts: Facts, memory: Remembers | None = None) -> None:
        self.scenario = scenario
        self.facts = facts
        self._memory = memory
        self._own: dict[str, object] = {}

    def with_(self, **changes: object) -> Case:
        """What if. The values are not validated: the engine sets what the scenario allows.

        A rate that was measured holds for what it was measured on: it goes where any of that changes.
        """
        if _MEASURED_ON & changes.keys():
            changes = {"own_tokens_per_s": 0.0, **changes}
        return Case(what_if(self.scenario, **changes), self.facts, self._memory)

    def part(self, name: str, make: Callable[[Case], T]) -> T:
        """One part of the answer: made once per case, and where results are kept once per set of fields it reads."""
        if name not in self._own:
            self._own[name] = self._made(name, make)
        return self._own[name]  # type: ignore[return-value]

    def _made(self, name: str, make: Callable[[Case], T]) -> object:
        if self._memory is None:
            return make(self)
        asked = plain(self.scenario)
        found = self._memory.find(name, asked)
        if found is not None:
            note(self.scenario, found[1])
            return found[0]
        noted: set[str] = set()
        try:
            made = make(Case(recording(asked, noted), self.facts, self._memory))
        finally:
            # A refusal depends on what was read as much as a result does.
            note(self.scenario, noted)
        self._memory.keep(name, asked, tuple(sorted(noted)), made)
        return made

    @property
    def whole(self) -> Scenario:
        """The scenario, to be kept in a result."""
        return whole(self.scenario)

    @cached_property
    def model(self) -> Model:
        return self.facts.model(self.scenario.model)

    @cached_property
    def precision(self) -> Precision:
        """Of the weights: as set, else as the model was released."""
        found = self.facts.precision(self.scenario.precision or self.model.weight_precision)
        if not found.for_weights:
            raise ValueError(f"precision: {found.id} is not for weights; try fp8 or bf16")
        return found

    @cached_property
    def kv_precision(self) -> Precision:
        found = self.facts.precision(self.scenario.kv_precision)
        if not found.for_kv:
            raise ValueError(f"kv_precision: {found.id} is not for a KV cache; try bf16 or fp8")
        return found

    @cached_property
    def memory_constants(self) -> RuntimeTable:
        """Of all engines, as seen on the scenario's host where it names one."""
        host = self.scenario.host
        return self.facts.runtime(host) if host else self.facts.runtime()

    @cached_property
    def speed_constants(self) -> Constants:
        """Of the speed model, at the pace of the scenario's host where it names one."""
        host = self.scenario.host
        return self.facts.speed(host) if host else self.facts.speed()

    @cached_property
    def deployment(self) -> Deployment:
        """The served model and the settings of its engine."""
        scenario = self.scenario
        precision, kv_precision = self.precision, self.kv_precision
        return Deployment(
            model=self.model,
            precision=precision,
            kv_precision=kv_precision,
            constants=self.memory_constants.of(scenario.engine, scenario.engine_version or NEWEST),
            utilization=scenario.utilization,
            max_batched_tokens=scenario.max_batched_tokens,
            max_num_seqs=scenario.max_num_seqs,
            windowed=scenario.windowed_kv == "windowed",
            adapters=scenario.adapters,
            adapter_rank=scenario.adapter_rank,
            engine=self.abilities,
        )

    @cached_property
    def load(self) -> Sequences:
        """The sequences that memory must hold."""
        scenario = self.scenario
        if self.shape is not None:
            return Sequences(scenario.users, scenario.context, 1.0, scenario.shared_prefix, self.shape.whole)
        return Sequences(scenario.users, scenario.context, scenario.mean_fill / 100, scenario.shared_prefix)

    @cached_property
    def shape(self) -> Shape | None:
        """How requests differ, where that was measured."""
        profile = self.scenario.demand_profile
        return None if profile is None else shape_of(profile)

    @cached_property
    def link(self) -> Link:
        """Between nodes."""
        return self.facts.link(self.scenario.node_link)

    @cached_property
    def accelerator(self) -> Accelerator:
        return self.facts.accelerator(self.scenario.accelerator)

    @cached_property
    def site(self) -> Site:
        """The chosen accelerator with its links and the engines' memory constants."""
        return self.site_of(self.accelerator, self.scenario.gpus_per_node)

    def site_of(self, accelerator: Accelerator, gpus_per_node: int = 0) -> Site:
        """Another accelerator under the same link between nodes; its servers as the catalog has them."""
        return Site(accelerator, self.fabric_of(accelerator, gpus_per_node), self.memory_constants)

    def fabric_of(self, accelerator: Accelerator, gpus_per_node: int = 0) -> Fabric:
        inside = self.facts.link(accelerator.link) if accelerator.link else None
        return fabric_of(accelerator, inside, self.link, gpus_per_node)

    @cached_property
    def abilities(self) -> EngineProfile:
        """What the scenario's engine can do and what it leaves out."""
        return self.facts.abilities(self.scenario.engine, self.scenario.engine_version)

    def own_rate(self, accelerator: Accelerator) -> float:
        """Output tokens per second of one copy there, as the user measured them; 0: they are predicted."""
        scenario = self.scenario
        if not scenario.own_tokens_per_s or scenario.pools or accelerator.id != self.accelerator.id:
            return 0.0
        return scenario.own_tokens_per_s

    @cached_property
    def gpus(self) -> int:
        return self.scenario.gpus

    @cached_property
    def forced(self) -> Forced:
        """The layout sizes that the scenario sets."""
        scenario = self.scenario
        return Forced(scenario.tp, scenario.pp, scenario.dp, scenario.ep, scenario.dcp)

    @cached_property
    def demand(self) -> Demand:
        """Requests that must be kept up with."""
        scenario = self.scenario
        return Demand(
            scenario.requests_per_day, scenario.input_tokens, scenario.output_tokens, scenario.hours_per_day,
            scenario.days_per_week, scenario.peak_factor,
        )  # fmt: skip

    @cached_property
    def targets(self) -> Targets:
        scenario = self.scenario
        # An answer of one token has none after it.
        later = scenario.tpot_ms / 1000 if scenario.output_tokens > 1 else 0.0
        return Targets(scenario.ttft_ms / 1000, later)

    def workload(self, accelerator: Accelerator | None = None, concurrency: float | None = None) -> Workload:
        """The traffic; step limits as the engine sets them on the accelerator. None: as many in flight as fit."""
        scenario = self.scenario
        limits = self.deployment.batch(accelerator or self.accelerator)
        return Workload(
            scenario.input_tokens,
            scenario.output_tokens,
            concurrency=concurrency,
            prefix_hit=scenario.prefix_hit / 100,
            # Users arrive at random, not in step.
            lockstep=0.0,
            max_num_seqs=limits.max_num_seqs,
            max_batched_tokens=limits.max_batched_tokens,
            shape=self.shape,
            speculation=Speculation(scenario.acceptance / 100, scenario.draft_tokens) if scenario.acceptance else None,
        )

    def traffic(self, layout: Layout) -> Traffic:
        """What a layout sends for every token."""
        return traffic_of(self.deployment.model, layout, self.site.fabric.domain)
