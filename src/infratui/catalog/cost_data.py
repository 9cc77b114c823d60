"""Reads the money tables: API prices by model, and what is said of buying and renting."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..engine.cost.api_price import ApiList, ApiPrice
from ..engine.cost.notes import CostNotes, HiddenCost, LeverNote, Signal
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@lru_cache(maxsize=1)
def api_prices() -> Mapping[str, ApiList]:
    """Model id → API prices, USD per 1M tokens."""
    table = read_built_in(DATA / "api_prices.yaml")
    date, source = table["list"]["date"], table["list"]["source"]
    return {
        model: ApiList(tuple(construct(ApiPrice, row) for row in rows), date=date, source=source)
        for model, rows in table["prices"].items()
    }


@lru_cache(maxsize=1)
def cost_notes() -> CostNotes:
    """Signals for buying and renting, hidden costs and levers, in words."""
    table = read_built_in(DATA / "cost_notes.yaml")
    return CostNotes(
        tuple(construct(Signal, row) for row in table["signals"]),
        tuple(construct(HiddenCost, row) for row in table["hidden"]),
        tuple(construct(LeverNote, row) for row in table["levers"]),
    )
