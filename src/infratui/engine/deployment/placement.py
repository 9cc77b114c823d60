"""Which layout to take: the ladder from one GPU to many, the fewest GPUs that hold a load, and every alternative."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..cluster.hardware import Accelerator, Link
from ..cluster.layout import Layout
from ..cluster.legal import Topology, enumerate_layouts, refusals, tensor_refusals
from ..figures.units import GB
from ..memory.kv_cache import CacheKind, Sequences, layer_kinds
from ..memory.plan import Deployment, MemoryPlan, plan_memory
from ..memory.runtime import RuntimeTable
from ..model.architecture import Model
from ..model.precision import Precision

DEEPEST_PIPELINE = 4
"""Stages up to which a replica grows for the sake of more users; beyond, replicas serve them."""
WIDEST_TENSOR = 8
"""Tensor parallelism that the ladder goes to of itself: beyond, all-reduces and copies of the cache eat the gain."""
MOST_GPUS = 16_384
_NEAR_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Forced:
    """Sizes that the user sets; 0 leaves one open."""

    tp: int = 0
    pp: int = 0
    dp: int = 0
    ep: int = 0

    def allows(self, layout: Layout) -> bool:
        return (
            self.tp in (0, layout.tp)
            and self.pp in (0, layout.pp)
            and self.dp in (0, layout.dp)
            and self.ep in (0, layout.ep)
        )

    @property
    def any(self) -> bool:
        return bool(self.tp or self.pp or self.dp or self.ep)


FREE_CHOICE = Forced()


@dataclass(frozen=True, slots=True)
class LayoutVerdict:
    """One layout: buildable with its memory, or refused with the reasons in words."""

    layout: Layout
    reasons: tuple[str, ...]
    plan: MemoryPlan | None
    """None where the layout cannot be built at all."""

    @property
    def legal(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Smallest:
    """The fewest GPUs of one kind that hold a load."""

    arithmetic: int | None
    """By bytes alone, as if memory could be cut anywhere; None: no number of them."""
    plan: MemoryPlan | None
    """The smallest legal layout; None: none up to 16,384 GPUs."""
    reason: str
    """Why the legal count is above the arithmetic one, or why there is none; empty where they agree."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the ladder does with a given number of GPUs."""

    plan: MemoryPlan | None
    """None where no layout can be built."""
    idle: int
    """GPUs that the layout leaves out."""
    reasons: tuple[str, ...]
    """Why this one, or why none; in words."""


def topology_of(accelerator: Accelerator, fabric: Link | None = None) -> Topology:
    """Node size and links around an accelerator. A rack-wide link makes the rack one node."""
    return Topology(
        max(accelerator.gpus_per_node, accelerator.link_domain, 1),
        accelerator.link_bandwidth,
        fabric.bandwidth if fabric else None,
    )


@dataclass(frozen=True, slots=True)
class Site:
    """Where a deployment may run: one kind of accelerator, its links, and the constants of the engines."""

    accelerator: Accelerator
    topology: Topology
    table: RuntimeTable

    def plan(self, deployment: Deployment, layout: Layout, load: Sequences) -> MemoryPlan:
        return plan_memory(deployment, self.accelerator, layout, load, self.table)


@lru_cache(maxsize=4096)
def tensor_shapes(model: Model, precision: Precision, limit: int) -> tuple[Layout, ...]:
    """One layout per buildable TP up to `limit`, ascending; experts stay whole where splitting them is refused."""
    shapes = []
    for tp in range(1, limit + 1):
        if not tensor_refusals(model, precision, tp):
            shapes.append(Layout(tp))
            continue
        mixture = model.mixture
        if mixture and mixture.experts % tp == 0 and not tensor_refusals(model, precision, tp, tp):
            shapes.append(Layout(tp, ep=tp))
    return tuple(shapes)


def spreads_attention(model: Model) -> bool:
    """Attention data parallelism helps: experts can be shared, and tensor parallelism copies the latent cache."""
    return model.is_moe and CacheKind.LATENT in layer_kinds(model)


