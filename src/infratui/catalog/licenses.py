"""What licences let one do: levels of openness, the most open first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar, Literal

from ..value_types import dataclass
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in

LEVELS = ("permissive", "terms", "research", "closed")
"""From any use down to no weights at all; each includes what stands before it when models are filtered."""


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence as models name it."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    licence: str
    level: Literal["permissive", "terms", "research", "closed"]
    source: str


@lru_cache(maxsize=1)
def licences() -> Mapping[str, Licence]:
    """By name. Raises CatalogError where an entry is malformed."""
    found = {}
    for row in read_built_in(DATA / "licenses.yaml"):
        try:
            entry = build(Licence, row)
        except FlawedRowError as error:
            raise CatalogError(f"licenses.yaml: {error}") from None
        found[entry.licence] = entry
    return MappingProxyType(found)


def level(licence: str) -> str:
    """The level of a licence; one that is not known has terms to be read."""
    known = licences().get(licence)
    return known.level if known else "terms"


def as_open_as(licence: str, wanted: str) -> bool:
    """A licence is at least as open as a level."""
    return LEVELS.index(level(licence)) <= LEVELS.index(wanted)
