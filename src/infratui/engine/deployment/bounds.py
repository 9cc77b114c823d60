"""What no candidate can beat: requests and tokens per second by the published bandwidth and FLOP/s."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..memory.kv_cache import KvGeometry
from ..model.architecture import AnyAttention, GroupedQuery, Part, layer_order, parameters
from ..speed import Workload
from ..speed.collectives import all_reduce_path
from ..speed.load import step_load
from ..speed.rates import MEMORY_CEILING, rates_of
from ..speed.workload import prompt_work
from .site import Site

if TYPE_CHECKING:
    from ..case import Case

_ALWAYS_READ = (Part.ATTENTION, Part.MLP, Part.SHARED_EXPERTS, Part.ROUTER, Part.NORMS, Part.HEAD)
_HALVINGS = 12
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class _Reached:
    """Seconds on one GPU that holds the whole model, at the rates that steps reach."""

    fixed: float
    """Of a step, whatever it does."""
    per_stage: float
    per_sequence: float
    decoded: float
    """Matrices of one decoded token, the head left out."""
    prompt: float
    """Matrices of one prompt."""
    scores: float
    """Attention scores of one prompt."""


def _reached(case: Case, site: Site, workload: Workload) -> _Reached | str:
    deployment, constants = case.deployment, case.speed_constants
    load = step_load(
        deployment.model,
        deployment.precision,
        deployment.kv_precision,
        Layout(),
        deployment.windowed,
        deployment.constants.kv,
    )
    try:
        generation = constants.generation(case.scenario.engine, case.scenario.engine_version)
    except KeyError as error:
        return str(error)
    rates = rates_of(constants, generation, site.accelerator, site.fabric, load)
    if isinstance(rates, str):
        return rates
    routed = sum(entry.top_k * entry.expert_parameters for entry in load.experts)
    token = 2 * (
        load.attention_parameters / rates.attention_rate
        + load.dense_parameters / rates.dense_rate
        + routed / rates.expert_rate
    )
    tokens, context = prompt_work(workload)
    return _Reached(
        fixed=load.layers * rates.per_layer
        + load.expert_layers * rates.per_expert_layer
        + load.kernels * rates.per_kernel,
        # A host that schedules ahead may hide behind the GPU altogether.
        per_stage=0.0 if rates.schedules_ahead else rates.per_step,
        per_sequence=rates.per_sequence,
        decoded=token,
        prompt=tokens * token,
        scores=tokens * load.attend_flops(context, decode=False) / rates.score_rate,
    )


class Pace:
    """Requests per second that no batch of a group exceeds within the TPOT target, whatever else a step does."""

    def __init__(self, case: Case, site: Site) -> None:
        self._case = case
        self._site = site
        self._model = case.model
        scenario, accelerator = case.scenario, site.accelerator
        self._workload = case.workload(accelerator)
        # A host that is measured to be faster than predicted may read beyond the ceiling.
        self._faster = min(1.0, case.speed_constants.pace_on(accelerator.id))
        self._rate = MEMORY_CEILING * accelerator.bandwidth / self._faster if accelerator.bandwidth else math.inf
        self._share = case.scenario.load_pct / 100
        self._skew = case.speed_constants["routing_skew"]
        self._drafted = scenario.draft_tokens + 1 if scenario.acceptance else 1
        count = parameters(self._model)
        active = count.active - count.of(Part.EMBEDDING) - count.of(Part.HEAD)
        tokens = scenario.input_tokens * (1 - scenario.prefix_hit / 100) + scenario.output_tokens
        peaks = [accelerator.peak(name) for name in ("bf16", "fp8", "int8", "fp4", "fp32")]
        self._computed = max((peak for peak in peaks if peak), default=math.inf) / (2 * max(1, active) * tokens)
        self._plain = all(group.attention is None or plain(group.attention) for group in self._model.groups)
        self._reads: dict[tuple[int, int], tuple[int, int]] = {}
        self._reached: _Reached | str | None = None
        self._geometries: dict[tuple[int, int], KvGeometry] = {}
        self._mixture = self._model.mixture
        self._talks: dict[int, float] = {}

    def requests_at_most(self, group: Layout) -> float:
        """Of all replicas of the group, less the head room."""
        output = self._workload.output_tokens
        computed = self._computed * group.gpus
        if output < 2 or math.isinf(self._rate):
            return computed * self._share
        batch = self._largest(group)
        target = self._case.targets.tpot_s
        if target and self.alone(group) > target:
            return 0.0
        if target and self._step(group, batch) > target:
            low, high = 0.0, batch
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                low, high = (low, middle) if self._step(group, middle) > target else (middle, high)
            batch = high
        seconds = self._step(group, batch)
        read = batch * group.dp / ((output - 1) * seconds) if seconds else math.inf
        return min(computed, read) * self._share

    def alone(self, group: Layout) -> float:
        """Seconds per token that one request at a time does not go below."""
        return 0.0 if math.isinf(self._rate) else self._step(group, 1.0)

    def keeps_up(self, group: Layout, requests_per_s: float) -> bool:
        """The group may serve so many within the TTFT target: closer than `requests_at_most`, by rates steps reach.

        A request takes its share of the fixed part of steps and of the scores of its prompt, and its matrices either
        read or compute. More requests together only share the fixed part and the reading better.
        """
        if requests_per_s <= 0:
            return True
        reached, target = self._reach(), self._case.targets.ttft_s
        if reached and target and (reached.prompt + reached.scores) / group.tp > target * (1 + _ROUNDING):
            return False
        batch = self._largest(group)
        seconds = self._busy(group, batch)
        return not seconds or batch * group.dp / seconds * self._share * (1 + _ROUNDING) >= requests_per_s

    def tokens_within(self, layout: Layout) -> float:
        """Tokens/s of a layout with all users in flight: a closer look than `tokens_at_most`, in the same way."""
        batch = self._together(layout)
        seconds = self._busy(layout, batch)
        output = self._workload.output_tokens
        return batch * layout.dp * output / seconds * (1 + _ROUNDING) if seconds else math.inf

    def _busy(self, group: Layout, batch: float) -> float:
        """Seconds that one replica needs at least for so many requests together; 0: not known."""
        reached = self._reach()
        if reached is None:
            return 0.0
        output, micro = self._workload.output_tokens, max(1.0, batch / group.pp)
        fixed = reached.fixed + reached.per_stage * group.pp + reached.per_sequence * micro
        computed = (output * micro * reached.decoded + micro * reached.prompt) / group.tp
        matrices = max(output * self._step(group, batch), computed)
        return output * fixed + micro * reached.scores / group.tp + matrices

    def _reach(self) -> _Reached | None:
        if self._workload.speculation or math.isinf(self._rate):
            return None
        if self._reached is None:
            self._reached = _reached(self._case, self._site, self._workload)
        return None if isinstance(self._reached, str) else self._reached

    def _largest(self, group: Layout) -> float:
        """Sequences of one replica that memory and the engine allow."""
        site = self._site
        tokens = self._workload.whole
        size = group.tp * (self._geometry(group).sequence_bytes(tokens) - 1)
        room = group.tp * group.pp * site.table.visible_memory(site.accelerator)
        limit = float(self._workload.max_num_seqs or math.inf)
        return max(1.0, min(limit, room / size if size > 0 else math.inf))

    def _step(self, group: Layout, batch: float) -> float:
        """Seconds per token that reading alone takes."""
        always, routed = self._read(group)
        micro = max(1.0, batch / group.pp)
        mixture = self._mixture
        if mixture is not None:
            share = min(mixture.top_k / mixture.experts, 1 - 1e-9)
            tokens = micro * max(1, group.ep // group.tp)
            always += routed * max(share, 1 - (1 - tokens * math.log1p(-share) / self._skew) ** -self._skew)
        if self._plain:
            growing = self._geometry(group).growing
            always += growing * self._workload.context * micro
        return (always / self._rate + self._talk(group)) / self._drafted

    def _talk(self, group: Layout) -> float:
        """Seconds per step that ranks which share out the cache exchange at least: latencies, whatever is sent."""
        if group.dcp == 1:
            return 0.0
        if group.dcp not in self._talks:
            constants, scenario = self._case.speed_constants, self._case.scenario
            try:
                collectives = constants.generation(scenario.engine, scenario.engine_version).collectives
            except KeyError:
                return 0.0
            latency = all_reduce_path(constants, self._site.fabric, group.dcp, collectives).latency
            layers = sum(entry.attention is not None for entry in layer_order(self._model))
            self._talks[group.dcp] = 3 * latency * layers * self._faster
        return self._talks[group.dcp]

    def _geometry(self, group: Layout) -> KvGeometry:
        """Cache of a rank that holds all layers."""
        key = group.tp, group.dcp
        if key not in self._geometries:
            self._geometries[key] = self._case.deployment.geometry(Layout(group.tp, dcp=group.dcp))[0]
        return self._geometries[key]

    def _read(self, group: Layout) -> tuple[float, float]:
        key = group.tp, group.ep
        if key not in self._reads:
            stage = self._case.deployment.weights(Layout(group.tp, 1, 1, group.ep)).fullest
            always = sum(part.bytes for part in stage.parts if part.part in _ALWAYS_READ)
            self._reads[key] = always, stage.of(Part.ROUTED_EXPERTS)
        return self._reads[key]

    def _together(self, layout: Layout) -> float:
        """Sequences that run on one replica at most with all users in flight."""
        # Engines that keep no room for whole answers run as many as memory holds half way through.
        whole = layout.tp * layout.pp * self._site.table.visible_memory(self._site.accelerator)
        size = layout.tp * self._geometry(layout).sequence_bytes(math.floor(self._workload.context))
        limit = self._workload.max_num_seqs or math.inf
        return max(1.0, min(self._case.load.users / layout.dp, limit, whole / size if size else math.inf))

    def tokens_at_most(self, layout: Layout) -> tuple[float, float]:
        """Tokens/s of a layout with all users in flight, and the TPOT that no prediction goes below."""
        output = self._workload.output_tokens
        if math.isinf(self._rate):
            return math.inf, 0.0
        batch = self._together(layout)
        rate = batch * layout.dp / seconds if (seconds := self._step(layout, batch)) else math.inf
        alone = self._step(layout, 1.0)
        if not seconds or output < 2:
            return math.inf, alone
        return rate * output / (output - 1), alone


def plain(attention: AnyAttention) -> bool:
    """A step reads all that the layer has cached."""
    return isinstance(attention, GroupedQuery) and attention.window is None and not attention.indexer
