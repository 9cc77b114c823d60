"""Percentiles of TTFT and TPOT at an offered load, from the chain of `queueing`: medians say little about a promise.

A replica works in iterations: each gives every running request a token and computes the prompts that have arrived, so
that it lasts t(b) + k·p for b running and k prompts. Arrivals are Poisson, requests of one shape.

Prompts excite themselves: while one is computed, others arrive. Over an answer of O tokens their number is that of a
busy period, generalized Poisson with λ·O·t to begin with and λ·p for each (Borel and Tanner; Consul); of one iteration
it is the branching process whose variance is 1/(1 − (λp)²) of its mean.

TTFT. A newcomer sees n running (the chain's state) and finds the iteration in progress longer than the average one, by
its length (the inspection paradox). It waits for the rest of it, then for its own iteration, shared with all prompts
that came in meanwhile; before that for a slot, where all are taken. Prompts that fill iterations of their own queue one
behind the other, as in M/D/1: a geometric number of rests of a prompt (Pollaczek–Khinchine).

TPOT. Over its answer a request averages the batch around it, which keeps two thirds of the batch's variance; the
prompts of others come on top.

Requests that were measured differ: each class of prompts waits as all do, behind prompts of the mean length whose rest
is longer the more uneven they are (Pollaczek–Khinchine), and then computes its own; each class of answers averages over
its own length.

Distributions are weighted points: a handful of quantiles of each independent part, combined.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ...value_types import dataclass
from .queueing import QueueChain, QueueEstimate, Service

_STATES = 10
_MOMENTS = 8
_WAITS = 12
"""Quantiles of each part."""
_KEPT = math.sqrt(2 / 3)
"""Spread of the batch that is left when it is averaged over an answer of the mean length."""
_FULL = 0.5
"""Share of an iteration's prompt tokens from which prompts queue instead of sharing iterations."""
_TOGETHER = 0.5
"""How far a large batch and many prompts of others go together: requests that arrive during an answer do both."""
_BUSIEST = 0.97
_RARE = 1e-4

Weighted = list[tuple[float, float]]
"""Values with their probabilities."""
_Met: TypeAlias = tuple[float, float, float]
_FEW = 120
"""Points that classes of requests are crossed with."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of one quantity over requests, seconds."""

    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class FirstToken:
    """What a prompt costs besides its share of a running batch's iterations."""

    overhead_s: float
    """Of every request, whatever runs."""
    alone_s: float
    """One prompt with nothing beside it."""
    stages_s: float = 0.0
    """What a prompt takes longer to pass all pipeline stages than it keeps each of them busy."""
    chunks: float = 0.0
    """Iterations that its tokens fill, a fraction for short ones."""
    longer_s: float = 0.0
    """What the prompt keeps a batch longer than the mean one; negative for shorter ones."""

    @property
    def iterations(self) -> int:
        """That it takes."""
        return max(1, math.ceil(self.chunks))


@dataclass(frozen=True, slots=True)
class Unequal:
    """Requests in classes, each with its share."""

    prompts: tuple[tuple[FirstToken, float], ...]
    answers: tuple[tuple[float, float], ...]
    """Tokens of an answer."""
    unevenness: float
    """Mean square of the prompts over the square of their mean."""


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """What an offered load does to requests."""

    requests_per_s: float
    """Of the whole system."""
    output_per_s: float
    """Tokens per second that leave it."""
    in_flight: float
    """Requests that run, over all replicas."""
    ttft: Percentiles
    tpot: Percentiles
    ttft_mean_s: float
    tpot_mean_s: float
    latency_mean_s: float
    """Arrival to last token."""


def load_point(
    chain: QueueChain, first: FirstToken, requests_per_s: float, unequal: Unequal | None = None
) -> LoadPoint | None:
    """Percentiles at an offered load; None at or beyond what can be held. `first`: of the mean prompt."""
    found: QueueEstimate = chain.at(requests_per_s)
    if found.latency is None:
        return None
    service = chain.service
    rate = requests_per_s / service.replicas
    seen, wait_share = chain.seen_on_arrival(rate)
    met = _met(chain, first, rate, seen, wait_share, 1.0 if unequal is None else unequal.unevenness)
    if unequal is None:
        ttft = [(value, weight) for value, weight, _ in met]
        tpot = _tpot(chain, rate, seen, wait_share, service.output_tokens)
    else:
        ttft = list(_each(_few(met), first, unequal.prompts))
        tpot = [
            (value, weight * share)
            for answer, share in unequal.answers
            for value, weight in _tpot(chain, rate, seen, wait_share, answer, _most_beside(service, answer))
        ]
    ttft_mean, tpot_mean = _mean(ttft), found.latency.tpot_mean_s
    # Short answers sit through as many prompts as long ones: over requests the mean gap is longer than over tokens.
    gap_mean = tpot_mean if unequal is None else _mean(tpot)
    return LoadPoint(
        requests_per_s,
        requests_per_s * service.output_tokens,
        service.replicas * found.latency.concurrency_mean,
        _percentiles(ttft),
        _percentiles(tpot),
        ttft_mean,
        gap_mean,
        ttft_mean + max(0.0, service.output_tokens - 1) * tpot_mean,
    )


