"""Whole tables of deployments: memory and speed for each row, its other columns passed through."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from ..engine.measured.memory_estimate import MEMORY_COLUMNS, estimate_memory
from ..engine.measured.rows import SPEED_COLUMNS, estimate_columns, prepare
from ..plain_text import inert, printable
from .reasons import reason_text

if TYPE_CHECKING:
    from ..catalog.load import Catalog

_TRAFFIC = ("isl", "osl", "concurrency")
"""A row with any of these filled in asks for speed."""
LONGEST_CELL = 131_072
_SURPLUS = "\0surplus"
"""No column of a file: what its reader has to say about a row."""


class TableError(ValueError):
    """A file that is no table: what, where, and what would be right."""


def estimate_rows(rows: Iterable[Mapping[str, str]], facts: Catalog, *, given_kv: bool) -> Iterator[dict[str, str]]:
    """Each row with its estimates; `est_error` where nothing is answered, `est_note` for what is missing."""
    for number, row in enumerate(rows, start=2):
        found = dict(row)
        found.update(estimate_memory(row, facts, given_kv=given_kv, say=reason_text))
        found.update(_speed(row, facts, number, found))
        yield found


def _speed(row: Mapping[str, str], facts: Catalog, number: int, found: dict[str, str]) -> dict[str, str]:
    told = dict.fromkeys(SPEED_COLUMNS, "")
    # Where not even the weights can be placed, there is no deployment that could have a speed.
    if not found["est_weights_gib_per_gpu"] or not any(row.get(name, "").strip() for name in _TRAFFIC):
        return told
    constants = facts.speed()
    try:
        prepared = prepare(facts.measured_row(row, number), facts, constants, facts.runtime())
        told.update({name: _text(value) for name, value in estimate_columns(prepared, constants).items()})
    except ValueError as problem:
        said = (found["est_note"], f"no speed: {problem}")
        told["est_note"] = "; ".join(dict.fromkeys(part for part in said if part))
    return told


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _clean(rows: Iterable[dict[str | Any, Any]]) -> Iterator[dict[str, str]]:
    """Rows without blanks that are None; cells beyond the columns are said, not dropped in silence."""
    for row in rows:
        surplus = row.pop(None, None)
        found = {key: value or "" for key, value in row.items()}
        if surplus:
            found[_SURPLUS] = f"{len(surplus)} cells more than columns; put texts with commas in quotes"
        yield found


def estimate_table(
    source: TextIO, target: TextIO, name: str, facts: Catalog, *, given_kv: bool = False
) -> tuple[int, int]:
    """Read a CSV table, write it with the estimated columns.

    Returns how many rows there are, and how many of them have no answer.

    Raises TableError in one line where the file is no table with a `model_id` column.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.DictReader(source)
    try:
        columns = list(reader.fieldnames or ())
        if "model_id" not in columns:
            raise TableError(f"{name}: no column model_id; the first line must name the columns")
        twice = next((column for number, column in enumerate(columns) if column in columns[:number]), None)
        if twice is not None:
            shown = f"column {printable(twice, 40)!r} appears twice" if twice else "two columns have no name"
            raise TableError(f"{name}: {shown}; give each a name of its own")
        added = [
            column for column in (*MEMORY_COLUMNS[:-2], *SPEED_COLUMNS, *MEMORY_COLUMNS[-2:]) if column not in columns
        ]
        writer = csv.DictWriter(target, [*columns, *added], extrasaction="ignore", lineterminator="\n")
        writer.writerow({column: inert(column) for column in (*columns, *added)})
        rows = refused = 0
        for row in estimate_rows(_clean(reader), facts, given_kv=given_kv):
            rows += 1
            surplus = row.pop(_SURPLUS, "")
            row["est_note"] = "; ".join(part for part in (surplus, row["est_note"]) if part)
            refused += bool(row["est_error"])
            writer.writerow({column: inert(cell) for column, cell in row.items()})
    except (csv.Error, UnicodeDecodeError) as problem:
        raise TableError(f"{name}: line {reader.line_num}: {problem}; write UTF-8 text with commas") from None
    return rows, refused
