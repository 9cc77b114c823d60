"""What metrics of servers and columns of traces are called, read once."""

from __future__ import annotations

from functools import cache

from ..demand.names import DemandNames
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in


@cache
def demand_names() -> DemandNames:
    """Metrics by engine and version, columns by what they hold, from `demand_names.yaml`."""
    try:
        return build(DemandNames, read_built_in(DATA / "demand_names.yaml"))
    except FlawedRowError as problem:
        where = ".".join(str(key) for key in problem.flaw.path)
        raise CatalogError(f"demand_names.yaml: {where}: {problem.flaw.message}") from None
