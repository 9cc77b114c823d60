"""The same requests under static, dynamic and continuous batching, as a discrete simulation with a timeline per slot.

Static waits until all slots can be filled; dynamic starts when they can be filled or the oldest request has waited for
the window. Both prefill the batch together and decode until its longest answer is done: a finished request keeps its
slot and is computed as padding. Continuous admits waiting requests into free slots at every step boundary (Orca, OSDI
2022); their prefill is a step of its own, in which the requests that were decoding are held.

Utilisation is the share of slot-time, from the first arrival to the last token, that carries a request still being
served. When all requests wait from the start, continuous is never below static, provided that a decode step costs a
fixed part plus a part per sequence. With requests that trickle in there is no such law: static may start later and
still end first by a fraction of a step.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum

from ...value_types import dataclass

MAX_REQUESTS = 10_000
"""Bounds the time of one simulation to a fraction of a second."""


class BatchingError(ValueError):
    """Requests, slots or step times that cannot be simulated: what, and what would be right."""


class BatchingPolicy(StrEnum):
    """When a request may join the running batch."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    CONTINUOUS = "continuous"


class Phase(StrEnum):
    """What a slot does."""

    PREFILL = "prefill"
    DECODE = "decode"
    HELD = "held"
    """Occupied, but waiting while the prompt of another request is prefilled (continuous only)."""
    IDLE = "idle"
    """Empty, or padding after the request's last token."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request as it reaches the server."""

    id: int
    arrival_ms: float
    prompt_tokens: int
    output_tokens: int
    """Tokens to generate; the first comes out of the prefill."""


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long the engine takes for a prefill and for one decode step."""

    step_ms: Callable[[int], float]
    """One decode step over a batch of so many sequences."""
    prefill_ms: Callable[[int], float]
    """Prefill of so many prompt tokens."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time in one slot."""

    phase: Phase
    start_ms: float
    end_ms: float
    request_id: int | None = None
    """None while the slot is idle."""


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """When one request was answered."""

    request: BatchRequest
    slot: int
    admitted_ms: float
    first_token_ms: float
    finished_ms: float

    @property
    def ttft_ms(self) -> float:
        """Arrival to first token."""
        return self.first_token_ms - self.request.arrival_ms

    @property
    def latency_ms(self) -> float:
        """Arrival to last token."""
        return self.finished_ms - self.request.arrival_ms


@dataclass(frozen=True, slots=True)
class BatchingResult:
    """One policy's timeline and figures."""

    policy: BatchingPolicy
    start_ms: float
    """The first arrival."""
    end_ms: float
    """The last token."""
    timeline: tuple[tuple[Segment, ...], ...]
    """Per slot, segments without gaps from start to end."""
    served: tuple[ServedRequest, ...]
    """In order of arrival."""
    decode_steps: int

    @property
    def makespan_ms(self) -> float:
        """First arrival to last token."""
        return self.end_ms - self.start_ms

    @property
    def utilisation(self) -> float:
        """Share of slot-time that carries a request still being served, 0 … 1."""
        busy = math.fsum(served.finished_ms - served.admitted_ms for served in self.served)
        return busy / (len(self.timeline) * self.makespan_ms)

    @property
    def output_tokens_per_s(self) -> float:
        """Generated tokens over the makespan."""
        return 1e3 * sum(served.request.output_tokens for served in self.served) / self.makespan_ms

    @property
    def requests_per_s(self) -> float:
        """Requests over the makespan."""
        return 1e3 * len(self.served) / self.makespan_ms

    @property
    def latency_p95_ms(self) -> float:
        """95th percentile of the time from arrival to last token (nearest rank)."""
        return percentile([served.latency_ms for served in self.served], 95)

    @property
    def ttft_p95_ms(self) -> float:
        """95th percentile of the time to first token (nearest rank)."""
        return percentile([served.ttft_ms for served in self.served], 95)


