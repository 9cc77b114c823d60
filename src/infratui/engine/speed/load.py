"""What one forward step makes a GPU read, compute and send: amounts per rank, before any rate."""

from __future__ import annotations

import math
from functools import lru_cache

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..cluster.traffic import exchanged_bytes
from ..memory.kv_cache import DEFAULT_RULES, KvRules, indexer_bits, kv_stages
from ..memory.weights import padded_vocabulary, weights_per_gpu
from ..model.architecture import (
    AnyAttention,
    Compressed,
    GroupedQuery,
    Latent,
    LayerGroup,
    Mixture,
    Model,
    Part,
    Recurrent,
    group_counts,
)
from ..model.precision import Compute, Precision

HIDDEN_TOUCHES = 10
"""Times that a layer moves the hidden state through memory: norms, residual, projections in and out."""
MLP_TOUCHES = 6
"""Gate and up written and read, their product written and read."""
QUERY_TOUCHES = 4
DISPATCH_TOUCHES = 4
"""Copies of a token on its way to its experts and back."""
_ACTIVATION_BYTES = 2
LATENT_KERNELS = 6
"""Latent attention beside plain: two down projections and their norm, two absorbed products, the split rotary key."""
INDEX_KERNELS = 5
"""Sparse attention: query and key of the index, their norm, scores, the choice."""
STATE_KERNELS = 5
"""Recurrent layers: convolution, gates, normalised keys, scan, gated norm."""
SHARED_KERNELS = 3
"""Shared experts: two products and the activation between them."""


@dataclass(frozen=True, slots=True)
class AttentionLoad:
    """Layers of one attention kind on one rank."""

    layers: int
    attention: AnyAttention
    token_bytes: float
    """Cache bytes per token and layer, the index of sparse attention left out."""
    index_bytes: float
    state_bytes: float
    ranks: int
    selected: int | None
    """Tokens that sparse attention reads; None: all in the window."""

    gathered: float = 0.0
    """Bytes per decoded token and layer that ranks exchange which share out the cache: queries in, outputs back."""

    def read_bytes(self, context: float) -> float:
        """Cache bytes that one sequence of this length makes the rank read per step."""
        window = self.attention.window
        held = context if window is None else min(context, float(window))
        seen = held if self.selected is None else min(held, float(self.selected))
        return self.layers * (self.token_bytes * seen + self.index_bytes * held + self.state_bytes)

    def flops(self, context: float, *, decode: bool) -> float:
        """FLOPs of the rank for one token that attends over `context` tokens."""
        whole = int(context)
        low = self.attention.attend_flops(whole, decode=decode)
        high = self.attention.attend_flops(whole + 1, decode=decode)
        return self.layers / self.ranks * (low + (context - whole) * (high - low))


@dataclass(frozen=True, slots=True)
class ExpertLoad:
    """Layers whose MLP is a mixture of experts."""

    layers: int
    experts: int
    top_k: int
    local_bytes: int
    """Routed weights on one rank."""
    expert_parameters: float
    """Parameters of one expert that one rank computes with, all layers together, per expert of the model."""
    copies: float
    """Ranks that one token is sent to: those that hold its experts, each once."""


@dataclass(frozen=True, slots=True)
class StepLoad:
    """One rank of one replica, all pipeline stages together. Bytes and parameters are per rank."""

    hidden: int
    layers: int
    pp: int
    tp: int
    ep: int
    group: int
    """Replicas that share their experts: 1 unless expert parallelism spans replicas."""
    attention_bytes: int
    dense_bytes: int
    head_bytes: int
    plain_bytes: int
    """Read but hardly computed with: router, norms."""
    attention_parameters: int
    dense_parameters: int
    head_parameters: int
    attention_bits: float
    dense_bits: float
    head_bits: float
    attention_compute: Compute
    dense_compute: Compute
    experts: tuple[ExpertLoad, ...]
    attention: tuple[AttentionLoad, ...]
    activation_bytes: float
    """Moved through memory per token."""
    kernels: int
    """Launches beyond those of a plain layer, all layers together."""
    dcp: int
    """Ranks that share out the cached tokens of a sequence."""
    queries_per_key: int
    """Query heads that share a key: 1 where each has its own."""
    cache_bytes: float
    """Of an element."""
    latent: bool
    """Attends in a compressed latent."""
    weight_bytes: int
    """On the fullest GPU."""
    stages: tuple[tuple[float, tuple[tuple[int, float], ...], int], ...]
    """Cache growth of each stage: bytes per token, (window, bytes per token) and constant bytes per sequence."""

    @property
    def expert_layers(self) -> int:
        return sum(entry.layers for entry in self.experts)

    def sequence_bytes(self, tokens: float) -> float:
        """Cache bytes that a sequence takes on the fullest stage's GPU."""
        return max(
            growing * tokens + sum(per * min(tokens, window) for window, per in windows) + state
            for growing, windows, state in self.stages
        )

    def read_bytes(self, context: float) -> float:
        """Cache bytes that one decoding sequence makes a rank read, all stages together."""
        return sum(entry.read_bytes(context) for entry in self.attention)

    def attend_flops(self, context: float, *, decode: bool) -> float:
        """Attention FLOPs of one token on one rank, all stages together."""
        return sum(entry.flops(context, decode=decode) for entry in self.attention)

    def active_parameters(self) -> float:
        """Parameters one rank multiplies one token with, head included."""
        routed = sum(entry.top_k * entry.expert_parameters for entry in self.experts)
        return self.attention_parameters + self.dense_parameters + self.head_parameters + routed


