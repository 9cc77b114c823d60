"""One forward step of one rank: what reads weights, reads the cache, computes, communicates and waits, in seconds.

Matrix products read weights while they compute, so the two overlap: their time is the norm (rᵖ + cᵖ)^(1/p), which is
the larger of the two away from the ridge and a little more near it. Everything else adds up: attention, activations on
their way through memory, collectives, launches and the host.
"""

from __future__ import annotations

import math
from typing import Literal

from ...value_types import dataclass
from ..figures.derivation import Basis, Formula, Ledger, Number, Unit
from .collectives import all_reduce_s, all_to_all_s, context_exchange_s, hop_s
from .load import StepLoad
from .rates import Rates

OVERLAP = 2.5
"""Sharpness of the roofline's corner: 1 adds reading and computing, infinity takes the larger."""
_TOUCHES_PER_LAYER = 2
"""Collectives per layer: after attention and after the MLP."""
_DISPATCH_BYTES = 3
"""Bytes per hidden element of a token copy on its way to an expert (8 bit) and back (16 bit)."""

Bound = Literal["weights", "kv cache", "compute", "communication", "launch"]

_C = Basis.CALIBRATED
READ = Formula("read", "bytes / rate", Unit.SECONDS, basis=_C, term="bandwidth-bound")
COMPUTE = Formula(
    "compute", "2 * parameters * (tokens + idle_tokens) / rate", Unit.SECONDS, basis=_C, term="compute-bound"
)
OVERLAPPED = Formula(
    "matrix",
    "max(read, compute) * (1 + (min(read, compute) / max(read, compute)) ** p) ** (1 / p)",
    Unit.SECONDS,
    term="roofline",
)
TOUCHED = Formula(
    "experts_touched",
    "max(top_k / experts, 1 - (1 + tokens * top_k_share / skew) ** (0 - skew))",
    Unit.RATIO,
    basis=_C,
    term="experts-touched",
)
EXPERT_COMPUTE = Formula(
    "expert_compute",
    "2 * parameters * experts * touched * (tokens * top_k / (experts * touched) + idle_tokens) / rate",
    Unit.SECONDS,
    basis=_C,
    term="experts-touched",
)
KV_READ = Formula(
    "kv", "max(sequences * bytes / rate, sequences * flops / flop_rate)", Unit.SECONDS, basis=_C, term="kv-cache"
)
PREFILL_ATTENTION = Formula("attention", "tokens * flops / flop_rate", Unit.SECONDS, basis=_C, term="attention")
ACTIVATIONS = Formula("activations", "tokens * bytes * touches / bandwidth", Unit.SECONDS, basis=_C, term="activations")
LAUNCHES = Formula(
    "launches",
    "layers * per_layer + expert_layers * per_expert_layer + kernels * per_kernel",
    Unit.SECONDS,
    basis=_C,
    term="overhead",
)
HOST_SHOWN = Formula("host", "max(0, per_step - gpu)", Unit.SECONDS, basis=_C, term="overhead")
FIXED = Formula("fixed", "launches + host + sequences * per_sequence", Unit.SECONDS, basis=_C, term="overhead")
STEP = Formula(
    "step", "weights + compute + activations + kv + communication + fixed", Unit.SECONDS, basis=_C, term="tpot"
)


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds of one step by cause. Reading weights and computing overlap: each stands with its share of their time."""

    weights_s: float
    kv_s: float
    compute_s: float
    """Matrix products beyond what reading hides, and attention scores of prefill."""
    activations_s: float
    comm_s: float
    fixed_s: float
    bytes_read: float
    """By one rank: weights, experts and cache."""
    flops: float
    """Of one rank."""

    @property
    def total_s(self) -> float:
        return self.weights_s + self.kv_s + self.compute_s + self.activations_s + self.comm_s + self.fixed_s

    @property
    def bound(self) -> Bound:
        """What the step spends most of its time on."""
        parts: tuple[tuple[float, Bound], ...] = (
            (self.weights_s, "weights"),
            (self.kv_s, "kv cache"),
            (self.compute_s + self.activations_s, "compute"),
            (self.comm_s, "communication"),
            (self.fixed_s, "launch"),
        )
        return max(parts)[1]


_QUIET = Ledger(recording=False)


@dataclass(slots=True)
class _Matrices:
    read_s: float = 0.0
    compute_s: float = 0.0
    bytes: float = 0.0
    flops: float = 0.0

    def add(self, read: Number, compute: Number, ledger: Ledger) -> None:
        """Count one product; its time goes to reading and computing by their weight in the norm."""
        if read <= 0 and compute <= 0:
            return
        together = ledger(OVERLAPPED, read=read, compute=compute, p=OVERLAP)
        share = read**OVERLAP / (read**OVERLAP + compute**OVERLAP)
        self.read_s += together * share
        self.compute_s += together * (1 - share)


def step_time(  # noqa: PLR0913 – each is a part of the step
    load: StepLoad,
    rates: Rates,
    *,
    prefill_tokens: float = 0.0,
    prefill_context: float = 0.0,
    prompts: float = 0.0,
    sequences: float = 0.0,
    context: float = 0.0,
    tokens_per_sequence: float = 1.0,
    ledger: Ledger = _QUIET,
) -> StepTime:
    """Seconds of a step over all pipeline stages, one after the other.

    `sequences` decode, each `tokens_per_sequence` tokens (more than one when drafts are verified) over `context` cached
    ones; beside them `prefill_tokens` of `prompts` prompts are computed, each attending over `prefill_context` tokens
    on average. Counts are of one replica and may be fractions.
    """
    decoded = sequences * tokens_per_sequence
    tokens = prefill_tokens + decoded
    work = _Matrices()
    size = load.attention_bytes
    read = ledger(READ, note="attention weights", bytes=size, rate=rates.attention_read)
    compute = ledger(
        COMPUTE,
        note="attention matrices",
        parameters=load.attention_parameters,
        tokens=tokens,
        idle_tokens=rates.idle_tokens,
        rate=rates.attention_rate,
    )
    work.add(read, compute, ledger)
    if load.dense_parameters:
        read = ledger(READ, note="MLP weights", bytes=load.dense_bytes, rate=rates.dense_read)
        compute = ledger(
            COMPUTE,
            note="MLP matrices",
            parameters=load.dense_parameters,
            tokens=tokens,
            idle_tokens=rates.idle_tokens,
            rate=rates.dense_rate,
        )
        work.add(read, compute, ledger)
    # Only the last token of a prompt, and each decoded one, goes through the head.
    heads = max(1.0, decoded + prompts)
    read = ledger(READ, note="output head", bytes=load.head_bytes, rate=rates.head_read)
    compute = ledger(
        COMPUTE,
        note="output head",
        parameters=load.head_parameters,
        tokens=heads,
        idle_tokens=rates.idle_tokens,
        rate=rates.head_rate,
    )
    work.add(read, compute, ledger)
    touched_bytes = _experts(load, rates, tokens, work, ledger)
    plain = ledger(READ, note="router and norms", bytes=load.plain_bytes, rate=rates.head_read)
    kv_bytes = sequences * load.read_bytes(context)
    kv_flops = decoded * load.attend_flops(context, decode=True) if sequences else 0.0
    kv_s = 0.0
    if sequences:
        kv_s = ledger(
            KV_READ,
            sequences=sequences,
            bytes=kv_bytes / sequences,
            rate=rates.kv_read,
            flops=kv_flops / sequences,
            flop_rate=rates.score_rate,
        )
    score_s, score_flops = 0.0, 0.0
    if prefill_tokens:
        per_token = load.attend_flops(prefill_context, decode=False)
        score_flops = prefill_tokens * per_token
        score_s = ledger(PREFILL_ATTENTION, tokens=prefill_tokens, flops=per_token, flop_rate=rates.score_rate)
    activations_s = ledger(
        ACTIVATIONS,
        tokens=tokens,
        bytes=load.activation_bytes,
        touches=rates.touches,
        bandwidth=rates.bandwidth,
    )
    weights_bytes = load.attention_bytes + load.dense_bytes + load.head_bytes + load.plain_bytes + touched_bytes
    routed = sum(entry.top_k * entry.expert_parameters for entry in load.experts) * load.group
    comm_s = _communication(load, rates, tokens, decoded, ledger)
    busy_s = work.read_s + plain + work.compute_s + score_s + kv_s + activations_s + comm_s
    fixed_s = _fixed(load, rates, busy_s, sequences, ledger)
    if ledger.recording:
        ledger(
            STEP,
            weights=work.read_s + plain,
            compute=work.compute_s + score_s,
            kv=kv_s,
            activations=activations_s,
            communication=comm_s,
            fixed=fixed_s,
        )
    return StepTime(
        weights_s=work.read_s + plain,
        kv_s=kv_s,
        compute_s=work.compute_s + score_s,
        activations_s=activations_s,
        comm_s=comm_s,
        fixed_s=fixed_s,
        bytes_read=weights_bytes + kv_bytes,
        flops=2 * (load.attention_parameters + load.dense_parameters + routed) * tokens
        + 2 * load.head_parameters * heads
        + kv_flops
        + score_flops,
    )


def _fixed(load: StepLoad, rates: Rates, busy_s: float, sequences: float, ledger: Ledger) -> float:
    """Launches, and of the host's work what no GPU time hides.

    Engines that schedule ahead prepare step n + 1 while the GPU runs step n: SGLang since 0.4 (release notes, December
    2024: "zero-overhead batch scheduler"), TensorRT-LLM on PyTorch ("overlap scheduler"), vLLM since 0.14
    (asynchronous scheduling by default). What is done for each sequence after its token is known stays.
    """
    launches = ledger(
        LAUNCHES,
        layers=load.layers,
        per_layer=rates.per_layer,
        expert_layers=load.expert_layers,
        per_expert_layer=rates.per_expert_layer,
        kernels=load.kernels,
        per_kernel=rates.per_kernel,
    )
    # Stages have hosts of their own, but a token waits for each in turn.
    host = ledger(
        HOST_SHOWN, per_step=rates.per_step * load.pp, gpu=busy_s + launches if rates.schedules_ahead else 0.0
    )
    # Ranks that share experts run an engine each: each has its own sequences only.
    return ledger(FIXED, launches=launches, host=host, sequences=sequences, per_sequence=rates.per_sequence)


def _experts(load: StepLoad, rates: Rates, tokens: float, work: _Matrices, ledger: Ledger) -> float:
    """Add the routed experts; returns the bytes of those that a step touches on one rank.

    Uniform routing touches N·(1 − (1 − k/N)^B) of N experts. Real routers favour some: with popularities spread as a
    gamma distribution of shape `skew` the power becomes (1 + B·x/skew)^−skew, x = −ln(1 − k/N); skew → ∞ is uniform.
    """
    total = 0.0
    together = tokens * load.group
    for entry in load.experts:
        share = entry.top_k / entry.experts
        touched = ledger(
            TOUCHED,
            top_k=entry.top_k,
            experts=entry.experts,
            tokens=together,
            top_k_share=-math.log1p(-min(share, 1 - 1e-9)),
            skew=rates.skew,
        )
        size = entry.local_bytes * touched
        read = ledger(READ, note="experts touched", bytes=size, rate=rates.dense_read)
        compute = ledger(
            EXPERT_COMPUTE,
            parameters=entry.expert_parameters,
            experts=entry.experts,
            touched=touched,
            tokens=together,
            top_k=entry.top_k,
            idle_tokens=rates.expert_idle_tokens,
            rate=rates.expert_rate,
        )
        work.add(read, compute, ledger)
        total += size
    return total


def _communication(load: StepLoad, rates: Rates, tokens: float, decoded: float, ledger: Ledger) -> float:
    """Collectives of all layers, and the hops between stages."""
    size = tokens * load.hidden * 2
    seconds = 0.0
    if load.tp > 1:
        seconds += _TOUCHES_PER_LAYER * load.layers * all_reduce_s(rates.reduce, load.tp, size, ledger)
    seconds += context_s(load, rates, decoded, ledger)
    if load.group > 1:
        for entry in load.experts:
            copies = float(load.ep) if rates.gathers else entry.copies
            sent = tokens * load.hidden * copies * _DISPATCH_BYTES / load.tp / 2
            # Once out to the experts, once back.
            seconds += 2 * entry.layers * all_to_all_s(rates.exchange, load.ep, sent, ledger)
    if load.pp > 1:
        seconds += (load.pp - 1) * hop_s(rates.hop, size / load.tp, ledger)
    return seconds


def context_s(load: StepLoad, rates: Rates, decoded: float, ledger: Ledger = _QUIET) -> float:
    """Exchanges of all layers whose cache is shared out, for tokens that are decoded."""
    if load.dcp == 1 or not decoded:
        return 0.0
    return sum(
        entry.layers * context_exchange_s(rates.context, load.dcp, decoded * entry.gathered, ledger)
        for entry in load.attention
        if entry.gathered
    )