def seeded_requests(
    seed: int, count: int, *, requests_per_s: float, prompt_tokens: float, output_tokens: float
) -> tuple[BatchRequest, ...]:
    """Requests with Poisson arrivals, prompts even between ½ and 1½ of the mean, and exponential output lengths.

    Output lengths stop at four times the mean. Equal seeds give equal requests on every machine.
    """
    if not 1 <= count <= MAX_REQUESTS:
        raise BatchingError(f"requests = {count}: choose 1 to {MAX_REQUESTS:,}")
    for name, value in (("arrival rate", requests_per_s), ("prompt", prompt_tokens), ("output", output_tokens)):
        if not (math.isfinite(value) and value > 0):
            raise BatchingError(f"{name} = {value}: must be a positive number")
    uniform = random.Random(f"requests/{seed}").random
    requests = []
    now_ms = 0.0
    for number in range(count):
        prompt = max(1, round(prompt_tokens * (0.5 + uniform())))
        output = max(1, round(output_tokens * min(4.0, -math.log(1 - uniform()))))
        requests.append(BatchRequest(number, now_ms, prompt, output))
        now_ms += -1e3 * math.log(1 - uniform()) / requests_per_s
    return tuple(requests)


def compare_policies(
    requests: Sequence[BatchRequest], slots: int, times: StepTimes, *, window_ms: float
) -> tuple[BatchingResult, ...]:
    """The same requests under every policy: static, dynamic, continuous."""
    return tuple(simulate(policy, requests, slots, times, window_ms=window_ms) for policy in BatchingPolicy)


