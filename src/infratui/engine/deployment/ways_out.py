"""What would let a load be held that the given GPUs do not hold: single changes, each tried by the same search."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from ...value_types import dataclass
from .answer import deployed, fewest_of

if TYPE_CHECKING:
    from ..case import Case

FORMATS = ("fp8", "int4")
_TIGHTER = (0.92, 0.95, 0.97)
"""Shares of memory that engines are started with where the default is not enough."""
_BATCHES = (4096, 2048, 1024, 512)


class Way(StrEnum):
    """What is changed, the least costly first: settings of the engine, formats, what users get, then money."""

    UTILIZATION = "utilization"
    SEQUENCES = "max_num_seqs"
    BATCHED_TOKENS = "max_batched_tokens"
    UNPINNED = "layout"
    CACHE = "kv_precision"
    FORMAT = "precision"
    CONTEXT = "context"
    USERS = "users"
    GPUS = "gpus"


@dataclass(frozen=True, slots=True)
class WayOut:
    """One change of scenario fields, and what it leads to."""

    way: Way
    changes: tuple[tuple[str, object], ...]
    """Scenario fields and values."""
    name: str
    """What is changed to, where it has a name."""
    gpus: int
    """Fewest GPUs that then hold the load."""
    holds: bool
    """The GPUs at hand then hold it."""


def ways_out(case: Case) -> tuple[WayOut, ...]:
    """Changes that let the GPUs at hand hold the load, cheapest first; then those that need fewer GPUs than now."""
    now = fewest_of(case).gpus or 1 << 30
    found = []
    done: set[Way] = set()
    for way, changes, name in _tries(case):
        if way in done:
            continue
        changed = case.with_(**changes)
        least = fewest_of(changed).gpus
        if least is None:
            continue
        # Fewer GPUs than the fewest need no look at their layouts.
        holds = (least <= changed.gpus or bool(changed.scenario.pools)) and deployed(changed).holds
        if not (holds or (least < now and way is not Way.GPUS)):
            continue
        if holds:
            done.add(way)
        found.append(WayOut(way, tuple(changes.items()), name, least, holds))
    first = {entry.way: entry for entry in reversed(found)}
    held = {entry.way: entry for entry in found if entry.holds}
    order = list(Way)
    return tuple(
        sorted((first | held).values(), key=lambda entry: (not entry.holds, order.index(entry.way), entry.gpus))
    )


def _tries(case: Case) -> Iterator[tuple[Way, dict[str, object], str]]:  # noqa: C901 – a case per way
    scenario, facts = case.scenario, case.facts
    limits = case.deployment.batch(case.accelerator)
    for share in _TIGHTER:
        if share > scenario.utilization:
            yield Way.UTILIZATION, {"utilization": share}, ""
    # Fewer sequences than users would make users wait.
    for count in sorted({256, 128, 64, case.load.users}, reverse=True):
        if case.load.users <= count < limits.max_num_seqs:
            yield Way.SEQUENCES, {"max_num_seqs": count}, ""
            yield Way.SEQUENCES, {"max_num_seqs": count, "utilization": max(scenario.utilization, _TIGHTER[1])}, ""
    for tokens in _BATCHES:
        if tokens < limits.max_batched_tokens:
            yield Way.BATCHED_TOKENS, {"max_batched_tokens": tokens}, ""
    if case.forced.any:
        yield Way.UNPINNED, {"tp": 0, "pp": 0, "dp": 0, "ep": 0, "dcp": 0, "pools": ""}, ""
    eight = facts.precision("fp8")
    if case.kv_precision.bits > eight.bits:
        yield Way.CACHE, {"kv_precision": eight.id}, eight.label
    released = facts.precision(case.model.weight_precision)
    for precision in (released, *(facts.precision(name) for name in FORMATS)):
        if precision.bits < case.precision.bits:
            yield Way.FORMAT, {"precision": precision.id}, precision.label
    context = scenario.context
    while context > 1024:
        context //= 2
        yield Way.CONTEXT, {"context": context}, ""
    users = scenario.users
    while users > 1:
        users //= 2
        yield Way.USERS, {"users": users}, ""
    least = fewest_of(case).gpus
    if least is not None and least > case.gpus:
        yield Way.GPUS, {"gpus": least}, ""
