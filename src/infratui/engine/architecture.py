"""A model as its architecture: groups of layers, from which parameters and KV geometry follow.

Counts are plain integers. A layer group is what repeats: one kind of attention and one kind of MLP. All figures of a
group are per layer; `Model.order` says how the groups alternate.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, Literal, Protocol


class Part(StrEnum):
    """Where weights sit; precisions differ by part."""

    EMBEDDING = "embedding"
    ATTENTION = "attention"
    MLP = "mlp"
    ROUTER = "router"
    ROUTED_EXPERTS = "routed_experts"
    SHARED_EXPERTS = "shared_experts"
    NORMS = "norms"
    HEAD = "head"
    EXTRA = "extra"
    """Loaded parts outside the decoder, such as a vision tower."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Parameters of one part of one layer, by how tensor parallelism treats them."""

    part: Part
    sharded: int = 0
    """Divided by TP (experts: by TP or EP)."""
    kv: int = 0
    """Key and value projections: divided by TP up to the number of KV heads, then replicated."""
    replicated: int = 0
    """A full copy on every rank: norms, router, latent down-projections."""
    kv_heads: int = 1
    active: int | None = None
    """Parameters read for one token; None: all of them."""

    @property
    def total(self) -> int:
        return self.sharded + self.kv + self.replicated

    def per_rank(self, tp: int) -> int:
        """Parameters on the fullest rank of a tensor-parallel group of `tp`."""
        kv = math.ceil(self.kv / min(tp, self.kv_heads)) if self.kv else 0
        return math.ceil(self.sharded / tp) + kv + self.replicated


class Attention(Protocol):
    """What memory and speed need to know of any kind of attention. All figures are per layer."""

    @property
    def heads(self) -> int: ...

    @property
    def window(self) -> int | None:
        """Tokens after which the cache stops growing; None: never."""

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

    def parameters(self, hidden: int, query_rank: int) -> int:
        """Query from the query latent, key and head weights from the hidden state, and the key's norm."""
        if self.shared:
            return 0
        return (
            query_rank * self.heads * self.head_dim + hidden * self.head_dim + hidden * self.heads + 2 * self.head_dim
        )

    def key_elements(self) -> int:
        """Elements of the key cache per token (or per compressed entry)."""
        return 0 if self.shared else self.head_dim

    def score_flops(self, entries: int) -> int:
        """FLOPs to score that many cached entries for one query token."""
        return 0 if self.shared else 2 * entries * self.heads * self.head_dim


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
    indexer: Indexer | None = None
    extra_parameters: int = 0
    """Anything per layer that the fields above do not name."""

    def weights(self, hidden: int) -> Weights:
        query = self.heads * self.head_dim
        key = self.kv_heads * self.head_dim
        kv_projections = 1 if self.value_is_key else 2
        sharded = hidden * query * (2 if self.output_gate else 1) + query * hidden
        kv = hidden * key * kv_projections
        replicated = self.extra_parameters
        if self.qkv_bias:
            sharded += query
            kv += key * kv_projections
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
        return 2 * math.ceil(self.kv_heads / tp) * self.head_dim

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
        return 4 * seen * self.heads * self.head_dim + score


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
    kind: Literal["mla"] = "mla"
    indexer: Indexer | None = None

    @property
    def window(self) -> int | None:
        return None

    def weights(self, hidden: int) -> Weights:
        head_dim = self.qk_nope_head_dim + self.qk_rope_head_dim
        query_in = self.q_lora_rank or hidden
        sharded = query_in * self.heads * head_dim
        sharded += self.kv_lora_rank * self.heads * (self.qk_nope_head_dim + self.v_head_dim)
        sharded += self.heads * self.v_head_dim * hidden
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
    """Compressed attention (DeepSeek-V4): one shared KV head, cached once per `ratio` tokens, plus a short window."""

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
    extra_parameters: int = 0

    @property
    def window(self) -> int | None:
        return None if self.ratio else self.local_window

    def weights(self, hidden: int) -> Weights:
        query = self.heads * self.head_dim
        sharded = self.q_lora_rank * query + query * self.out_lora_rank + self.out_groups * self.out_lora_rank * hidden
        replicated = hidden * self.q_lora_rank + self.q_lora_rank + hidden * self.head_dim + self.head_dim
        replicated += self.heads + self.extra_parameters + self._compressor(hidden, self.head_dim)
        if self.indexer:
            replicated += self.q_lora_rank * self.indexer.heads * self.indexer.head_dim + hidden * self.indexer.heads
            replicated += self._compressor(hidden, self.indexer.head_dim)
        return Weights(Part.ATTENTION, sharded, 0, replicated)

    def _compressor(self, hidden: int, width: int) -> int:
        """Parameters that pool `ratio` tokens into one entry: values and gates, a place per token, a norm."""
        if not self.ratio:
            return 0
        # Where an indexer selects entries, they overlap: each is pooled from two windows.
        windows = 2 if self.indexer else 1
        return 2 * hidden * windows * width + self.ratio * windows * width + width

    def kv_elements(self, tp: int) -> float:
        return self.head_dim / self.ratio if self.ratio else self.head_dim

    def index_elements(self) -> float:
        return self.indexer.key_elements() / self.ratio if self.indexer and self.ratio else 0

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