def simulate(
    policy: BatchingPolicy | str,
    requests: Sequence[BatchRequest],
    slots: int,
    times: StepTimes,
    *,
    window_ms: float = 0.0,
) -> BatchingResult:
    """Serve `requests`, first come first served, with `slots` sequences at a time.

    Args:
        window_ms: How long the oldest request waits for company under dynamic batching; other policies ignore it.
    """
    try:
        policy = BatchingPolicy(policy)
    except ValueError:
        raise BatchingError(f"policy = {policy!r}: choose one of {', '.join(BatchingPolicy)}") from None
    if slots < 1:
        raise BatchingError(f"slots = {slots}: needs at least 1")
    if not (math.isfinite(window_ms) and window_ms >= 0):
        raise BatchingError(f"window = {window_ms} ms: must be 0 or more")
    queue = _in_order(requests)
    if policy is BatchingPolicy.CONTINUOUS:
        run = _continuous(queue, slots, times)
    else:
        run = _batches(queue, slots, times, math.inf if policy is BatchingPolicy.STATIC else window_ms)
    start_ms = queue[0].arrival_ms
    end_ms = max(served.finished_ms for served in run.served)
    return BatchingResult(
        policy=policy,
        start_ms=start_ms,
        end_ms=end_ms,
        timeline=tuple(_without_gaps(segments, start_ms, end_ms) for segments in run.segments),
        served=tuple(sorted(run.served, key=lambda served: (served.request.arrival_ms, served.request.id))),
        decode_steps=run.decode_steps,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile: the smallest value that at least `percent` of the values do not exceed."""
    if not values:
        raise BatchingError("percentile of 0 values: needs at least 1")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


@dataclass(slots=True)
class _Run:
    """What a simulation writes down as it goes."""

    segments: list[list[Segment]]
    served: list[ServedRequest]
    decode_steps: int = 0

    def occupy(self, slot: int, phase: Phase, start_ms: float, end_ms: float, request_id: int) -> None:
        if end_ms <= start_ms:
            return
        segments = self.segments[slot]
        if segments and segments[-1].request_id == request_id and segments[-1].phase is phase:
            start_ms = segments.pop().start_ms
        segments.append(Segment(phase, start_ms, end_ms, request_id))


@dataclass(slots=True)
class _Active:
    """A request in a slot, with the decode steps it still needs."""

    request: BatchRequest
    slot: int
    admitted_ms: float
    first_token_ms: float
    steps_left: int

    def finished(self, now_ms: float) -> ServedRequest:
        return ServedRequest(self.request, self.slot, self.admitted_ms, self.first_token_ms, now_ms)


def _in_order(requests: Sequence[BatchRequest]) -> list[BatchRequest]:
    if not 1 <= len(requests) <= MAX_REQUESTS:
        raise BatchingError(f"requests = {len(requests)}: choose 1 to {MAX_REQUESTS:,}")
    for request in requests:
        if not (math.isfinite(request.arrival_ms) and request.arrival_ms >= 0):
            raise BatchingError(f"request {request.id}: arrival at {request.arrival_ms} ms must be 0 or later")
        if request.prompt_tokens < 1 or request.output_tokens < 1:
            raise BatchingError(f"request {request.id}: needs at least 1 prompt token and 1 output token")
    return sorted(requests, key=lambda request: (request.arrival_ms, request.id))


def _duration(function: Callable[[int], float], size: int, name: str) -> float:
    duration_ms = function(size)
    if not (math.isfinite(duration_ms) and duration_ms > 0):
        raise BatchingError(f"{name} of {size} takes {duration_ms} ms: must be a positive time")
    return duration_ms


def _prefill(
    run: _Run, times: StepTimes, admitted: Sequence[BatchRequest], slots: Sequence[int], now_ms: float
) -> list[_Active]:
    tokens = sum(request.prompt_tokens for request in admitted)
    done_ms = now_ms + _duration(times.prefill_ms, tokens, "prefill")
    for request, slot in zip(admitted, slots, strict=True):
        run.occupy(slot, Phase.PREFILL, now_ms, done_ms, request.id)
    return [
        _Active(request, slot, now_ms, done_ms, request.output_tokens - 1)
        for request, slot in zip(admitted, slots, strict=True)
    ]


def _batches(queue: Sequence[BatchRequest], slots: int, times: StepTimes, window_ms: float) -> _Run:
    run = _Run([[] for _ in range(slots)], [])
    now_ms, taken = 0.0, 0
    while taken < len(queue):
        last = min(taken + slots, len(queue)) - 1
        full_ms = queue[last].arrival_ms if last - taken + 1 == slots else math.inf
        start_ms = min(full_ms, queue[taken].arrival_ms + window_ms)
        # Static batching would wait for ever for the company that the last requests never get.
        now_ms = max(now_ms, start_ms if math.isfinite(start_ms) else queue[last].arrival_ms)
        batch = [request for request in queue[taken : last + 1] if request.arrival_ms <= now_ms]
        taken += len(batch)
        active = _prefill(run, times, batch, range(len(batch)), now_ms)
        decode_ms = active[0].first_token_ms
        step_ms = _duration(times.step_ms, len(batch), "decode step")
        for item in active:
            finished_ms = decode_ms + item.steps_left * step_ms
            run.occupy(item.slot, Phase.DECODE, decode_ms, finished_ms, item.request.id)
            run.served.append(item.finished(finished_ms))
        steps = max(item.steps_left for item in active)
        run.decode_steps += steps
        now_ms = decode_ms + steps * step_ms
    return run


def _continuous(queue: Sequence[BatchRequest], slots: int, times: StepTimes) -> _Run:
    run = _Run([[] for _ in range(slots)], [])
    waiting = deque(queue)
    active: list[_Active] = []
    now_ms = 0.0
    while waiting or active:
        if not active:
            now_ms = max(now_ms, waiting[0].arrival_ms)
        taken = {item.slot for item in active}
        free = [slot for slot in range(slots) if slot not in taken]
        admitted: list[BatchRequest] = []
        while waiting and len(admitted) < len(free) and waiting[0].arrival_ms <= now_ms:
            admitted.append(waiting.popleft())
        if admitted:
            joined = _prefill(run, times, admitted, free[: len(admitted)], now_ms)
            for item in active:
                run.occupy(item.slot, Phase.HELD, now_ms, joined[0].first_token_ms, item.request.id)
            active += joined
            now_ms = joined[0].first_token_ms
        else:
            # Nothing changes until a request ends or one arrives into a free slot: take those steps at once.
            step_ms = _duration(times.step_ms, len(active), "decode step")
            steps = min(item.steps_left for item in active)
            if waiting and free:
                steps = min(steps, max(1, math.ceil((waiting[0].arrival_ms - now_ms) / step_ms)))
            end_ms = now_ms + steps * step_ms
            for item in active:
                run.occupy(item.slot, Phase.DECODE, now_ms, end_ms, item.request.id)
                item.steps_left -= steps
            run.decode_steps += steps
            now_ms = end_ms
        run.served += [item.finished(now_ms) for item in active if not item.steps_left]
        active = [item for item in active if item.steps_left]
    return run


def _without_gaps(segments: Sequence[Segment], start_ms: float, end_ms: float) -> tuple[Segment, ...]:
    filled: list[Segment] = []
    reached_ms = start_ms
    for segment in segments:
        if segment.start_ms > reached_ms:
            filled.append(Segment(Phase.IDLE, reached_ms, segment.start_ms))
        filled.append(segment)
        reached_ms = segment.end_ms
    if reached_ms < end_ms:
        filled.append(Segment(Phase.IDLE, reached_ms, end_ms))
    return tuple(filled)
