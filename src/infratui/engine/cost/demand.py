"""Requests per day as offered load, and the replicas that carry it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..figures.derivation import Formula, Ledger, Unit

DAYS_PER_MONTH = 365.25 / 12
HOURS_PER_MONTH = DAYS_PER_MONTH * 24

MEAN_RATE = Formula(
    "mean request rate", "requests_per_day / (hours_per_day * 3600)", Unit.REQUESTS_PER_S, term="throughput"
)
PEAK_RATE = Formula("peak request rate", "mean_rate * peak_factor", Unit.REQUESTS_PER_S, term="peak-factor")
OUTPUT_RATE = Formula("output tokens at peak", "peak_rate * output_tokens", Unit.TOKENS_PER_S, term="throughput")
INPUT_RATE = Formula("input tokens at peak", "peak_rate * input_tokens", Unit.TOKENS_PER_S, term="throughput")
DAYS_OF_SERVICE = Formula("service days per month", "days_per_month * days_per_week / 7", term="duty-cycle")
REQUESTS_PER_MONTH = Formula("requests per month", "requests_per_day * service_days", Unit.REQUESTS, term="throughput")
TOKENS_PER_MONTH = Formula(
    "tokens per month", "requests_per_month * (input_tokens + output_tokens)", Unit.TOKENS, term="token"
)
SERVICE_HOURS = Formula("service hours per month", "hours_per_day * service_days", Unit.HOURS, term="duty-cycle")
REPLICAS = Formula("replicas", "max(1, ceil(peak_rate / replica_rate)) + spares", term="replica")
GPUS = Formula("GPUs", "replicas * gpus_per_replica", term="node")


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


@dataclass(frozen=True, slots=True)
class Fleet:
    """Replicas that carry the peak, plus spares."""

    replicas: int
    spares: int
    gpus_per_replica: int
    gpus: int
    replica_rate: float
    """Requests per second one replica holds within the targets."""
    utilization: float
    """Mean load over what all replicas could carry, within the service hours."""


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


def size_fleet(offered: Offered, replica_rate: float, gpus_per_replica: int, spares: int, ledger: Ledger) -> Fleet:
    """Replicas for the peak. `replica_rate` is requests/s that one replica holds within its latency targets.

    Raises ValueError where the replica holds no load at all.
    """
    if not (replica_rate > 0 and math.isfinite(replica_rate)):
        raise ValueError("no load meets the latency targets on this layout; relax TTFT or TPOT, or take faster GPUs")
    replicas = int(ledger(REPLICAS, peak_rate=offered.peak_rate, replica_rate=replica_rate, spares=spares))
    gpus = int(ledger(GPUS, replicas=replicas, gpus_per_replica=gpus_per_replica))
    utilization = offered.mean_rate / (replicas * replica_rate)
    return Fleet(replicas, spares, gpus_per_replica, gpus, replica_rate, utilization)
