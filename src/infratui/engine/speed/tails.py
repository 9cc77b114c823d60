"""Percentiles of TTFT and TPOT at an offered load, from the chain of `queueing`: medians say little about a promise.

A replica works in iterations: each gives every running request a token and computes the prompts that have arrived, so
that it lasts t(b) + k·p for b running and k prompts. Arrivals are Poisson, requests of one shape.

Prompts excite themselves: while one is computed, others arrive. Over an answer of O tokens their number is that of a
busy period, generalized Poisson with λ·O·t to begin with and λ·p for each (Borel and Tanner; Consul); of one iteration
it is the branching process whose variance is 1/(1 − (λp)²) of its mean.

TTFT. A newcomer sees n running (the chain's state) and finds the iteration in progress longer than the average one, by
its length (the inspection paradox). It waits for the rest of it, then for its own iteration, shared with all prompts
that came in meanwhile; before that for a slot, where all are taken. Where nothing runs it may find a lone prompt, which
takes as long as one does with nothing beside it. Prompts that fill iterations of their own queue one behind the other,
as in M/D/1: a geometric number of rests of a prompt (Pollaczek–Khinchine); what the last iteration of one leaves is
filled by the next, where that has come by then.

TPOT. Over its answer a request averages the batch around it, which keeps two thirds of the batch's variance, and more
where a large batch slows itself; the prompts of others come on top, more of them in a slow answer. Prompts that come
while others are computed join together, in batches as large as a busy period (Borel): by that the batch varies more
than the chain's states.

Requests that were measured differ: each class of prompts waits as all do, behind prompts of the mean length whose rest
is longer the more uneven they are (Pollaczek–Khinchine), and then computes its own; each class of answers averages over
its own length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ...value_types import dataclass
from .queueing import QueueChain, QueueEstimate, Service
from .weighted import NORMAL, RARE, Percentiles, Weighted, coupled, crowd, mean_of, percentiles

_STATES = (0.1,) * 8 + (0.06, 0.05, 0.04, 0.025, 0.015, 0.01)
"""Shares of the running requests that a quantile stands for: fine where a promise looks."""
_MOMENTS = 8
_WAITS = 12
"""Quantiles of each part."""
_FULL = 0.5
"""Share of an iteration's prompt tokens from which prompts queue instead of sharing iterations."""
_TOGETHER = 0.5 / math.sqrt(2 / 3)
"""How far a large batch and many prompts of others go together: requests that arrive during an answer do both.

The correlation of their number with the batch that is averaged over the answer, where arrivals are Poisson.
"""
_BUSIEST = 0.97
_SLACK = 1.25
"""How far the mean of the gaps may lie above the chain's: what is met on arrival is computed behind the first token."""
_SLOWEST = 0.05

