"""Makes engine values of rows that ship with the package: their shape is checked by the tests, not at every start.

Building a schema takes longer than reading the rows it would check, and a start over SSH feels it. Rows of the user's
own files always pass the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from ..value_types import types_of

Made = TypeVar("Made")
Maker = Callable[[Any], Any]


def construct(kind: type[Made], row: Mapping[str, Any]) -> Made:
    """The value of a row that is known to fit `kind`, a dataclass."""
    found = dict(row)
    for name, maker in _makers(kind).items():
        if name in found:
            found[name] = maker(found[name])
    return kind(**found)


_known: dict[type, dict[str, Maker]] = {}


def _makers(kind: type) -> dict[str, Maker]:
    """By field, what turns a plain value into the field's; fields that keep theirs are left out."""
    if kind not in _known:
        hints = types_of(kind)
        found = {field.name: _maker(hints[field.name]) for field in fields(kind)}
        _known[kind] = {name: maker for name, maker in found.items() if maker is not None}
    return _known[kind]


def _maker(hint: Any) -> Maker | None:
    """What turns a plain value into one of a type; None: it is one already."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is float:
        return float
    if is_dataclass(hint):
        return lambda row: construct(hint, row)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if isinstance(hint, type) and issubclass(hint, tuple):
        return lambda row: hint(*row)
    if origin is tuple:
        return _tuple(inner)
    if origin is frozenset:
        return frozenset
    if isinstance(origin, type) and issubclass(origin, Mapping):
        each = _maker(inner[1])
        return None if each is None else lambda rows: {key: each(value) for key, value in rows.items()}
    if origin in (Union, UnionType):
        return _either([entry for entry in inner if entry is not NoneType])
    return None


def _tuple(inner: tuple[Any, ...]) -> Maker:
    if len(inner) == 2 and inner[1] is Ellipsis:
        each = _maker(inner[0])
        return tuple if each is None else lambda rows: tuple(map(each, rows))
    makers = [_maker(entry) for entry in inner]
    return lambda row: tuple(value if maker is None else maker(value) for maker, value in zip(makers, row, strict=True))


def _either(kinds: list[Any]) -> Maker | None:
    """One of several: told by the `kind` that its row states, else the only one there is."""
    if len(kinds) > 1 and all(is_dataclass(kind) for kind in kinds):
        by_kind = {next(field.default for field in fields(kind) if field.name == "kind"): kind for kind in kinds}
        return lambda row: None if row is None else construct(by_kind[row["kind"]], row)
    if len(kinds) > 1:
        return None
    maker = _maker(kinds[0])
    return None if maker is None else lambda value: None if value is None else maker(value)
