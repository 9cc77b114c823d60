"""Weight bytes on every GPU of a replica: what tensor, pipeline and expert parallelism divide, pad and replicate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from operator import attrgetter
from typing import NamedTuple

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..model.adapters import ADAPTER_BYTES, layer_adapter
from ..model.architecture import (
    Latent,
    LayerGroup,
    Mixture,
    Model,
    Part,
    embedding_parameters,
    group_counts,
    head_parameters,
    layer_order,
    parameters,
)
from ..model.precision import Precision
from .block_rows import as_stored

StageGroups = tuple[tuple[LayerGroup, int], ...]
"""The layer groups of a pipeline stage, with their number of layers."""
_PARTS = tuple(Part)

VOCABULARY_BLOCK = 64
"""Rows: engines pad the vocabulary to a multiple of this that TP divides (vLLM `VocabParallelEmbedding`)."""


@dataclass(frozen=True, slots=True)
class PartWeights:
    """One part of the weights: parameters × bits / 8, rounded up to a byte."""

    part: Part
    parameters: int
    bits: float
    """Effective bits per parameter."""
    bytes: int


Parts = tuple[PartWeights, ...]


class StageWeights(NamedTuple):
    """What each GPU of one pipeline stage holds."""

    stage: int
    first_layer: int
    layers: int
    parts: Parts
    """In the order of `Part`; parts without parameters are left out, extras stand once per way they are stored."""
    total: int
    """Bytes."""

    def of(self, part: Part) -> int:
        """Bytes of one part."""
        return sum(entry.bytes for entry in self.parts if entry.part is part)


@dataclass(frozen=True, slots=True)
class GpuWeights:
    """Weights of one replica, GPU by GPU. All tensor-parallel ranks of a stage are alike."""

    stages: tuple[StageWeights, ...]
    fullest: StageWeights
    ranks: int
    """GPUs of one stage."""

    @property
    def parts(self) -> tuple[PartWeights, ...]:
        """By part, on the fullest GPU."""
        return self.fullest.parts

    @property
    def total(self) -> int:
        """Bytes on the fullest GPU."""
        return self.fullest.total

    @property
    def replica(self) -> int:
        """Bytes on all GPUs of one replica together, padding and copies included."""
        return self.ranks * sum(stage.total for stage in self.stages)


def padded_vocabulary(vocabulary: int, tp: int) -> int:
    """Vocabulary rows after padding to a multiple of 64 that `tp` divides.

    >>> padded_vocabulary(151_646, 8), padded_vocabulary(128_256, 3)
    (151680, 128256)
    """
    return _padded(vocabulary, math.lcm(VOCABULARY_BLOCK, tp))


@lru_cache(maxsize=512)
def stage_sizes(layers: int, pp: int) -> tuple[int, ...]:
    """Layers of each pipeline stage; left-over layers go to the stages before the last (vLLM `get_pp_indices`).

    >>> stage_sizes(61, 4), stage_sizes(80, 8)[0]
    ((15, 15, 16, 15), 10)
    """
    sizes = [layers // pp] * pp
    for stage in range(layers % pp):
        # The last stage also holds the head: it is filled last.
        sizes[-(stage + 2) % pp] += 1
    return tuple(sizes)


@lru_cache(maxsize=256)
def stage_groups(model: Model, pp: int) -> tuple[StageGroups, ...]:
    """For each pipeline stage the layer groups it holds, with their number of layers."""
    if pp == 1:
        return (tuple((group, count) for group, count in group_counts(model) if count),)
    order = tuple(group.key for group in layer_order(model))
    # Of most stages there are many alike, and they are one object.
    made: dict[tuple[str, ...], StageGroups] = {}
    stages = []
    first = 0
    for size in stage_sizes(len(order), pp):
        held = order[first : first + size]
        if held not in made:
            made[held] = tuple((group, held.count(group.key)) for group in model.groups if group.key in held)
        stages.append(made[held])
        first += size
    return tuple(stages)


@lru_cache(maxsize=1024)
def _layer_parameters(
    group: LayerGroup, hidden: int, tp: int, ep: int, pads: tuple[int, int]
) -> tuple[tuple[Part, int], ...]:
    """Parameters of one layer on its fullest rank, by part."""
    found = []
    for weights in group.weights(hidden):
        if weights.part is Part.ROUTED_EXPERTS and isinstance(group.mlp, Mixture):
            count = _expert_parameters(group.mlp, hidden, tp, ep, pads)
        else:
            count = weights.per_rank(tp)
        found.append((weights.part, count))
    return tuple(found)


def _expert_parameters(mixture: Mixture, hidden: int, tp: int, ep: int, pads: tuple[int, int]) -> int:
    """Routed experts on the fullest rank; with fewer expert groups than ranks, a group splits each of its experts."""
    experts = math.ceil(mixture.experts / ep)
    split = max(1, tp // ep)
    pad_hidden, pad_width = pads
    if pad_hidden == pad_width == 1:
        return math.ceil(experts * mixture.expert_parameters(hidden) / split)
    inner = mixture.latent_size or hidden
    padded = replace(
        mixture,
        width=_padded(math.ceil(mixture.width / split), pad_width),
        latent_size=_padded(inner, pad_hidden),
    )
    return experts * padded.expert_parameters(hidden)


def _padded(size: int, multiple: int) -> int:
    return math.ceil(size / multiple) * multiple


def weights_per_gpu(model: Model, precision: Precision, layout: Layout) -> GpuWeights:
    """Weights of one replica by pipeline stage, and its fullest GPU, in bytes.

    The vocabulary is padded, key and value projections replicate beyond the KV heads; latent down-projections, router
    and norms are whole on every rank; experts divide over EP or else TP, padded where the precision's kernels want it;
    the embedding is on the first stage, final norm and head on the last (a tied embedding is on both).
    """
    ep = layout.ep if model.is_moe else 1
    return _weights(model, precision, layout.tp, layout.pp, ep)


@lru_cache(maxsize=64)
def _weights(model: Model, precision: Precision, tp: int, pp: int, ep: int) -> GpuWeights:
    return _staged(model, tp, pp, partial(_stage_parts, model, as_stored(model, precision), tp, pp, ep))


def _staged(model: Model, tp: int, pp: int, parts_of: Callable[[StageGroups, bool, bool], Parts]) -> GpuWeights:
    """The stages of a pipeline: first, last, and of those between one of each kind for all that are alike."""
    made: dict[tuple[int, bool, bool], tuple[int, Parts, int]] = {}
    stages: list[StageWeights] = []
    first_layer = 0
    for stage, groups in enumerate(stage_groups(model, pp)):
        kind = id(groups), stage == 0, stage == pp - 1
        if kind not in made:
            parts = parts_of(groups, *kind[1:])
            made[kind] = sum(layers for _, layers in groups), parts, sum(part.bytes for part in parts)
        layers, parts, total = made[kind]
        stages.append(StageWeights(stage, first_layer, layers, parts, total))
        first_layer += layers
    return GpuWeights(tuple(stages), max(stages, key=attrgetter("total")), tp)


def _stage_parts(
    model: Model, precision: Precision, tp: int, pp: int, ep: int, groups: StageGroups, first: bool, last: bool
) -> Parts:
    """What a GPU of a stage holds, by part."""
    hidden = model.hidden_size
    pad = padded_vocabulary(model.vocab_size, tp) - model.vocab_size
    embedding = math.ceil((embedding_parameters(model) + pad * hidden) / tp)
    counts = dict.fromkeys(_PARTS, 0)
    for group, layers in groups:
        for part, count in _layer_parameters(group, hidden, tp, ep, (precision.pad_hidden, precision.pad_width)):
            counts[part] += layers * count
    if first:
        counts[Part.EMBEDDING] += embedding
    if last:
        counts[Part.NORMS] += hidden * (2 if model.final_norm_bias else 1)
        if not model.tied_embeddings:
            counts[Part.HEAD] += math.ceil((head_parameters(model) + pad * hidden) / tp)
        elif pp > 1:
            counts[Part.EMBEDDING] += embedding
    parts = tuple(part_weights(part, count, precision) for part, count in counts.items() if count)
    return parts + _extras(model, precision, tp) if first else parts


def _extras(model: Model, precision: Precision, tp: int) -> tuple[PartWeights, ...]:
    """Loaded parts outside the decoder, split as the layers are: towers too, unless an engine is told otherwise.

    vLLM's `mm_encoder_tp_mode` is `weights`, SGLang's `mm_enable_dp_encoder` off. Llama 4 Scout on eight GPUs: 27.80
    GiB each, as the log says; with its tower whole on every rank it would be 29.2.
    """
    stored: dict[float, int] = {}
    for extra in model.extras:
        if extra.loaded:
            bits = extra.bits or precision.bits_of(extra.stored_as)
            stored[bits] = stored.get(bits, 0) + math.ceil(extra.parameters / tp)
    return tuple(PartWeights(Part.EXTRA, count, bits, math.ceil(count * bits / 8)) for bits, count in stored.items())


def part_weights(part: Part, count: int, precision: Precision) -> PartWeights:
    """Bytes of `count` parameters of a part."""
    bits = precision.bits_of(part)
    return PartWeights(part, count, bits, math.ceil(count * bits / 8))


@lru_cache(maxsize=64)
def checkpoint_weights(model: Model, precision: Precision) -> tuple[PartWeights, ...]:
    """The whole model once, by part: what a checkpoint of this precision holds, without padding or copies."""
    precision = as_stored(model, precision)
    parts = tuple(
        part_weights(part, count, precision)
        for part, count in parameters(model).parts
        if count and part is not Part.EXTRA
    )
    return parts + _extras(model, precision, 1)


def total_weights(model: Model, precision: Precision) -> int:
    """Bytes of the whole model once.

    Llama 3.1 70B in BF16: 70,553,706,496 parameters × 2 B = 141,107,412,992 B.
    """
    return sum(entry.bytes for entry in checkpoint_weights(model, precision))


def with_adapters(weights: GpuWeights, model: Model, layout: Layout, adapters: int, rank: int) -> GpuWeights:
    """The same GPUs with slots for so many adapters of one rank beside the weights, in 16 bit."""
    stages = []
    for stage, groups in zip(weights.stages, stage_groups(model, layout.pp), strict=True):
        count = adapters * sum(
            layers * layer_adapter(group, model.hidden_size, rank, layout.tp) for group, layers in groups
        )
        part = PartWeights(Part.ADAPTERS, count, 8.0 * ADAPTER_BYTES, ADAPTER_BYTES * count)
        stages.append(stage._replace(parts=(*stage.parts, part), total=stage.total + part.bytes))
    return GpuWeights(tuple(stages), max(stages, key=attrgetter("total")), weights.ranks)


@lru_cache(maxsize=256)
def loaded_weights(
    model: Model, precision: Precision, layout: Layout, *, shared: bool, absorbed: bool, position_bytes: int
) -> GpuWeights:
    """`weights_per_gpu` with what an engine keeps more than once, or makes when it loads.

    `shared`: where experts spread over replicas, a rank keeps the shared ones whole. `absorbed`: the up-projection of a
    latent a second time, in 16 bit (DeepSeek-R1 on one rank: 2.4 and 1.9 GiB). `position_bytes`: of an element in the
    tables of rotary positions, whole on every rank.
    """
    ep = layout.ep if model.is_moe else 1
    tp, pp = layout.tp, layout.pp
    stored = as_stored(model, precision)
    spread = shared and layout.ep > tp > 1
    table = position_elements(model)
    positions = PartWeights(Part.POSITIONS, table, 8.0 * position_bytes, table * position_bytes)

    def parts_of(groups: StageGroups, first: bool, last: bool) -> Parts:
        more = []
        if spread and (count := sum(layers * _shared_left_out(group, model, tp) for group, layers in groups)):
            bits = precision.bits_of(Part.SHARED_EXPERTS)
            more.append(PartWeights(Part.SHARED_EXPERTS, count, bits, math.ceil(count * bits / 8)))
        if absorbed and (count := sum(layers * _up_projection(group, tp) for group, layers in groups)):
            more.append(PartWeights(Part.ATTENTION, count, 16.0, 2 * count))
        if positions.bytes:
            more.append(positions)
        return (*_stage_parts(model, stored, tp, pp, ep, groups, first, last), *more)

    return _staged(model, tp, pp, parts_of)


def position_elements(model: Model) -> int:
    """Elements of the tables of rotary positions: a cosine and a sine for half of what is turned, at every position.

    Layers that turn as much share one. Llama 3.1 8B: 131,072 × 128, 32 MiB in 16 bit (vLLM: 14.9889 GiB with it).
    """
    widths = {group.attention.rotated for group in model.groups if group.attention is not None}
    return 0 if model.position_embeddings else model.max_context * sum(widths)


def draft_bytes(model: Model, tp: int) -> int:
    """The model's own prediction layers on one rank, which engines load where they draft; they stay at 16 bit."""
    return sum(extra.parameters for extra in model.extras if "mtp" in extra.name and not extra.loaded) * 2 // tp


def _shared_left_out(group: LayerGroup, model: Model, tp: int) -> int:
    """Parameters of shared experts that tensor parallelism leaves to the other ranks."""
    parts = [weights for weights in group.weights(model.hidden_size) if weights.part is Part.SHARED_EXPERTS]
    return sum(weights.total - weights.per_rank(tp) for weights in parts)


def _up_projection(group: LayerGroup, tp: int) -> int:
    attention = group.attention
    if not isinstance(attention, Latent):
        return 0
    width = attention.heads * (attention.qk_nope_head_dim + attention.v_head_dim)
    return math.ceil(width * attention.kv_lora_rank / tp)
