"""The load that tokens leave on experts: how many are touched, how even it is, and a window over the last tokens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ...value_types import dataclass


class RoutingError(ValueError):
    """A router, batch or placement that cannot exist: what, and what would be right."""


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """Load of the last `size` tokens; `pushed` returns the next window, so a view can step back to an earlier one."""

    experts: int
    size: int
    chosen: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.experts < 1 or self.size < 1:
            raise RoutingError(f"window of {self.size} tokens over {self.experts} experts: both must be at least 1")

    def pushed(self, experts: Sequence[int]) -> LoadWindow:
        """The window after one more token."""
        if not all(0 <= expert < self.experts for expert in experts):
            raise RoutingError(f"experts {list(experts)}: must lie between 0 and {self.experts - 1}")
        return LoadWindow(self.experts, self.size, (*self.chosen, tuple(experts))[-self.size :])

    @property
    def load(self) -> tuple[int, ...]:
        """Tokens per expert in the window."""
        return load_of(self.experts, self.chosen)


def experts_touched_closed_form(experts: int, top_k: int, batch: int) -> float:
    """Expected experts that a batch touches when each token draws k of N evenly: N·(1−(1−k/N)^B).

    >>> round(experts_touched_closed_form(256, 8, 32), 1)
    163.3
    """
    if experts < 1 or not 1 <= top_k <= experts:
        raise RoutingError(f"top-k = {top_k} of {experts} experts: needs 1 ≤ k ≤ N")
    if batch < 1:
        raise RoutingError(f"batch = {batch}: needs at least 1 token")
    return experts * (1 - (1 - top_k / experts) ** batch)


def load_of(experts: int, chosen: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Tokens per expert, from the experts that each token chose."""
    load = [0] * experts
    for token in chosen:
        for expert in token:
            load[expert] += 1
    return tuple(load)


def experts_touched(load: Iterable[int]) -> int:
    """Experts with any load."""
    return sum(1 for tokens in load if tokens)


def load_imbalance(load: Sequence[float]) -> float:
    """Fullest over mean; 1 when there is no load."""
    total = math.fsum(load)
    return max(load) * len(load) / total if total else 1.0


def load_entropy(load: Sequence[float]) -> float:
    """Entropy of the load over ln N, 0 … 1; 1 when there is no load or only one expert."""
    total = math.fsum(load)
    if not total or len(load) == 1:
        return 1.0
    nats = -math.fsum(tokens / total * math.log(tokens / total) for tokens in load if tokens)
    return min(1.0, max(0.0, nats / math.log(len(load))))
