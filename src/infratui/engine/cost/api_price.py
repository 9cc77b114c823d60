"""What a provider charges per token for the same model, and what this demand would cost there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.units import median
from .demand import Offered
from .prices import STALE_AFTER_DAYS, first_day

BLENDED = Formula(
    "API price",
    "(input_tokens * input_usd + output_tokens * output_usd) / (input_tokens + output_tokens)",
    Unit.USD_PER_MTOK,
    term="per-token-price",
)
BLENDED_CACHED = Formula(
    "API price",
    "(input_tokens * ((1 - cached_share) * input_usd + cached_share * cached_usd) + output_tokens * output_usd)"
    " / (input_tokens + output_tokens)",
    Unit.USD_PER_MTOK,
    term="per-token-price",
)
API_MONTH = Formula("API", "tokens_per_month / 1000000 * api_usd_per_mtok", Unit.USD, term="per-token-price")


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """One provider's list price, USD per 1M tokens."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    provider: str
    input: float
    output: float
    page: str
    """Where the provider lists it."""
    cached: float | None = None
    """For prompt tokens that the provider finds in its cache; None: no such price is known."""


@dataclass(frozen=True, slots=True)
class ApiList:
    """The prices of one model as one list carried them."""

    prices: tuple[ApiPrice, ...]
    date: str
    source: str

    def age_days(self, today: dt.date) -> int:
        return max(0, (today - first_day(self.date)).days)


@dataclass(frozen=True, slots=True)
class BlendedPrice:
    """A provider's price for this mix of input and output tokens, USD per 1M tokens."""

    provider: str
    usd_per_mtok: float
    input: float
    output: float
    page: str
    cached: float | None = None


@dataclass(frozen=True, slots=True)
class TokenMix:
    """Tokens of a request, and the share of the prompt that a cache holds."""

    input_tokens: int
    output_tokens: int
    cached_share: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiQuote:
    """What the same tokens cost at providers. USD per 1M tokens; months have 30.44 days."""

    low: float
    median: float
    high: float
    monthly: float
    """USD at the median price."""
    monthly_low: float
    monthly_high: float
    providers: tuple[BlendedPrice, ...]
    """Cheapest first; empty where the user gave the price."""
    date: str
    age_days: int
    own: bool
    source: str
    derivation: Derivation

    @property
    def stale(self) -> bool:
        return not self.own and self.age_days > STALE_AFTER_DAYS


def quote_api(
    listed: ApiList | None, own_usd: float, mix: TokenMix, offered: Offered, today: dt.date
) -> ApiQuote | None:
    """The price of this demand at an API: the user's own price, or the range over the providers; None without any.

    Prompt tokens that a cache holds are charged at the provider's cached price, where it has one.
    """
    ledger = Ledger()
    if own_usd > 0:
        monthly = _month(ledger, offered, own_usd, "your own price")
        derivation = ledger.derivation("Cost: API")
        return ApiQuote(own_usd, own_usd, own_usd, monthly, monthly, monthly, (), "", 0, True, "your own", derivation)
    if listed is None or not listed.prices or mix.input_tokens + mix.output_tokens <= 0:
        return None
    quiet = Ledger(recording=False)
    blended = sorted((_blended(price, mix, quiet) for price in listed.prices), key=lambda price: price.usd_per_mtok)
    middle = _middle(blended)
    usd = _blended(
        ApiPrice(middle.provider, middle.input, middle.output, middle.page, middle.cached),
        mix,
        ledger,
        source=f"{middle.page} ({middle.provider}), {listed.date}; {listed.source}",
        note=f"{middle.provider}: the middle of {len(blended)} providers",
    ).usd_per_mtok
    monthly = _month(ledger, offered, usd, "")
    low, high = blended[0].usd_per_mtok, blended[-1].usd_per_mtok
    return ApiQuote(
        low=low,
        median=usd,
        high=high,
        monthly=monthly,
        monthly_low=_month(quiet, offered, low, ""),
        monthly_high=_month(quiet, offered, high, ""),
        providers=tuple(blended),
        date=listed.date,
        age_days=listed.age_days(today),
        own=False,
        source=listed.source,
        derivation=ledger.derivation("Cost: API"),
    )


def _month(ledger: Ledger, offered: Offered, usd: float, note: str) -> float:
    basis = Basis.ASSUMED if note else None
    return float(
        ledger(API_MONTH, basis=basis, note=note, tokens_per_month=offered.tokens_per_month, api_usd_per_mtok=usd)
    )


def _blended(price: ApiPrice, mix: TokenMix, ledger: Ledger, source: str = "", note: str = "") -> BlendedPrice:
    if price.cached is None or not mix.cached_share:
        usd = ledger(
            BLENDED,
            source=source,
            note=note,
            input_tokens=mix.input_tokens,
            input_usd=price.input,
            output_tokens=mix.output_tokens,
            output_usd=price.output,
        )
    else:
        usd = ledger(
            BLENDED_CACHED,
            source=source,
            note=note,
            input_tokens=mix.input_tokens,
            cached_share=mix.cached_share,
            input_usd=price.input,
            cached_usd=price.cached,
            output_tokens=mix.output_tokens,
            output_usd=price.output,
        )
    return BlendedPrice(price.provider, float(usd), price.input, price.output, price.page, price.cached)


def _middle(blended: Sequence[BlendedPrice]) -> BlendedPrice:
    """The provider at the lower median: a price that somebody asks, rather than a mean of two."""
    target = median(price.usd_per_mtok for price in blended)
    return max((price for price in blended if price.usd_per_mtok <= target), key=lambda price: price.usd_per_mtok)
