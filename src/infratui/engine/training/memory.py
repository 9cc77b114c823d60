"""What a training step keeps on each GPU: model states by ZeRO stage, activations by recomputation.

Model states: Rajbhandari et al., ZeRO, arXiv 1910.02054, figure 1 and table 1. A parameter in mixed precision takes 2
bytes of weight, 2 of gradient and K of optimizer state; stage 1 divides the last by the data-parallel GPUs, stage 2 the
gradients too, stage 3 the weights as well. Frozen weights under adapters have neither gradients nor optimizer state.

Activations: Korthikanti et al., arXiv 2205.05198, section 4, for s tokens and b sequences of a micro-batch in 16 bit. A
layer stores s·b·h·(34 + 5·a·s/h) bytes with an MLP of 4h: here by its own widths, so that grouped queries, gated MLPs
and the experts that a token passes count as they are. Attention that keeps no scores (flash) drops 5·a·s/h; recomputing
whole layers keeps their inputs alone and the activations of the one at work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..memory.weights import total_weights
from ..model.adapters import Targets, adapter_parameters
from ..model.architecture import LayerGroup, Model, group_counts, parameters
from ..model.attention import GroupedQuery
from ..model.mlp import Dense, Mixture

if TYPE_CHECKING:
    from ..cluster.hardware import Accelerator
    from ..model.precision import Precision

Recompute = Literal["none", "selective", "full"]
"""`none`: everything is stored, attention scores too; `selective`: no scores (flash attention, or computed again);
`full`: whole layers are computed again."""
STAGES = (0, 1, 2, 3)
MOST_TOKENS = 16_777_216

WEIGHTS = Formula("weights", "weight_bytes / shards", Unit.BYTES, term="weights")
GRADIENTS = Formula("gradients", "trained * gradient_bytes / shards", Unit.BYTES, term="zero")
OPTIMIZER = Formula("optimizer", "trained * optimizer_bytes / shards", Unit.BYTES, term="zero")
ACTIVATIONS = Formula(
    "activations", "micro_batch * tokens * bytes_per_token", Unit.BYTES, basis=Basis.DERIVED, term="activations"
)
NEEDED = Formula("per_gpu", "weights + gradients + optimizer + activations", Unit.BYTES, term="training")


@dataclass(frozen=True, slots=True)
class Optimizer:
    """What an optimizer keeps of each trained parameter."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    label: str
    bytes_per_parameter: float
    """Its state, a 32-bit copy of the weight included where it keeps one: K of the ZeRO paper."""
    source: str
    gradient_bytes: float = 2.0


ADAM = Optimizer("adam", "Adam, mixed precision", 12, "ZeRO, arXiv 1910.02054, section 3.1")
"""What the ZeRO paper counts with."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a model is trained."""

    model: Model
    precision: Precision
    """Of the weights; narrow ones only under adapters."""
    optimizer: Optimizer
    gpus: int = 1
    """Data-parallel GPUs."""
    tokens: int = 2048
    """Of one sequence."""
    micro_batch: int = 1
    """Sequences that a GPU computes at once."""
    recompute: Recompute = "selective"
    adapter_rank: int = 0
    """Of the adapters that are trained; 0: all weights are."""
    targets: Targets = "all"

    def check(self) -> None:
        """Raises ValueError in one line for what cannot be trained."""
        for name, value, most in (
            ("gpus", self.gpus, 65_536),
            ("tokens", self.tokens, MOST_TOKENS),
            ("micro batch", self.micro_batch, 65_536),
        ):
            if not 1 <= value <= most:
                raise ValueError(f"{name} = {value:,}: choose 1 to {most:,}")
        if not 0 <= self.adapter_rank <= 4096:
            raise ValueError(f"adapter rank = {self.adapter_rank:,}: choose 1 to 4,096, or 0 to train all weights")
        if not self.adapter_rank and self.precision.bits < 15:
            raise ValueError(
                f"{self.precision.label} weights cannot be trained themselves; train adapters beside them, or bf16"
            )
        if self.adapter_rank and not adapter_parameters(self.model, self.adapter_rank, self.targets):
            raise ValueError(f"{self.model.name} has no {self.targets} matrices for adapters")


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """Bytes of one GPU under a ZeRO stage."""

    stage: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    fits: bool | None
    """In the accelerator's memory; None: none is given."""

    @property
    def states(self) -> int:
        """Weights, gradients and optimizer: what the ZeRO paper counts."""
        return self.weights + self.gradients + self.optimizer

    @property
    def total(self) -> int:
        return self.states + self.activations


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """All stages on the same GPUs, and the fewest GPUs for each."""

    training: Training
    trained: int
    """Parameters."""
    stages: tuple[TrainingMemory, ...]
    fewest: tuple[int | None, ...]
    """Data-parallel GPUs from which a stage fits, in the order of the stages; None: never, or no accelerator."""
    accelerator: Accelerator | None
    derivation: Derivation


