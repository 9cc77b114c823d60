"""Kinds of attention: their parameters, what they cache, and what attending costs. All figures are per layer."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Protocol

from ...value_types import dataclass
from .parts import Part, Weights
from .recurrent import Recurrent


class Attention(Protocol):
    """What memory and speed need to know of any kind of attention. All figures are per layer."""

    @property
    def heads(self) -> int: ...

    @property
    def window(self) -> int | None:
        """Tokens after which the cache stops growing; None: never."""

    @property
    def query_width(self) -> int:
        """Elements of all query heads."""

    @property
    def output_width(self) -> int:
        """Elements that the output projection reads."""

    @property
    def stored_heads(self) -> int:
        """Heads of what is cached: a rank holds whole ones, or a copy of one."""

    @property
    def rotated(self) -> int:
        """Elements of a head that carry its position; 0: none do."""

    @property
    def selected(self) -> int | None:
        """Cached tokens that an indexer leaves to attend to; None: all."""

    def weights(self, hidden: int) -> Weights: ...

    def kv_elements(self, tp: int) -> float:
        """Cache elements per token on one rank of `tp`."""

    def index_elements(self) -> float:
        """Elements per token of a sparse-attention indexer's key cache (a copy per rank)."""

    def state_elements(self, tp: int) -> int:
        """Elements per sequence that do not grow with its length, per rank."""

    def attend_flops(self, context: int, *, decode: bool) -> int:
        """FLOPs for one query token to attend over `context` cached tokens."""


@dataclass(frozen=True, slots=True)
class Indexer:
    """The key selector of sparse attention (DSA): scores all cached tokens, attention reads the best `top_k`."""

    heads: int
    head_dim: int
    top_k: int
    shared: bool = False
    """Takes the choice of an earlier layer: no weights, no keys and no scoring of its own."""
    pool: int = 1
    """Tokens that share one key."""
    borrows_keys: bool = False
    """Scores the keys of an earlier layer with queries of its own: it keeps none."""
    bits: float | None = None
    """Bits of a key's element as the model was trained to keep it, scale included; None: the engine's own choice."""

    def parameters(self, hidden: int, query_rank: int) -> int:
        """Query from the query latent, key and head weights from the hidden state, and the key's norm."""
        if self.shared:
            return 0
        return (
            query_rank * self.heads * self.head_dim + hidden * self.head_dim + hidden * self.heads + 2 * self.head_dim
        )

    def key_elements(self) -> float:
        """Elements of the key cache per token (or per compressed entry)."""
        return 0.0 if self.borrows_keys else self.scored_elements()

    def scored_elements(self) -> float:
        """Elements per token (or entry) that scoring reads, whichever layer holds them."""
        return 0.0 if self.shared else self.head_dim / self.pool

    def score_flops(self, entries: int) -> int:
        """FLOPs to score that many cached entries for one query token."""
        return 0 if self.shared else 2 * entries * self.heads * self.head_dim // self.pool


