"""`dataclass` as the standard library has it, except that a definition costs a tenth.

A start defines two hundred value types, and of most of them makes a few objects or none. The standard library compiles
six methods for each; here `__init__` is compiled once objects are made by the dozen, and the others need no compiling.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")
_NO_FIELD = ("ClassVar", "InitVar", "KW_ONLY")
"""Words in annotations of what may be no field."""
Method = Callable[..., Any]
_NOTHING = object()
_FEW = 4
"""So many objects are made sooner than what makes them is compiled."""


class Keyed:
    """A frozen value that results are remembered by: it is hashed once, however many values it is made of."""

    __slots__ = ("_hash",)
    _hash: int


def light(kind: type[T], frozen: bool, slots: bool, eq: bool) -> type[T]:
    """Make a dataclass of a class; what its body defines stays."""
    own = set(vars(kind))
    made = _with_fields(kind, slots)
    methods: dict[str, Method | None] = {"__init__": _init_when_needed(made), "__repr__": _repr}
    if eq:
        methods |= _comparing(made, frozen)
    if frozen:
        methods |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
        methods |= {"__getstate__": _state, "__setstate__": _restore} if slots else {}
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _with_fields(kind: type[T], slots: bool) -> type[T]:
    """The standard library's own share of it. In each annotation it would look for three words in turn."""
    said = kind.__annotations__
    plain = {
        name: text
        for name, text in said.items()
        if isinstance(text, str) and not any(word in text for word in _NO_FIELD)
    }
    said.update(dict.fromkeys(plain, object))
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(kind)
    made.__annotations__.update(plain)
    for field in dataclasses.fields(made):  # type: ignore[arg-type]
        if field.name in plain:
            field.type = plain[field.name]
    return made


def _init_when_needed(kind: Any) -> Method:
    made = 0

    def slow(self: object, *values: object, **named: object) -> None:
        nonlocal made
        made += 1
        given = _given(kind, values, named) if made <= _FEW else None
        if given is None:
            # What is not right is refused by the compiled one, in the usual words.
            kind.__init__ = init = _init(kind)
            init(self, *values, **named)
            return
        for name, value in given.items():
            object.__setattr__(self, name, value)
        if hasattr(kind, "__post_init__"):
            self.__post_init__()  # type: ignore[attr-defined]

    return slow


def _given(kind: Any, values: tuple[object, ...], named: dict[str, object]) -> dict[str, object] | None:
    """The value of each field by its name, in their order; None where one is missing, unknown or given twice."""
    found: dict[str, object] = {}
    left, taken = iter(values), 0
    for field in dataclasses.fields(kind):
        name = field.name
        if field.init and (value := next(left, _NOTHING)) is not _NOTHING:
            found[name] = value
        elif field.init and name in named:
            found[name] = named[name]
            taken += 1
        elif field.default_factory is not dataclasses.MISSING:
            found[name] = field.default_factory()
        elif field.init and field.default is dataclasses.MISSING:
            return None
        elif field.init:
            found[name] = field.default
    return found if taken == len(named) and next(left, _NOTHING) is _NOTHING else None


def _init(kind: Any) -> Method:
    """What sets the fields, in the order in which they are given."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_missing": dataclasses.MISSING}
    head, body = ["self"], ["    pass"]
    for field in dataclasses.fields(kind):
        name, default = field.name, f"_{field.name}_default"
        has_default, makes_default = (
            given is not dataclasses.MISSING for given in (field.default, field.default_factory)
        )
        known[default] = field.default_factory if makes_default else field.default
        value = f"{default}()" if makes_default else name
        if field.init:
            head.append(f"{name}=_missing" if makes_default else f"{name}={default}" if has_default else name)
            value = f"{value} if {name} is _missing else {name}" if makes_default else value
        if field.init or makes_default:
            body.append(f"    _set(self, {name!r}, {value})")
    if hasattr(kind, "__post_init__"):
        body.append("    self.__post_init__()")
    exec(f"def __init__({', '.join(head)}):\n" + "\n".join(body), known)
    init: Method = known["__init__"]
    init.__qualname__ = f"{kind.__qualname__}.__init__"
    return init


def _comparing(kind: Any, frozen: bool) -> dict[str, Method | None]:
    fields = dataclasses.fields(kind)
    values = _getter(field.name for field in fields if field.compare)
    hashed = _getter(field.name for field in fields if (field.compare if field.hash is None else field.hash))

    def equal(self: object, other: object) -> bool:
        return bool(values(self) == values(other)) if other.__class__ is self.__class__ else NotImplemented

    def hash_once(self: Any) -> int:
        try:
            found: int = self._hash
        except AttributeError:
            found = hash(hashed(self))
            object.__setattr__(self, "_hash", found)
        return found

    once = hash_once if issubclass(kind, Keyed) else lambda self: hash(hashed(self))
    return {"__eq__": equal, "__hash__": once if frozen else None}


def _getter(names: Iterable[str]) -> Callable[[object], object]:
    found = tuple(names)
    return attrgetter(*found) if found else lambda self: ()


def _repr(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


def types_of(kind: type) -> dict[str, Any]:
    """The types of what a class annotates. `typing.get_type_hints` compiles the same text again for every field."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        names, known = vars(sys.modules[base.__module__]), {}
        for name, said in vars(base).get("__annotations__", {}).items():
            if said not in known:
                known[said] = eval(said, names) if isinstance(said, str) else said
            found[name] = known[said]
    return found


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(kind=None, /, *, frozen=False, slots=False, eq=True, **others):
        """Takes the options of `dataclasses.dataclass`, which makes the class where there are any but these three."""

        def decorated(kind):
            if others:
                return dataclasses.dataclass(frozen=frozen, slots=slots, eq=eq, **others)(kind)
            return light(kind, frozen, slots, eq)

        return decorated if kind is None else decorated(kind)
