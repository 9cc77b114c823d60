"""The user's own facts: every `*.yaml` of one folder, each a file of tables or one model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .rows import Raw, Source
from .schema import TYPES
from .yaml_io import Key, parse, read_text

TABLES = (*TYPES, "formats", "aliases")
"""What a user's file may hold."""
_WITHOUT_ID = ("prices", "aliases")


def user_directory() -> Path:
    """Where the user's own facts live: `~/.config/infratui/catalog` under XDG."""
    from platformdirs import user_config_path

    return user_config_path("infratui") / "catalog"


class UserFacts:
    """Raw rows of the user's files by table."""

    def __init__(self, folder: Path | None) -> None:
        """Read all files. A folder that does not exist holds no facts. Raises CatalogError."""
        self._rows: dict[str, list[Raw]] = {table: [] for table in TABLES}
        if folder is not None and folder.is_dir():
            for file in sorted(folder.glob("*.yaml")):
                self._read(file)
        self._by_id = {
            table: {_row_id(raw): raw for raw in rows} for table, rows in self._rows.items() if table not in _WITHOUT_ID
        }

    def rows(self, table: str) -> dict[str, Raw]:
        """Rows of a table by id; a later file wins."""
        return self._by_id[table]

    def listed(self, table: str) -> list[Raw]:
        """Rows of a table without ids: prices and aliases."""
        return self._rows[table]

    def _read(self, file: Path) -> None:
        text = read_text(file)
        source = Source(file, text, (), str(file))
        for table, path, row in _entries(parse(text, name=str(file)), source):
            self._rows[table].append(Raw(row, Source(file, text, path, str(file))))


def _entries(data: object, source: Source) -> Iterator[tuple[str, tuple[Key, ...], object]]:
    """Table, path and raw row of everything in a file: tables by name, or one model on its own."""
    if data is None:
        return
    if not isinstance(data, dict):
        raise source.error((), "a list or a value; write tables such as `accelerators:` with entries below")
    if "groups" in data and "id" in data:
        yield "models", (), data
        return
    for table, rows in data.items():
        if table not in TABLES:
            from .matching import nearest

            near = nearest(table, TABLES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"tables are {', '.join(TABLES)}"
            raise source.error((table,), f"unknown table; {hint}")
        if table == "aliases":
            yield table, (table,), rows
        elif isinstance(rows, list):
            for index, row in enumerate(rows):
                yield table, (table, index), row
        else:
            raise source.error((table,), "write a list of entries, each starting with `- id:`")


def _row_id(raw: Raw) -> str:
    row_id = raw.data.get("id") if isinstance(raw.data, dict) else None
    if not isinstance(row_id, str) or not row_id or len(row_id) > 80 or not row_id.isprintable() or " " in row_id:
        raise raw.source.error(("id",), "is missing or not a short name without blanks; write `id: my-name`")
    return row_id