@dataclass(frozen=True, slots=True)
class GroupedQuery:
    """MHA, GQA and MQA, full or in a sliding window."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    heads: int
    kv_heads: int
    head_dim: int
    kind: Literal["gqa"] = "gqa"
    window: int | None = None
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: Literal["", "head", "full"] = ""
    """Norms on queries and keys: one of `head_dim` each, or over the full width."""
    sinks: bool = False
    output_gate: bool = False
    """The query projection also makes an output gate: twice its width."""
    value_is_key: bool = False
    """No value projection: the key's serves both (the cache still holds both)."""
    value_dim: int = 0
    """Width of a value head; 0: as wide as a key's."""
    indexer: Indexer | None = None
    borrows_cache: bool = False
    """Attends to the cache of an earlier layer of its kind: it caches nothing itself."""
    rotary_dim: int | None = None
    """Elements of a head that rotary positions turn; None: all of them, 0: positions are told otherwise."""
    extra_parameters: int = 0
    """Anything per layer that the fields above do not name."""

    @property
    def values(self) -> int:
        """Width of a value head."""
        return self.value_dim or self.head_dim

    @property
    def query_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def output_width(self) -> int:
        return self.heads * self.values

    @property
    def stored_heads(self) -> int:
        return self.kv_heads

    @property
    def rotated(self) -> int:
        return self.head_dim if self.rotary_dim is None else self.rotary_dim

    @property
    def selected(self) -> int | None:
        return self.indexer.top_k if self.indexer else None

    def weights(self, hidden: int) -> Weights:
        query = self.heads * self.head_dim
        key = self.kv_heads * self.head_dim
        value = self.kv_heads * self.values
        projected = key if self.value_is_key else key + value
        sharded = hidden * query * (2 if self.output_gate else 1) + self.heads * self.values * hidden
        kv = hidden * projected
        replicated = self.extra_parameters
        if self.qkv_bias:
            sharded += query
            kv += projected
        if self.out_bias:
            replicated += hidden
        if self.qk_norm == "head":
            replicated += 2 * self.head_dim
        elif self.qk_norm == "full":
            replicated += query + key
        if self.sinks:
            sharded += self.heads
        if self.indexer:
            replicated += self.indexer.parameters(hidden, hidden)
        return Weights(Part.ATTENTION, sharded, kv, replicated, self.kv_heads)

    def kv_elements(self, tp: int) -> float:
        return 0 if self.borrows_cache else self.read_elements(tp)

    def read_elements(self, tp: int) -> float:
        """Cache elements per token that attending reads on one rank, whichever layer holds them."""
        return math.ceil(self.kv_heads / tp) * (self.head_dim + self.values)

    def index_elements(self) -> float:
        return self.indexer.key_elements() if self.indexer else 0

    def state_elements(self, tp: int) -> int:
        return 0

    def attend_flops(self, context: int, *, decode: bool) -> int:
        seen = min(context, self.window or context)
        score = 0
        if self.indexer:
            score = self.indexer.score_flops(context)
            seen = min(seen, self.indexer.top_k)
        return 2 * seen * self.heads * (self.head_dim + self.values) + score


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention (MLA): the cache holds one compressed latent and a rotary key for all heads."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    heads: int
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    q_lora_rank: int = 0
    """0: queries straight from the hidden state."""
    output_gate: bool = False
    """A projection as wide as all value heads gates what attention gives out."""
    kind: Literal["mla"] = "mla"
    indexer: Indexer | None = None

    @property
    def window(self) -> int | None:
        return None

    @property
    def query_width(self) -> int:
        return self.heads * (self.qk_nope_head_dim + self.qk_rope_head_dim)

    @property
    def output_width(self) -> int:
        return self.heads * self.v_head_dim

    @property
    def stored_heads(self) -> int:
        return 1

    @property
    def rotated(self) -> int:
        return self.qk_rope_head_dim

    @property
    def selected(self) -> int | None:
        return self.indexer.top_k if self.indexer else None

    def weights(self, hidden: int) -> Weights:
        head_dim = self.qk_nope_head_dim + self.qk_rope_head_dim
        query_in = self.q_lora_rank or hidden
        sharded = query_in * self.heads * head_dim
        sharded += self.kv_lora_rank * self.heads * (self.qk_nope_head_dim + self.v_head_dim)
        sharded += self.heads * self.v_head_dim * hidden * (2 if self.output_gate else 1)
        replicated = hidden * (self.kv_lora_rank + self.qk_rope_head_dim) + self.kv_lora_rank
        if self.q_lora_rank:
            replicated += hidden * self.q_lora_rank + self.q_lora_rank
        if self.indexer:
            replicated += self.indexer.parameters(hidden, query_in)
        return Weights(Part.ATTENTION, sharded, 0, replicated)

    def kv_elements(self, tp: int) -> float:
        # One latent serves all heads, so every rank keeps a full copy.
        return self.kv_lora_rank + self.qk_rope_head_dim

    def index_elements(self) -> float:
        return self.indexer.key_elements() if self.indexer else 0

    def state_elements(self, tp: int) -> int:
        return 0

    def attend_flops(self, context: int, *, decode: bool) -> int:
        score, seen = 0, context
        if self.indexer:
            score = self.indexer.score_flops(context)
            seen = min(context, self.indexer.top_k)
        if decode:
            # Absorbed form: heads attend in the latent space.
            return 2 * seen * self.heads * (2 * self.kv_lora_rank + self.qk_rope_head_dim) + score
        return 2 * seen * self.heads * (self.qk_nope_head_dim + self.qk_rope_head_dim + self.v_head_dim) + score


