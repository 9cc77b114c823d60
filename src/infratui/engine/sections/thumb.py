"""The whole second opinion: memory, layouts and both models of the MoE section by the rule of thumb's arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from ...value_types import dataclass
from ..case import Case
from ..cluster.grid import GpuPlace, gpu_grid
from ..cluster.hardware import Accelerator, Link
from ..cluster.layout import Layout
from ..cost.rents import monthly_rents
from ..deployment.thumb import ThumbSizing, UnknownCache, size, sized
from ..experts.load import RoutingError
from ..experts.router import RouterResult, route
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.units import GIB
from ..memory import rule_of_thumb
from ..memory.rule_of_thumb import MIN_GPUS, NODE_GPUS, RuleOfThumbSplit
from ..memory.weights import stage_sizes
from ..model.architecture import Model, parameters
from ..model.precision import Precision
from .moe import compared
from .moe_side import sides
from .parallelism import StageMemory
from .vram_result import Growth, GrowthLine

if TYPE_CHECKING:
    from ..memory.kv_cache import Sequences

_GROWTH_POINTS = 24
_LADDER = (1, 2, 4, 8, 16, 32, 64, 128)

FLOPS = Formula("FLOPs per token", "2 * active_parameters", Unit.FLOP, basis=Basis.ASSUMED, term="active-parameters")


class NoThumbError(ValueError):
    """The rule of thumb has no answer for this model's cache."""

    def __init__(self, model: str, unknown: UnknownCache) -> None:
        super().__init__(model, unknown)
        self.model, self.unknown = model, unknown


@dataclass(frozen=True, slots=True)
class ThumbRow:
    """One kind of card that holds the load by the rule. Bytes are per card."""

    accelerator: Accelerator
    gpus: int
    layout: Layout
    nodes: int
    free: int
    max_users: int
    max_context: int


@dataclass(frozen=True, slots=True)
class ThumbMemory:
    """The memory section by the rule."""

    estimator: ClassVar[str] = "rule-of-thumb"

    sizing: ThumbSizing
    precision: Precision
    kv_precision: Precision
    load: Sequences
    rows: tuple[ThumbRow, ...]
    growth: Growth
    detailed: int | None
    """Bytes that the detailed estimate counts on its own layout; None where it has none."""
    currency: str
    rents: Mapping[str, float]
    """Accelerator → USD per card and month."""
    derivations: tuple[Derivation, ...]

    @property
    def fits(self) -> bool:
        return self.sizing.holds

    def row(self, accelerator_id: str) -> ThumbRow:
        """The table's row of an accelerator. Raises KeyError."""
        for row in self.rows:
            if row.accelerator.id == accelerator_id:
                return row
        raise KeyError(accelerator_id)

    def monthly(self, row: ThumbRow) -> float | None:
        """USD per month for the cards of a row; None where no price is known."""
        rent = self.rents.get(row.accelerator.id)
        return None if rent is None else rent * row.gpus


@dataclass(frozen=True, slots=True)
class ThumbStep:
    """What the ladder does with one number of GPUs."""

    gpus: int
    split: RuleOfThumbSplit


@dataclass(frozen=True, slots=True)
class ThumbLayouts:
    """The parallelism section by the rule: the ladder of splits, and nothing about speed."""

    estimator: ClassVar[str] = "rule-of-thumb"

    sizing: ThumbSizing
    split: RuleOfThumbSplit
    steps: tuple[ThumbStep, ...]
    """The ladder for the usual numbers of GPUs, that at hand among them."""
    places: tuple[GpuPlace, ...]
    stages: tuple[StageMemory, ...]
    gpus_per_node: int
    node_link: Link | None
    fabric: Link
    derivations: tuple[Derivation, ...]

    @property
    def fits(self) -> bool:
        """The weights do, and all users where the cache is known."""
        return self.split.enough and self.sizing.holds

    def row(self, label: str) -> None:
        """No layout is pinned by hand: the ladder gives one per number of GPUs."""
        return


@dataclass(frozen=True, slots=True)
class ThumbSide:
    """One model of the comparison by the rule."""

    model: Model
    total: int
    active: int
    weights: int
    gpus: int
    """That hold the weights."""
    flops_per_token: int
    derivation: Derivation


@dataclass(frozen=True, slots=True)
class ThumbSides:
    """The MoE section by the rule: parameters, bytes and GPUs; no traffic, no batch, no speed."""

    estimator: ClassVar[str] = "rule-of-thumb"

    dense: ThumbSide
    moe: ThumbSide
    precision: Precision
    accelerator: Accelerator
    router: RouterResult

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        return self.dense.derivation, self.moe.derivation, self.router.derivation


