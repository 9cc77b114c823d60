"""What a server makes of its steps: TTFT, TPOT and throughput at a concurrency or at the largest batch memory holds."""

from __future__ import annotations

import math
from dataclasses import replace

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from .plan import Plan, Room
from .queueing import MAX_CONCURRENCY, Service
from .step import Bound, StepTime
from .workload import Workload, prompt_work

_C = Basis.CALIBRATED
TAIL = 0.3
"""Share of one full wave that a finite run spends with a draining batch."""

TTFT = Formula(
    "ttft", "request + prefill + alignment + queue + others * admission", Unit.SECONDS, basis=_C, term="ttft"
)
TPOT = Formula(
    "tpot",
    "step / tokens_per_step + overlap * (batch - 1) * prefill_share / (pp * output)",
    Unit.SECONDS,
    basis=_C,
    term="tpot",
)
THROUGHPUT = Formula(
    "output_per_s", "batch * output / (ttft + (output - 1) * tpot)", Unit.TOKENS_PER_S, basis=_C, term="throughput"
)
CLOSED_LOOP = Formula(
    "output_per_s",
    "batch * output / max(ttft + (output - 1) * tpot, work)",
    Unit.TOKENS_PER_S,
    basis=_C,
    term="throughput",
)
OFFLINE = Formula(
    "output_per_s",
    "requests * output / (requests * prefill_share / pp + output * (base * waves + per_sequence * requests))",
    Unit.TOKENS_PER_S,
    basis=_C,
    term="throughput",
)
ALL_REPLICAS = Formula(
    "output_of_all_replicas",
    "output_of_a_replica * replicas_at_work",
    Unit.TOKENS_PER_S,
    basis=_C,
    term="throughput",
)
PER_USER = Formula("output_per_s_per_user", "1 / tpot", Unit.TOKENS_PER_S, basis=_C, term="tpot")
MBU = Formula("mbu", "bytes_per_step / (step * bandwidth)", Unit.RATIO, basis=_C, term="mbu")
MFU = Formula("mfu", "flops_per_s / peak", Unit.RATIO, basis=_C, term="mfu")
RIDGE = Formula("ridge", "peak / bandwidth", Unit.FLOP_PER_BYTE, basis=Basis.DERIVED, term="ridge-point")
_QUIET = Ledger(recording=False)


@dataclass(frozen=True, slots=True)
class Serving:
    """A prediction. Times in seconds, rates per second over all replicas."""

    ttft_s: float
    """Mean, from arrival; waiting for a slot included where more requests run than memory holds."""
    tpot_s: float
    """Mean time between tokens of one request."""
    output_per_s: float
    output_per_s_per_user: float
    gpus: int
    batch: float
    """Sequences that one replica runs together."""
    concurrency: float
    """Requests in flight over all replicas, queued ones included."""
    input_tokens: float
    output_tokens: float
    step: StepTime
    """A decode step at this batch."""
    prefill_s: float
    """One prompt alone."""
    mbu: float
    mfu: float
    """Of the whole mix of prefill and decode."""
    ridge: float
    """FLOP per byte above which the GPU computes longer than it reads."""
    knee: float
    """Concurrency over all replicas where the fixed part of a step equals what its sequences add: beyond, latency
    grows faster than throughput."""
    saturation_per_s: float
    """Requests per second at the largest batch: a load beyond cannot be held."""
    largest_batch: float
    bubble: float
    """Share of time that pipeline stages wait for each other."""
    derivation: Derivation | None = None

    @property
    def bound(self) -> Bound:
        return self.step.bound

    @property
    def requests_per_s(self) -> float:
        return self.output_per_s / self.output_tokens

    @property
    def total_per_s(self) -> float:
        """Input and output tokens."""
        return self.output_per_s * (self.input_tokens + self.output_tokens) / self.output_tokens

    @property
    def output_per_s_per_gpu(self) -> float:
        return self.output_per_s / self.gpus


def serve(plan: Plan, workload: Workload, *, explain: bool = False) -> Serving:
    """Predict a workload on a plan. `explain` keeps the derivation. Raises SpeedError where there is no answer.

    A request computes its prompt once and then takes O decode steps. While B run together each sits through the
    prompts of the others, so TPOT is t(B) + (B − 1)·p/O; a replica completes B requests every TTFT + (O − 1)·TPOT.
    """
    ledger = Ledger(recording=explain)
    mix = predict_mix(plan, workload, ledger)
    result = _result(plan, workload, mix, ledger)
    return replace(result, derivation=ledger.derivation("Speed")) if explain else result


