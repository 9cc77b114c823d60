"""Stored tensors by part of the model: bytes and elements as the headers state them, and bits per weight from them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ..engine.model.architecture import Model, Part, parameters
from ..engine.model.precision import PartBits, Precision
from ..value_types import dataclass


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a header."""

    name: str
    type_name: str
    elements: int
    """As stored: packed formats hold several weights in one element."""
    bytes: int


@dataclass(frozen=True, slots=True)
class PartTensors:
    """What one part of the model takes on disk."""

    part: Part
    bytes: int
    elements: int
    tensors: int


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """What the headers of a checkpoint state about its tensors."""

    bytes_total: int
    elements_total: int
    parts: tuple[PartTensors, ...] = ()
    """Loaded parts in the order of `Part`; empty where only a total is stated."""
    prediction_bytes: int = 0
    """Multi-token prediction modules, which are not loaded by default (part of the total)."""
    types: tuple[tuple[str, int], ...] = ()
    """Bytes by element type, largest first."""
    complete: bool = True
    """Headers of all files were read."""

    def of(self, part: Part) -> PartTensors | None:
        """The facts of one part, if it has tensors."""
        return next((entry for entry in self.parts if entry.part is part), None)


_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks|blk)\.(\d{1,6})\.")
_VISION = re.compile(
    r"(?:^|\.)(?:visual|vision\w*|vision_tower|audio\w*|mm_projector|multi_modal_projector|embed_vision|v|mm|a)\."
)
_PREDICTION = re.compile(r"(?:^|\.)(?:mtp|nextn|eh_proj|enorm|hnorm|shared_head)(?:\.|_|$)")
_SHARED = re.compile(r"shared_?expert|share_expert|shared_mlp|_shexp|latent_proj|latent")
_ROUTER = re.compile(
    r"\.(?:gate|router|e_score_correction_bias|tid2eid|ffn_gate_inp\w*|exp_probs_b)(?:\.(?!proj)|$)"
    r"|\.router\.|\.gate\.(?:weight|bias|tid2eid|e_score)"
)
_EXPERTS = re.compile(r"\.experts\.|\.experts$|_exps\.|\.experts_")
_ATTENTION = re.compile(
    r"\.(?:self_attn|attn|attention|linear_attn|self_attention|attn_(?!norm|post_norm|hc)\w+|ssm_\w+|indexer)(?:\.|$)"
)
_NORM = re.compile(r"norm|\.ln_|layer_scalar|layer_output_scale|_hc|hc_|\.ln\.")
_MLP = re.compile(r"\.(?:mlp|feed_forward|ffn|ffn_\w+|fc\w*)\.")
_MIXER = re.compile(r"\.mixer\.(?:up_proj|gate_proj|down_proj)\.")


def part_of(name: str, layers: int) -> Part | None:
    """The part that a tensor belongs to by its name; None for multi-token prediction modules."""
    # Experts of a layer are all alike, and there are hundreds in each.
    head, experts, rest = name.partition(".experts.")
    return _part_of(head + experts + rest.lstrip("0123456789") if experts else name, layers)


@lru_cache(maxsize=8192)
def _part_of(name: str, layers: int) -> Part | None:  # noqa: PLR0911 – a line per family of names
    match = _LAYER.search(name)
    if _VISION.search(name):
        return Part.EXTRA
    if _PREDICTION.search(name) or (match is not None and int(match[1]) >= layers):
        return None
    if match is None:
        if re.search(r"embed|wte|token_embd|word_embeddings|tok_embeddings", name):
            return Part.EMBEDDING
        if re.search(r"(?:^|\.)(?:lm_head|head|output|embed_out)\.", name):
            return Part.HEAD
        return Part.NORMS
    rest = name[match.end() - 1 :]
    if _SHARED.search(rest):
        return Part.SHARED_EXPERTS
    if _EXPERTS.search(rest):
        return Part.ROUTED_EXPERTS
    if _ROUTER.search(rest):
        return Part.ROUTER
    if _MIXER.search(rest):
        return Part.MLP
    if _ATTENTION.search(rest) or ".mixer." in rest:
        return Part.ATTENTION
    if _NORM.search(rest):
        return Part.NORMS
    if _MLP.search(rest):
        return Part.MLP
    return Part.NORMS


def gather(tensors: Iterable[Tensor], layers: int, *, complete: bool = True) -> TensorFacts:
    """Sum tensors by part and by type."""
    by_part: dict[Part, list[int]] = {}
    by_type: dict[str, int] = {}
    total, elements, prediction = 0, 0, 0
    for tensor in tensors:
        total += tensor.bytes
        elements += tensor.elements
        by_type[tensor.type_name] = by_type.get(tensor.type_name, 0) + tensor.bytes
        part = part_of(tensor.name, layers)
        if part is None:
            prediction += tensor.bytes
            continue
        sums = by_part.setdefault(part, [0, 0, 0])
        sums[0] += tensor.bytes
        sums[1] += tensor.elements
        sums[2] += 1
    return TensorFacts(
        bytes_total=total,
        elements_total=elements,
        parts=tuple(PartTensors(part, *by_part[part]) for part in Part if part in by_part),
        prediction_bytes=prediction,
        types=tuple(sorted(by_type.items(), key=lambda entry: -entry[1])),
        complete=complete,
    )


def stored_bits(model: Model, facts: TensorFacts) -> dict[Part, float]:
    """Bits per parameter of each part, from the bytes on disk and the parameters of the architecture."""
    count = parameters(model)
    bits: dict[Part, float] = {}
    for entry in facts.parts:
        expected = count.of(entry.part)
        if expected:
            bits[entry.part] = 8 * entry.bytes / expected
    return bits


_JUDGED = {Part.EMBEDDING, Part.ATTENTION, Part.MLP, Part.ROUTED_EXPERTS, Part.HEAD}
"""Parts made of matrices. The others are small and may hold 32-bit values or buffers that are no parameters."""


def implausible(bits: dict[Part, float]) -> tuple[Part, ...]:
    """Parts whose bytes do not go with the architecture: below one bit or above 68 (64 with scales) per parameter."""
    return tuple(part for part, value in bits.items() if part in _JUDGED and not 1 <= value <= 68)


def is_plain(bits: dict[Part, float], wide: int) -> bool:
    """Whether all matrices are stored in `wide` bits, within a hundredth."""
    return all(abs(value - wide) < 0.01 * wide for part, value in bits.items() if part in _JUDGED)


def measured_precision(model: Model, facts: TensorFacts, stated: Precision | None, label: str) -> Precision:
    """The precision with bits as the tensors have them; how it computes comes from the configuration."""
    bits = stored_bits(model, facts)
    main_part = max(bits, key=lambda part: parameters(model).of(part))
    main = bits[main_part]
    return Precision(
        id=f"{model.id}@stored",
        label=stated.label if stated else label,
        bits=main,
        family="as stored",
        parts=tuple(PartBits(part, value) for part, value in bits.items() if value != main),
        compute=stated.compute if stated else "bf16",
        activation_bits=stated.activation_bits if stated else 16,
        block=stated.block if stated else 0,
        format=stated.format if stated else "",
        source="the checkpoint's tensor headers",
        origin=model.origin,
    )
