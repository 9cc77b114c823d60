"""TP × PP × DP × EP for a number of GPUs: legal, or refused with its reasons."""

from __future__ import annotations

import math
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from ..figures.reason import Reason, because
from ..model.architecture import (
    AnyAttention,
    Dense,
    Mixture,
    Model,
    Part,
    group_counts,
)
from ..model.precision import Precision
from .abilities import ANY_CONTEXT, ANY_ENGINE, EngineProfile
from .fabric import Fabric
from .layout import Layout

_SIXTEEN_BIT = 16.0


ONE_SERVER = Fabric()


class Illegal(StrEnum):
    """Why a layout cannot be built."""

    HEADS = "attention heads do not split"
    KV_HEADS = "KV heads do not split"
    WIDTH = "a width does not split"
    BLOCK = "a quantization block is cut"
    NO_EXPERTS = "no experts"
    EXPERT_RANKS = "too few ranks for EP"
    EXPERT_SHAPE = "EP does not fit TP and DP"
    EXPERTS = "experts do not split"
    STAGES = "more stages than layers"
    NODES = "TP groups cross nodes"
    CONTEXT_SHAPE = "DCP does not divide TP"
    CONTEXT_CACHE = "a cache that is not shared out by tokens"
    CONTEXT_COPIES = "no copies to share out"
    CONTEXT_ENGINE = "the engine does not share out this cache"
    ENGINE_TENSOR = "the engine does not cut layers"
    ENGINE_STAGES = "the engine does not deal out layers"
    ENGINE_NODES = "the engine keeps a copy in one server"


def divisors(number: int) -> tuple[int, ...]:
    """All divisors, ascending.

    >>> divisors(12)
    (1, 2, 3, 4, 6, 12)
    """
    return tuple(value for value in range(1, number + 1) if number % value == 0)


_divisors = lru_cache(maxsize=512)(divisors)


@lru_cache(maxsize=32)
def enumerate_layouts(gpus: int, experts: bool = False) -> tuple[Layout, ...]:
    """Every TP × PP × DP that uses all `gpus`, and for a mixture of experts every EP that divides TP × DP.

    EP up to TP regroups the ranks of one replica; EP beyond TP spans replicas, in whole tensor-parallel groups.
    """
    return tuple(_layouts(gpus, experts))


