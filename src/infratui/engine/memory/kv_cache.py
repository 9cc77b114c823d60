"""KV cache and recurrent state: bytes per token and sequence on one GPU, by kind of layer, and the tiers below it."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from ...value_types import Keyed, dataclass
from ..model.architecture import (
    AnyAttention,
    Compressed,
    GroupedQuery,
    Latent,
    LayerGroup,
    Model,
    Recurrent,
    layer_order,
)
from ..model.precision import Precision
from .lengths import Lengths
from .weights import stage_groups

if TYPE_CHECKING:
    from .runtime import OffloadTier


class CacheKind(StrEnum):
    """How the cache of a layer grows with the sequence."""

    FULL = "full"
    WINDOW = "window"
    LATENT = "latent"
    COMPRESSED = "compressed"
    STATE = "state"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class KvRules(Keyed):
    """What a serving engine pays beyond `elements × bits`; lives in data with its source."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    indexer_bits: float = 8.25
    """Bits per element of a sparse-attention indexer's keys, scale included; they stay FP8 beside a 16-bit cache."""
    sparse_latent_bytes: int = 0
    """Bytes of one latent row of a sparse-attention layer in an 8-bit cache; 0: elements × bits / 8."""
    state_bits: float = 16
    """Bits per element of the rows that the convolution before a recurrent state keeps; the model states the rest."""
    states_as_stated: bool = True
    """Recurrent state in the type that the model states; earlier engines keep it as they keep activations."""


DEFAULT_RULES = KvRules()


@dataclass(frozen=True, slots=True)
class KvLayers:
    """Layers of one group on one GPU of a stage. Bytes are per layer."""

    group: str
    """Key of the layer group."""
    kind: CacheKind
    layers: int
    token_bytes: float
    """Bytes per cached token, indexer included. Below one per token for compressed caches in fractions of a row."""
    window: int | None
    state_bytes: int
    """Bytes per sequence that do not grow."""
    draft_bytes: int = 0
    """Bytes per sequence that each draft token adds to the state."""

    def sequence_bytes(self, tokens: int) -> int:
        """Bytes of a sequence in all layers of the group."""
        held = tokens if self.window is None else min(tokens, self.window)
        return self.layers * (math.ceil(self.token_bytes * held) + self.state_bytes)


@dataclass(frozen=True, slots=True)
class KvGeometry:
    """The cache of one GPU: a piecewise linear function of the sequence length."""

    groups: tuple[KvLayers, ...]
    growing: float
    """Bytes per token in layers that never stop growing."""
    windows: tuple[tuple[int, float], ...]
    """(window, bytes per token up to it), shortest first."""
    state: int
    """Bytes per sequence whatever its length."""

    @property
    def bytes_per_token(self) -> float:
        """Bytes that the next token of a short sequence takes: all layers that grow at all."""
        return self.growing + sum(per_token for _, per_token in self.windows)

    def token_bytes(self, tokens: float) -> float:
        """Bytes of `tokens` in one sequence, without its constant state."""
        total = self.growing * tokens
        for window, per_token in self.windows:
            total += per_token * min(tokens, window)
        return total

    def sequence_bytes(self, tokens: float) -> int:
        """Bytes of one sequence, its state included."""
        return math.ceil(self.token_bytes(tokens)) + self.state

    def longest(self, budget: float) -> float:
        """Tokens of one sequence that `budget` bytes hold: the inverse of `sequence_bytes`; infinite where growth ends.

        Negative budgets hold none.
        """
        left = budget - self.state
        if left < 0:
            return 0.0
        slope = self.bytes_per_token
        reached = 0
        for window, per_token in self.windows:
            step = slope * (window - reached)
            if left < step:
                return reached + left / slope
            left -= step
            slope -= per_token
            reached = window
        return reached + left / self.growing if self.growing > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Sequences:
    """The load of one replica. Token counts are per sequence."""

    users: int
    context: int
    mean_fill: float = 1.0
    """Share of the context that the mean sequence holds; 1: the worst case."""
    shared_prefix: int = 0
    """Tokens that all sequences begin with; prefix caching keeps them once."""
    lengths: Lengths | None = None
    """As measured, in place of a share of the context."""

    def of(self, users: int) -> Sequences:
        """The same sequences of other users."""
        if users == self.users:
            return self
        return Sequences(users, self.context, self.mean_fill, self.shared_prefix, self.lengths)

    @property
    def held(self) -> float:
        """Tokens that a sequence holds: the mean one, or where lengths are measured each of so many."""
        return self.tokens if self.lengths is None else self.lengths.each(self.users)

    @property
    def tokens(self) -> int:
        """The same in whole tokens."""
        if self.lengths is not None:
            return math.ceil(self.held)
        return max(1, math.ceil(self.context * self.mean_fill))

    @property
    def prefix(self) -> int:
        """Tokens in common: all but one at most, for every sequence asks something of its own."""
        return min(self.shared_prefix, self.tokens - 1)


