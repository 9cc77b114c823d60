"""Raw rows, built-in or the user's, and the checked values they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..engine.cluster.hardware import Accelerator, Link, Price, System
from ..engine.model.architecture import Model
from ..engine.model.precision import Precision
from ..value_types import dataclass
from . import yaml_io
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build, spelled_out
from .trusted import construct
from .yaml_io import Key, line_of, printable

Row = TypeVar("Row", Model, Accelerator, System, Link, Precision, Price)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a raw row stands, for messages."""

    file: Path
    text: str
    path: tuple[Key, ...]
    origin: str
    """The user's file, as it is shown."""

    def error(self, path: Sequence[Key], message: str) -> CatalogError:
        """An error that names file, line and key. `path` leads from the row to the culprit."""
        whole = (*self.path, *path)
        key = ".".join(str(part) for part in whole if isinstance(part, str) or path) or "file"
        line = line_of(self.text, whole)
        return CatalogError(f"{printable(str(self.file))}:{line}: {printable(key, 80)}: {message}")


@dataclass(frozen=True, slots=True)
class Raw:
    """A row of the user's before it is checked."""

    data: object
    source: Source


def read_built_in(*parts: str) -> Any:
    """The content of a file that ships with the catalog."""
    return yaml_io.read_built_in(DATA.joinpath(*parts))


def make(kind: type[Row], base: dict[str, Any] | None, own: Raw | None = None) -> Row:
    """A checked row: the built-in one, the user's, or the user's keys over the built-in ones. Raises CatalogError."""
    if own is None:
        if base is None:
            raise CatalogError("nothing to make a row from; give a built-in row or the user's")
        return construct(kind, spelled_out(kind, base))
    data = own.data
    if base is not None and isinstance(data, dict):
        data = {**base, **data}
    try:
        row = build(kind, data)
    except FlawedRowError as error:
        raise own.source.error(error.flaw.path, error.flaw.message) from None
    return replace(row, origin=own.source.origin)


def read_table(table: str, kind: type[Row], own: dict[str, Raw]) -> dict[str, Row]:
    """All rows of a table by id: the built-in ones, overridden and followed by the user's."""
    found: dict[str, Row] = {}
    for entry in read_built_in(f"{table}.yaml"):
        row_id = entry["id"]
        found[row_id] = make(kind, entry, own.get(row_id))
    for row_id, row in own.items():
        if row_id not in found:
            found[row_id] = make(kind, None, row)
    return found
