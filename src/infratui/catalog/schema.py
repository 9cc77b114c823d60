"""What a catalog row must look like: the engine's own types, checked by pydantic, and what their figures may be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from ..engine.cluster.hardware import Accelerator, Link, Price, System
from ..engine.model.architecture import ArchitectureError, Model, layer_order, parameters
from ..engine.model.precision import Precision
from ..value_types import dataclass
from .errors import CatalogError
from .yaml_io import Key, printable

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Row = TypeVar("Row")

LARGEST = 1e24
"""No figure of a catalog is larger; what is, is a slip or an attack."""

TYPES: Mapping[str, type] = {
    "models": Model,
    "accelerators": Accelerator,
    "systems": System,
    "links": Link,
    "precisions": Precision,
    "prices": Price,
}
"""Table name → type of its rows."""

# Zero would divide something by zero or describe nothing.
_POSITIVE = frozenset(
    (
        "hidden_size", "vocab_size", "max_context", "heads", "kv_heads", "head_dim", "kv_lora_rank",
        "qk_nope_head_dim", "v_head_dim", "width", "experts", "top_k", "memory", "memory_marketing_gb", "bandwidth",
        "bits", "gpus", "gpus_per_node", "parameters", "layers", "window", "local_window", "total", "active",
        "state_dim", "activation_bits", "link_bandwidth", "peer_bandwidth",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a row: where in it, what, and what would be right."""

    path: tuple[Key, ...]
    message: str


class FlawedRowError(ValueError):
    """A row that does not fit its type."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """Built when a table is first read: building one takes longer than checking a thousand rows."""
    from pydantic import TypeAdapter

    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def checked(kind: type[Row], document: object, where: str) -> Row:
    """A whole document of a shape. Raises CatalogError, which names `where` and the key."""
    from pydantic import ValidationError

    try:
        value: Row = _adapter(kind).validate_python(document)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CatalogError(f"{where}: {printable(place, 80)}: {printable(first['msg'], 200)}") from None
    return value


def build(kind: type[Row], row: object) -> Row:
    """Check one row and make the engine's value of it. Raises FlawedRowError."""
    from pydantic import ValidationError

    if not isinstance(row, dict):
        raise FlawedRowError(Flaw((), f"{_shown(row)} is no entry; write `key: value` lines"))
    try:
        value: Row = _adapter(kind).validate_python(spelled_out(kind, row))
    except ValidationError as error:
        raise FlawedRowError(_explain(kind, error.errors(include_url=False, include_context=False))) from None
    _check_figures(value, ())
    if isinstance(value, Model):
        _check_model(value)
    return value


def spelled_out(kind: type, row: dict[str, Any]) -> dict[str, Any]:
    """A row with its shorthands written out: kinds that follow from keys, bits by part as a mapping."""
    if kind is Model:
        return _with_kinds(row)
    if kind is Precision and isinstance(row.get("parts"), dict):
        return {**row, "parts": [{"part": part, "bits": bits} for part, bits in row["parts"].items()]}
    return row


def _with_kinds(row: dict[str, Any]) -> dict[str, Any]:
    """Spell out the kind of attention and MLP where the row leaves it to its keys."""
    groups = row.get("groups")
    if not isinstance(groups, list):
        return row
    return {**row, "groups": [_group_with_kinds(group) for group in groups]}


def _group_with_kinds(group: object) -> object:
    if not isinstance(group, dict):
        return group
    found = dict(group)
    attention, mlp = group.get("attention"), group.get("mlp")
    if isinstance(attention, dict) and "kind" not in attention:
        kind = "mla" if "kv_lora_rank" in attention else "recurrent" if "style" in attention else "gqa"
        found["attention"] = {**attention, "kind": "compressed" if "out_groups" in attention else kind}
    if isinstance(mlp, dict) and "kind" not in mlp:
        found["mlp"] = {**mlp, "kind": "moe" if "experts" in mlp else "dense"}
    return found