@dataclass(frozen=True, slots=True)
class Mix:
    """One replica in its steady state."""

    batch: float
    limit: float
    """The largest batch that memory and engine allow."""
    ttft_s: float
    tpot_s: float
    per_replica: float
    """Output tokens/s."""


def predict_mix(plan: Plan, workload: Workload, ledger: Ledger = _QUIET) -> Mix:
    """Latency and rate of one replica: the part of `serve` that a fit repeats."""
    if workload.static:
        return _static(plan, workload, ledger)
    room = plan.room(workload, ledger)
    if workload.concurrency is None:
        return _offline(plan, workload, room.running, ledger)
    return _closed_loop(plan, workload, workload.concurrency / plan.layout.dp, room, ledger)


def _static(plan: Plan, workload: Workload, ledger: Ledger) -> Mix:
    assert workload.concurrency is not None
    batch = max(1.0, workload.concurrency / plan.layout.dp)
    ttft = plan.rates.per_request + plan.prefill(workload, batch, ledger)
    tpot = _decode_s(plan, workload, batch, ledger)
    rate = ledger(THROUGHPUT, batch=batch, output=workload.output_tokens, ttft=ttft, tpot=tpot)
    return Mix(batch, batch, ttft, tpot, rate)


def _decode_s(plan: Plan, workload: Workload, batch: float, ledger: Ledger = _QUIET) -> float:
    """Seconds per token of one sequence, drafts included."""
    cycle = _cycle_s(plan, workload, batch, ledger)
    return cycle / (workload.speculation.tokens_per_step if workload.speculation else 1.0)


def _cycle_s(plan: Plan, workload: Workload, batch: float, ledger: Ledger = _QUIET) -> float:
    """Seconds until every sequence has been stepped once: all stages in turn, busy with as many micro-batches."""
    step = plan.decode(batch, workload.context, workload.speculation, ledger).total_s
    if workload.speculation:
        single = plan.decode(batch, workload.context).total_s
        step += single * workload.speculation.drafts * workload.speculation.draft_share
    return step


def _line(plan: Plan, workload: Workload, batch: float) -> tuple[float, float]:
    """Seconds of a token's step as base + slope · batch, through batches 1 and `batch`."""
    top = max(batch, 2.0)
    low, high = _decode_s(plan, workload, 1.0), _decode_s(plan, workload, top)
    slope = max(0.0, (high - low) / (top - 1))
    return max(low - slope, 0.0), slope


def _offline(plan: Plan, workload: Workload, limit: float, ledger: Ledger) -> Mix:
    """All requests are there: batches stay full until the last ones drain."""
    requests = workload.requests / plan.layout.dp if workload.requests else math.inf
    batch = max(1.0, min(limit, requests))
    step = _decode_s(plan, workload, batch, ledger)
    share = plan.prefill_share(workload, batch)
    base, slope = _line(plan, workload, batch)
    if math.isinf(requests):
        requests, waves = 1.0, 1 / batch
    else:
        waves = max(1.0, requests / batch + TAIL)
    rate = ledger(
        OFFLINE,
        requests=requests,
        output=workload.output_tokens,
        prefill_share=share,
        pp=plan.load.pp,
        base=base,
        waves=waves,
        per_sequence=slope,
    )
    tpot = step + (batch - 1) * share / (plan.load.pp * workload.output_tokens)
    ttft = plan.rates.per_request + plan.prefill(workload) + tpot / 2
    return Mix(batch, limit, ttft, tpot, rate)


def _closed_loop(plan: Plan, workload: Workload, per_replica: float, room: Room, ledger: Ledger) -> Mix:
    """As many requests in flight as `per_replica`; where memory holds fewer they take turns, or wait to be admitted."""
    output, pp = workload.output_tokens, plan.load.pp
    running = max(1.0, per_replica)
    limit = max(1.0, room.running)
    batch = min(running, limit)
    burst = plan.burst(workload)
    cycle = _cycle_s(plan, workload, batch, ledger)
    share = plan.prefill_share(workload, batch, None if workload.speculation else cycle)
    per_step = workload.speculation.tokens_per_step if workload.speculation else 1.0
    # In lockstep only half of the others' prompts fall into a request's own decoding.
    tpot = ledger(
        TPOT,
        step=cycle,
        tokens_per_step=per_step,
        overlap=1 - burst / 2,
        batch=batch,
        prefill_share=share,
        pp=pp,
        output=output,
    )
    prefill = plan.prefill(workload, ledger=ledger)
    queue = plan.queued(workload, batch, burst)
    ttft = ledger(
        TTFT,
        request=plan.rates.per_request,
        prefill=prefill,
        # A newcomer waits for the running step to end, or for the step after which the engine looks for requests.
        alignment=min(1.0, batch - 1) * workload.poll_steps * cycle / 2,
        queue=queue,
        others=batch - 1,
        admission=plan.rates.per_other,
    )
    # However requests interleave, every prompt must be computed and every step be taken.
    work = output * cycle / per_step + batch * share / pp
    rate = ledger(CLOSED_LOOP, batch=batch, output=output, ttft=ttft, tpot=tpot, work=work)
    admitted = min(running, max(batch, room.admitted))
    # Admitted beyond what the cache holds, requests are preempted in turn: each runs for its share of the time.
    tpot *= admitted / batch
    ttft += (running - admitted) * output / rate
    return Mix(batch, limit, ttft, tpot, rate)


