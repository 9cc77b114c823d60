"""Low-rank adapters: which matrices they sit beside, their parameters, and what a rank of a TP group holds of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from ...value_types import dataclass
from .architecture import LayerGroup, Model, group_counts
from .attention import AnyAttention, Compressed, GroupedQuery, Latent
from .mlp import Dense
from .recurrent import Recurrent

Targets = Literal["qv", "attention", "all"]
"""`qv`: query and value projections (the LoRA paper's choice); `attention`: all of its projections; `all`: dense MLPs
too (experts are left alone, as serving engines do)."""
ADAPTER_BYTES = 2
"""Per parameter: engines keep adapters in 16 bit."""


@dataclass(frozen=True, slots=True)
class Linear:
    """One matrix of a layer."""

    name: str
    inputs: int
    outputs: int
    split: Literal["outputs", "inputs"]
    """What tensor parallelism divides."""

    def adapter(self, rank: int, tp: int = 1) -> int:
        """Parameters of an adapter on one rank: the factor on the divided side is divided with it."""
        if self.split == "outputs":
            return rank * (self.inputs + math.ceil(self.outputs / tp))
        return rank * (math.ceil(self.inputs / tp) + self.outputs)


def linears(group: LayerGroup, hidden: int, targets: Targets = "all") -> Iterator[Linear]:
    """The matrices of a layer that adapters sit beside."""
    if group.attention is not None:
        found = tuple(_attention(group.attention, hidden))
        yield from (entry for entry in found if targets != "qv" or entry.name in ("q", "v"))
    if targets == "all" and isinstance(group.mlp, Dense):
        for name in ("gate", "up") if group.mlp.gated else ("up",):
            yield Linear(name, hidden, group.mlp.width, "outputs")
        yield Linear("down", group.mlp.width, hidden, "inputs")


def _attention(attention: AnyAttention, hidden: int) -> Iterator[Linear]:
    match attention:
        case GroupedQuery():
            query, key = attention.query_width, attention.kv_heads * attention.head_dim
            yield Linear("q", hidden, query, "outputs")
            yield Linear("k", hidden, key, "outputs")
            if not attention.value_is_key:
                yield Linear("v", hidden, key, "outputs")
            yield Linear("o", query, hidden, "inputs")
        case Latent():
            yield Linear("q", attention.q_lora_rank or hidden, attention.query_width, "outputs")
            yield Linear("kv", hidden, attention.kv_lora_rank + attention.qk_rope_head_dim, "outputs")
            values = attention.heads * (attention.qk_nope_head_dim + attention.v_head_dim)
            yield Linear("v", attention.kv_lora_rank, values, "outputs")
            yield Linear("o", attention.output_width, hidden, "inputs")
        case Compressed():
            yield Linear("q", attention.q_lora_rank, attention.query_width, "outputs")
            yield Linear("v", hidden, attention.head_dim, "outputs")
        case Recurrent():
            inner = attention.query_width
            yield Linear("q", hidden, inner, "outputs")
            yield Linear("v", hidden, inner, "outputs")
            yield Linear("o", inner, hidden, "inputs")


def adapter_parameters(model: Model, rank: int, targets: Targets = "all") -> int:
    """Parameters of one adapter.

    GPT-3 175B, rank 8, queries and values: 37,748,736, as the LoRA paper prints it (arXiv 2106.09685, table 4).
    """
    return sum(
        count * linear.adapter(rank)
        for group, count in group_counts(model)
        for linear in linears(group, model.hidden_size, targets)
    )


@lru_cache(maxsize=256)
def layer_adapter(group: LayerGroup, hidden: int, rank: int, tp: int) -> int:
    """Parameters of one adapter in one layer, on one rank."""
    return sum(linear.adapter(rank, tp) for linear in linears(group, hidden))
