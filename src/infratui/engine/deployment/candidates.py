"""Every layout that could serve a model: the groups that grow in copies.

The space: TP of every size that divides the model, within a node or over whole nodes; any number of pipeline stages;
experts split by TP, kept whole within a TP group, or spread over replicas that attend to their own requests (attention
data parallelism with attention TP1, TP2, TP4 …), with redundant experts where EP does not divide them; and copies of
any of these. It leaves out replicas of unlike layouts, and copies beyond 16,384 GPUs. Fleets are made of fewer kinds:
see `served`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from ...value_types import dataclass
from ..cluster.abilities import PLAIN_ENGINE, EngineProfile
from ..cluster.fabric import Fabric
from ..cluster.layout import Layout
from ..cluster.legal import divisors, enumerate_layouts, most_context, packs, refusals, tensor_refusals
from ..figures.reason import Reason, because
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan
from ..memory.room import KvRoom
from ..model.architecture import Model, group_counts
from ..model.precision import Precision
from .reasons import ReasonKind
from .site import FREE_CHOICE, Forced, Site

MOST_GPUS = 16_384
WIDEST_TENSOR = 128
"""Attention heads of the widest models: beyond, tensor parallelism has nothing to divide."""


@lru_cache(maxsize=128)
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


@lru_cache(maxsize=16)
def groups(
    model: Model,
    precision: Precision,
    domain: int,
    forced: Forced = FREE_CHOICE,
    engine: EngineProfile = PLAIN_ENGINE,
    most: int = MOST_GPUS,
) -> tuple[Layout, ...]:
    """The smallest group of each kind, of `most` GPUs, fewest first: all that may be multiplied by copies.

    A group is one replica, or as many replicas as share one set of experts. Sizes that are forced are kept, legal or
    not; with `forced.dp` a group has all of its replicas.
    """
    return _ascending(_groups(model, precision, domain, forced, engine, range(1, model.layers + 1), most))


def _ascending(found: Iterable[Layout]) -> tuple[Layout, ...]:
    return tuple(sorted(set(found), key=lambda layout: (layout.gpus, layout.pp, layout)))


@lru_cache(maxsize=16)
def usual(model: Model, precision: Precision, domain: int, engine: EngineProfile = PLAIN_ENGINE) -> tuple[Layout, ...]:
    """Groups of common sizes, powers of two: enough to know about how many GPUs it takes."""
    depths = [pp for pp in range(1, model.layers + 1) if _is_power(pp)]
    return _ascending(
        group
        for group in _groups(model, precision, domain, FREE_CHOICE, engine, depths)
        if group.ep in (1, group.tp) or (group.pp == 1 and _is_power(group.gpus))
    )


def _is_power(number: int) -> bool:
    return number & (number - 1) == 0


def _groups(
    model: Model,
    precision: Precision,
    domain: int,
    forced: Forced,
    engine: EngineProfile,
    depths: Sequence[int],
    most: int = MOST_GPUS,
) -> Iterator[Layout]:
    """Groups of pipelines of these `depths`, ascending, in any order; some twice."""
    if forced.tp:
        sizes: Sequence[int] = (forced.tp,)
    else:
        sizes = _tensor_sizes(model, precision, domain) if engine.tensor else (1,)
    if forced.pp:
        depths = (forced.pp,)
    elif not engine.stages:
        depths = (1,)
    mixture = model.mixture
    for tp in sizes:
        if not forced.tp and tp % (forced.dcp or 1):
            continue
        shared = most_context(model, tp, engine)
        for ep in _expert_sizes(model, precision, tp, forced):
            spread = max(1, -(-ep // tp))
            dp = forced.dp or spread
            whole = mixture is None or ep <= tp or not mixture.experts % ep
            if ep > 1 and not (engine.tensor or forced.ep):
                continue
            for pp in depths:
                if not engine.nodes and tp * pp > domain and not forced.any:
                    break
                if tp * pp * dp > most or not (pp == 1 or whole or forced.ep):
                    # Copies of experts go with a single stage.
                    break
                yield Layout(tp, pp, dp, ep, forced.dcp or 1)
                if shared > 1 and not forced.dcp and ep <= tp:
                    # All copies of the cache or none: what lies between holds less and talks as often.
                    yield Layout(tp, pp, dp, ep, shared)


def _tensor_sizes(model: Model, precision: Precision, domain: int) -> list[int]:
    """Every TP that divides the model, within a domain or over whole ones."""
    return [tp for tp in _divides(model, precision) if tp <= domain or tp % domain == 0]


@lru_cache(maxsize=16)
def _divides(model: Model, precision: Precision) -> tuple[int, ...]:
    """Every TP that divides the model, with its experts split or whole."""
    heads = {group.attention.heads for group, count in group_counts(model) if count and group.attention is not None}
    # Most sizes do not even divide the heads, and need no reason that says so.
    return tuple(
        tp
        for tp in range(1, WIDEST_TENSOR + 1)
        if not any(count % tp for count in heads)
        and (
            not tensor_refusals(model, precision, tp)
            or (model.is_moe and not tensor_refusals(model, precision, tp, tp))
        )
    )


def _expert_sizes(model: Model, precision: Precision, tp: int, forced: Forced) -> Iterator[int]:
    """EP sizes beside one TP: those within the group, and whole groups of it up to one expert a rank."""
    if forced.ep:
        yield forced.ep
        return
    mixture = model.mixture
    if mixture is None or not tensor_refusals(model, precision, tp) or forced.tp:
        yield 1
    if mixture is None:
        return
    # Experts split or whole weigh the same where nothing is padded: one of the two stands for the rest.
    within = divisors(tp) if precision.pad_width > 1 or forced.any else (tp,)
    for ep in within:
        if ep > 1 and mixture.experts % ep == 0 and (forced.tp or not tensor_refusals(model, precision, tp, ep)):
            yield ep
    if forced.tp or not tensor_refusals(model, precision, tp, tp):
        most = min(mixture.experts, tp * forced.dp) if forced.dp else mixture.experts
        yield from (ep for ep in range(2 * tp, most + 1, tp) if not forced.dp or (tp * forced.dp) % ep == 0)


_DEPTHS = (*range(1, 9), 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128)


@lru_cache(maxsize=8)
def served(
    model: Model,
    precision: Precision,
    domain: int,
    forced: Forced = FREE_CHOICE,
    engine: EngineProfile = PLAIN_ENGINE,
) -> tuple[Layout, ...]:
    """The groups that fleets are made of, fewest GPUs first: a fleet runs for years, and each needs a prediction.

    TP over two domains, or 16 GPUs, at most; pipelines of up to 8 stages, then in steps of about a fifth; experts split
    or whole within TP, or spread over replicas of one stage in numbers that divide them. What is set by hand is tried.
    """
    depths = [pp for pp in _DEPTHS if pp <= model.layers]
    found = _groups(model, precision, domain, forced, engine, depths)
    return _ascending(group for group in found if _served(group, model, domain, forced))


def _served(group: Layout, model: Model, domain: int, forced: Forced) -> bool:
    if group.tp > max(2 * domain, 16) and not forced.tp:
        return False
    if forced.ep or model.mixture is None:
        return True
    if group.ep > group.tp:
        return group.pp == 1 and model.mixture.experts % group.ep == 0
    return group.ep in (1, group.tp)


def copies(group: Layout, count: int) -> Layout:
    """So many copies of a group, side by side."""
    return Layout(group.tp, group.pp, group.dp * count, group.ep, group.dcp)


def most_copies(group: Layout, gpus: int, fabric: Fabric, forced: Forced) -> int:
    """Copies that `gpus` have room for; a group that does not pack nodes stays within one."""
    if forced.dp:
        return 1 if group.gpus <= gpus else 0
    room = gpus // group.gpus
    if room and not packs(copies(group, room), fabric):
        room = min(room, fabric.domain // group.gpus)
    return room


def users_held(deployment: Deployment, site: Site, load: Sequences, group: Layout) -> int:
    """Users of this context that one copy of a group holds."""
    return held_in(site.room(deployment, group), load, group)


def held_in(room: KvRoom, load: Sequences, group: Layout) -> int:
    """The same where the room for the cache is known."""
    users = room.users(load)
    return load.users if users is None else group.dp * users


@dataclass(frozen=True, slots=True)
class LayoutVerdict:
    """One layout: buildable with its memory, or refused with its reasons."""

    layout: Layout
    reasons: tuple[Reason, ...]
    plan: MemoryPlan | None
    """None where the layout cannot be built at all."""

    @property
    def legal(self) -> bool:
        """It can be built and holds the load."""
        return not self.reasons


def judge_layouts(
    deployment: Deployment, site: Site, load: Sequences, gpus: int, layouts: Iterable[Layout] | None = None
) -> tuple[LayoutVerdict, ...]:
    """Every layout of exactly `gpus`, legal or refused; memory that is short refuses as well."""
    found = []
    cannot = deployment.refusal(site.accelerator)
    for layout in layouts or _every(deployment, gpus):
        reasons = refusals(deployment.model, deployment.precision, layout, site.fabric, deployment.engine)
        reasons = (cannot, *reasons) if cannot else reasons
        if reasons:
            found.append(LayoutVerdict(layout, reasons, None))
            continue
        plan = site.plan(deployment, layout, load)
        found.append(LayoutVerdict(layout, () if plan.fits else (short_of(plan),), plan))
    return tuple(found)


def _every(deployment: Deployment, gpus: int) -> Iterator[Layout]:
    """All layouts of so many GPUs, those whose cache TP copies with the copies shared out as well."""
    for layout in enumerate_layouts(gpus, deployment.model.is_moe):
        yield layout
        shared = most_context(deployment.model, layout.tp, deployment.engine) if layout.ep <= layout.tp else 1
        if shared > 1:
            yield replace(layout, dcp=shared)


def short_of(plan: MemoryPlan) -> Reason:
    """The refusal of a layout that can be built but does not hold its load."""
    return because(ReasonKind.SHORT, missing=plan.missing)


def takes_more(layout: Layout, gpus: int) -> Reason:
    """The refusal of a layout that is set by hand and larger than what there is."""
    return Reason(ReasonKind.TAKES_MORE, layout.label, (("needed", layout.gpus), ("gpus", gpus)))


def kv_copies(deployment: Deployment, layout: Layout) -> float:
    """Times that a tensor-parallel group holds each cached token: 1 where heads divide or DCP shares out."""
    alone = deployment.geometry(Layout())[0].sequence_bytes(deployment.model.max_context)
    split = deployment.geometry(Layout(layout.tp, dcp=layout.dcp))[0].sequence_bytes(deployment.model.max_context)
    return layout.tp * split / alone if alone else 1.0
