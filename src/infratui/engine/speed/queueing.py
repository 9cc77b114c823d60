"""Waiting at an offered load: an analytic queue whose service rate depends on how many requests run together.

Model. Poisson arrivals are dealt at random and evenly to R replicas that share no queue, so each is a queue of its own
at λ/R (a little pessimistic beside a least-loaded dispatcher). A replica runs up to c requests at once. With b running,
a request needs O decode steps of t(b) seconds, its own prefill p, and sits through the prefills of the b−1 others that
are interleaved with its decode, so that the replica completes

    μ(b) = b / (O·t(b) + b·p)     requests per second,     b = min(n, c)

The number n in the replica is a birth–death chain with rates λ and μ(b): exactly M/M/1 for c = 1 and M/M/c when t does
not depend on b. Waits for a slot are scaled by (1 + cv²)/2, cv being the coefficient of variation of the service time
(Allen and Cunneen; exact for M/G/1, Pollaczek–Khinchine). At or beyond λ/R = μ(c) nothing settles: no latency is given.

Prefills are served one after the other: a request also waits for those ahead of it, as in M/D/1, but never longer than
the prefills of the requests that run beside it.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable

from ...value_types import dataclass

MAX_CONCURRENCY = 65_536
"""States of the chain; more sequences than any engine schedules at once."""
_EXACT_STEPS = 32
"""Decode steps are asked for at every batch up to this; beyond, at `_GRID_RATIO` apart, straight lines between."""
_GRID_RATIO = 1.25


class QueueingError(ValueError):
    """A service or load that cannot be: what, and what would be right."""


@dataclass(frozen=True, slots=True)
class Service:
    """How a system serves one request."""

    prefill_s: float
    """Prefill of one prompt, seconds of the whole replica."""
    step_s: Callable[[int], float]
    """Seconds of one decode step over so many running requests."""
    output_tokens: float
    """Mean tokens per answer, O."""
    max_concurrency: int
    """Requests that one replica runs at once, c."""
    replicas: int = 1
    service_cv: float = 1.0
    """Coefficient of variation of the service time: 0 for equal requests, 1 for exponential ones (assumed)."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.prefill_s) and self.prefill_s >= 0):
            raise QueueingError(f"prefill = {self.prefill_s} s: must be 0 or more")
        if not (math.isfinite(self.output_tokens) and self.output_tokens >= 1):
            raise QueueingError(f"output = {self.output_tokens} tokens: needs at least 1")
        if not 1 <= self.max_concurrency <= MAX_CONCURRENCY:
            raise QueueingError(f"max concurrency = {self.max_concurrency}: choose 1 to {MAX_CONCURRENCY:,}")
        if self.replicas < 1:
            raise QueueingError(f"replicas = {self.replicas}: needs at least 1")
        if not (math.isfinite(self.service_cv) and self.service_cv >= 0):
            raise QueueingError(f"service variation = {self.service_cv}: must be 0 or more")


@dataclass(frozen=True, slots=True)
class QueueLatency:
    """Times in the steady state, seconds."""

    wait_mean_s: float
    """Mean wait for a slot."""
    wait_p95_s: float
    """95th percentile of the wait for a slot; 0 while fewer than 5 % wait."""
    wait_share: float
    """Share of requests that find no free slot."""
    ttft_mean_s: float
    """Wait, prefills ahead, own prefill and one step."""
    ttft_p95_s: float
    """The same with the 95th percentile of the wait."""
    tpot_mean_s: float
    """Decode step plus the share of the others' prefills."""
    latency_mean_s: float
    """Arrival to last token."""
    concurrency_mean: float
    """Running requests per replica, averaged over time."""


@dataclass(frozen=True, slots=True)
class QueueEstimate:
    """What an offered load does to a system."""

    offered_per_s: float
    capacity_per_s: float
    """Requests per second that all replicas complete when full."""
    latency: QueueLatency | None
    """None when the load is at or beyond capacity."""

    @property
    def load(self) -> float:
        """Offered over capacity."""
        return self.offered_per_s / self.capacity_per_s

    @property
    def stable(self) -> bool:
        """Whether the queue settles."""
        return self.latency is not None

    @property
    def verdict(self) -> str:
        """One sentence."""
        held = f"{self.offered_per_s:.3g} requests/s offered, {self.capacity_per_s:.3g} is the most it completes"
        return f"holds: {held}" if self.stable else f"saturated: {held}; the queue grows without end"


