"""Several models on one pool of servers: the fleet of each, packed node by node, and what each one adds.

This is bin packing of whole replicas (first fit, the largest first), no scheduler: nothing moves, shares a GPU, or
waits. A replica that fits into a node is never split over two; a larger one takes whole nodes, and its rest shares the
last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cost.case import CostCase, chosen
from ..cost.decision import decide
from ..cost.options import Option, price_options
from ..figures.derivation import Ledger
from .judge import NoReplicaError

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster.hardware import Accelerator

MOST_PARTS = 20_000
"""Parts of replicas beyond which nothing is packed any more."""
_QUIET = Ledger(recording=False)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One scenario on the pool."""

    name: str
    model: str
    precision: str
    layout: str
    """Of one replica."""
    gpus_per_replica: int
    replicas: int
    """Spares included."""
    adds_nodes: int
    """Nodes that the pool needs less without it."""
    adds_usd: float | None
    """USD per month that the pool costs less without it."""
    alone_nodes: int
    alone_usd: float | None
    """On servers of its own."""

    @property
    def gpus(self) -> int:
        return self.gpus_per_replica * self.replicas


@dataclass(frozen=True, slots=True)
class PackedNode:
    """Nodes with the same content: GPUs of each tenant, by its place in the list."""

    count: int
    held: tuple[tuple[int, int], ...]
    """(tenant, GPUs)."""
    free: int
    """GPUs of one such node that nothing uses."""


@dataclass(frozen=True, slots=True)
class SharedPool:
    """All tenants on one kind of server."""

    accelerator: Accelerator
    gpus_per_node: int
    tenants: tuple[Tenant, ...]
    nodes: tuple[PackedNode, ...]
    usd: float | None
    """Per month for all nodes, paid in the cheapest way that all tenants allow; None: no price."""
    paid: str
    """How."""

    @property
    def node_count(self) -> int:
        return sum(node.count for node in self.nodes)

    @property
    def gpus(self) -> int:
        """In all nodes."""
        return self.node_count * self.gpus_per_node

    @property
    def used(self) -> int:
        return sum(tenant.gpus for tenant in self.tenants)

    @property
    def alone_usd(self) -> float | None:
        """All tenants on servers of their own."""
        costs = [tenant.alone_usd for tenant in self.tenants]
        return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)


def evaluate_pool(cases: Sequence[Case]) -> SharedPool:
    """Pack the fleets of scenarios on the same accelerator. Raises ValueError in one line, with the scenario's name."""
    if not cases:
        raise ValueError("no scenario is given")
    accelerator = cases[0].accelerator
    other = next((case for case in cases if case.accelerator.id != accelerator.id), None)
    if other is not None:
        raise ValueError(
            f"“{other.scenario.name}” runs on {other.accelerator.name}, “{cases[0].scenario.name}” on "
            f"{accelerator.name}; one pool has one kind, choose it with --gpu"
        )
    costed = [_costed(case) for case in cases]
    size = cases[0].site.fabric.gpus_per_node
    fleets = [entry.fleet(entry.costs()[0], _QUIET) for entry in costed]
    parts = [(fleet.gpus_per_replica, fleet.replicas) for fleet in fleets]
    nodes = packed(parts, size)
    count = len(nodes)
    usd, paid = _priced(costed, count * size)
    tenants = []
    for at, (entry, fleet) in enumerate(zip(costed, fleets, strict=True)):
        others = [part for place, part in enumerate(parts) if place != at]
        without = len(packed(others, size))
        less = (
            _priced([found for place, found in enumerate(costed) if place != at], without * size)[0] if others else 0.0
        )
        alone = len(packed([parts[at]], size))
        tenants.append(
            Tenant(
                entry.case.scenario.name,
                entry.case.model.name,
                entry.case.precision.label,
                entry.replica.layout.label,
                fleet.gpus_per_replica,
                fleet.replicas,
                count - without,
                None if usd is None or less is None else usd - less,
                alone,
                _priced([entry], alone * size)[0],
            )
        )
    return SharedPool(accelerator, size, tuple(tenants), _alike(nodes, size), usd, paid)


def _costed(case: Case) -> CostCase:
    if case.scenario.cascade_pct:
        raise ValueError(f"“{case.scenario.name}”: a cascade is two fleets; give its models as two scenarios")
    try:
        return CostCase.of(case)
    except NoReplicaError as error:
        where = ": ".join(part for part in (f"“{case.scenario.name}”", error.reason.where) if part)
        raise NoReplicaError(replace(error.reason, where=where)) from None
    except ValueError as error:
        raise ValueError(f"“{case.scenario.name}”: {error}") from None


def packed(parts: Sequence[tuple[int, int]], size: int) -> list[list[tuple[int, int]]]:
    """Nodes with (part, GPUs) in each, from (GPUs of a replica, replicas): first fit, the largest first."""
    items = []
    for at, (gpus, count) in enumerate(parts):
        whole, rest = divmod(gpus, size)
        items += [(size, at)] * (whole * count) + ([(rest, at)] * count if rest else [])
        if len(items) > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS:,} replicas: too many to be packed one by one")
    nodes: list[list[tuple[int, int]]] = []
    free: list[int] = []
    first_with = [0] * (size + 1)
    for gpus, at in sorted(items, reverse=True):
        place = next((node for node in range(first_with[gpus], len(nodes)) if free[node] >= gpus), len(nodes))
        # Nodes before it are too full for parts of this size from now on.
        first_with[gpus] = place
        if place == len(nodes):
            nodes.append([])
            free.append(size)
        nodes[place].append((at, gpus))
        free[place] -= gpus
    return nodes


def _alike(nodes: list[list[tuple[int, int]]], size: int) -> tuple[PackedNode, ...]:
    found: dict[tuple[tuple[int, int], ...], int] = {}
    for node in nodes:
        held: dict[int, int] = {}
        for at, gpus in node:
            held[at] = held.get(at, 0) + gpus
        key = tuple(sorted(held.items()))
        found[key] = found.get(key, 0) + 1
    return tuple(PackedNode(count, held, size - sum(gpus for _, gpus in held)) for held, count in found.items())


def _priced(costed: Sequence[CostCase], gpus: int) -> tuple[float | None, str]:
    """USD per month of so many GPUs, up as long as any tenant is in service, paid as all of them allow."""
    if not gpus:
        return 0.0, ""
    longest = max(costed, key=lambda entry: entry.costs()[0].service_hours_per_month)
    offered = longest.costs()[0]
    fleet = replace(longest.fleet(offered, _QUIET), gpus=gpus)
    rules = [entry.case.scenario for entry in costed]
    costs = price_options(fleet, offered, longest.rates(), longest.own, explain=False)
    if any(rule.compliance for rule in rules):
        costs = {option: cost for option, cost in costs.items() if option is Option.OWNED}
    circumstances = replace(
        longest.circumstances(costs, fleet, None),
        term_years=min(rule.term_years for rule in rules),
        someone_waits=any(rule.ttft_ms or rule.tpot_ms for rule in rules),
        compliance=any(rule.compliance for rule in rules),
    )
    best = chosen(decide(circumstances), costs, circumstances)
    return (best.monthly, best.option.value) if best else (None, "")
