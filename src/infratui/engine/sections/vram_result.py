"""What the memory section holds: estimates, table, growth, the chosen GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..deployment.answer import Totals
from ..deployment.fewest import Fewest
from ..deployment.judge import PoolSplit
from ..deployment.thumb import UnknownCache
from ..figures.derivation import Derivation, Ledger
from ..figures.reason import Reason
from ..memory.kv_cache import CacheKind, KvTier, Sequences
from ..memory.plan import Deployment, MemoryPlan
from ..memory.startup import StartupLines
from ..memory.weights import PartWeights
from ..model.architecture import Model

if TYPE_CHECKING:
    from ..deployment.ways_out import WayOut


class Verdict(StrEnum):
    """How it stands with a load on some GPUs."""

    FITS = "fits"
    TIGHT = "tight"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Memory that holds all users, in bytes, by one estimator."""

    estimator: str
    """`detailed` or `rule-of-thumb`."""
    weights: int
    kv_cache: int
    runtime: int
    gpus: int
    """GPUs that it is counted over; the detailed estimate is of the chosen layout, padding and copies included."""
    band_pct: float | None
    """± percent of the total; None: no measured data."""
    derivation: Derivation

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.runtime


@dataclass(frozen=True, slots=True)
class KvGroup:
    """Cache of one kind of layer, counted once (no copies)."""

    group: str
    kind: CacheKind
    layers: int
    window: int | None
    bytes_per_token: float
    """All layers of the group together."""
    bytes_per_user: int
    total: int
    """All users."""


@dataclass(frozen=True, slots=True)
class LayerCache:
    """One layer of the strip."""

    index: int
    group: str
    kind: CacheKind
    bytes_per_user: int


@dataclass(frozen=True, slots=True)
class AcceleratorRow:
    """One accelerator in the table. Bytes are per GPU."""

    accelerator: Accelerator
    visible: int
    usable: int
    """What the engine may take for weights, cache and its own buffers."""
    gpus_arithmetic: int | None
    gpus: int | None
    """Fewest in a legal layout; None: none."""
    layout: Layout | None
    nodes: int | None
    free: int | None
    max_users: int | None
    max_context: int | None
    verdict: Verdict
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Selected:
    """The chosen accelerator and count."""

    accelerator: Accelerator
    gpus: int
    plan: MemoryPlan | None
    """None where no layout can be built; with its derivation otherwise."""
    idle: int
    verdict: Verdict
    missing: int
    """Bytes short per GPU."""
    missing_gpus: int | None
    """GPUs to add for the smallest legal layout; None: none helps."""
    pools: PoolSplit | None
    """What computes the prompts, where that is pinned apart; `plan` is of what decodes."""
    reasons: tuple[Reason, ...]
    """Why this layout."""
    refused: tuple[Reason, ...]
    """Why none can be built."""
    kv_copies: float
    """Times that a tensor-parallel group holds each cached token."""
    totals: Totals | None
    """Over all GPUs of the layout."""


@dataclass(frozen=True, slots=True)
class GrowthLine:
    """Memory of the whole deployment against users, at one context."""

    context: int
    points: tuple[tuple[int, int], ...]
    """(users, bytes)."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth chart: one line per context, and what the chosen GPUs can take."""

    lines: tuple[GrowthLine, ...]
    capacity: int
    """Bytes that the engine may take on all chosen GPUs."""


@dataclass(frozen=True, slots=True)
class PrefixEffect:
    """What keeping a common prefix once saves on one GPU."""

    tokens: int
    saved: int
    """Bytes on the tightest GPU."""


@dataclass(frozen=True, slots=True)
class VramResult:
    """Everything the memory screen shows."""

    estimator: str
    model: Model
    deployment: Deployment
    load: Sequences
    detailed: Estimate
    rule_of_thumb: Estimate
    unknown_cache: UnknownCache | None
    """Why the rule of thumb knows no cache of this model; None: it does."""
    checkpoint_bytes: int
    """The model once, in this precision."""
    weights_by_part: tuple[PartWeights, ...]
    """The same by part."""
    weights_per_gpu: tuple[PartWeights, ...]
    """On the fullest GPU of the chosen layout; empty where there is none."""
    kv_bytes_per_token: float
    """One copy, all layers that grow."""
    kv_bytes_per_user: int
    """One copy of one sequence at its mean fill."""
    kv_groups: tuple[KvGroup, ...]
    layers: tuple[LayerCache, ...]
    tiers: tuple[KvTier, ...]
    """Fetching one user's cache back to the GPUs of a replica, against computing it again."""
    smallest: Fewest
    """On the chosen accelerator."""
    ways: tuple[WayOut, ...]
    """What would let these GPUs hold it, or fewer be enough, cheapest first; empty where they hold it."""
    rows: tuple[AcceleratorRow, ...]
    selected: Selected
    growth: Growth
    startup: StartupLines | None
    """What vLLM prints for one replica of the chosen layout at this context; None without a layout."""
    prefix: PrefixEffect | None
    currency: str
    """Label of every amount."""
    rents: Mapping[str, float]
    """Accelerator → USD per GPU and month, the cheapest way to rent that the horizon covers; unpriced: absent."""

    def monthly(self, row: AcceleratorRow) -> float | None:
        """USD per month for the GPUs of a row; None where no price is known, or nothing holds the load."""
        rent = self.rents.get(row.accelerator.id)
        return None if rent is None or row.gpus is None else rent * row.gpus

    @property
    def headline(self) -> Estimate:
        """The estimate of the chosen estimator."""
        return self.detailed if self.estimator == "detailed" else self.rule_of_thumb

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """The chosen estimate, the chosen GPUs, the fewest, then the other estimate."""
        other = self.rule_of_thumb if self.estimator == "detailed" else self.detailed
        plan = self.selected.plan
        ledger = Ledger()
        self.smallest.explain(ledger)
        fewest = (ledger.derivation("Fewest GPUs"),) if ledger.steps else ()
        middle = (plan.derivation,) if plan is not None and plan.derivation is not None else ()
        return (self.headline.derivation, *middle, *fewest, other.derivation)

    @property
    def fits(self) -> bool:
        """The chosen GPUs hold the load."""
        return self.selected.verdict is not Verdict.NO

    def row(self, accelerator_id: str) -> AcceleratorRow:
        """The table's row of an accelerator. Raises KeyError."""
        for row in self.rows:
            if row.accelerator.id == accelerator_id:
                return row
        raise KeyError(accelerator_id)