def queue_at_load(service: Service, requests_per_s: float) -> QueueEstimate:
    """Latency and concurrency at an offered load, or the statement that it cannot be held.

    >>> mm1 = Service(prefill_s=0, step_s=lambda batch: 1.0, output_tokens=1, max_concurrency=1)
    >>> round(queue_at_load(mm1, 0.5).latency.wait_mean_s, 6)
    1.0
    """
    return QueueChain(service).at(requests_per_s)


class QueueChain:
    """The birth–death chain of one replica: step times and completion rates per state, computed once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.steps_s = _steps(service)
        self.rates = [
            batch / (service.output_tokens * step_s + batch * service.prefill_s)
            for batch, step_s in enumerate(self.steps_s, start=1)
        ]
        self.capacity_per_s = service.replicas * self.rates[-1]

    def at(self, requests_per_s: float) -> QueueEstimate:
        if not (math.isfinite(requests_per_s) and requests_per_s >= 0):
            raise QueueingError(f"arrival rate = {requests_per_s} requests/s: must be 0 or more")
        rate = requests_per_s / self.service.replicas
        stable = rate < self.rates[-1]
        return QueueEstimate(requests_per_s, self.capacity_per_s, self._latency(rate) if stable else None)

    def _latency(self, rate: float) -> QueueLatency:
        service, slots = self.service, self.service.max_concurrency
        seen, wait_share = self.seen_on_arrival(rate)
        # A request that waits does so exponentially at the spare rate; cv stretches it.
        mean_if_waiting_s = (1 + service.service_cv**2) / 2 / (self.rates[-1] - rate)
        wait_s = wait_share * mean_if_waiting_s
        wait_p95_s = max(0.0, math.log(20 * wait_share)) * mean_if_waiting_s if wait_share > 0 else 0.0
        # Once admitted, a request that found n others runs in a batch of n + 1; all that waited run in a full one.
        step_s = math.fsum([p * t for p, t in zip(seen, self.steps_s, strict=True)]) + wait_share * self.steps_s[-1]
        others = math.fsum([p * n for n, p in enumerate(seen)]) + wait_share * (slots - 1)
        prefill_load = rate * service.prefill_s
        prefills_ahead_s = min(prefill_load * service.prefill_s / (2 * (1 - prefill_load)), others * service.prefill_s)
        served_s = service.output_tokens * step_s + (1 + others) * service.prefill_s
        first_s = prefills_ahead_s + service.prefill_s + step_s
        return QueueLatency(
            wait_mean_s=wait_s,
            wait_p95_s=wait_p95_s,
            wait_share=wait_share,
            ttft_mean_s=wait_s + first_s,
            ttft_p95_s=wait_p95_s + first_s,
            tpot_mean_s=step_s + others * service.prefill_s / service.output_tokens,
            latency_mean_s=wait_s + served_s,
            concurrency_mean=rate * served_s,
        )

    def seen_on_arrival(self, rate: float) -> tuple[list[float], float]:
        """Probability that an arrival finds n = 0 … c−1 requests, and that it finds all slots taken."""
        if rate == 0:
            return [1.0] + [0.0] * (self.service.max_concurrency - 1), 0.0
        # Products of hundreds of ratios leave the range of floats, their logarithms do not.
        logs = [0.0]
        log_rate = math.log(rate)
        for completions in self.rates:
            logs.append(logs[-1] + log_rate - math.log(completions))
        top = max(logs)
        weights = [math.exp(value - top) for value in logs]
        # States c, c+1, … are a geometric series with ratio λ/μ(c).
        weights[-1] /= 1 - rate / self.rates[-1]
        total = math.fsum(weights)
        return [weight / total for weight in weights[:-1]], weights[-1] / total


def _steps(service: Service) -> list[float]:
    """Step seconds for every batch 1 … c, asked for on a grid so that a costly model is called a few dozen times."""
    slots = service.max_concurrency
    grid = list(range(1, min(slots, _EXACT_STEPS) + 1))
    while grid[-1] < slots:
        grid.append(min(slots, math.ceil(grid[-1] * _GRID_RATIO)))
    known = [service.step_s(batch) for batch in grid]
    for batch, step_s in zip(grid, known, strict=True):
        if not (math.isfinite(step_s) and step_s > 0):
            raise QueueingError(f"decode step of {batch} takes {step_s} s: must be a positive time")
    steps = []
    for batch in range(1, slots + 1):
        right = bisect.bisect_left(grid, batch)
        if grid[right] == batch:
            steps.append(known[right])
        else:
            share = (batch - grid[right - 1]) / (grid[right] - grid[right - 1])
            steps.append(known[right - 1] + share * (known[right] - known[right - 1]))
    return steps
