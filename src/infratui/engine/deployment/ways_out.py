"""What would let a load be held that the given GPUs do not hold: single changes, each tried by the same search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

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


class _Step(NamedTuple):
    changes: dict[str, object]
    name: str = ""
    """What is changed to, where it has a name."""


def ways_out(case: Case) -> tuple[WayOut, ...]:
    """Changes that let the GPUs at hand hold the load, cheapest first; then those that need fewer GPUs than now."""
    now = fewest_of(case).gpus or 1 << 30
    found: dict[Way, WayOut] = {}
    for way, steps in _ladders(case):
        if not steps or (way in found and found[way].holds):
            continue
        useful = [entry for entry in _useful(case, way, steps, now) if entry is not None]
        # What holds the load says more than the first that needs fewer GPUs.
        for entry in (*useful[:1], *useful[-1:]):
            if entry.holds or way not in found:
                found[way] = entry
    order = list(Way)
    return tuple(sorted(found.values(), key=lambda entry: (not entry.holds, order.index(entry.way), entry.gpus)))


def _useful(case: Case, way: Way, steps: Sequence[_Step], now: int) -> Iterator[WayOut | None]:
    """The steps of a ladder that help, up to the first that lets the GPUs at hand hold the load."""
    strongest = case.with_(**steps[-1].changes)
    least = fewest_of(strongest).gpus
    # Where the last step does not help, none does; where it does not hold the load, one that helps is enough.
    holds = bool(case.scenario.pools) or (least is not None and least <= strongest.gpus)
    if not holds and (least is None or least >= now):
        return
    for step in steps:
        entry = _tried(case, way, step, now)
        yield entry
        if entry is not None and (entry.holds or not holds):
            return


def _tried(case: Case, way: Way, step: _Step, now: int) -> WayOut | None:
    changed = case.with_(**step.changes)
    least = fewest_of(changed).gpus
    if least is None:
        return None
    pinned = changed.forced.any or bool(changed.scenario.pools)
    holds = deployed(changed).holds if pinned else least <= changed.gpus
    if not (holds or (least < now and way is not Way.GPUS)):
        return None
    return WayOut(way, tuple(step.changes.items()), step.name, least, holds)


def _ladders(case: Case) -> Iterator[tuple[Way, Sequence[_Step]]]:
    """Steps by what they change; the last of them needs the fewest GPUs."""
    scenario, facts = case.scenario, case.facts
    limits, users = case.deployment.batch(case.accelerator), case.load.users
    yield Way.UTILIZATION, [_Step({"utilization": share}) for share in _TIGHTER if share > scenario.utilization]
    # Fewer sequences than users would make users wait.
    counts = [count for count in (256, 128, 64) if users < count < limits.max_num_seqs]
    counts += [users] if users < limits.max_num_seqs else []
    tight = max(scenario.utilization, _TIGHTER[1])
    yield (
        Way.SEQUENCES,
        [_Step({"max_num_seqs": count, **more}) for count in counts for more in ({}, {"utilization": tight})],
    )
    yield (
        Way.BATCHED_TOKENS,
        [_Step({"max_batched_tokens": tokens}) for tokens in _BATCHES if tokens < limits.max_batched_tokens],
    )
    if case.forced.any:
        yield Way.UNPINNED, [_Step({"tp": 0, "pp": 0, "dp": 0, "ep": 0, "dcp": 0, "pools": ""})]
    eight = facts.precision("fp8")
    if case.kv_precision.bits > eight.bits:
        yield Way.CACHE, [_Step({"kv_precision": eight.id}, eight.label)]
    released = facts.precision(case.model.weight_precision)
    for precision in (released, *(facts.precision(name) for name in FORMATS)):
        if precision.bits < case.precision.bits:
            # Formats differ in more than their size: none tells of another.
            yield Way.FORMAT, [_Step({"precision": precision.id}, precision.label)]
    yield Way.CONTEXT, [_Step({"context": context}) for context in _halved(scenario.context, 1024)]
    yield Way.USERS, [_Step({"users": count}) for count in _halved(scenario.users, 1)]
    least = fewest_of(case).gpus
    if least is not None and least > case.gpus:
        yield Way.GPUS, [_Step({"gpus": least})]


def _halved(number: int, least: int) -> Iterator[int]:
    while number > least:
        number //= 2
        yield number
