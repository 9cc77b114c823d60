"""Reads the money tables: assumptions with their sources, and API prices by model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..engine.cost.api_price import ApiList, ApiPrice
from ..engine.cost.assumptions import Assumption, CostRules
from ..engine.cost.notes import CostNotes, HiddenCost, LeverNote, Signal
from .built_in import DATA
from .errors import CatalogError
from .schema import FlawedRowError, build
from .yaml_io import read_built_in


@lru_cache(maxsize=1)
def cost_rules() -> CostRules:
    """Every assumption of the cost engine. Raises CatalogError where one is missing or malformed."""
    rows = read_built_in(DATA / "cost_defaults.yaml")
    found = {row["key"]: _checked(Assumption, row, f"cost_defaults.yaml: {row['key']}") for row in rows}
    try:
        return CostRules(**found)
    except TypeError as error:
        raise CatalogError(f"cost_defaults.yaml: {error}; keep one entry per assumption") from None


@lru_cache(maxsize=1)
def api_prices() -> Mapping[str, ApiList]:
    """Model id → API prices, USD per 1M tokens."""
    table = read_built_in(DATA / "api_prices.yaml")
    date, source = table["list"]["date"], table["list"]["source"]
    return {
        model: ApiList(
            tuple(_checked(ApiPrice, row, f"api_prices.yaml: {model}") for row in rows), date=date, source=source
        )
        for model, rows in table["prices"].items()
    }


@lru_cache(maxsize=1)
def cost_notes() -> CostNotes:
    """Signals for buying and renting, hidden costs and levers, in words."""
    table = read_built_in(DATA / "cost_notes.yaml")
    return CostNotes(
        tuple(_checked(Signal, row, "cost_notes.yaml: signals") for row in table["signals"]),
        tuple(_checked(HiddenCost, row, "cost_notes.yaml: hidden") for row in table["hidden"]),
        tuple(_checked(LeverNote, row, "cost_notes.yaml: levers") for row in table["levers"]),
    )


def _checked(kind: type[Any], row: object, where: str) -> Any:
    try:
        return build(kind, row)
    except FlawedRowError as error:
        raise CatalogError(f"{where}: {error}") from None