def _result(plan: Plan, workload: Workload, mix: Mix, ledger: Ledger) -> Serving:
    dp, load, rates = plan.layout.dp, plan.load, plan.rates
    concurrency = mix.batch * dp if workload.concurrency is None else workload.concurrency
    # Fewer requests than replicas leave replicas idle.
    busy = min(float(dp), concurrency)
    step = plan.decode(mix.batch, workload.context, workload.speculation)
    top = mix.limit
    base, slope = _line(plan, workload, top)
    share = plan.prefill_share(workload, mix.batch) / (load.pp * workload.output_tokens)
    per_token = base / top + slope + share
    tokens, context = prompt_work(workload)
    per_prompt = tokens * 2 * (load.active_parameters() - load.head_parameters)
    per_prompt += tokens * load.attend_flops(context, decode=False)
    flops_per_output = per_prompt / workload.output_tokens + step.flops / max(1.0, mix.batch / load.pp)
    return Serving(
        ttft_s=mix.ttft_s,
        tpot_s=mix.tpot_s,
        output_per_s=ledger(ALL_REPLICAS, output_of_a_replica=mix.per_replica, replicas_at_work=busy),
        output_per_s_per_user=ledger(PER_USER, tpot=mix.tpot_s),
        gpus=plan.gpus,
        batch=mix.batch,
        concurrency=concurrency,
        input_tokens=workload.input_tokens,
        output_tokens=workload.output_tokens,
        step=step,
        prefill_s=plan.prefill(workload),
        mbu=ledger(MBU, bytes_per_step=step.bytes_read, step=step.total_s, bandwidth=rates.bandwidth),
        mfu=ledger(MFU, flops_per_s=flops_per_output * mix.per_replica / load.pp, peak=rates.peak),
        ridge=ledger(RIDGE, peak=rates.peak, bandwidth=rates.bandwidth),
        knee=dp * max(1.0, base / (slope + share)) if slope + share > 0 else math.inf,
        saturation_per_s=dp / (per_token * workload.output_tokens),
        largest_batch=top,
        bubble=bubble(1 if plan.generation.one_stage_at_a_time else mix.batch, load.pp),
    )


def bubble(batch: float, pp: int) -> float:
    """Share of a pipeline's time in which stages wait: with fewer sequences than stages some have nothing to do.

    >>> bubble(1, 4), bubble(8, 4)
    (0.75, 0.0)
    """
    return max(0.0, 1 - min(batch, pp) / pp)


def load_curve(plan: Plan, workload: Workload, points: int = 24) -> tuple[tuple[float, Serving], ...]:
    """Predictions at concurrencies from 1 to what memory holds, spaced evenly in their logarithm."""
    top = max(1.0, plan.largest_batch(workload)) * plan.layout.dp
    steps = points - 1 if points > 1 and top > 1 else 0
    sizes = [top ** (index / steps) for index in range(points)] if steps else [top]
    return tuple((size, serve(plan, replace(workload, concurrency=size, static=False))) for size in sizes)


def queue_service(plan: Plan, workload: Workload, service_cv: float = 1.0) -> Service:
    """The same plan as a queueing service, for latency at an offered load."""
    limit = max(1, min(MAX_CONCURRENCY, math.floor(plan.largest_batch(workload))))
    share = plan.prefill_share(workload, max(1.0, limit / 2))

    def step_s(batch: int) -> float:
        return _decode_s(plan, workload, float(batch))

    return Service(
        prefill_s=share / plan.load.pp,
        step_s=step_s,
        output_tokens=workload.output_tokens,
        max_concurrency=limit,
        replicas=plan.layout.dp,
        service_cv=service_cv,
    )