_Met: TypeAlias = tuple[float, float, float]
_FEW = 120
"""Points that classes of requests are crossed with."""


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
    # While a prompt waits and is computed, others queue behind it: they are computed while it decodes.
    ahead = mean_of([(value, weight) for value, weight, _ in met]) - first.overhead_s if first.chunks > _FULL else 0.0
    if unequal is None:
        ttft = [(value, weight) for value, weight, _ in met]
        tpot = _tpot(
            chain,
            rate,
            seen,
            wait_share,
            service.output_tokens,
            ahead,
            _most_beside(service, service.output_tokens),
            tpot_s=found.latency.tpot_mean_s,
        )
    else:
        ttft = list(_each(_few(met), first, unequal.prompts))
        tpot = [
            (value, weight * share)
            for answer, share in unequal.answers
            for value, weight in _tpot(chain, rate, seen, wait_share, answer, ahead, _most_beside(service, answer))
        ]
    ttft_mean, tpot_mean = mean_of(ttft), found.latency.tpot_mean_s
    # Short answers sit through as many prompts as long ones: over requests the mean gap is longer than over tokens.
    gap_mean = tpot_mean if unequal is None else mean_of(tpot)
    return LoadPoint(
        requests_per_s,
        requests_per_s * service.output_tokens,
        service.replicas * found.latency.concurrency_mean,
        percentiles(ttft),
        percentiles(tpot),
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
    running_share = math.fsum(seen[1:])
    # Of those that find something at work, some find a prompt that nothing runs beside.
    lone = min(rate * seen[0] * first.alone_s, running_share)
    fixed = first.overhead_s + first.stages_s
    for state, weight in _states(seen, wait_share):
        running = min(state, slots - 1) if slots > 1 else 0
        if running == 0 and state == 0:
            # Nothing runs: the prompt is computed at once.
            alone = _followed(first, rate, first.alone_s)
            points += ((first.overhead_s + seconds, weight * share, 0.0) for seconds, share in alone)
            continue
        step = chain.steps_s[max(0, running - 1)]
        weight *= 1 - lone / running_share
        points += (
            (fixed + rest, weight * share, step)
            for rest, share in _own(first, rate, prefill, step, unevenness, lone / running_share)
        )
    if lone > RARE:
        step = chain.steps_s[0]
        points += ((fixed + rest, lone * share, step) for rest, share in _behind_a_lone_one(first, rate, prefill, step))
    if wait_share > RARE:
        mean_wait = (1 + service.service_cv**2) / 2 / (chain.rates[-1] - rate)
        step = chain.steps_s[-1]
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
    first: FirstToken, rate: float, prefill: float, step: float, unevenness: float, lone: float
) -> Iterator[tuple[float, float]]:
    """From arrival to first token where a slot is free and a batch runs: the rest of an iteration, then the own one."""
    if first.chunks > _FULL:
        yield from _one_by_one(first, rate, prefill, step, unevenness, lone)
        return
    busy = min(rate * prefill, _BUSIEST)
    # The work of unequal prompts varies as that of fewer and longer ones would.
    rate, each = rate / unevenness, prefill * unevenness
    mean = rate * step / (1 - busy)
    lengths = [(step + count * each, share) for count, share in crowd(mean, 1 - math.sqrt(1 - busy**2))]
    total = sum(length * share for length, share in lengths)
    for length, share in lengths:
        seen = length * share / total
        for count, beside in crowd(rate * length):
            for at in range(_MOMENTS):
                rest = (at + 0.5) / _MOMENTS * length
                yield rest + step + prefill + count * each, seen * beside / _MOMENTS


def _one_by_one(
    first: FirstToken, rate: float, prefill: float, step: float, unevenness: float, lone: float
) -> Iterator[tuple[float, float]]:
    """Prompts that fill iterations of their own."""
    service = first.chunks * step + prefill
    own = [(first.iterations * step + seconds, share) for seconds, share in _followed(first, rate, prefill)]
    # Prompts that something runs beside are met by those that meet no lone one.
    busy = min(rate * service / (1 - lone), _BUSIEST)
    waits = [((at + 0.5) / _MOMENTS * step, (1 - busy) / _MOMENTS) for at in range(_MOMENTS)]
    left, ahead = busy, 1
    rest = service * unevenness
    while left > RARE and ahead < 200:
        weight = (1 - busy) * busy**ahead
        left -= weight
        if ahead == 1:
            waits += (((at + 0.5) / _MOMENTS * rest, weight / _MOMENTS) for at in range(_MOMENTS))
        else:
            spread = rest * math.sqrt(ahead / 12)
            waits += ((max(0.0, ahead * rest / 2 + z * spread), weight * share) for z, share in NORMAL)
        ahead += 1
    yield from ((wait + seconds, weight * share) for wait, weight in waits for seconds, share in own)


def _followed(first: FirstToken, rate: float, seconds: float) -> Weighted:
    """What a prompt takes: the rest of its last iteration is for the next one, where that has come by then."""
    if first.chunks <= _FULL or first.chunks == first.iterations:
        return [(seconds, 1.0)]
    before = seconds * (first.iterations - 1) / first.chunks
    followed = -math.expm1(-rate * before)
    return [(seconds, 1 - followed), (seconds * first.iterations / first.chunks, followed)]


def _behind_a_lone_one(first: FirstToken, rate: float, prefill: float, step: float) -> Iterator[tuple[float, float]]:
    """From arrival to first token behind a prompt that is computed with nothing beside it."""
    for at in range(_MOMENTS):
        rest = (at + 0.5) / _MOMENTS * first.alone_s
        if first.chunks > _FULL:
            own, each = first.iterations * step + prefill, first.chunks * step + prefill
            before = first.alone_s - rest
        else:
            # All that came meanwhile share the next iteration.
            own, each, before = step + prefill, prefill, first.alone_s
        for count, share in crowd(rate * before):
            yield rest + count * each + own, share / _MOMENTS


def _step_at(chain: QueueChain, others: float) -> float:
    """Seconds of a step beside so many others, between whole numbers too."""
    steps = chain.steps_s
    at = min(max(0.0, others), len(steps) - 1.0)
    low = int(at)
    return steps[low] + (at - low) * (steps[min(low + 1, len(steps) - 1)] - steps[low])