_UNKNOWN_KEY = ("unexpected_keyword_argument", "extra_forbidden")


def _explain(kind: type, problems: Sequence[Any]) -> Flaw:
    """The most telling of pydantic's complaints. A union complains once per member: only the member meant counts."""
    off = {tuple(p["loc"][:-1]) for p in problems if p["loc"][-1:] == ("kind",) and p["type"] == "literal_error"}
    meant = [p for p in problems if not any(tuple(p["loc"][: len(branch)]) == branch for branch in off)]
    # A misspelt key is also a missing one: the misspelling is what to mend.
    problem = min(meant or problems, key=lambda found: found["type"] not in _UNKNOWN_KEY)
    # Union members appear in the path under their class name; a key that is not known may be capitalised itself.
    *lead, last = problem["loc"] or ("",)
    named = [part for part in lead if not (isinstance(part, str) and part[:1].isupper())]
    is_member = isinstance(last, str) and last[:1].isupper() and problem["type"] not in _UNKNOWN_KEY
    path = tuple(named) if is_member or not problem["loc"] else (*named, last)
    if problem["type"] in _UNKNOWN_KEY:
        from difflib import get_close_matches

        known = [field.name for field in fields(kind)] if len(path) == 1 else _known_keys()
        near = get_close_matches(str(path[-1]), known, 1)
        return Flaw(path, f"unknown key; did you mean {near[0]!r}?" if near else "unknown key; remove it")
    if problem["type"] in ("missing", "missing_argument"):
        return Flaw(path, "is missing; add it")
    message = str(problem["msg"])
    return Flaw(path, f"{_shown(problem.get('input'))} is not allowed; {message[:1].lower()}{message[1:]}")


@cache
def _known_keys() -> tuple[str, ...]:
    from ..engine.model import architecture

    found: set[str] = set()
    for value in vars(architecture).values():
        if isinstance(value, type) and is_dataclass(value):
            found.update(field.name for field in fields(value))
    return tuple(sorted(found))


def _check_figures(value: object, path: tuple[Key, ...]) -> None:
    """Every number finite, not negative and of a believable size. Raises FlawedRowError."""
    for field in fields(value):  # type: ignore[arg-type]
        held = getattr(value, field.name)
        where = (*path, field.name)
        if isinstance(held, int | float) and not isinstance(held, bool):
            if not math.isfinite(held) or held < 0 or held > LARGEST:
                raise FlawedRowError(
                    Flaw(where, f"{_shown(held)} is not allowed; write a number from 0 to {LARGEST:g}")
                )
            if held == 0 and field.name in _POSITIVE:
                raise FlawedRowError(Flaw(where, "0 is not allowed; write a number above 0"))
        elif isinstance(held, tuple):
            for index, entry in enumerate(held):
                if is_dataclass(entry):
                    _check_figures(entry, (*where, index))
        elif is_dataclass(held):
            _check_figures(held, where)


def _check_model(model: Model) -> None:
    """A layer order that resolves and experts that suffice. Raises FlawedRowError."""
    keys = [group.key for group in model.groups]
    if len(set(keys)) != len(keys):
        raise FlawedRowError(Flaw(("groups",), "two groups share a key; give each its own"))
    try:
        layer_order(model)
    except ArchitectureError as error:
        raise FlawedRowError(Flaw(("order",), str(error))) from None
    for index, group in enumerate(model.groups):
        mixture = group.mlp
        if mixture is not None and mixture.kind == "moe" and mixture.top_k > mixture.experts:
            raise FlawedRowError(
                Flaw(
                    ("groups", index, "mlp", "top_k"),
                    f"{mixture.top_k} of {mixture.experts} experts; at most all of them",
                )
            )
    if parameters(model).total > LARGEST:
        raise FlawedRowError(Flaw((), "more parameters than any model; check the sizes"))


def _shown(value: object) -> str:
    return printable(repr(value), 40)
