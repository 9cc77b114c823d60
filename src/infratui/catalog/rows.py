"""Raw rows, built-in or the user's, and the checked values they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from ..engine.cluster.hardware import Accelerator, Link, Price, System
from ..engine.model.architecture import Model
from ..engine.model.precision import Precision
from ..value_types import dataclass
from . import yaml_io
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build, spelled_out
from .trusted import construct
from .yaml_io import Key, line_of, printable, read_text

Row = TypeVar("Row", Model, Accelerator, System, Link, Precision, Price)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a raw row stands, for messages."""

    file: Path
    text: str
    """Empty where it has not been read."""
    path: tuple[Key, ...]
    origin: str
    """`built-in` or the user's file."""

    def error(self, path: Sequence[Key], message: str) -> CatalogError:
        """An error that names file, line and key. `path` leads from the row to the culprit."""
        whole = (*self.path, *path)
        key = ".".join(str(part) for part in whole if isinstance(part, str) or path) or "file"
        line = line_of(self.text or read_text(self.file, limit=yaml_io.BUILT_IN_BYTES), whole)
        return CatalogError(f"{printable(str(self.file))}:{line}: {printable(key, 80)}: {message}")


@dataclass(frozen=True, slots=True)
class Raw:
    """A row before it is checked."""

    data: object
    source: Source


def read_built_in(*parts: str) -> tuple[Any, Source]:
    """The content of a file that ships with the catalog, and where it stands."""
    file = DATA.joinpath(*parts)
    return yaml_io.read_built_in(file), Source(file, "", (), "built-in")


def make(kind: type[Row], base: Raw | None, own: Raw | None = None) -> Row:
    """A checked row: the built-in one, the user's, or the user's keys over the built-in ones. Raises CatalogError."""
    if own is None:
        if base is None:
            raise CatalogError("nothing to make a row from; give a built-in row or the user's")
        return construct(kind, spelled_out(kind, cast(dict[str, Any], base.data)))
    data = own.data
    if base is not None and isinstance(base.data, dict) and isinstance(data, dict):
        data = {**base.data, **data}
    try:
        row = build(kind, data)
    except FlawedRowError as error:
        raise own.source.error(error.flaw.path, error.flaw.message) from None
    return replace(row, origin=own.source.origin)


def read_table(table: str, kind: type[Row], own: dict[str, Raw]) -> dict[str, Row]:
    """All rows of a table by id: the built-in ones, overridden and followed by the user's."""
    data, source = read_built_in(f"{table}.yaml")
    found: dict[str, Row] = {}
    for index, entry in enumerate(data):
        row_id = entry["id"]
        found[row_id] = make(kind, Raw(entry, replace(source, path=(index,))), own.get(row_id))
    for row_id, row in own.items():
        if row_id not in found:
            found[row_id] = make(kind, None, row)
    return found
