"""Parts of a model and how tensor parallelism treats their parameters."""

from __future__ import annotations

import math
from enum import StrEnum

from ...value_types import dataclass


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
    POSITIONS = "positions"
    """Tables of rotary positions, which engines keep for the longest context of the model."""
    ADAPTERS = "adapters"
    """Low-rank adapters that are served beside the weights, in 16 bit."""


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