def _met(
    chain: QueueChain, first: FirstToken, rate: float, seen: Sequence[float], wait_share: float, unevenness: float
) -> list[_Met]:
    """What the mean prompt meets: its time to first token, the weight of that, the step beside it; 0: it is alone."""
    service = chain.service
    prefill, slots = service.prefill_s, service.max_concurrency
    points: list[_Met] = []
    for state, weight in _states(seen, wait_share):
        running = min(state, slots - 1) if slots > 1 else 0
        if running == 0 and state == 0:
            # Nothing runs: the prompt is computed at once.
            points.append((first.overhead_s + first.alone_s, weight, 0.0))
            continue
        step = chain.steps_s[max(0, running - 1)]
        for rest, share in _own(first, rate, prefill, step, unevenness):
            points.append((first.overhead_s + first.stages_s + rest, weight * share, step))
    if wait_share > _RARE:
        mean_wait = (1 + service.service_cv**2) / 2 / (chain.rates[-1] - rate)
        step, fixed = chain.steps_s[-1], first.overhead_s + first.stages_s
        for at in range(_WAITS):
            wait = -math.log(1 - (at + 0.5) / _WAITS) * mean_wait
            # A slot is free when an iteration ends.
            points.append((fixed + wait + first.iterations * step + prefill, wait_share / _WAITS, step))
    return points


def _few(met: list[_Met]) -> list[_Met]:
    """As many points as classes can be crossed with: neighbours together, those that are alone apart."""
    beside = sorted(point for point in met if point[2])
    most = math.fsum(weight for _, weight, _ in beside) / _FEW
    found = [point for point in met if not point[2]]
    value = weight = step = 0.0
    for one, share, length in beside:
        value, weight, step = value + one * share, weight + share, step + length * share
        if weight >= most:
            found.append((value / weight, weight, step / weight))
            value = weight = step = 0.0
    return [*found, (value / weight, weight, step / weight)] if weight > 0 else found


def _each(
    met: list[_Met], mean: FirstToken, prompts: Sequence[tuple[FirstToken, float]]
) -> Iterator[tuple[float, float]]:
    """The same with every class of prompts in place of the mean one."""
    for own, share in prompts:
        more = own.iterations - mean.iterations
        for value, weight, step in met:
            if step:
                yield max(own.overhead_s, value + own.longer_s + more * step), weight * share
            else:
                yield own.overhead_s + own.alone_s, weight * share


def _own(
    first: FirstToken, rate: float, prefill: float, step: float, unevenness: float
) -> Iterator[tuple[float, float]]:
    """From arrival to first token where a slot is free and a batch runs: the rest of an iteration, then the own one."""
    if first.chunks > _FULL:
        yield from _one_by_one(first, rate, prefill, step, unevenness)
        return
    busy = min(rate * prefill, _BUSIEST)
    mean = rate * step / (1 - busy)
    lengths = [(step + count * prefill, share) for count, share in _crowd(mean, 1 - math.sqrt(1 - busy**2))]
    total = sum(length * share for length, share in lengths)
    for length, share in lengths:
        seen = length * share / total
        for count, beside in _crowd(rate * length):
            for at in range(_MOMENTS):
                rest = (at + 0.5) / _MOMENTS * length
                yield rest + step + (1 + count) * prefill, seen * beside / _MOMENTS


def _one_by_one(
    first: FirstToken, rate: float, prefill: float, step: float, unevenness: float
) -> Iterator[tuple[float, float]]:
    """Prompts that fill iterations of their own."""
    service = first.chunks * step + prefill
    own = first.iterations * step + prefill
    busy = min(rate * service, _BUSIEST)
    for at in range(_MOMENTS):
        yield (at + 0.5) / _MOMENTS * step + own, (1 - busy) / _MOMENTS
    left, ahead = busy, 1
    rest = service * unevenness
    while left > _RARE and ahead < 200:
        weight = (1 - busy) * busy**ahead
        left -= weight
        if ahead == 1:
            for at in range(_MOMENTS):
                yield (at + 0.5) / _MOMENTS * rest + own, weight / _MOMENTS
        else:
            spread = rest * math.sqrt(ahead / 12)
            for z, share in _NORMAL:
                yield max(0.0, ahead * rest / 2 + z * spread) + own, weight * share
        ahead += 1


def _most_beside(service: Service, answer: float) -> float:
    """Prompts of others that an answer of so many tokens can sit through: those that find a slot meanwhile."""
    return service.max_concurrency * (1 + answer / service.output_tokens)


