"""Reads what money rests on besides prices: assumptions with their sources."""

from __future__ import annotations

from functools import lru_cache

from ..engine.cost.assumptions import Assumption, CostRules
from .built_in import DATA
from .errors import CatalogError
from .trusted import construct
from .yaml_io import read_built_in


@lru_cache(maxsize=1)
def cost_rules() -> CostRules:
    """Every assumption of the cost engine. Raises CatalogError where one is missing or malformed."""
    rows = read_built_in(DATA / "cost_defaults.yaml")
    found = {row["key"]: construct(Assumption, row) for row in rows}
    try:
        return CostRules(**found)
    except TypeError as error:
        raise CatalogError(f"cost_defaults.yaml: {error}; keep one entry per assumption") from None
