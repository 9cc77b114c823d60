"""The names that listings of hardware use, read once."""

from __future__ import annotations

from functools import cache

from ..reality.host.tables import HostTables
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in


@cache
def host_tables() -> HostTables:
    """Labels, device numbers, short names and machine types from `host_names.yaml`."""
    try:
        return build(HostTables, read_built_in(DATA / "host_names.yaml"))
    except FlawedRowError as problem:
        where = ".".join(str(key) for key in problem.flaw.path)
        raise CatalogError(f"host_names.yaml: {where}: {problem.flaw.message}") from None