def layer_bytes(group: LayerGroup, hidden: int, tokens: int, recompute: Recompute) -> float:
    """Activation bytes of one token in one layer, in 16 bit (dropout masks 1 byte).

    A GPT layer (4h, as many key as query heads): 34·h, and 5·heads·tokens with its scores.
    """
    heads = group.attention.heads if group.attention else 0
    query = key = hidden
    if isinstance(group.attention, GroupedQuery):
        query = group.attention.heads * group.attention.head_dim
        key = group.attention.kv_heads * group.attention.head_dim
    total = 4.0 * hidden
    if group.attention is not None:
        total += 2 * hidden + 2 * query + 2 * key + 2 * key + 2 * query + hidden
    match group.mlp:
        case Dense():
            total += 2 * hidden + (6 if group.mlp.gated else 4) * group.mlp.width + hidden
        case Mixture():
            shared = group.mlp.shared_experts * (group.mlp.shared_width or group.mlp.width)
            width = group.mlp.top_k * group.mlp.width + shared + group.mlp.dense_width
            total += (2 + 2 * group.mlp.top_k) * hidden + (6 if group.mlp.gated else 4) * width + hidden
        case None:
            pass
    if recompute == "none":
        total += 5 * heads * tokens
    return total


def bytes_per_token(model: Model, tokens: int, recompute: Recompute) -> float:
    """Activation bytes of one token over all layers."""
    hidden = model.hidden_size
    counts = group_counts(model)
    if recompute != "full":
        return sum(count * layer_bytes(group, hidden, tokens, recompute) for group, count in counts)
    at_work = max(layer_bytes(group, hidden, tokens, "selective") for group, _ in counts)
    return 2.0 * hidden * model.layers + at_work


def states(
    weight_bytes: float, trained: float, optimizer: Optimizer, stage: int, gpus: int, ledger: Ledger
) -> tuple[int, int, int]:
    """Weights, gradients and optimizer state on one of `gpus` under a ZeRO stage."""
    return (
        round(ledger(WEIGHTS, weight_bytes=weight_bytes, shards=gpus if stage >= 3 else 1)),
        round(
            ledger(
                GRADIENTS, trained=trained, gradient_bytes=optimizer.gradient_bytes, shards=gpus if stage >= 2 else 1
            )
        ),
        round(
            ledger(
                OPTIMIZER,
                trained=trained,
                optimizer_bytes=optimizer.bytes_per_parameter,
                shards=gpus if stage >= 1 else 1,
                source=optimizer.source,
            )
        ),
    )


def evaluate_training(training: Training, accelerator: Accelerator | None = None) -> TrainingResult:
    """Memory by stage on the given GPUs. Raises ValueError in one line for what cannot be trained."""
    training.check()
    model = training.model
    weight_bytes = float(total_weights(model, training.precision))
    trained = parameters(model).total
    if training.adapter_rank:
        trained = adapter_parameters(model, training.adapter_rank, training.targets)
        weight_bytes += 2.0 * trained
    per_token = bytes_per_token(model, training.tokens, training.recompute)
    ledger = Ledger()
    activations = round(
        ledger(ACTIVATIONS, micro_batch=training.micro_batch, tokens=training.tokens, bytes_per_token=per_token)
    )
    room = accelerator.memory if accelerator else None

    def at(stage: int, gpus: int, *, explain: Ledger) -> TrainingMemory:
        parts = states(weight_bytes, trained, training.optimizer, stage, gpus, explain)
        total = sum(parts) + activations
        return TrainingMemory(stage, *parts, activations, None if room is None else total <= room)

    quiet = Ledger(recording=False)
    found = tuple(at(stage, training.gpus, explain=ledger if stage == STAGES[-1] else quiet) for stage in STAGES)
    last = found[-1]
    ledger(
        NEEDED, weights=last.weights, gradients=last.gradients, optimizer=last.optimizer, activations=activations,
        note=f"ZeRO stage 3 on {training.gpus:,} GPUs",
    )  # fmt: skip
    fewest = tuple(_fewest(partial(at, stage, explain=quiet)) for stage in STAGES)
    return TrainingResult(training, trained, found, fewest, accelerator, ledger.derivation("Training memory"))


def _fewest(at: Callable[[int], TrainingMemory]) -> int | None:
    """Smallest number of GPUs that fits; more never fit less."""
    low, high = 1, 65_536
    if not at(high).fits:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle).fits else (middle + 1, high)
    return low
