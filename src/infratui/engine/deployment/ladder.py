"""The ladder: one GPU, TP in a node, then stages, and copies for what is left: a second opinion, never the answer."""

from __future__ import annotations

from collections.abc import Iterator

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..cluster.legal import refusals
from ..figures.reason import Reason, because
from ..memory.kv_cache import CacheKind, Sequences, layer_kinds
from ..memory.plan import Deployment, MemoryPlan
from ..model.architecture import Model
from .candidates import short_of, takes_more, tensor_shapes
from .reasons import ReasonKind
from .site import FREE_CHOICE, Forced, Site

DEEPEST_PIPELINE = 4
"""Stages up to which a replica grows for the sake of more users; beyond, replicas serve them."""
WIDEST_TENSOR = 8
"""Tensor parallelism that the ladder goes to: beyond, all-reduces and copies of the cache eat the gain."""
_NEAR_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the ladder does with a given number of GPUs."""

    plan: MemoryPlan | None
    """None where no layout can be built."""
    idle: int
    """GPUs that the layout leaves out."""
    reasons: tuple[Reason, ...]
    """Why this one, or why none."""


def spreads_attention(model: Model) -> bool:
    """Attention data parallelism helps: experts can be shared, and tensor parallelism copies the latent cache."""
    return model.is_moe and CacheKind.LATENT in layer_kinds(model)


def _tensor_limit(site: Site) -> int:
    return min(site.fabric.domain, WIDEST_TENSOR)


def _experts_divide(model: Model, ranks: int) -> bool:
    return model.mixture is not None and model.mixture.experts % ranks == 0


def recommend(
    deployment: Deployment, site: Site, load: Sequences, gpus: int, forced: Forced = FREE_CHOICE
) -> Recommendation:
    """Lay `gpus` out by the ladder: the smallest group that holds its share of the load, as often as it goes.

    Fits one → data parallelism; needs a node → TP; more → TP × PP; what is left over stays idle. Where nothing
    holds the load: the first that comes near the most users.
    """
    short: list[MemoryPlan] = []
    refused: tuple[Reason, ...] = ()
    for layout in _candidates(deployment, site, gpus, forced):
        if layout.gpus > gpus:
            refused = refused or (takes_more(layout, gpus),)
            continue
        reasons = refusals(deployment.model, deployment.precision, layout, site.fabric, deployment.engine)
        if reasons:
            refused = refused or reasons
            continue
        if layout.pp > DEEPEST_PIPELINE and not forced.pp and any(plan.max_users for plan in short):
            continue
        plan = site.plan(deployment, layout, load)
        if plan.fits:
            return Recommendation(plan, gpus - layout.gpus, _why_this(plan, gpus, forced))
        short.append(plan)
    if not short:
        return Recommendation(None, gpus, refused or (because(ReasonKind.NO_MATCH, gpus=gpus),))
    most = max(plan.max_users for plan in short)
    if most:
        best = next(plan for plan in short if plan.max_users >= _NEAR_MOST * most)
    else:
        # None of them holds anything: the ladder's own next step, the widest group, is the one to talk about.
        best = max(short, key=lambda plan: (plan.layout.tp, -plan.missing))
    return Recommendation(best, gpus - best.layout.gpus, (short_of(best),))


def _candidates(deployment: Deployment, site: Site, gpus: int, forced: Forced) -> Iterator[Layout]:
    """Layouts in the ladder's order; replicas fill what is left. Only forced sizes can take more than `gpus`."""
    if forced.tp and forced.pp and forced.dp:
        yield Layout(forced.tp, forced.pp, forced.dp, forced.ep or 1)
        return
    for shape in _shapes(deployment, min(_tensor_limit(site), gpus), gpus, forced):
        dp = forced.dp or max(1, gpus // shape.gpus_per_replica)
        layout = Layout(shape.tp, shape.pp, dp, forced.ep or shape.ep)
        if shape.ep > shape.tp:
            layout = shape
        if forced.allows(layout):
            yield layout


def _shapes(deployment: Deployment, limit: int, gpus: int, forced: Forced) -> Iterator[Layout]:
    if forced.tp:
        # An illegal size is yielded as well: its refusal is the answer.
        inside: tuple[Layout, ...] = (Layout(forced.tp),)
    else:
        inside = tensor_shapes(deployment.model, deployment.precision, limit)
    depth = min(deployment.model.layers, gpus)
    if forced.pp:
        yield from (Layout(shape.tp, forced.pp, 1, shape.ep) for shape in inside)
        return
    yield from inside
    widest = inside[-1]
    if spreads_attention(deployment.model) and 1 in (forced.tp or 1, widest.tp):
        ranks = next((count for count in range(gpus, 1, -1) if _experts_divide(deployment.model, count)), 0)
        if ranks:
            yield Layout(1, 1, ranks, ranks)
    yield from (Layout(widest.tp, pp, 1, widest.ep) for pp in range(2, min(depth, gpus // widest.tp) + 1))
    rest = [
        Layout(shape.tp, pp, 1, shape.ep) for shape in inside[:-1] for pp in range(2, min(depth, gpus // shape.tp) + 1)
    ]
    yield from sorted(rest, key=lambda layout: (layout.gpus_per_replica, -layout.tp))


def _why_this(plan: MemoryPlan, gpus: int, forced: Forced) -> tuple[Reason, ...]:
    layout = plan.layout
    if forced.any:
        found = [because(ReasonKind.PINNED)]
    elif layout.ep > layout.tp:
        found = [because(ReasonKind.SPREAD, gpus=layout.ep)]
    elif layout.gpus_per_replica == 1:
        found = [because(ReasonKind.ONE_GPU)]
    elif layout.pp == 1:
        found = [because(ReasonKind.ONE_NODE, gpus=layout.tp)]
    else:
        found = [because(ReasonKind.STAGES, tp=layout.tp, pp=layout.pp)]
    if layout.dp > 1 and layout.ep <= layout.tp:
        found.append(because(ReasonKind.REPLICAS, replicas=layout.dp))
    if gpus > layout.gpus:
        found.append(because(ReasonKind.IDLE, idle=gpus - layout.gpus, gpus=gpus))
    return tuple(found)
