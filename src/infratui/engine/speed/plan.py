"""A model on GPUs under one engine: its steps, its prompts and the largest batch its memory holds."""

from __future__ import annotations

import math
from dataclasses import field, replace

from ...value_types import dataclass
from ..cluster.fabric import Fabric, fabric_of
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..figures.derivation import Basis, Formula, Ledger, Unit
from ..memory.kv_cache import DEFAULT_RULES, KvRules
from ..memory.lengths import Lengths
from ..model.architecture import Model
from ..model.precision import Precision
from .constants import Band, Constants, Generation
from .load import StepLoad, step_load
from .rates import Rates, rates_of
from .step import StepTime, step_time
from .workload import Speculation, SpeedError, Workload, prompt_work

BATCH = Formula("batch", "min(limit, max(1, kv_space / sequence_bytes))", Unit.COUNT, term="continuous-batching")

PACE = Formula("pace", "fullest ** share", Unit.RATIO, basis=Basis.CALIBRATED, term="data-parallelism")
BUNCHED_AT = 15.0
"""Other requests in flight at which `bunched` is counted."""
_QUIET = Ledger(recording=False)
_FRACTION = 1e-12
"""How closely a batch of measured lengths is looked for."""


@dataclass(frozen=True, slots=True)
class Room:
    """Sequences of one replica. May be fractions."""

    running: float
    """That the cache holds together, in the mean over their answers."""
    admitted: float
    """That may start before the first has ended; beyond, requests wait for their first token."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A model on GPUs under one engine: everything a prediction needs but the traffic. Make it with `Plan.of`."""

    model: Model
    accelerator: Accelerator
    layout: Layout
    constants: Constants
    generation: Generation
    load: StepLoad
    rates: Rates
    kv_space: float
    """Bytes for the cache on the tightest GPU; infinite where memory is not asked about."""
    _alone: dict[tuple[float, float, int], float] = field(default_factory=dict, init=False, repr=False, compare=False)
    """(tokens, context, chunk) of a prompt → seconds to compute it alone: every batch that is tried asks for it."""
    _together: dict[tuple[Lengths, float], float] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Measured lengths and limit → sequences that the cache holds."""

    @classmethod
    def of(  # noqa: PLR0913 – each is a fact of the plan
        cls,
        model: Model,
        weights: Precision,
        kv: Precision,
        accelerator: Accelerator,
        layout: Layout,
        constants: Constants,
        *,
        engine: str = "vllm",
        version: str = "",
        fabric: Fabric | None = None,
        kv_space: float = math.inf,
        windowed: bool = True,
        rules: KvRules = DEFAULT_RULES,
    ) -> Plan:
        """Look up and derive. Raises SpeedError where a published figure is missing or the engine is not known."""
        try:
            generation = constants.generation(engine, version)
        except KeyError as error:
            raise SpeedError(str(error.args[0])) from None
        load = step_load(model, weights, kv, layout, windowed, rules)
        rates = rates_of(constants, generation, accelerator, fabric or fabric_of(accelerator), load)
        if isinstance(rates, str):
            raise SpeedError(rates)
        return cls(model, accelerator, layout, constants, generation, load, rates, kv_space)

    @property
    def gpus(self) -> int:
        return self.layout.gpus

    def band(self, quantity: str) -> Band | None:
        """Error band of `tpot`, `ttft`, `ttft under load`, `throughput` or `max throughput`; None: no measured data."""
        together = quantity not in ("tpot", "ttft")
        if self.generation.unmeasured or (self.generation.measured_alone and together):
            return None
        return self.constants.band(quantity, moe=self.model.is_moe, arch=self.accelerator.arch)

    def micro_batch(self, batch: float) -> float:
        """Sequences that a stage of the pipeline steps at once."""
        return batch if self.generation.one_stage_at_a_time else max(1.0, batch / self.load.pp)

    def burst(self, workload: Workload) -> float:
        """Share of the requests in flight that arrive together: of a closed loop its first wave."""
        if workload.lockstep is not None:
            return workload.lockstep
        if workload.requests and workload.concurrency:
            return min(1.0, workload.concurrency / workload.requests)
        return min(1.0, self.constants[self.generation.burst]) if self.generation.burst else 0.0

    def queued(self, workload: Workload, batch: float, burst: float) -> float:
        """Seconds that a new request waits for the prompts before its own, in the mean.

        Of those that arrive together, computed in full chunks, each waits for half of the others. In a closed loop more
        come close together, by the root of how many there are: answers of equal length end, and are replaced, in the
        same steps; drawn lengths leave what chance leaves.
        """
        found = burst * (batch - 1) / 2 * self.prefill(workload, batch) / batch if burst else 0.0
        if workload.lockstep is None and self.generation.bunched:
            prompts = self.constants["bunched_varied" if workload.varied else self.generation.bunched]
            found += prompts * math.sqrt((batch - 1) / BUNCHED_AT) * self.prefill(workload)
        return found

    def decode(
        self, batch: float, context: float, speculation: Speculation | None = None, ledger: Ledger = _QUIET
    ) -> StepTime:
        """A decode step of one replica, all stages in turn, with `batch` sequences spread over the pipeline."""
        micro = self.micro_batch(batch)
        drafted = speculation.drafts + 1.0 if speculation else 1.0
        return step_time(
            self.load, self.rates, sequences=micro, context=context, tokens_per_sequence=drafted, ledger=ledger
        )

    def prefill(self, workload: Workload, prompts: float = 1.0, ledger: Ledger = _QUIET) -> float:
        """Seconds to compute `prompts` prompts with nothing beside them, chunk by chunk (at least one token each)."""
        tokens, context = prompt_work(workload)
        if prompts == 1 and not workload.static and not ledger.recording:
            key = tokens, context, workload.max_batched_tokens
            if key not in self._alone:
                self._alone[key] = self._prefill(workload, 1.0, ledger)
            return self._alone[key]
        return self._prefill(workload, prompts, ledger)

    def _prefill(self, workload: Workload, prompts: float, ledger: Ledger) -> float:
        tokens, context = prompt_work(workload)
        total = tokens * prompts
        chunk = total if workload.static else min(total, float(workload.max_batched_tokens))
        step = step_time(
            self.load,
            self.rates,
            prefill_tokens=chunk,
            prefill_context=context,
            prompts=prompts * chunk / total,
            ledger=ledger,
        )
        return step.total_s * total / chunk

    def prefill_share(self, workload: Workload, batch: float, step_s: float | None = None) -> float:
        """Seconds that one more prompt adds to the steps of a running batch, which read the weights anyway.

        Requests end, and others begin, every O / B steps: one prompt joins such a step, or B / O where B exceeds O.
        `step_s`: of the batch without a prompt, where it is known.
        """
        tokens, context = prompt_work(workload)
        micro = self.micro_batch(batch)
        joined = max(1.0, micro / workload.output_tokens)
        beside = step_time(
            self.load,
            self.rates,
            prefill_tokens=joined * tokens,
            prefill_context=context,
            prompts=joined,
            sequences=micro,
            context=workload.context,
        )
        if step_s is None:
            step_s = self.decode(batch, workload.context).total_s
        alone = max(0.0, beside.total_s - step_s) / joined
        return alone * self.pace(workload, micro, tokens)

    def pace(self, workload: Workload, batch: float, tokens: float, ledger: Ledger = _QUIET) -> float:
        """How much longer prompts hold up ranks that share experts: they step together, at the pace of the fullest.

        Of n ranks that each start λ = B / O prompts per step, the fullest starts about λ + √(2 λ ln n): the expected
        maximum of n Poisson counts, at most n·λ (one rank has them all), and no more tokens than a step may take.
        Schedulers that balance ranks avoid part of it.
        """
        ranks = self.load.group
        if ranks <= 1:
            return 1.0
        arrivals = batch / workload.output_tokens
        room = workload.max_batched_tokens / (arrivals * tokens)
        fullest = min(float(ranks), 1 + math.sqrt(2 * math.log(ranks) / arrivals), max(1.0, room))
        return ledger(PACE, fullest=fullest, share=self.constants["dp_wait"])

    def largest_batch(self, workload: Workload, ledger: Ledger = _QUIET) -> float:
        """Sequences that one replica holds to their full length, within the engine's own limit. May be a fraction."""
        limit = float(workload.max_num_seqs or self.generation.max_num_seqs)
        size = self.load.sequence_bytes(workload.single)
        if size <= 0 or math.isinf(self.kv_space):
            return limit
        if self.kv_space < size:
            raise SpeedError(
                f"{self.layout.label} on {self.accelerator.name}: "
                f"{max(0.0, self.kv_space) / 1e9:,.1f} GB for the cache hold no sequence of "
                f"{workload.single:,.0f} tokens ({size / 1e9:,.1f} GB)"
            )
        if workload.shape is not None:
            size = self.kv_space / self._fitting(workload.shape.whole, limit)
        return ledger(BATCH, limit=limit, kv_space=self.kv_space, sequence_bytes=size)

    def room(self, workload: Workload, ledger: Ledger = _QUIET) -> Room:
        """What a replica runs at a time under its engine's rule of admission. Raises SpeedError as `largest_batch`.

        TensorRT-LLM admits a request when its whole answer has room ("guaranteed no evict", its default), and SGLang
        when most of it has (new token ratio 0.7). vLLM admits when the prompt has blocks, lets answers grow and
        preempts when the cache is full: what runs is then what the cache holds of sequences half way through their
        answers, and what is in flight takes turns.
        """
        whole = self.largest_batch(workload, ledger)
        if self.generation.reserves_output:
            return Room(whole, whole)
        limit = float(workload.max_num_seqs or self.generation.max_num_seqs)

        def held(tokens: float) -> float:
            size = self.load.sequence_bytes(tokens)
            return limit if size <= 0 else max(whole, min(limit, self.kv_space / size))

        running = held(workload.context)
        if workload.shape is not None and running > whole:
            lengths = workload.shape.whole
            running = max(whole, self._fitting(replace(lengths, mean=workload.context), limit))
        return Room(running, held(workload.input_tokens))

    def _fitting(self, lengths: Lengths, limit: float) -> float:
        """Sequences of measured lengths that the cache holds in 99 of 100 moments, one at least; may be a fraction."""
        key = lengths, limit
        if key not in self._together:
            low, high = 1.0, max(1.0, limit)
            if high * self.load.sequence_bytes(lengths.each(high)) <= self.kv_space:
                low = high
            while high - low > _FRACTION * low:
                middle = (low + high) / 2
                fits = middle * self.load.sequence_bytes(lengths.each(middle)) <= self.kv_space
                low, high = (middle, high) if fits else (low, middle)
            self._together[key] = low
        return self._together[key]
