"""Linear attention and state-space layers: what they hold is the same for any length. All figures are per layer."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from ...value_types import dataclass
from .parts import Part, Weights


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
    state_bits: float = 16
    """Bits per element of the state, which no KV precision changes; the rows that the convolution keeps stay 16 bit."""
    kind: Literal["recurrent"] = "recurrent"

    @property
    def window(self) -> int | None:
        return None

    def _conv_channels(self) -> int:
        keys = self.key_heads * self.state_dim
        return self.heads * self.head_dim + 2 * keys

    @property
    def query_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def output_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def stored_heads(self) -> int:
        return self.heads

    @property
    def rotated(self) -> int:
        return 0

    @property
    def selected(self) -> int | None:
        return None

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

    def conv_elements(self, tp: int, draft_tokens: int = 0) -> int:
        """Elements of the rows that the convolution keeps on one rank: one more for each draft token."""
        rows = self.conv_kernel - 1 + draft_tokens if self.conv_kernel else 0
        return math.ceil(self._conv_channels() * rows / tp)

    def attend_flops(self, context: int, *, decode: bool) -> int:
        return 4 * self.heads * self.head_dim * self.state_dim