def arithmetic_gpus(deployment: Deployment, site: Site, load: Sequences) -> int | None:
    """GPUs by bytes alone: weights and cache once, over what one GPU leaves for them; None: nothing is left."""
    return _fewest_by_bytes(site.plan(deployment, Layout(), load))[1]


def _fewest_by_bytes(alone: MemoryPlan) -> tuple[int, int | None]:
    """GPUs that hold the weights, and those that hold the whole load, if bytes could be cut anywhere."""
    room = alone.requested - alone.runtime_inside
    if room <= 0:
        return 1, None
    held = alone.weights.total
    return max(1, math.ceil(held / room)), max(1, math.ceil((held + alone.kv_needed) / room))


def smallest(deployment: Deployment, site: Site, load: Sequences) -> Smallest:
    """The fewest GPUs that hold `load`, by the ladder: one, TP in a node, TP × PP, then replicas."""
    alone = site.plan(deployment, Layout(), load)
    for_weights, arithmetic = _fewest_by_bytes(alone)
    if arithmetic is None:
        return Smallest(None, None, "the engine's own buffers fill the GPU; lower max sequences or batched tokens")
    holding: list[MemoryPlan] = []
    for layout in _growing(deployment, site):
        if layout.gpus < for_weights:
            continue
        if holding and layout.pp > DEEPEST_PIPELINE:
            break
        plan = site.plan(deployment, layout, load)
        if plan.fits:
            return Smallest(arithmetic, plan, _why_more(deployment, site, arithmetic, plan))
        if plan.max_users:
            holding.append(plan)
    if not holding:
        return Smallest(arithmetic, None, "no layout leaves room for one user; shorten the context or use fewer bits")
    return _replicated(deployment, site, load, holding, arithmetic)


def _growing(deployment: Deployment, site: Site) -> Iterator[Layout]:
    """One-replica layouts by GPU count; where tensor parallelism copies the cache, spread attention as well."""
    model = deployment.model
    shapes = tensor_shapes(model, deployment.precision, _tensor_limit(site))
    spread = spreads_attention(model)
    for shape in shapes:
        yield shape
        if spread and shape.tp > 1 and _experts_divide(model, shape.tp):
            yield Layout(1, 1, shape.tp, shape.tp)
    widest = shapes[-1]
    for pp in range(2, model.layers + 1):
        yield Layout(widest.tp, pp, 1, widest.ep)
        ranks = widest.tp * pp
        if spread and _experts_divide(model, ranks):
            yield Layout(1, 1, ranks, ranks)


def _tensor_limit(site: Site) -> int:
    return min(site.topology.gpus_per_node, WIDEST_TENSOR)


def _experts_divide(model: Model, ranks: int) -> bool:
    return model.mixture is not None and model.mixture.experts % ranks == 0


def _replicated(
    deployment: Deployment, site: Site, load: Sequences, holding: Iterable[MemoryPlan], arithmetic: int
) -> Smallest:
    """The group whose copies hold the load with the fewest GPUs."""
    copied = []
    for one in holding:
        shape = one.layout
        copies = math.ceil(load.users / one.max_users)
        # Data parallelism with shared experts grows as one group: its experts spread no further.
        copied.append((Layout(shape.tp, shape.pp, shape.dp * copies, shape.ep), shape, copies))
    layout, shape, copies = min(copied, key=lambda entry: entry[0].gpus)
    if layout.gpus > MOST_GPUS:
        return Smallest(arithmetic, None, f"more than {MOST_GPUS:,} of them would be needed")
    return Smallest(
        arithmetic, site.plan(deployment, layout, load), f"{copies} copies of {shape.label} share the users"
    )


def _why_more(deployment: Deployment, site: Site, arithmetic: int | None, plan: MemoryPlan) -> str:
    count = plan.layout.gpus
    if arithmetic is None or count <= arithmetic:
        return ""
    node = site.topology.gpus_per_node
    if arithmetic <= node:
        refused = tensor_refusals(deployment.model, deployment.precision, arithmetic)
        if refused:
            return refused[0]
    if plan.layout.tp > 1 and plan.layout.ep <= plan.layout.tp and _copies_cache(deployment, plan.layout.tp):
        return f"every one of TP{plan.layout.tp} ranks keeps its own copy of part of the cache"
    if count > node:
        return f"whole groups of TP{plan.layout.tp}"
    return "uneven stages, copies and communication buffers take the rest"


