"""A model as its architecture: groups of layers, from which parameters and KV geometry follow.

Counts are plain integers. A layer group is what repeats: one kind of attention and one kind of MLP. All figures of a
group are per layer; `Model.order` says how the groups alternate.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import ClassVar

from ...value_types import dataclass
from .attention import AnyAttention, Attention, Compressed, GroupedQuery, Indexer, Latent
from .mlp import AnyMlp, Dense, Gate, Mixture
from .parts import Part, Weights
from .recurrent import Recurrent

__all__ = [
    "AnyAttention",
    "AnyMlp",
    "ArchitectureError",
    "Attention",
    "Compressed",
    "Dense",
    "Extra",
    "Gate",
    "GroupedQuery",
    "Indexer",
    "Latent",
    "LayerGroup",
    "Mixture",
    "Model",
    "ParameterCount",
    "Part",
    "Published",
    "Recurrent",
    "RuleOfThumb",
    "Weights",
    "embedding_parameters",
    "group_counts",
    "head_parameters",
    "layer_order",
    "parameters",
    "parse_order",
]


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
    bits: float | None = None
    """Bits per parameter whatever the format of the weights, scales included; None: as `stored_as`."""


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
    cache_precision: str = ""
    """Precision id of the KV cache that the checkpoint is calibrated for, which engines then keep; empty: 16 bit."""
    answers: bool = True
    """It writes text; else it reads one into a vector or a score, without a head, and keeps nothing of it."""
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


_ORDER = re.compile(r"\(([^()]*)\)([0-9]+)|([a-zA-Z]+)([0-9]*)|(\s+)|(.)")


MOST_LAYERS = 4096
"""More than any model has: an order that asks for more is a slip."""


@lru_cache(maxsize=64)
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


@lru_cache(maxsize=64)
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


@lru_cache(maxsize=64)
def group_counts(model: Model) -> tuple[tuple[LayerGroup, int], ...]:
    """Each group with its number of layers, in the order of `Model.groups`."""
    order = layer_order(model)
    return tuple((group, sum(layer is group for layer in order)) for group in model.groups)


def embedding_parameters(model: Model) -> int:
    """Token and position embeddings, and norms right after them."""
    return (model.vocab_size + model.position_embeddings + model.embedding_norms) * model.hidden_size


def head_parameters(model: Model) -> int:
    """The output projection; 0 when it shares the embedding, or when nothing is written."""
    if model.tied_embeddings or not model.answers:
        return 0
    return model.vocab_size * model.hidden_size + (model.vocab_size if model.head_bias else 0)


@lru_cache(maxsize=128)
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
    active += final_norm + (model.vocab_size * model.hidden_size if model.answers else 0)
    return ParameterCount(tuple(totals.items()), active)
