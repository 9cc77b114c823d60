"""The router of a model at one layer: its specification, one batch through it, and the GPUs its experts lie on."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..model.architecture import Mixture, Model, layer_order
from ..sections.moe_side import TOUCHED
from .load import load_of
from .routing import BatchRouting, RouterGate, RouterSpec, expert_capacity, route_batch
from .spread import Placement, place_experts

if TYPE_CHECKING:
    from ...scenario import Scenario

MEAN = Formula("mean load of an expert", "batch * top_k / experts", Unit.TOKENS, term="load-imbalance")
IMBALANCE = Formula("fullest expert over the mean", "fullest / mean", Unit.RATIO, term="load-imbalance")
CAPACITY = Formula(
    "capacity of an expert", "ceil(factor * batch * top_k / experts)", Unit.TOKENS, term="capacity-factor"
)
SLOWDOWN = Formula(
    "fullest GPU over the mean", "fullest_gpu / (batch * top_k / gpus)", Unit.RATIO, term="expert-parallelism"
)


@dataclass(frozen=True, slots=True)
class RouterResult:
    """The router at one layer, one batch."""

    spec: RouterSpec
    own_top_k: int
    """The model's own k; `spec.top_k` may be the user's."""
    layer: int
    """Index among the model's layers."""
    moe_layers: tuple[int, ...]
    """Layers that have a router."""
    batch: BatchRouting
    linear: Placement
    """Experts in order over the GPUs."""
    replicated: Placement
    """Hot experts copied."""
    ep: int
    ep_note: str
    """Why `ep` is not what was asked for; empty where it is."""
    skew: float
    seed: int
    capacity_factor: float | None
    derivation: Derivation

    def first(self, tokens: int) -> BatchRouting:
        """What the first tokens of the batch alone leave on the experts."""
        chosen = self.batch.chosen[:tokens]
        load = load_of(self.spec.experts, chosen)
        capacity = expert_capacity(self.spec, len(chosen), self.capacity_factor)
        closed = TOUCHED(experts=self.spec.experts, top_k=self.spec.top_k, batch=len(chosen))
        over = tuple(0 if capacity is None else max(0, count - capacity) for count in load)
        return BatchRouting(self.layer, chosen, load, float(closed), capacity, over, self.batch.tokens_dropped)


def router_spec(mixture: Mixture, top_k: int = 0) -> RouterSpec:
    """The router of a model's layers; `top_k` replaces the model's own where it is not 0.

    Anything but softmax scores each expert on its own, which is simulated by the sigmoid; the bias takes part where
    the model has learned one.
    """
    gate = RouterGate.SOFTMAX if mixture.gate.scoring == "softmax" else RouterGate.SIGMOID_BIAS
    spec = RouterSpec(
        experts=mixture.experts,
        top_k=top_k or mixture.top_k,
        gate=gate,
        groups=mixture.gate.groups,
        group_top_k=mixture.gate.top_groups,
        shared_experts=mixture.shared_experts,
        renormalise=mixture.gate.renormalise,
        routed_scaling=mixture.gate.scale,
    )
    return spec if mixture.gate.correction_bias else replace(spec, bias_correction=0.0)


def route(scenario: Scenario, moe: Model) -> RouterResult:
    """Route one batch through the scenario's layer, or the nearest layer that has a router."""
    order = layer_order(moe)
    layers = tuple(index for index, group in enumerate(order) if isinstance(group.mlp, Mixture))
    layer = min(layers, key=lambda index: (abs(index - scenario.router_layer), index))
    mixture = order[layer].mlp
    assert isinstance(mixture, Mixture)
    spec = router_spec(mixture, scenario.router_top_k)
    factor = scenario.capacity_factor or None
    size, seed, skew = scenario.router_batch, scenario.router_seed, scenario.router_skew
    batch = _routed(spec, seed, size, layer, skew, factor)
    asked = scenario.ep or scenario.gpus
    ep = expert_ranks(mixture.experts, asked)
    note = "" if ep == asked else f"{asked} GPUs do not divide {mixture.experts} experts evenly, so {ep} hold them"
    linear, replicated = place_experts(batch.load, ep, "linear"), place_experts(batch.load, ep, "replicated")
    return RouterResult(
        spec=spec,
        own_top_k=mixture.top_k,
        layer=layer,
        moe_layers=layers,
        batch=batch,
        linear=linear,
        replicated=replicated,
        ep=ep,
        ep_note=note,
        skew=skew,
        seed=seed,
        capacity_factor=factor,
        derivation=_explain(spec, batch, linear, factor, layer),
    )


@lru_cache(maxsize=16)
def _routed(spec: RouterSpec, seed: int, size: int, layer: int, skew: float, factor: float | None) -> BatchRouting:
    # A full batch takes most of a second, and most changes of a scenario leave it as it is.
    return route_batch(spec, seed, size, layer, skew, capacity_factor=factor)


def expert_ranks(experts: int, gpus: int) -> int:
    """The most GPUs, up to `gpus`, over which the experts divide evenly."""
    return max(ranks for ranks in range(1, min(gpus, experts) + 1) if experts % ranks == 0)


def _explain(spec: RouterSpec, batch: BatchRouting, linear: Placement, factor: float | None, layer: int) -> Derivation:
    ledger = Ledger()
    size, experts, top_k = batch.batch, spec.experts, spec.top_k
    ledger(TOUCHED, experts=experts, top_k=top_k, batch=size, note=f"if even; the simulated router: {batch.touched}")
    mean = ledger(MEAN, batch=size, top_k=top_k, experts=experts)
    ledger(IMBALANCE, fullest=max(batch.load), mean=mean, basis=Basis.ASSUMED, note="skew is the scenario's")
    if factor is not None:
        ledger(CAPACITY, factor=factor, batch=size, top_k=top_k, experts=experts)
    fullest = max(linear.load_per_gpu)
    ledger(SLOWDOWN, fullest_gpu=fullest, batch=size, top_k=top_k, gpus=linear.gpus, basis=Basis.ASSUMED)
    return ledger.derivation(f"Router of layer {layer}")