def _copies_cache(deployment: Deployment, tp: int) -> bool:
    return kv_copies(deployment, tp) > 1.01


def kv_copies(deployment: Deployment, tp: int) -> float:
    """Times that a tensor-parallel group of `tp` holds each cached token: 1 where heads divide, `tp` for a latent."""
    alone = deployment.geometry(Layout())[0].sequence_bytes(deployment.model.max_context)
    split = deployment.geometry(Layout(tp))[0].sequence_bytes(deployment.model.max_context)
    return tp * split / alone if alone else 1.0


def recommend(
    deployment: Deployment, site: Site, load: Sequences, gpus: int, forced: Forced = FREE_CHOICE
) -> Recommendation:
    """Lay `gpus` out by the ladder: the smallest group that holds its share of the load, as often as it goes.

    Fits one → data parallelism; needs a node → TP; more → TP × PP; what is left over stays idle. Where nothing
    holds the load: the first that comes near the most users.
    """
    short: list[MemoryPlan] = []
    refused: tuple[str, ...] = ()
    for layout in _candidates(deployment, site, gpus, forced):
        if layout.gpus > gpus:
            refused = refused or (f"{layout.label} takes {layout.gpus:,} GPUs; there are {gpus:,}",)
            continue
        reasons = refusals(deployment.model, deployment.precision, layout, site.topology)
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
        return Recommendation(None, gpus, refused or (f"no layout of {gpus} GPUs matches what is set",))
    most = max(plan.max_users for plan in short)
    if most:
        best = next(plan for plan in short if plan.max_users >= _NEAR_MOST * most)
    else:
        # None of them holds anything: the ladder's own next step, the widest group, is the one to talk about.
        best = max(short, key=lambda plan: (plan.layout.tp, -plan.missing))
    return Recommendation(best, gpus - best.layout.gpus, (short_of(best),))


def short_of(plan: MemoryPlan) -> str:
    """The refusal of a layout that can be built but does not hold its load."""
    return f"memory short by {plan.missing / GB:,.1f} GB per GPU"


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


def _why_this(plan: MemoryPlan, gpus: int, forced: Forced) -> tuple[str, ...]:
    layout = plan.layout
    reasons = []
    if forced.any:
        reasons.append("set by hand")
    elif layout.ep > layout.tp:
        reasons.append(f"experts spread over {layout.ep} GPUs; each attends to its own users, so no cache is copied")
    elif layout.gpus_per_replica == 1:
        reasons.append("one GPU holds a replica")
    elif layout.pp == 1:
        reasons.append(f"a replica needs {layout.tp} GPUs of one node")
    else:
        reasons.append(f"a replica needs TP{layout.tp} in the node, {layout.pp} stages across")
    if layout.dp > 1 and layout.ep <= layout.tp:
        reasons.append(f"{layout.dp:,} replicas share the users")
    if gpus > layout.gpus:
        idle = gpus - layout.gpus
        reasons.append(f"{idle:,} of {gpus:,} GPUs stay{'s' if idle == 1 else ''} idle")
    return tuple(reasons)


def judge_layouts(
    deployment: Deployment, site: Site, load: Sequences, gpus: int, layouts: Sequence[Layout] | None = None
) -> tuple[LayoutVerdict, ...]:
    """Every layout of exactly `gpus`, legal or refused; memory that is short refuses as well."""
    found = []
    for layout in layouts or enumerate_layouts(gpus, deployment.model.is_moe):
        reasons = refusals(deployment.model, deployment.precision, layout, site.topology)
        if reasons:
            found.append(LayoutVerdict(layout, reasons, None))
            continue
        plan = site.plan(deployment, layout, load)
        found.append(LayoutVerdict(layout, () if plan.fits else (short_of(plan),), plan))
    return tuple(found)
