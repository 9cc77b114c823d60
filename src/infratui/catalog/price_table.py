"""The price table: what was offered for each accelerator, by whom and when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from ..engine.cluster.hardware import Price
from .rows import Raw, make, read_built_in

# The table writes these once per offer: short there, spelled out here.
_SHORT_KEYS = {"as": "listed_as", "gpus": "gpus_in_offer", "basis": "date_basis"}


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = read_built_in("prices.yaml")
    return found


def prices_of(accelerator_id: str, own: Sequence[Raw] = ()) -> tuple[Price, ...]:
    """Prices of one accelerator: the user's own in their order, then the built-in ones, newest first."""
    return (*(make(Price, None, raw) for raw in own if _meant(raw, accelerator_id)), *_built_in(accelerator_id))


@cache
def _built_in(accelerator_id: str) -> tuple[Price, ...]:
    table = _table()
    offers = table["offers"].get(accelerator_id, ())
    found = [make(Price, {"accelerator": accelerator_id, **_spelled(offer, table)}) for offer in offers]
    # What prices have been made of is not kept beside them.
    table["offers"].pop(accelerator_id, None)
    # Sorting is stable: within a day the table's order stays.
    return tuple(sorted(found, key=lambda price: price.date, reverse=True))


def _meant(raw: Raw, accelerator_id: str) -> bool:
    """Whether a user's row is about the accelerator; one that says nothing is checked, and so refused."""
    return not isinstance(raw.data, dict) or raw.data.get("accelerator") in (accelerator_id, None)


def _spelled(offer: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    found = {_SHORT_KEYS.get(key, key): value for key, value in offer.items()}
    found["source"] = table["sources"].get(offer["source"], offer["source"])
    if "basis" in offer:
        found["date_basis"] = table["date_bases"].get(offer["basis"], offer["basis"])
    return found
