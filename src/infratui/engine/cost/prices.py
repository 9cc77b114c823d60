"""Dated prices of one accelerator: a range rather than one figure, with its age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache

from ...value_types import dataclass
from ..cluster.hardware import Price
from ..figures.derivation import Basis, Formula, Step, Unit
from ..figures.units import median

STALE_AFTER_DAYS = 180
"""GPU prices move by tens of percent within half a year; older rows are marked."""
WINDOW_DAYS = 365
"""Rows older than this before the newest of their kind describe another market."""
ENOUGH_QUOTES = 3
"""With so many offers in hand, estimates and market ranges are left out."""

COMMITTED = Formula(
    "committed rate",
    "on_demand_rate * (1 - discount_pct / 100)",
    Unit.USD_PER_HOUR,
    basis=Basis.ASSUMED,
    term="reserved",
)


class PriceKind(StrEnum):
    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED_1Y = "reserved_1y"
    RESERVED_3Y = "reserved_3y"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Low, median and high of the prices that count, in USD per GPU-hour, or per GPU where purchased.

    Low and high leave out the outer tenth on either side where ten offers or more are known.
    """

    kind: PriceKind
    low: float
    median: float
    high: float
    rows: int
    newest: dt.date | None
    """None: the user's own figure, or an estimate without a published price."""
    oldest: dt.date | None
    providers: tuple[str, ...]
    own: bool = False
    """Set by the user in the scenario or a file, rather than from the catalog."""
    estimate: Step | None = None
    """How it was estimated, where no recent price is published."""
    sources: tuple[str, ...] = ()

    def age_days(self, today: dt.date) -> int | None:
        """Days since the newest row; None where no date applies."""
        return None if self.newest is None else max(0, (today - self.newest).days)

    def stale(self, today: dt.date) -> bool:
        age = self.age_days(today)
        return not self.own and age is not None and age > STALE_AFTER_DAYS

    @property
    def basis(self) -> Basis:
        return Basis.ASSUMED if self.own or self.estimate else Basis.DERIVED

    def words(self, today: dt.date) -> str:
        """Where the figure comes from and how old it is, for tables and steps."""
        if self.estimate is not None:
            return self.estimate.note + ("; that price is old, check it" if self.stale(today) else "")
        if self.own and self.newest is None:
            return "your own figure"
        age = self.age_days(today)
        origin = "your own prices" if self.own else f"median of {self.rows}" if self.rows > 1 else self.providers[0]
        return f"price from {self.newest}, {age} days old{', check it' if self.stale(today) else ''}: {origin}"


@lru_cache(maxsize=512)
def first_day(text: str) -> dt.date:
    """The first day that a date can mean: `2026` is 2026-01-01, so that no price looks younger than it is."""
    year, month, day = ([int(part) for part in text[:10].split("-")] + [1, 1])[:3]
    return dt.date(year, month, day)


def price_range(prices: Iterable[Price], kind: PriceKind, window_days: int = WINDOW_DAYS) -> PriceRange | None:
    """The range of one kind; None without rows.

    Rows of the user's own files displace the built-in ones; offers displace estimates where there are enough of them;
    rows more than `window_days` older than the newest are left out.
    """
    rows = [price for price in prices if price.kind == kind and price.usd > 0]
    own = [price for price in rows if price.origin != "built-in"]
    rows = own or rows
    if not rows:
        return None
    newest = max(first_day(price.date) for price in rows)
    rows = [price for price in rows if (newest - first_day(price.date)).days <= window_days]
    quoted = [price for price in rows if price.quoted]
    rows = quoted if len(quoted) >= ENOUGH_QUOTES else rows
    values = sorted(price.usd for price in rows)
    low, high = _outer(values)
    days = [first_day(price.date) for price in rows]
    providers = tuple(sorted({price.provider for price in rows}))
    sources = tuple(sorted({price.source for price in rows}))
    return PriceRange(
        kind, low, median(values), high, len(rows), max(days), min(days), providers, bool(own), sources=sources
    )


def own_price(kind: PriceKind, usd: float) -> PriceRange:
    """The user's own figure: no range, no age."""
    return PriceRange(kind, usd, usd, usd, 1, None, None, (), own=True)


def committed(
    published: PriceRange | None, on_demand: PriceRange | None, kind: PriceKind, discount_pct: float, source: str
) -> PriceRange | None:
    """A commitment's price: as published where that is about as recent as the on-demand price, else a discount on it.

    An H100 commitment of early 2024 costs more than today's on-demand hour: it prices another market. Without a
    market of several providers nothing is estimated: nobody may offer a commitment at all.
    """
    if on_demand is None or on_demand.newest is None or (published is not None and published.own):
        return published
    if published is not None and published.newest is not None:
        behind = (on_demand.newest - published.newest).days
        if behind <= WINDOW_DAYS:
            return published
    if len(on_demand.providers) < ENOUGH_QUOTES:
        return published
    years = "1-year" if kind is PriceKind.RESERVED_1Y else "3-year"
    found = f"published {years} price is of {published.newest}" if published else f"no {years} price published"
    step = COMMITTED.step(
        on_demand_rate=on_demand.median,
        discount_pct=discount_pct,
        source=source,
        note=f"assumed: on demand less {discount_pct:g} %; {found}",
    )
    factor = 1 - discount_pct / 100
    return PriceRange(
        kind, on_demand.low * factor, on_demand.median * factor, on_demand.high * factor, 0, on_demand.newest,
        on_demand.oldest, (),
        estimate=step, sources=(source,),
    )  # fmt: skip


def _outer(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest, without the outer tenth on either side of ten or more."""
    cut = len(values) // 10
    return values[cut], values[-1 - cut]