@dataclass(frozen=True, slots=True)
class Recurrent:
    """Linear attention and state-space layers: a fixed state per sequence, no growing cache.

    `heads` × `head_dim` × `state_dim` is the state; `style` decides the projections.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    style: Literal["mamba2", "gated_delta", "lightning"]
    heads: int
    """Value heads (gated delta), SSM heads (Mamba-2), attention heads (lightning)."""
    head_dim: int
    state_dim: int
    key_heads: int = 0
    """Gated delta: key heads; Mamba-2: groups that share B and C."""
    conv_kernel: int = 0
    kind: Literal["recurrent"] = "recurrent"

    @property
    def window(self) -> int | None:
        return None

    def _conv_channels(self) -> int:
        keys = self.key_heads * self.state_dim
        return self.heads * self.head_dim + 2 * keys

    def weights(self, hidden: int) -> Weights:
        inner = self.heads * self.head_dim
        keys = self.key_heads * self.state_dim
        match self.style:
            case "mamba2":
                # in: gate, x, B, C, dt; conv with bias over x, B, C; A, D, dt bias; gated norm; out.
                sharded = hidden * (2 * inner + 2 * keys + self.heads) + inner * hidden
                sharded += self._conv_channels() * (self.conv_kernel + 1) + 3 * self.heads + inner
                return Weights(Part.ATTENTION, sharded)
            case "gated_delta":
                # in: q, k, v, gate and two scalars per head; conv over q, k, v; A and dt bias; norm; out.
                sharded = hidden * (2 * keys + 2 * inner + 2 * self.heads) + inner * hidden
                sharded += self._conv_channels() * self.conv_kernel + 2 * self.heads
                return Weights(Part.ATTENTION, sharded, 0, self.head_dim)
            case "lightning":
                sharded = hidden * 3 * inner + hidden * inner + inner * hidden
                return Weights(Part.ATTENTION, sharded, 0, inner)

    def kv_elements(self, tp: int) -> float:
        return 0

    def index_elements(self) -> float:
        return 0

    def state_elements(self, tp: int) -> int:
        conv = self._conv_channels() * (self.conv_kernel - 1) if self.conv_kernel else 0
        return math.ceil(self.heads * self.head_dim * self.state_dim / tp) + math.ceil(conv / tp)

    def attend_flops(self, context: int, *, decode: bool) -> int:
        return 4 * self.heads * self.head_dim * self.state_dim


AnyAttention = GroupedQuery | Latent | Compressed | Recurrent


@dataclass(frozen=True, slots=True)
class Dense:
    """An MLP that every token passes: gated (three matrices) or plain (two)."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    width: int
    gated: bool = True
    bias: bool = False
    kind: Literal["dense"] = "dense"

    def weights(self, hidden: int) -> tuple[Weights, ...]:
        matrices = 3 if self.gated else 2
        sharded = matrices * hidden * self.width + ((matrices - 1) * self.width if self.bias else 0)
        return (Weights(Part.MLP, sharded, 0, hidden if self.bias else 0),)