@dataclass(frozen=True, slots=True)
class Compressed:
    """Compressed attention (DeepSeek-V4): one shared KV head, cached once per `ratio` tokens, plus a short window.

    DeepSeek-V4.1 pools without overlap, makes the index's keys of pooled entries, and lets layers read the entries that
    an earlier one keeps (arXiv 2609.19969, CSA2). DeepSeek-V4.1-Flash keeps 3 / 2 + 1 entries per token, each of 512
    elements at 4.5 bits beside a key of 128 at 4.25: 890 bytes, as its makers say.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    heads: int
    head_dim: int
    rope_head_dim: int
    q_lora_rank: int
    out_groups: int
    out_lora_rank: int
    local_window: int
    ratio: int = 0
    """Tokens per cached entry; 0: the local window only."""
    kind: Literal["compressed"] = "compressed"
    indexer: Indexer | None = None
    borrows_cache: bool = False
    """Reads the entries of an earlier layer beside a window of its own."""
    keys_of_entries: bool = False
    """Entries do not overlap, and the index's keys are projected from them (DeepSeek-V4.1)."""
    extra_parameters: int = 0

    @property
    def window(self) -> int | None:
        return None if self.ratio else self.local_window

    @property
    def query_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def output_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def stored_heads(self) -> int:
        return 1

    @property
    def rotated(self) -> int:
        return self.rope_head_dim

    @property
    def selected(self) -> int | None:
        return self.indexer.top_k * self.ratio if self.indexer else None

    def weights(self, hidden: int) -> Weights:
        query = self.heads * self.head_dim
        sharded = self.q_lora_rank * query + query * self.out_lora_rank + self.out_groups * self.out_lora_rank * hidden
        replicated = hidden * self.q_lora_rank + self.q_lora_rank + hidden * self.head_dim + self.head_dim
        replicated += self.heads + self.extra_parameters + self._compressor(hidden, self.head_dim)
        if self.indexer and not self.indexer.shared:
            replicated += self.q_lora_rank * self.indexer.heads * self.indexer.head_dim + hidden * self.indexer.heads
            if not self.keys_of_entries:
                replicated += self._compressor(hidden, self.indexer.head_dim)
            elif not self.indexer.borrows_keys:
                replicated += self.head_dim * self.indexer.head_dim + self.indexer.head_dim
        return Weights(Part.ATTENTION, sharded, 0, replicated)

    def _compressor(self, hidden: int, width: int) -> int:
        """Parameters that pool `ratio` tokens into one entry: values and gates, a place per token, a norm."""
        if not self.ratio or self.borrows_cache:
            return 0
        if self.keys_of_entries:
            return (2 if self.ratio > 1 else 1) * hidden * width + width
        # Where an indexer selects entries, they overlap: each is pooled from two windows.
        windows = 2 if self.indexer else 1
        return 2 * hidden * windows * width + self.ratio * windows * width + width

    def kv_elements(self, tp: int) -> float:
        return 0 if self.borrows_cache else self.read_elements(tp)

    def read_elements(self, tp: int) -> float:
        """Cache elements per token that attending reads, whichever layer holds them."""
        return self.head_dim / self.ratio if self.ratio else self.head_dim

    def index_elements(self) -> float:
        return self.indexer.key_elements() / self.ratio if self.indexer and self.ratio else 0

    def scored_elements(self) -> float:
        """Elements of keys per token that the index reads, whichever layer holds them."""
        return self.indexer.scored_elements() / self.ratio if self.indexer and self.ratio else 0

    def state_elements(self, tp: int) -> int:
        # The window beside a compressed cache is a fixed cost per sequence.
        return self.local_window * self.head_dim if self.ratio else 0

    def attend_flops(self, context: int, *, decode: bool) -> int:
        local = min(context, self.local_window)
        entries = context // self.ratio if self.ratio else 0
        score = 0
        if self.indexer:
            score = self.indexer.score_flops(entries)
            entries = min(entries, self.indexer.top_k)
        return 4 * (local + entries) * self.heads * self.head_dim + score


AnyAttention = GroupedQuery | Latent | Compressed | Recurrent