def _tpot(
    chain: QueueChain,
    rate: float,
    seen: Sequence[float],
    wait_share: float,
    output: float,
    most: float = math.inf,
) -> Weighted:
    service = chain.service
    prefill, top = service.prefill_s, service.max_concurrency - 1
    around = [
        (chain.steps_s[min(state, top)], weight)
        for state, weight in (*_states(seen, wait_share), (top, wait_share))
        if weight
    ]
    total = math.fsum(weight for _, weight in around)
    mean = math.fsum(step * weight for step, weight in around) / total
    steps = [(mean + _KEPT * (step - mean), weight / total) for step, weight in around]
    busy = min(rate * prefill, _BUSIEST)
    # Whoever arrived during the request's own prompt is computed while it decodes.
    found = math.fsum((mean + count * prefill) ** 2 * share for count, share in _crowd(rate * mean / (1 - busy), busy))
    behind = mean + (1 + rate * found * (1 - busy) / mean) * prefill
    prompts = [(min(count, most), share) for count, share in _crowd(rate * (output * mean + behind) / (1 - busy), busy)]
    each = prefill / output
    apart = [
        (step + count * each, weight * share * (1 - _TOGETHER)) for step, weight in steps for count, share in prompts
    ]
    return [*apart, *((step + count * each, weight * _TOGETHER) for step, count, weight in _coupled(steps, prompts))]


def _coupled(one: Weighted, other: Weighted) -> Iterator[tuple[float, float, float]]:
    """Two quantities that rise together: their values at the same quantiles, and the weight of each pair."""
    first, second = sorted(one), sorted(other)
    at = beside = 0
    left, right = first[0][1], second[0][1]
    while at < len(first) and beside < len(second):
        weight = min(left, right)
        yield first[at][0], second[beside][0], weight
        left, right = left - weight, right - weight
        if left <= 1e-12:
            at += 1
            left = first[at][1] if at < len(first) else 0.0
        if right <= 1e-12:
            beside += 1
            right = second[beside][1] if beside < len(second) else 0.0


def _states(seen: Sequence[float], wait_share: float) -> Iterator[tuple[int, float]]:
    """Quantiles of the running requests that a newcomer finds, those that wait left out."""
    total = math.fsum(seen)
    if total <= 0:
        return
    idle = seen[0] / total
    if idle > _RARE:
        yield 0, seen[0]
    rest = total - seen[0]
    if rest <= 0:
        return
    reached, wanted = 0.0, [(at + 0.5) / _STATES * rest for at in range(_STATES)]
    for state, weight in enumerate(seen[1:], start=1):
        reached += weight
        while wanted and reached >= wanted[0]:
            wanted.pop(0)
            yield state, rest / _STATES
    for _ in wanted:
        yield len(seen) - 1, rest / _STATES


def _crowd(mean: float, excited: float = 0.0) -> list[tuple[float, float]]:
    """A generalized Poisson number as a few weighted values: variance mean/(1 − excited)²; excited 0: Poisson."""
    if mean < _RARE:
        return [(0.0, 1.0)]
    first = mean * (1 - excited)
    if mean / (1 - excited) > 9:
        spread = math.sqrt(mean) / (1 - excited)
        # Skewed to the right, as Cornish and Fisher correct a normal quantile.
        skew = (1 + 2 * excited) / math.sqrt(first * (1 - excited))
        return [(max(0.0, mean + spread * (z + skew * (z * z - 1) / 6)), weight) for z, weight in _NORMAL]
    found, left, count = [], 1.0, 0
    while left > 1e-3 and count < 60:
        weight = math.exp(
            math.log(first)
            + (count - 1) * math.log(first + count * excited)
            - first
            - count * excited
            - math.lgamma(count + 1)
        )
        found.append((float(count), weight))
        left -= weight
        count += 1
    total = sum(share for _, share in found)
    return [(value, share / total) for value, share in found]


_NORMAL = (
    (-2.326, 0.025), (-1.5, 0.085), (-0.84, 0.16), (-0.35, 0.155), (0.0, 0.15), (0.35, 0.155), (0.84, 0.16),
    (1.5, 0.085), (2.326, 0.025),
)  # fmt: skip
"""Points of a standard normal distribution and what they stand for."""


def _mean(points: Weighted) -> float:
    total = math.fsum(weight for _, weight in points)
    return math.fsum(value * weight for value, weight in points) / total


def _percentiles(points: Weighted) -> Percentiles:
    points = sorted(points)
    total = math.fsum(weight for _, weight in points)
    reached, sums = 0.0, []
    for _, weight in points:
        sums.append(reached + weight / 2)
        reached += weight

    def at(share: float) -> float:
        place = bisect.bisect_left(sums, share * total)
        if place <= 0:
            return points[0][0]
        if place >= len(points):
            return points[-1][0]
        left, right = sums[place - 1], sums[place]
        part = (share * total - left) / (right - left) if right > left else 1.0
        return points[place - 1][0] + part * (points[place][0] - points[place - 1][0])

    return Percentiles(at(0.5), at(0.9), at(0.95), at(0.99))


__all__ = ["FirstToken", "LoadPoint", "Percentiles", "QueueChain", "Service", "Unequal", "load_point"]
