"""GGUF files of models whose rows are no multiple of the K-quants' blocks: those matrices are stored wider."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ..model.architecture import Dense, GroupedQuery, Mixture, Model, Part, group_counts
from ..model.precision import BlockRows, PartBits, Precision


@lru_cache(maxsize=1024)
def as_stored(model: Model, precision: Precision) -> Precision:
    """The bits by part that a file of this model has; the same precision where blocks divide every row.

    llama.cpp stores a matrix whose row 256 does not divide as Q5_0 for Q4_K, Q5_1 for Q5_K and Q8_0 for Q6_K
    (src/llama-quant.cpp). Qwen2.5-72B: down projections have rows of 29,568, so that Q4_K_M takes 47.4 GB, not 43.8.
    """
    rows = precision.rows
    if rows is None or not _uneven(model, rows):
        return precision
    found = {entry.part: entry.bits for entry in precision.parts}
    hidden = model.hidden_size
    for part, matrices in _matrices(model).items():
        weight = sum(count for count, _, _ in matrices)
        bits = sum(count * _bits(rows, inputs, rich=rich) for count, inputs, rich in matrices)
        found[part] = bits / weight
    if hidden % rows.elements:
        found[Part.EMBEDDING] = max(found.get(Part.EMBEDDING, 0.0), rows.plain_uneven)
        found[Part.HEAD] = max(found.get(Part.HEAD, 0.0), 8.5)
    return replace(precision, parts=tuple(PartBits(part, bits) for part, bits in found.items()))


Matrices = dict[Part, list[tuple[int, int, bool]]]
"""By part: weights, row length, and whether the matrix is one of those kept in more bits."""


def _matrices(model: Model) -> Matrices:
    hidden, found = model.hidden_size, Matrices()
    for group, count in group_counts(model):
        attention, mlp = group.attention, group.mlp
        if isinstance(attention, GroupedQuery):
            query, key = attention.heads * attention.head_dim, attention.kv_heads * attention.head_dim
            entries = found.setdefault(Part.ATTENTION, [])
            entries += [
                (count * hidden * (query + key), hidden, False),
                (count * hidden * key, hidden, True),
                (count * query * hidden, query, False),
            ]
        if isinstance(mlp, Dense):
            up = 2 if mlp.gated else 1
            entries = found.setdefault(Part.MLP, [])
            entries += [(count * up * hidden * mlp.width, hidden, False), (count * mlp.width * hidden, mlp.width, True)]
        elif isinstance(mlp, Mixture):
            inner, up = mlp.latent_size or hidden, 2 if mlp.gated else 1
            for part, experts, width in (
                (Part.ROUTED_EXPERTS, mlp.experts, mlp.width),
                (Part.SHARED_EXPERTS, mlp.shared_experts, mlp.shared_width or mlp.width),
            ):
                if experts:
                    entries = found.setdefault(part, [])
                    entries += [
                        (count * experts * up * inner * width, inner, False),
                        (count * experts * width * inner, width, True),
                    ]
    return found


def _uneven(model: Model, rows: BlockRows) -> bool:
    return any(inputs % rows.elements for entries in _matrices(model).values() for _, inputs, _ in entries)


def _bits(rows: BlockRows, inputs: int, *, rich: bool) -> float:
    if inputs % rows.elements:
        return rows.rich_uneven if rich else rows.plain_uneven
    return rows.rich if rich else rows.plain
