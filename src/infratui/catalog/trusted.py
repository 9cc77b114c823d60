"""Makes engine values of rows that ship with the package: their shape is checked by the tests, not at every start.

Building a schema takes longer than reading the rows it would check, and a start over SSH feels it. Rows of the user's
own files always pass the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from ..engine.model.architecture import (
    Compressed,
    Dense,
    Extra,
    Gate,
    GroupedQuery,
    Indexer,
    Latent,
    LayerGroup,
    Mixture,
    Model,
    Part,
    Published,
    Recurrent,
    RuleOfThumb,
)
from ..engine.model.precision import BlockRows, PartBits, Precision

Made = TypeVar("Made")

_BY_KIND: Mapping[str, type] = {
    "gqa": GroupedQuery,
    "mla": Latent,
    "compressed": Compressed,
    "recurrent": Recurrent,
    "dense": Dense,
    "moe": Mixture,
}


def construct(kind: type[Made], row: Mapping[str, Any]) -> Made:
    """The value of a row that is known to fit `kind`."""
    nested = _NESTED.get(kind, {})
    floats = _float_fields(kind)
    values: dict[str, Any] = {}
    for key, value in row.items():
        if key in nested:
            value = nested[key](value)
        elif isinstance(value, list):
            value = tuple(value)
        elif key in floats and isinstance(value, int):
            value = float(value)
        values[key] = value
    return kind(**values)


_float_names: dict[type, frozenset[str]] = {}


def _float_fields(kind: Any) -> frozenset[str]:
    if kind not in _float_names:
        # Annotations are text here: `float`, `float | None`.
        _float_names[kind] = frozenset(field.name for field in fields(kind) if str(field.type).startswith("float"))
    return _float_names[kind]


def _one(kind: type) -> Callable[[Mapping[str, Any]], object]:
    return lambda row: construct(kind, row)


def _many(kind: type) -> Callable[[list[Mapping[str, Any]]], tuple[object, ...]]:
    return lambda rows: tuple(construct(kind, row) for row in rows)


def _by_kind(row: Mapping[str, Any]) -> object:
    return construct(_BY_KIND[row["kind"]], row)


_NESTED: Mapping[type, Mapping[str, Callable[[Any], object]]] = {
    Model: {
        "groups": _many(LayerGroup),
        "extras": _many(Extra),
        "published": _one(Published),
        "rule_of_thumb": _one(RuleOfThumb),
    },
    LayerGroup: {"attention": _by_kind, "mlp": _by_kind},
    GroupedQuery: {"indexer": _one(Indexer)},
    Latent: {"indexer": _one(Indexer)},
    Compressed: {"indexer": _one(Indexer)},
    Mixture: {"gate": _one(Gate)},
    Extra: {"stored_as": Part},
    Precision: {"parts": _many(PartBits), "rows": _one(BlockRows)},
    PartBits: {"part": Part},
}
