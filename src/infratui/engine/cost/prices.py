"""Dated prices of one accelerator: a range rather than one figure, with its age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import ClassVar

STALE_AFTER_DAYS = 180
"""GPU prices move by tens of percent within half a year; older rows are marked."""


class PriceKind(StrEnum):
    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED_1Y = "reserved_1y"
    RESERVED_3Y = "reserved_3y"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class Price:
    """One published price: USD per GPU-hour, or per GPU where the kind is purchase."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    accelerator: str
    provider: str
    kind: PriceKind
    usd: float
    date: str
    """As published: `2026-05-18`, `2026-03` or `2026`."""
    source: str
    region: str = ""
    gpus: int | None = None
    notes: str = ""
    origin: str = "built-in"

    @property
    def day(self) -> dt.date:
        """The first day that the text can mean: `2026` is 2026-01-01, so that no price looks younger than it is."""
        year, month, day = ([int(part) for part in self.date[:10].split("-")] + [1, 1])[:3]
        return dt.date(year, month, day)


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Low, median and high of the prices that count, in USD."""

    kind: PriceKind
    low: float
    median: float
    high: float
    rows: int
    newest: dt.date
    oldest: dt.date
    providers: tuple[str, ...]
    own: bool = False
    """Set by the user in the scenario or a file, rather than from the catalog."""

    def age_days(self, today: dt.date) -> int:
        return max(0, (today - self.newest).days)

    def stale(self, today: dt.date) -> bool:
        return not self.own and self.age_days(today) > STALE_AFTER_DAYS


def price_range(prices: Iterable[Price], kind: PriceKind, window_days: int = 730) -> PriceRange | None:
    """The range of one kind. Rows more than `window_days` older than the newest are left out; None without rows.

    Rows of the user's own files displace the built-in ones.
    """
    rows = [price for price in prices if price.kind is kind and price.usd > 0]
    own = [price for price in rows if price.origin != "built-in"]
    rows = own or rows
    if not rows:
        return None
    newest = max(price.day for price in rows)
    rows = [price for price in rows if (newest - price.day).days <= window_days]
    values = [price.usd for price in rows]
    providers = tuple(sorted({price.provider for price in rows}))
    oldest = min(price.day for price in rows)
    return PriceRange(kind, min(values), median(values), max(values), len(rows), newest, oldest, providers, bool(own))