def evaluate_thumb_memory(case: Case) -> ThumbMemory:
    """Memory by the rule. Raises NoThumbError where it knows no cache of this kind."""
    from .vram import evaluate_vram

    found = sized(case)
    if found.memory is None or found.derivation is None:
        assert found.unknown is not None
        raise NoThumbError(found.model.name, found.unknown)
    ledger = Ledger()
    ledger(MIN_GPUS, weights_gib=found.memory.total / GIB, gpu_gb=found.card_gb, note="all of it, not weights alone")
    beside = case.with_(estimator="detailed").part("vram", evaluate_vram).detailed
    return ThumbMemory(
        sizing=found,
        precision=case.precision,
        kv_precision=case.kv_precision,
        load=case.load,
        rows=tuple(_row(found, accelerator) for accelerator in case.facts.accelerators()),
        growth=_growth(found),
        detailed=beside.total,
        currency=case.scenario.currency,
        rents=case.part("rents", monthly_rents),
        derivations=(found.derivation, ledger.derivation("Cards that hold it")),
    )


def _row(found: ThumbSizing, accelerator: Accelerator) -> ThumbRow:
    memory, gigabytes = found.memory, accelerator.memory_marketing_gb
    assert memory is not None
    least = rule_of_thumb.split(memory.total, 1, gigabytes).min_gpus
    layout = rule_of_thumb.split(memory.total, least, gigabytes).layout
    room = layout.gpus * gigabytes * GIB / 1.15 - found.weights
    each = memory.kv_cache / found.users
    users = max(0, math.floor(room / each + 1e-9)) if each else found.users
    return ThumbRow(
        accelerator=accelerator,
        gpus=layout.gpus,
        layout=layout,
        nodes=-(-layout.gpus // NODE_GPUS),
        free=max(0, round(gigabytes * GIB - memory.total / layout.gpus)),
        max_users=users,
        max_context=math.floor(room * found.context / memory.kv_cache) if memory.kv_cache else found.context,
    )


def _growth(found: ThumbSizing) -> Growth:
    limit = max(found.model.max_context, found.context)
    contexts = sorted({
        value for value in (found.context // 2, found.context, found.context * 2) if 1 <= value <= limit
    })  # fmt: skip
    most = max(2 * found.users, min(4 * found.users, found.max_users or 0))
    users = sorted({max(1, round(most * step / _GROWTH_POINTS)) for step in range(_GROWTH_POINTS + 1)})
    lines = (
        GrowthLine(context, tuple((count, found.with_load(count, context).total) for count in users))
        for context in contexts
    )
    return Growth(tuple(lines), found.gpus * found.card)


def evaluate_thumb_layouts(case: Case) -> ThumbLayouts:
    """The ladder on the scenario's GPUs, and what it does with the usual numbers of them."""
    found = sized(case)
    split = found.split
    ledger = Ledger()
    ledger(MIN_GPUS, weights_gib=found.weights / GIB, gpu_gb=found.card_gb, note="the weights alone")
    layers = found.model.layers
    drawn = split.layout.pp <= layers
    each = found.weights // split.layout.gpus_per_replica
    stages, first = [], 0
    for count in stage_sizes(layers, split.layout.pp) if drawn else ():
        stages.append(StageMemory(first, first + count - 1, each, 0, 0, found.card))
        first += count
    by_id = {link.id: link for link in case.facts.links()}
    counts = sorted({*_LADDER, found.gpus})
    return ThumbLayouts(
        sizing=found,
        split=split,
        steps=tuple(
            ThumbStep(count, rule_of_thumb.split(found.weights, count, found.card_gb))
            for count in counts
            if count <= max(64, found.gpus)
        ),
        places=gpu_grid(found.model, split.layout, NODE_GPUS) if drawn else (),
        stages=tuple(stages),
        gpus_per_node=NODE_GPUS,
        node_link=by_id.get(case.accelerator.link),
        fabric=case.link,
        derivations=(ledger.derivation("Cards that hold the weights"),),
    )


def evaluate_thumb_sides(case: Case) -> ThumbSides:
    """A dense model beside a mixture, by their parameters. Raises RoutingError where a side is of the other kind."""
    names = compared(case)
    dense, moe = (case.facts.model(name) for name in names)
    if dense.is_moe:
        raise RoutingError(f"{dense.name} is a mixture of experts; choose a dense model for the dense side")
    if not moe.is_moe:
        raise RoutingError(f"{moe.name} is a dense model; choose a mixture of experts for the MoE side")
    first, second = sides(case, *names)
    return ThumbSides(_side(first), _side(second), case.precision, case.accelerator, route(case.scenario, moe))


def _side(case: Case) -> ThumbSide:
    found = size(case)
    ledger = Ledger()
    weights = ledger.bytes(
        rule_of_thumb.WEIGHTS, parameters=found.figures.parameters, bytes_per_parameter=found.bytes_per_parameter
    )
    gpus = int(ledger(MIN_GPUS, weights_gib=weights / GIB, gpu_gb=found.card_gb, note="the weights alone"))
    active = parameters(found.model).active if found.model.is_moe else found.figures.parameters
    flops = int(ledger(FLOPS, active_parameters=active))
    return ThumbSide(found.model, found.figures.parameters, active, weights, gpus, flops,
                     ledger.derivation(f"{found.model.name} by the rule of thumb"))  # fmt: skip