def _layouts(gpus: int, experts: bool) -> Iterator[Layout]:
    for tp in _divisors(gpus):
        for pp in _divisors(gpus // tp):
            dp = gpus // tp // pp
            yield Layout(tp, pp, dp)
            if not experts:
                continue
            for ep in _divisors(tp * dp):
                if ep > 1 and (tp % ep == 0 or ep % tp == 0):
                    yield Layout(tp, pp, dp, ep)


def refusals(
    model: Model,
    precision: Precision,
    layout: Layout,
    fabric: Fabric = ONE_SERVER,
    engine: EngineProfile = ANY_ENGINE,
) -> tuple[Reason, ...]:
    """Why a layout cannot be built, whatever the memory; empty: it can. One reason per cause."""
    return (
        *_engine_refusals(layout, fabric, engine),
        *tensor_refusals(model, precision, layout.tp, layout.ep),
        *_expert_refusals(model, layout),
        *_placement_refusals(model, layout, fabric),
        *_context_refusals(model, layout, engine.can),
    )


def _engine_refusals(layout: Layout, fabric: Fabric, engine: EngineProfile) -> Iterator[Reason]:
    ranks = max(layout.tp, layout.ep)
    if ranks > 1 and not engine.tensor:
        yield because(Illegal.ENGINE_TENSOR, engine.name, tp=layout.tp, ep=layout.ep)
    if layout.pp > 1 and not engine.stages:
        yield because(Illegal.ENGINE_STAGES, engine.name, pp=layout.pp)
    if layout.gpus_per_replica > fabric.domain and not engine.nodes:
        yield because(Illegal.ENGINE_NODES, engine.name, gpus=layout.gpus_per_replica, node=fabric.domain)


@lru_cache(maxsize=512)
def tensor_refusals(model: Model, precision: Precision, tp: int, ep: int = 1) -> tuple[Reason, ...]:
    """Why `tp` cannot divide this model in this precision; empty: it can."""
    if tp == 1:
        return ()
    reasons: list[Reason] = []
    for group, count in group_counts(model):
        if not count:
            continue
        if group.attention is not None:
            reasons.extend(_attention_refusals(group.attention, precision, tp))
        match group.mlp:
            case Dense(width=width):
                reasons.extend(_width_refusals("MLP width", width, Part.MLP, precision, tp))
            case Mixture() as mixture:
                split = max(1, tp // ep) if ep > 1 else tp
                if precision.pad_width == 1:
                    reasons.extend(
                        _width_refusals("expert width", mixture.width, Part.ROUTED_EXPERTS, precision, split)
                    )
                if mixture.dense_width:
                    reasons.extend(_width_refusals("MLP width", mixture.dense_width, Part.MLP, precision, tp))
            case None:
                pass
    return tuple(dict.fromkeys(reasons))


def _attention_refusals(attention: AnyAttention, precision: Precision, tp: int) -> Iterator[Reason]:
    if attention.heads % tp:
        yield because(Illegal.HEADS, tp=tp, heads=attention.heads)
        return
    stored = attention.stored_heads
    if (stored % tp if stored >= tp else tp % stored) != 0:
        yield because(Illegal.KV_HEADS, tp=tp, heads=stored)
    yield from _width_refusals("attention output", attention.output_width, Part.ATTENTION, precision, tp)


def _width_refusals(name: str, width: int, part: Part, precision: Precision, tp: int) -> Iterator[Reason]:
    if width % tp:
        yield because(Illegal.WIDTH, name, tp=tp, width=width)
    elif precision.block and tp > 1 and precision.bits_of(part) < _SIXTEEN_BIT and (width // tp) % precision.block:
        yield because(Illegal.BLOCK, name, tp=tp, width=width, block=precision.block)


def _expert_refusals(model: Model, layout: Layout) -> Iterator[Reason]:
    ep = layout.ep
    if ep == 1:
        return
    mixture = model.mixture
    if mixture is None:
        yield because(Illegal.NO_EXPERTS, ep=ep)
        return
    ranks = layout.tp * layout.dp
    if ep > ranks:
        yield because(Illegal.EXPERT_RANKS, ep=ep, ranks=ranks)
    elif ranks % ep or (layout.tp % ep and ep % layout.tp):
        yield because(Illegal.EXPERT_SHAPE, ep=ep, tp=layout.tp, dp=layout.dp)
    if mixture.experts % ep and not redundant_experts(mixture.experts, layout):
        yield because(Illegal.EXPERTS, ep=ep, experts=mixture.experts)


def redundant_experts(experts: int, layout: Layout) -> int:
    """Copies of experts that fill the ranks evenly where EP spans replicas: engines keep them to balance the load.

    256 experts on 72 ranks: 4 each, 32 of them copies. Within one tensor-parallel group, across stages or with more
    ranks than experts engines want EP to divide the experts: 0.

    >>> redundant_experts(256, Layout(1, 1, 72, 72)), redundant_experts(256, Layout(1, 1, 64, 64))
    (32, 0)
    """
    ep = layout.ep
    if not layout.tp < ep <= experts or layout.pp > 1:
        return 0
    return -experts % ep


def _placement_refusals(model: Model, layout: Layout, fabric: Fabric) -> Iterator[Reason]:
    if layout.pp > model.layers:
        yield because(Illegal.STAGES, pp=layout.pp, layers=model.layers)
    if not packs(layout, fabric):
        yield because(Illegal.NODES, tp=layout.tp, gpus=fabric.domain)


def _context_refusals(model: Model, layout: Layout, contexts: frozenset[str]) -> Iterator[Reason]:
    """DCP divides TP and the copies that TP makes of the cache, TP over KV heads (vLLM `parallel.py`, SGLang `dcp`)."""
    tp, dcp = layout.tp, layout.dcp
    if dcp == 1:
        return
    if tp % dcp:
        yield because(Illegal.CONTEXT_SHAPE, dcp=dcp, tp=tp)
        return
    copies = cache_copies(model, tp)
    if copies is None:
        yield because(Illegal.CONTEXT_CACHE, model.name, dcp=dcp)
    elif copies % dcp:
        yield because(Illegal.CONTEXT_COPIES, dcp=dcp, tp=tp, copies=copies)
    elif not context_kinds(model) <= contexts:
        yield because(Illegal.CONTEXT_ENGINE, dcp=dcp)


@lru_cache(maxsize=256)
def context_kinds(model: Model) -> frozenset[str]:
    """Kinds of attention of the layers."""
    return frozenset(group.attention.kind for group, count in group_counts(model) if count and group.attention)


@lru_cache(maxsize=512)
def cache_copies(model: Model, tp: int) -> int | None:
    """Times that `tp` ranks hold each cached token, as far as all layers do; None: some cache has no plain tokens.

    Windows, recurrent states, compressed entries and the index of sparse attention are not shared out.
    """
    copies = 0
    for group, count in group_counts(model):
        attention = group.attention
        if not count or attention is None:
            continue
        if attention.kind not in ANY_CONTEXT or attention.window is not None or attention.index_elements():
            return None
        stored = attention.stored_heads
        own = tp // stored if tp > stored and tp % stored == 0 else 1
        copies = math.gcd(copies, own)
    return copies or None


def most_context(model: Model, tp: int, engine: EngineProfile) -> int:
    """The DCP that leaves a single copy of the cache in a tensor-parallel group; 1: there is nothing to share out."""
    copies = cache_copies(model, tp)
    return copies if copies and context_kinds(model) <= engine.can else 1


def packs(layout: Layout, fabric: Fabric) -> bool:
    """Tensor-parallel groups share nodes evenly, or take whole ones: across nodes they are slow, yet engines run."""
    tp, node = layout.tp, fabric.domain
    return layout.gpus <= node or tp == 1 or node % tp == 0 or tp % node == 0