@dataclass(frozen=True, slots=True)
class KvDemand:
    """Bytes that the sequences of a replica need on one GPU."""

    shared: int
    """The common prefix, once."""
    per_user: int
    users: int

    @property
    def total(self) -> int:
        return self.shared + self.users * self.per_user

    @property
    def saved(self) -> int:
        """Bytes that keeping the prefix once saves."""
        return self.shared * (self.users - 1)


def cache_kind(attention: AnyAttention | None) -> CacheKind:
    """What a layer with this attention keeps."""
    match attention:
        case None:
            return CacheKind.NONE
        case Latent():
            return CacheKind.LATENT
        case Recurrent():
            return CacheKind.STATE
        case Compressed(borrows_cache=True):
            return CacheKind.WINDOW
        case Compressed(ratio=ratio):
            return CacheKind.COMPRESSED if ratio else CacheKind.WINDOW
        case GroupedQuery(borrows_cache=True):
            return CacheKind.NONE
        case GroupedQuery(window=window):
            return CacheKind.FULL if window is None else CacheKind.WINDOW


def layer_kinds(model: Model) -> tuple[CacheKind, ...]:
    """One entry per layer, from first to last."""
    return tuple(cache_kind(group.attention) for group in layer_order(model))


def indexer_bits(attention: AnyAttention, rules: KvRules) -> float:
    """Bits per element of an index's keys: the model's own, else what the engine keeps."""
    indexer = None if isinstance(attention, Recurrent) else attention.indexer
    return (indexer.bits if indexer else None) or rules.indexer_bits


@lru_cache(maxsize=256)
def kv_layers(
    group: LayerGroup, layers: int, precision: Precision, tp: int, windowed: bool, rules: KvRules
) -> KvLayers:
    """The cache of one layer group on one rank of `tp`. `windowed=False`: the engine pays full length for windows."""
    attention = group.attention
    kind = cache_kind(attention)
    if attention is None:
        return KvLayers(group.key, kind, layers, 0.0, None, 0)
    bytes_per_token = attention.kv_elements(tp) * precision.bits / 8
    index = attention.index_elements()
    if index and kind is CacheKind.LATENT and precision.bits <= 8 and rules.sparse_latent_bytes:
        bytes_per_token = rules.sparse_latent_bytes
    bytes_per_token += index * indexer_bits(attention, rules) / 8
    window = attention.window if windowed else None
    if isinstance(attention, Recurrent):
        conv, conv_drafted = attention.conv_elements(tp), attention.conv_elements(tp, 1)
        own = attention.state_elements(tp) - conv
        state = math.ceil(
            (own * (attention.state_bits if rules.states_as_stated else rules.state_bits) + conv * rules.state_bits) / 8
        )
        drafted = math.ceil((conv_drafted - conv) * rules.state_bits / 8)
        return KvLayers(group.key, kind, layers, bytes_per_token, window, state, drafted)
    state = math.ceil(attention.state_elements(tp) * precision.bits / 8)
    return KvLayers(group.key, kind, layers, bytes_per_token, window, state)


@lru_cache(maxsize=128)
def kv_stages(
    model: Model,
    precision: Precision,
    tp: int = 1,
    pp: int = 1,
    windowed: bool = True,
    rules: KvRules = DEFAULT_RULES,
    dcp: int = 1,
) -> tuple[KvGeometry, ...]:
    """Cache geometry of a GPU in each pipeline stage.

    Grouped-query heads divide by TP down to one per rank; a latent is whole on every rank. Attention data parallelism,
    replicas that share experts, divides it: each replica then holds its own sequences. So does decode context
    parallelism: of each sequence a rank holds every `dcp`-th token (vllm-project/vllm#23734).
    """
    # Stages of a long pipeline are of few kinds.
    known: dict[tuple[tuple[int, int], ...], KvGeometry] = {}
    stages = []
    for groups in stage_groups(model, pp):
        kind = tuple((id(group), layers) for group, layers in groups)
        if kind not in known:
            known[kind] = _geometry(
                tuple(
                    _shared_out(kv_layers(group, layers, precision, tp, windowed, rules), dcp)
                    if model.answers
                    else KvLayers(group.key, CacheKind.NONE, layers, 0.0, None, 0)
                    for group, layers in groups
                )
            )
        stages.append(known[kind])
    return tuple(stages)