@dataclass(frozen=True, slots=True)
class Gate:
    """How a family's router turns logits into choices and weights."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    scoring: Literal["softmax", "sigmoid", "sqrtsoftplus"] = "softmax"
    correction_bias: bool = False
    """A learned bias per expert that steers the choice but not the weight."""
    groups: int = 1
    top_groups: int = 1
    renormalise: bool = True
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of experts: a router picks `top_k` of `experts`; shared experts see every token."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    experts: int
    top_k: int
    width: int
    shared_experts: int = 0
    shared_width: int = 0
    """Width of one shared expert; 0: as the routed ones."""
    shared_gate: bool = False
    gated: bool = True
    bias: bool = False
    router_bias: bool = False
    latent_size: int = 0
    """Experts work in a latent of this size, with projections in and out shared by all."""
    dense_width: int = 0
    """A dense MLP beside the experts."""
    router_extra: int = 0
    gate: Gate = Gate()
    kind: Literal["moe"] = "moe"

    def expert_parameters(self, hidden: int) -> int:
        """Parameters of one routed expert."""
        return (3 if self.gated else 2) * (self.latent_size or hidden) * self.width + self._expert_bias(hidden)

    def _expert_bias(self, hidden: int) -> int:
        if not self.bias:
            return 0
        return (2 if self.gated else 1) * self.width + (self.latent_size or hidden)

    def weights(self, hidden: int) -> tuple[Weights, ...]:
        matrices = 3 if self.gated else 2
        bias = self._expert_bias(hidden)
        expert = self.expert_parameters(hidden) - bias
        router = hidden * self.experts + (self.experts if self.router_bias or self.gate.correction_bias else 0)
        parts = [
            Weights(Part.ROUTER, 0, 0, router + self.router_extra),
            Weights(Part.ROUTED_EXPERTS, self.experts * expert, active=self.top_k * expert),
        ]
        shared = self.shared_experts * matrices * hidden * (self.shared_width or self.width)
        if shared or self.latent_size:
            replicated = (hidden if self.shared_gate else 0) + 2 * hidden * self.latent_size
            parts.append(Weights(Part.SHARED_EXPERTS, shared, 0, replicated))
        if bias:
            # Quantized checkpoints keep vectors wide: biases cost what norms cost.
            parts.append(Weights(Part.NORMS, self.experts * bias, active=self.top_k * bias))
        if self.dense_width:
            parts.append(Weights(Part.MLP, matrices * hidden * self.dense_width))
        return tuple(parts)


AnyMlp = Dense | Mixture


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """Layers of one kind. Either half may be missing: some hybrids stack attention and MLP as blocks of their own."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    key: str
    """The name used in `Model.order`: one or two letters."""
    attention: AnyAttention | None = None
    mlp: AnyMlp | None = None
    norms: int = 2
    """Norm vectors of the hidden size."""
    norm_bias: bool = False
    extra_parameters: int = 0

    def weights(self, hidden: int) -> tuple[Weights, ...]:
        """Parameters of one layer by part."""
        parts: list[Weights] = []
        if self.attention:
            parts.append(self.attention.weights(hidden))
        if self.mlp:
            parts.extend(self.mlp.weights(hidden))
        norms = self.norms * hidden * (2 if self.norm_bias else 1) + self.extra_parameters
        parts.append(Weights(Part.NORMS, 0, 0, norms))
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class Extra:
    """A named part outside the decoder, such as a vision tower or a multi-token-prediction module."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    name: str
    parameters: int
    loaded: bool = False
    """Loaded (and counted) by default: vision towers are, MTP modules are not."""
    stored_as: Part = Part.EXTRA
    """The part whose precision it shares: an MTP module of experts is quantized as the experts are."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the maker says."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    total: int
    active: int
    source: str
    includes: tuple[str, ...] = ()
    """Extras that the published total counts."""
    active_note: str = ""
    """Why the published active count is not comparable with the computed one, where it is not."""


@dataclass(frozen=True, slots=True)
class RuleOfThumb:
    """The round figures that the rule of thumb uses for a classic size, such as 70 billion parameters for a 70B."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    parameters: int
    layers: int
    kv_heads: int
    head_dim: int


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A language model as its architecture. Loaded once and compared by identity, which keeps lookups by model fast."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    name: str
    hidden_size: int
    vocab_size: int
    max_context: int
    groups: tuple[LayerGroup, ...]
    order: str
    """How groups alternate, as runs: `d3 m58`, `(w5 g)10 w2`."""
    tied_embeddings: bool = False
    position_embeddings: int = 0
    """Learned positions, as in GPT-3."""
    embedding_norms: int = 0
    final_norm_bias: bool = False
    head_bias: bool = False
    weight_precision: str = "bf16"
    """Precision id as released."""
    family: str = ""
    hf_id: str = ""
    license: str = ""
    released: str = ""
    extras: tuple[Extra, ...] = ()
    published: Published | None = None
    rule_of_thumb: RuleOfThumb | None = None
    """The round figures of the classic size that this model stands for; None: the architecture's own."""
    notes: str = ""
    source: str = ""
    origin: str = "built-in"
    """`built-in`, or the file that the user's own entry comes from."""

    @property
    def layers(self) -> int:
        return len(layer_order(self))

    @property
    def is_moe(self) -> bool:
        return any(isinstance(group.mlp, Mixture) for group in self.groups)

    @property
    def mixture(self) -> Mixture | None:
        """The first mixture of experts, if there is one."""
        return next((group.mlp for group in self.groups if isinstance(group.mlp, Mixture)), None)