def _kept(chain: QueueChain, mean_state: float) -> float:
    """Spread of the batch that is left when it is averaged over an answer of the mean length.

    A batch of requests that do not slow each other keeps 2/3 of its variance. Where they do, a large batch also lasts:
    its excess fades at the rate of 1 − e over an answer, e being the elasticity of an answer's time to the batch.
    """
    service = chain.service
    batch = min(service.max_concurrency, max(1, round(mean_state) + 1))
    low, high = max(1, batch - 1), min(service.max_concurrency, batch + 1)
    if low == high:
        return math.sqrt(2 / 3)

    def lasts(running: int) -> float:
        return service.output_tokens * chain.steps_s[running - 1] + running * service.prefill_s

    elasticity = math.log(lasts(high) / lasts(low)) / math.log(high / low)
    fading = min(1.0, max(_SLOWEST, 1 - elasticity))
    return math.sqrt(2 / 3 * _averaged(fading) / _averaged(1.0))


def _averaged(fading: float) -> float:
    """Share of the variance that an average keeps over a time in which the excess fades by exp(−fading)."""
    return 2 * (fading - 1 + math.exp(-fading)) / fading**2


def _most_beside(service: Service, answer: float) -> float:
    """Prompts of others that an answer of so many tokens can sit through: those that find a slot meanwhile."""
    return service.max_concurrency * (1 + answer / service.output_tokens)


def _tpot(
    chain: QueueChain,
    rate: float,
    seen: Sequence[float],
    wait_share: float,
    output: float,
    ahead: float,
    most: float = math.inf,
    tpot_s: float = math.inf,
) -> Weighted:
    """What the gaps of an answer come to. `tpot_s`: their mean, where it is known to the chain."""
    service = chain.service
    prefill, top = service.prefill_s, service.max_concurrency - 1
    busy = min(rate * prefill, _BUSIEST)
    others = math.fsum(state * weight for state, weight in enumerate(seen)) + wait_share * top
    # Prompts that come while a long one is computed join the batch together: more of its states are far from the mean.
    wider = 1 / (1 - busy) if ahead else 1.0
    around = [
        (_step_at(chain, others + (state - others) * wider), weight)
        for state, weight in (*_states(seen, wait_share), (top, wait_share))
        if weight
    ]
    total = math.fsum(weight for _, weight in around)
    mean = math.fsum(step * weight for step, weight in around) / total
    kept = _kept(chain, others)
    steps = [(mean + kept * (step - mean), weight / total) for step, weight in around]
    # Whoever arrived during the request's own prompt is computed while it decodes.
    found = math.fsum((mean + count * prefill) ** 2 * share for count, share in crowd(rate * mean / (1 - busy), busy))
    behind = ahead or mean + (1 + rate * found * (1 - busy) / mean) * prefill
    each, usual = prefill / output, output * mean + behind
    beside, excited = rate * usual / (1 - busy), busy
    known = max(RARE, _SLACK * tpot_s - mean) / each if each else math.inf
    if beside > known:
        # Near saturation a busy period has no end, but the chain knows how many prompts an answer sits through.
        beside, excited = known, min(busy, max(0.0, 1 - 1 / math.sqrt(known)))
    prompts = crowd(beside, excited)

    def met(step: float, count: float) -> float:
        """A slow answer takes longer, and so meets more prompts."""
        return step + each * min(most, count * (output * step + behind) / usual)

    apart = [(met(step, count), weight * share * (1 - _TOGETHER)) for step, weight in steps for count, share in prompts]
    return [*apart, *((met(step, count), weight * _TOGETHER) for step, count, weight in coupled(steps, prompts))]


def _states(seen: Sequence[float], wait_share: float) -> Iterator[tuple[int, float]]:
    """Quantiles of the running requests that a newcomer finds, those that wait left out."""
    total = math.fsum(seen)
    if total <= 0:
        return
    idle = seen[0] / total
    if idle > RARE:
        yield 0, seen[0]
    rest = total - seen[0]
    if rest <= 0:
        return
    at, reached, upto = 0, 0.0, 0.0
    for state, weight in enumerate(seen[1:], start=1):
        reached += weight
        while at < len(_STATES) and reached >= (upto + _STATES[at] / 2) * rest:
            yield state, rest * _STATES[at]
            upto += _STATES[at]
            at += 1
    for share in _STATES[at:]:
        yield len(seen) - 1, rest * share


__all__ = ["FirstToken", "LoadPoint", "Percentiles", "QueueChain", "Service", "Unequal", "load_point"]