def attention_ranks(layout: Layout, model: Model) -> tuple[int, int]:
    """(ranks that share one expert set, replicas in that set)."""
    if not model.is_moe or layout.ep <= layout.tp:
        return (layout.ep if model.is_moe else 1), 1
    return layout.ep, max(1, layout.ep // layout.tp)


@lru_cache(maxsize=128)
def step_load(
    model: Model,
    weights: Precision,
    kv: Precision,
    layout: Layout,
    windowed: bool = True,
    rules: KvRules = DEFAULT_RULES,
) -> StepLoad:
    """Amounts of one step on one rank of a replica.

    Llama 3.1 8B in BF16 on one GPU: attention 1.34e9 and MLP 5.64e9 parameters; a decode step reads 15.0e9 bytes of
    them and of the head, whatever the batch.
    """
    ep, replicas = attention_ranks(layout, model)
    parts: dict[Part, list[int]] = {part: [0, 0] for part in Part}
    gpu = weights_per_gpu(model, weights, layout)
    for stage in gpu.stages:
        for entry in stage.parts:
            parts[entry.part][0] += entry.bytes
            parts[entry.part][1] += entry.parameters
    head_rows = padded_vocabulary(model.vocab_size, layout.tp)
    head_parameters = math.ceil(head_rows * model.hidden_size / layout.tp) if model.answers else 0
    head_part = Part.EMBEDDING if model.tied_embeddings else Part.HEAD
    head_bits = weights.bits_of(head_part)
    return StepLoad(
        hidden=model.hidden_size,
        layers=model.layers,
        pp=layout.pp,
        tp=layout.tp,
        ep=ep,
        group=replicas,
        attention_bytes=parts[Part.ATTENTION][0],
        dense_bytes=parts[Part.MLP][0] + parts[Part.SHARED_EXPERTS][0],
        head_bytes=math.ceil(head_parameters * head_bits / 8),
        plain_bytes=parts[Part.ROUTER][0] + parts[Part.NORMS][0],
        attention_parameters=parts[Part.ATTENTION][1],
        dense_parameters=parts[Part.MLP][1] + parts[Part.SHARED_EXPERTS][1],
        head_parameters=head_parameters,
        attention_bits=weights.bits_of(Part.ATTENTION),
        dense_bits=weights.bits_of(Part.ROUTED_EXPERTS if model.is_moe else Part.MLP),
        head_bits=head_bits,
        attention_compute=_compute(weights, Part.ATTENTION),
        dense_compute=_compute(weights, Part.ROUTED_EXPERTS if model.is_moe else Part.MLP),
        experts=tuple(_experts(model, weights, layout)),
        attention=tuple(
            _attention(model, group, count, kv, layout, rules)
            for group, count in group_counts(model)
            if count and group.attention is not None
        ),
        activation_bytes=_activation_bytes(model, layout),
        kernels=_kernels(model, weights),
        dcp=layout.dcp,
        queries_per_key=max(
            (g.attention.heads // g.attention.kv_heads for g in model.groups if isinstance(g.attention, GroupedQuery)),
            default=1,
        ),
        cache_bytes=kv.bits / 8,
        latent=any(isinstance(group.attention, Latent) for group in model.groups),
        weight_bytes=gpu.total,
        stages=tuple(
            (geometry.growing, geometry.windows, geometry.state)
            for geometry in kv_stages(model, kv, layout.tp, layout.pp, windowed, rules, layout.dcp)
        ),
    )


def _compute(weights: Precision, part: Part) -> Compute:
    """Weights kept at 16 bit multiply at 16 bit, whatever the rest does."""
    return "bf16" if weights.bits_of(part) == 16 else weights.compute


def _attention(
    model: Model, group: LayerGroup, layers: int, kv: Precision, layout: Layout, rules: KvRules
) -> AttentionLoad:
    attention = group.attention
    assert attention is not None
    scored = attention.scored_elements() if isinstance(attention, Compressed) else attention.index_elements()
    index = scored * indexer_bits(attention, rules) / 8
    tp, dcp = layout.tp, layout.dcp
    held = (
        attention.read_elements(tp) if isinstance(attention, GroupedQuery | Compressed) else attention.kv_elements(tp)
    )
    return AttentionLoad(
        layers=layers,
        attention=attention,
        token_bytes=held * kv.bits / 8 / dcp if model.answers else 0.0,
        index_bytes=index,
        state_bytes=attention.state_elements(tp) * 2,
        ranks=tp,
        selected=attention.selected,
        gathered=exchanged_bytes(attention, tp, dcp) if dcp > 1 else 0.0,
    )


def _experts(model: Model, weights: Precision, layout: Layout) -> list[ExpertLoad]:
    ways = max(layout.tp, layout.ep)
    found = []
    bits = weights.bits_of(Part.ROUTED_EXPERTS)
    for group, count in group_counts(model):
        if count and isinstance(group.mlp, Mixture):
            expert = group.mlp.expert_parameters(model.hidden_size)
            found.append(
                ExpertLoad(
                    layers=count,
                    experts=group.mlp.experts,
                    top_k=group.mlp.top_k,
                    local_bytes=math.ceil(count * group.mlp.experts * expert * bits / 8 / ways),
                    expert_parameters=count * expert / ways,
                    copies=copies_sent(group.mlp, layout.ep),
                )
            )
    return found


def copies_sent(mlp: Mixture, ranks: int) -> float:
    """Ranks that hold the experts of one token, in the mean: it is sent to each once, however many of them are there.

    k even choices among n ranks hit n·(1 − (1 − 1/n)^k). A router that picks groups first stays within the ranks of
    those: DeepSeek-V3 chooses 4 of 8 groups (arXiv 2412.19437, section 2.1.2).
    """
    choices, reach = float(mlp.top_k), float(max(1, ranks))
    gate = mlp.gate
    if gate.groups > gate.top_groups:
        if ranks >= gate.groups:
            reach *= gate.top_groups / gate.groups
        else:
            choices = min(choices, float(gate.top_groups))
    return reach * (1 - (1 - 1 / reach) ** choices) if reach > 1 else 1.0


def _kernels(model: Model, weights: Precision) -> int:
    """Launches beyond a plain layer's, counted from what engines run: projections, norms, scans, quantization.

    Formats with scales per block quantize the activations before every product in a kernel of its own; with one scale
    per tensor or channel that is fused into the norm before it.
    """
    quantized = bool(weights.block) and weights.activation_bits < 16
    total = 0
    for group, count in group_counts(model):
        extra = 0
        attention = group.attention
        if attention is not None:
            extra += _attention_kernels(attention)
        if isinstance(group.mlp, Mixture) and (group.mlp.shared_experts or group.mlp.dense_width):
            extra += SHARED_KERNELS
        if quantized:
            wide = weights.bits_of(Part.ATTENTION) > 12
            extra += 2 if wide or attention is None else 4
        total += count * extra
    return total


def _attention_kernels(attention: AnyAttention) -> int:
    match attention:
        case Recurrent():
            return STATE_KERNELS
        case Latent() | Compressed():
            own = LATENT_KERNELS
        case GroupedQuery():
            own = 1 if attention.qk_norm else 0
    return own + (INDEX_KERNELS if attention.indexer and not attention.indexer.shared else 0)


def _activation_bytes(model: Model, layout: Layout) -> float:
    """Elements × 2 B that one token moves through memory on one rank. TP leaves the hidden state whole on each."""
    tp, ep = layout.tp, layout.ep if model.is_moe else 1
    total = 0.0
    for group, count in group_counts(model):
        elements = float(HIDDEN_TOUCHES * model.hidden_size)
        if group.attention is not None:
            elements += QUERY_TOUCHES * group.attention.query_width / tp
        mlp = group.mlp
        if isinstance(mlp, Mixture):
            # Each rank sees only the copies that its experts receive.
            width = mlp.width / (tp if ep == 1 else max(1, tp // ep))
            copies = mlp.top_k / (min(ep, tp) if ep > 1 else 1)
            elements += copies * (DISPATCH_TOUCHES * model.hidden_size + MLP_TOUCHES * width)
            elements += MLP_TOUCHES * mlp.shared_experts * (mlp.shared_width or mlp.width) / tp
            elements += MLP_TOUCHES * mlp.dense_width / tp
        elif mlp is not None:
            elements += MLP_TOUCHES * mlp.width / tp
        total += count * elements
    return total * _ACTIVATION_BYTES