class ArchitectureError(ValueError):
    """A model description that does not add up."""


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Parameters of a model by part, in the order of `Part`."""

    parts: tuple[tuple[Part, int], ...]
    active: int
    """Read per token: the output projection counts, the embedding lookup does not."""

    @property
    def total(self) -> int:
        return sum(count for _, count in self.parts)

    def of(self, part: Part) -> int:
        return next((count for name, count in self.parts if name is part), 0)


_ORDER = re.compile(r"\(([^()]*)\)(\d+)|([a-zA-Z]+)(\d*)|(\s+)|(.)")


MOST_LAYERS = 4096
"""More than any model has: an order that asks for more is a slip."""


@lru_cache(maxsize=512)
def parse_order(order: str) -> tuple[str, ...]:
    """Expand `(w5 g)10 w2` into one group key per layer. Raises ArchitectureError."""
    keys: list[str] = []
    for body, times, key, count, _space, stray in _ORDER.findall(order):
        if stray:
            raise ArchitectureError(f"layer order {order!r}: {stray!r} is not understood; write runs like 'd3 m58'")
        run = parse_order(body) if times else (key,) if key else ()
        # Measured before it is expanded: the order may come from a stranger's file.
        repeats = int((times or count or "1")[:6])
        if len(keys) + len(run) * repeats > MOST_LAYERS:
            raise ArchitectureError(f"layer order {order[:40]!r} has more than {MOST_LAYERS} layers")
        keys.extend(run * repeats)
    return tuple(keys)


@lru_cache(maxsize=512)
def layer_order(model: Model) -> tuple[LayerGroup, ...]:
    """The layers from first to last. Raises ArchitectureError where the order names an unknown group."""
    groups = {group.key: group for group in model.groups}
    keys = parse_order(model.order)
    unknown = sorted(set(keys) - set(groups))
    if unknown or not keys:
        known = ", ".join(groups)
        raise ArchitectureError(
            f"{model.name}: layer order names {', '.join(unknown) or 'no layer'}; groups are {known}"
        )
    return tuple(groups[key] for key in keys)


@lru_cache(maxsize=512)
def group_counts(model: Model) -> tuple[tuple[LayerGroup, int], ...]:
    """Each group with its number of layers, in the order of `Model.groups`."""
    order = layer_order(model)
    return tuple((group, sum(layer is group for layer in order)) for group in model.groups)


def embedding_parameters(model: Model) -> int:
    """Token and position embeddings, and norms right after them."""
    return (model.vocab_size + model.position_embeddings + model.embedding_norms) * model.hidden_size


def head_parameters(model: Model) -> int:
    """The output projection; 0 when it shares the embedding."""
    if model.tied_embeddings:
        return 0
    return model.vocab_size * model.hidden_size + (model.vocab_size if model.head_bias else 0)


@lru_cache(maxsize=512)
def parameters(model: Model) -> ParameterCount:
    """Count parameters by part, total and active.

    Llama 3.1 70B: 80 layers, hidden 8192, 64 heads and 8 KV heads of 128, MLP 28672, vocabulary 128256, untied:
    70,553,706,496 in total (published checkpoint element count).
    """
    totals = dict.fromkeys(Part, 0)
    active = 0
    for group, count in group_counts(model):
        for weights in group.weights(model.hidden_size):
            totals[weights.part] += count * weights.total
            active += count * (weights.total if weights.active is None else weights.active)
    final_norm = model.hidden_size * (2 if model.final_norm_bias else 1)
    totals[Part.EMBEDDING] = embedding_parameters(model)
    totals[Part.HEAD] = head_parameters(model)
    totals[Part.NORMS] += final_norm
    totals[Part.EXTRA] = sum(extra.parameters for extra in model.extras if extra.loaded)
    active += final_norm + model.vocab_size * model.hidden_size
    return ParameterCount(tuple(totals.items()), active)