def _shared_out(layers: KvLayers, dcp: int) -> KvLayers:
    return layers if dcp == 1 else replace(layers, token_bytes=layers.token_bytes / dcp)


def _geometry(groups: tuple[KvLayers, ...]) -> KvGeometry:
    growing = 0.0
    windows: dict[int, float] = {}
    state = 0
    for entry in groups:
        state += entry.layers * entry.state_bytes
        per_token = entry.layers * entry.token_bytes
        if entry.window is None:
            growing += per_token
        else:
            windows[entry.window] = windows.get(entry.window, 0.0) + per_token
    return KvGeometry(groups, growing, tuple(sorted(windows.items())), state)


def kv_geometry(
    model: Model,
    precision: Precision,
    tp: int = 1,
    windowed: bool = True,
    rules: KvRules = DEFAULT_RULES,
) -> KvGeometry:
    """Cache of one GPU that holds all layers.

    DeepSeek-V3 in BF16: 61 layers × (512 + 64) × 2 B = 70,272 B per token.
    """
    return kv_stages(model, precision, tp, 1, windowed, rules)[0]


def kv_demand(geometry: KvGeometry, load: Sequences) -> KvDemand:
    """Bytes that `load` needs on one GPU: the shared prefix once, the rest per sequence."""
    prefix = load.prefix if load.shared_prefix and load.users > 1 else 0
    shared = math.ceil(geometry.token_bytes(prefix)) if prefix else 0
    return KvDemand(shared, geometry.sequence_bytes(load.held - prefix if shared else load.held), load.users)


def shared_demand(geometry: KvGeometry, load: Sequences) -> KvDemand:
    """What `load` needs with a second user at least, whose prefix is the first one's too."""
    return kv_demand(geometry, load.of(max(2, load.users)))


def users_within(space: int, geometry: KvGeometry, load: Sequences, by_more: KvDemand | None = None) -> int:
    """The most users whose sequences `space` bytes hold; 0 where sequences take nothing.

    `by_more`: what two users or more need, where it is known.
    """
    if load.lengths is None:
        demand = by_more or shared_demand(geometry, load)
        most = max(0, space - demand.shared) // demand.per_user if demand.per_user else 0
        # Alone, a user shares no prefix.
        return most if most > 1 or not demand.shared else int(kv_demand(geometry, load.of(1)).total <= space)
    low, high = 0, max(0, space) // max(1, geometry.sequence_bytes(max(1.0, load.lengths.mean) - load.prefix) or 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if kv_demand(geometry, load.of(middle)).total <= space else (low, middle - 1)
    return low


@dataclass(frozen=True, slots=True)
class KvTier:
    """A place below GPU memory where idle KV can wait, and whether fetching it beats computing it again."""

    name: str
    bandwidth: float
    """Bytes per second towards the GPU."""
    restore_s: float
    recompute_s: float | None
    """None: the GPU's peak rate is unknown."""
    users: int = 0
    """Further sequences whose cache can wait there, over the whole layout: each costs its TTFT the way back."""
    capacity: float = 0.0
    """Bytes per GPU; 0: unknown."""

    @property
    def worth_it(self) -> bool | None:
        """Restoring is faster than recomputing; None: unknown."""
        return None if self.recompute_s is None else self.restore_s < self.recompute_s


def kv_tier(
    tier: OffloadTier, sequence_bytes: int, prefill_flops: float, flops_per_s: float | None, replicas: int = 1
) -> KvTier:
    """Time to fetch one sequence's cache on one GPU beside the time to prefill it again there, and what fits."""
    recompute = prefill_flops / flops_per_s if flops_per_s else None
    users = replicas * int(tier.capacity // sequence_bytes)
    return KvTier(tier.name, tier.bandwidth, sequence_bytes / tier.bandwidth, recompute, users, tier.capacity)
