"""What is asked of a deployment: sequences to hold, and requests to keep up with within their latency targets."""

from __future__ import annotations

from ...value_types import dataclass
from ..figures.derivation import Formula, Ledger, Unit

DAYS_PER_MONTH = 365.25 / 12
HOURS_PER_MONTH = DAYS_PER_MONTH * 24

MEAN_RATE = Formula(
    "mean request rate", "requests_per_day / (hours_per_day * 3600)", Unit.REQUESTS_PER_S, term="throughput"
)
PEAK_RATE = Formula("peak request rate", "mean_rate * peak_factor", Unit.REQUESTS_PER_S, term="peak-factor")
OUTPUT_RATE = Formula("output tokens at peak", "peak_rate * output_tokens", Unit.TOKENS_PER_S, term="throughput")
INPUT_RATE = Formula("input tokens at peak", "peak_rate * input_tokens", Unit.TOKENS_PER_S, term="throughput")
DAYS_OF_SERVICE = Formula("service days per month", "days_per_month * days_per_week / 7", Unit.DAYS, term="duty-cycle")
REQUESTS_PER_MONTH = Formula("requests per month", "requests_per_day * service_days", Unit.REQUESTS, term="throughput")
TOKENS_PER_MONTH = Formula(
    "tokens per month", "requests_per_month * (input_tokens + output_tokens)", Unit.TOKENS, term="token"
)
SERVICE_HOURS = Formula("service hours per month", "hours_per_day * service_days", Unit.HOURS, term="duty-cycle")
IN_FLIGHT = Formula(
    "requests in flight", "rate * (ttft + (output_tokens - 1) * tpot)", Unit.REQUESTS, term="concurrency"
)


@dataclass(frozen=True, slots=True)
class Targets:
    """Latency to hold, in seconds; 0: none."""

    ttft_s: float = 0.0
    tpot_s: float = 0.0

    @property
    def any(self) -> bool:
        return bool(self.ttft_s or self.tpot_s)

    def met(self, ttft_s: float, tpot_s: float) -> bool:
        """Both hold."""
        return not ((self.ttft_s and ttft_s > self.ttft_s) or (self.tpot_s and tpot_s > self.tpot_s))


@dataclass(frozen=True, slots=True)
class Demand:
    """What users ask for. Tokens are per request."""

    requests_per_day: int
    input_tokens: int
    output_tokens: int
    hours_per_day: float = 24.0
    days_per_week: float = 7.0
    peak_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Offered:
    """Demand as load. Rates hold within the service hours; months have 30.44 days."""

    mean_rate: float
    """Requests per second."""
    peak_rate: float
    input_tokens_per_s: float
    output_tokens_per_s: float
    requests_per_month: float
    tokens_per_month: float
    service_hours_per_month: float


def offered_load(demand: Demand, ledger: Ledger) -> Offered:
    """Spread a day's requests over the service hours, with peaks above the mean.

    50,000 requests/day over 24 h: 0.579 requests/s; over 8 h: 1.736.
    """
    mean_rate = ledger(MEAN_RATE, requests_per_day=demand.requests_per_day, hours_per_day=demand.hours_per_day)
    peak_rate = ledger(PEAK_RATE, mean_rate=mean_rate, peak_factor=demand.peak_factor)
    input_rate = ledger(INPUT_RATE, peak_rate=peak_rate, input_tokens=demand.input_tokens)
    output_rate = ledger(OUTPUT_RATE, peak_rate=peak_rate, output_tokens=demand.output_tokens)
    days = ledger(DAYS_OF_SERVICE, days_per_month=DAYS_PER_MONTH, days_per_week=demand.days_per_week)
    hours = ledger(SERVICE_HOURS, hours_per_day=demand.hours_per_day, service_days=days)
    requests = ledger(REQUESTS_PER_MONTH, requests_per_day=demand.requests_per_day, service_days=days)
    tokens = ledger(
        TOKENS_PER_MONTH,
        requests_per_month=requests,
        input_tokens=demand.input_tokens,
        output_tokens=demand.output_tokens,
    )
    return Offered(mean_rate, peak_rate, input_rate, output_rate, requests, tokens, hours)


def in_flight(rate: float, ttft_s: float, tpot_s: float, output_tokens: float, ledger: Ledger) -> float:
    """Requests that a rate keeps in flight (Little's law): arrivals per second times the seconds that each one stays.

    1.157 requests/s of 500 tokens at 100 ms and 20 ms: 11.7.
    """
    return float(ledger(IN_FLIGHT, rate=rate, ttft=ttft_s, output_tokens=output_tokens, tpot=tpot_s))
