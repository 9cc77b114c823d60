"""TP × PP × DP × EP for a number of GPUs: legal, or refused with the reason in words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..model.architecture import (
    AnyAttention,
    Compressed,
    Dense,
    GroupedQuery,
    Latent,
    Mixture,
    Model,
    Part,
    Recurrent,
    group_counts,
)
from ..model.precision import Precision
from .fabric import Fabric
from .layout import Layout

_SIXTEEN_BIT = 16.0


ONE_SERVER = Fabric()


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


def refusals(model: Model, precision: Precision, layout: Layout, fabric: Fabric = ONE_SERVER) -> tuple[str, ...]:
    """Why a layout cannot be built, whatever the memory; empty: it can. One reason per cause, in words."""
    return (
        *tensor_refusals(model, precision, layout.tp, layout.ep),
        *_expert_refusals(model, layout),
        *_placement_refusals(model, layout, fabric),
    )


@lru_cache(maxsize=512)
def tensor_refusals(model: Model, precision: Precision, tp: int, ep: int = 1) -> tuple[str, ...]:
    """Why `tp` cannot divide this model in this precision; empty: it can."""
    if tp == 1:
        return ()
    reasons: list[str] = []
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


def _attention_refusals(attention: AnyAttention, precision: Precision, tp: int) -> Iterator[str]:
    if attention.heads % tp:
        yield f"TP{tp} does not divide {attention.heads} attention heads"
        return
    match attention:
        case GroupedQuery(kv_heads=kv_heads, head_dim=head_dim):
            if (kv_heads % tp if kv_heads >= tp else tp % kv_heads) != 0:
                yield f"TP{tp} and {kv_heads} KV heads: neither divides the other"
            output = attention.heads * head_dim
        case Latent(v_head_dim=v_head_dim):
            output = attention.heads * v_head_dim
        case Compressed() | Recurrent():
            output = attention.heads * attention.head_dim
    yield from _width_refusals("attention output", output, Part.ATTENTION, precision, tp)


def _width_refusals(name: str, width: int, part: Part, precision: Precision, tp: int) -> Iterator[str]:
    if width % tp:
        yield f"TP{tp} does not divide the {name} {width:,}"
    elif precision.block and tp > 1 and precision.bits_of(part) < _SIXTEEN_BIT and (width // tp) % precision.block:
        yield f"{name} {width:,} / TP{tp} = {width // tp:,} cuts through a quantization block of {precision.block}"


def _expert_refusals(model: Model, layout: Layout) -> Iterator[str]:
    ep = layout.ep
    if ep == 1:
        return
    mixture = model.mixture
    if mixture is None:
        yield f"EP{ep}: the model has no experts"
        return
    ranks = layout.tp * layout.dp
    if ep > ranks:
        yield f"EP{ep} needs {ep} GPUs per stage; TP × DP gives {ranks}"
    elif ranks % ep or (layout.tp % ep and ep % layout.tp):
        yield f"EP{ep} does not fit into TP{layout.tp} × DP{layout.dp}"
    if mixture.experts % ep and not redundant_experts(mixture.experts, layout):
        yield f"EP{ep} does not divide {mixture.experts} experts"


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


def _placement_refusals(model: Model, layout: Layout, fabric: Fabric) -> Iterator[str]:
    if layout.pp > model.layers:
        yield f"PP{layout.pp} leaves stages without layers: the model has {model.layers}"
    if not packs(layout, fabric):
        yield f"TP{layout.tp} groups do not pack nodes of {fabric.domain} GPUs without crossing them"


def packs(layout: Layout, fabric: Fabric) -> bool:
    """Tensor-parallel groups share nodes evenly, or take whole ones: across nodes they are slow, yet engines run."""
    tp, node = layout.tp, fabric.domain
    return layout.gpus <= node or tp == 1 or node % tp == 0 or tp % node == 0
