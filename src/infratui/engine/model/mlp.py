"""What follows attention in a layer: a dense MLP, or a router with its experts. All figures are per layer."""

from __future__ import annotations

from typing import ClassVar, Literal

from ...value_types import dataclass
from .parts import Part, Weights


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
