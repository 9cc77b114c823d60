"""A decode step taken apart: the seconds of each cause, communication by kind, as the cluster's picture shows them."""

from __future__ import annotations

from ...value_types import dataclass
from ..figures.derivation import Ledger
from . import Plan, Serving, Speculation
from .collectives import all_reduce_s, hop_s
from .step import context_s

_REDUCES_PER_LAYER = 2
_QUIET = Ledger(recording=False)


@dataclass(frozen=True, slots=True)
class StepParts:
    """Seconds of one decode step over all stages of a replica."""

    weights_s: float
    kv_s: float
    compute_s: float
    """Products beyond what reading hides, and activations."""
    launch_s: float
    all_reduce_s: float
    all_to_all_s: float
    hop_s: float
    context_s: float = 0.0
    """Exchanges of ranks that share out the cache."""

    @property
    def work_s(self) -> float:
        """What the GPUs do on their own."""
        return self.weights_s + self.kv_s + self.compute_s + self.launch_s

    @property
    def total_s(self) -> float:
        return self.work_s + self.all_reduce_s + self.all_to_all_s + self.hop_s + self.context_s


def step_parts(plan: Plan, serving: Serving, speculation: Speculation | None = None) -> StepParts:
    """The step of a prediction by cause; its sum is the step's own time."""
    load, rates, step = plan.load, plan.rates, serving.step
    tokens = max(1.0, serving.batch / load.pp) * (speculation.drafts + 1 if speculation else 1)
    size = tokens * load.hidden * 2
    reduce = hop = 0.0
    if load.tp > 1:
        reduce = _REDUCES_PER_LAYER * load.layers * all_reduce_s(rates.reduce, load.tp, size, _QUIET)
    if load.pp > 1:
        hop = (load.pp - 1) * hop_s(rates.hop, size / load.tp, _QUIET)
    reduce = min(reduce, step.comm_s)
    hop = min(hop, step.comm_s - reduce)
    shared = min(context_s(load, rates, tokens), step.comm_s - reduce - hop)
    exchange = step.comm_s - reduce - hop - shared
    # What rounding leaves is no exchange.
    exchange = exchange if load.group > 1 else 0.0
    return StepParts(
        weights_s=step.weights_s,
        kv_s=step.kv_s,
        compute_s=step.compute_s + step.activations_s,
        launch_s=step.fixed_s,
        all_reduce_s=reduce,
        all_to_all_s=exchange,
        hop_s=hop,
        context_s=shared,
    )
