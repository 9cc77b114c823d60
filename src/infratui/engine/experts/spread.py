"""Experts on GPUs under expert parallelism: who holds which, and how much the fullest GPU slows the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from infratui.engine.experts.load import RoutingError, load_imbalance

from ...value_types import dataclass


class PlacementStrategy(StrEnum):
    """How experts are spread."""

    LINEAR = "linear"
    """Blocks of consecutive experts, whatever their load (the default of serving engines)."""
    REPLICATED = "replicated"
    """The busiest experts get copies, and experts are packed by load (DeepSeek's EPLB, without its node hierarchy)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Experts and load per GPU."""

    strategy: PlacementStrategy
    experts_on: tuple[tuple[int, ...], ...]
    """Expert ids on each GPU; an expert with copies stands on several."""
    copies: tuple[int, ...]
    """Copies of each expert, 1 or more."""
    load_per_gpu: tuple[float, ...]
    """Tokens per GPU; copies of an expert share its tokens evenly. Sums to the total load."""

    @property
    def gpus(self) -> int:
        """GPUs that share the experts."""
        return len(self.experts_on)

    @property
    def slowdown(self) -> float:
        """Fullest GPU over the mean: how much longer the expert part takes than with even load."""
        return load_imbalance(self.load_per_gpu)

    @property
    def experts_held_most(self) -> int:
        """Expert copies on the GPU that holds most: what its memory must take."""
        return max(len(experts) for experts in self.experts_on)


def place_experts(
    load: Sequence[float],
    gpus: int,
    strategy: PlacementStrategy | str = PlacementStrategy.LINEAR,
    *,
    redundant: int | None = None,
) -> Placement:
    """Spread the experts whose load is given over `gpus`.

    Args:
        load: Tokens per expert, as a batch or a window left them.
        gpus: Expert-parallel degree, 1 to the number of experts.
        strategy: `linear`, or `replicated` with copies of the busiest experts.
        redundant: Extra copies for `replicated`; None: the fewest, at least one per GPU, that fill all GPUs evenly.
    """
    experts = len(load)
    if not experts:
        raise RoutingError("placement of 0 experts: needs the load of at least 1 expert")
    if not all(math.isfinite(tokens) and tokens >= 0 for tokens in load):
        raise RoutingError("load per expert: must be 0 or more tokens")
    if not 1 <= gpus <= experts:
        raise RoutingError(f"expert parallel over {gpus} GPUs: choose 1 to {experts}, the number of experts")
    try:
        kind = PlacementStrategy(strategy)
    except ValueError:
        names = ", ".join(PlacementStrategy)
        raise RoutingError(f"placement = {strategy!r}: choose one of {names}") from None
    if kind is PlacementStrategy.LINEAR:
        if redundant:
            raise RoutingError(f"redundant experts = {redundant}: linear placement has none, choose replicated")
        return _result(kind, load, _linear_blocks(experts, gpus), [1] * experts)
    if redundant is None:
        redundant = gpus + -experts % gpus if gpus > 1 else 0
    if not 0 <= redundant <= experts * (gpus - 1):
        raise RoutingError(f"redundant experts = {redundant}: choose 0 to {experts * (gpus - 1)}, a copy on every GPU")
    copies = _copies(load, gpus, redundant)
    return _result(kind, load, _packed(load, copies, gpus), copies)


def _linear_blocks(experts: int, gpus: int) -> list[list[int]]:
    # As engines do it: when N does not divide, the first GPUs hold one expert more.
    size, longer = divmod(experts, gpus)
    starts = [gpu * size + min(gpu, longer) for gpu in range(gpus + 1)]
    return [list(range(start, end)) for start, end in pairwise(starts)]


def _copies(load: Sequence[float], gpus: int, redundant: int) -> list[int]:
    copies = [1] * len(load)
    for _ in range(redundant):
        # Two copies on one GPU share nothing, so an expert gets at most one per GPU.
        open_experts = [expert for expert, count in enumerate(copies) if count < gpus]
        busiest = max(open_experts, key=lambda expert: (load[expert] / copies[expert], -copies[expert], -expert))
        copies[busiest] += 1
    return copies


def _packed(load: Sequence[float], copies: Sequence[int], gpus: int) -> list[list[int]]:
    """Heaviest copy first, each to the least loaded GPU with a free slot that does not hold that expert yet."""
    slots = -(-sum(copies) // gpus)
    items = sorted(
        (expert for expert, count in enumerate(copies) for _ in range(count)),
        key=lambda expert: (-load[expert] / copies[expert], expert),
    )
    placed: list[list[int]] = [[] for _ in range(gpus)]
    carried = [0.0] * gpus
    for expert in items:
        free = [gpu for gpu in range(gpus) if len(placed[gpu]) < slots]
        apart = [gpu for gpu in free if expert not in placed[gpu]]
        target = min(apart or free, key=lambda gpu: (carried[gpu], len(placed[gpu]), gpu))
        placed[target].append(expert)
        carried[target] += load[expert] / copies[expert]
    return [sorted(experts) for experts in placed]


def _result(
    kind: PlacementStrategy, load: Sequence[float], placed: Sequence[Sequence[int]], copies: Sequence[int]
) -> Placement:
    return Placement(
        strategy=kind,
        experts_on=tuple(tuple(experts) for experts in placed),
        copies=tuple(copies),
        load_per_gpu=tuple(math.fsum(load[expert] / copies[expert] for expert in experts) for experts in placed),
    )
