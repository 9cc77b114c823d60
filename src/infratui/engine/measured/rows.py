"""A published figure as a plan and its traffic: what is looked up once, and what constants then predict for it."""

from __future__ import annotations

import math
from typing import Literal

from ...value_types import dataclass
from ..cluster.fabric import Fabric, fabric_of
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..facts import Facts
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, plan_memory
from ..memory.runtime import RuntimeTable, UnknownEngineError
from ..model.architecture import Latent, Model
from ..model.precision import Precision
from ..speed.constants import Constants, Generation
from ..speed.load import StepLoad, step_load
from ..speed.plan import Plan
from ..speed.rates import rates_of
from ..speed.serving import Serving, predict_mix, serve
from ..speed.workload import SpeedError, Workload

Quantity = Literal["tpot", "ttft", "ttft under load", "throughput", "max throughput"]

QUANTITIES: tuple[Quantity, ...] = ("tpot", "ttft", "ttft under load", "throughput", "max throughput")
_OUTSIDE_MEMORY_MODEL = frozenset({"llama.cpp"})
_MEMORY_ENGINE = {"nim": "tensorrt-llm"}


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One published figure, or a plan with its traffic to estimate (`value` None)."""

    id: str
    study: str
    """What is left out together: one publication or data set."""
    source: str
    date: str
    engine: str
    version: str
    model: str
    precision: str
    kv_precision: str
    """Empty: the engine's own choice."""
    accelerator: str
    layout: Layout
    input_tokens: float
    output_tokens: float
    concurrency: float | None
    """None: maximum throughput."""
    static: bool
    lockstep: float | None
    requests: int | None
    max_num_seqs: int | None
    utilization: float | None
    """Share of memory that the engine may take; None: its default."""
    metric: str
    value: float | None
    varied: bool = False
    """Lengths are drawn around their means."""
    poll_steps: int = 1
    """Decode steps between two looks for new requests."""
    fitted: bool = True
    """Takes part in fits; rows that do not are scored all the same."""
    left_out: str = ""
    """Why the row cannot be scored; empty: it can."""
    remark: str = ""

    @property
    def quantity(self) -> Quantity:
        """What the figure is. TTFT counts as unloaded with one request in flight only."""
        if self.metric == "tpot_ms":
            return "tpot"
        if self.metric == "ttft_ms":
            return "ttft" if self.concurrency == 1 else "ttft under load"
        return "max throughput" if self.concurrency is None else "throughput"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row with all that does not depend on constants looked up."""

    row: MeasuredRow
    model: Model
    weights: Precision
    kv: Precision
    accelerator: Accelerator
    generation: Generation
    fabric: Fabric
    load: StepLoad
    kv_space: float
    workload: Workload

    @property
    def cell(self) -> str:
        """The model and the GPU: left out together, whoever measured them."""
        return f"{self.model.id} on {self.accelerator.id}"

    def plan(self, constants: Constants) -> Plan:
        """The row's plan under these constants."""
        rates = rates_of(constants, self.generation, self.accelerator, self.fabric, self.load)
        if isinstance(rates, str):
            raise SpeedError(rates)
        return Plan(
            self.model,
            self.accelerator,
            self.row.layout,
            constants,
            self.generation,
            self.load,
            rates,
            self.kv_space,
        )


def prepare(row: MeasuredRow, facts: Facts, constants: Constants, table: RuntimeTable) -> Prepared:
    """Look up a row's model, formats, GPU and memory. Raises ValueError in one line where that fails."""
    model = facts.model(row.model)
    weights = weight_precision(row, model, facts)
    try:
        generation = constants.generation(row.engine, row.version)
    except KeyError as error:
        raise SpeedError(str(error.args[0])) from None
    kv_name = row.kv_precision or ("fp8" if weights.id in generation.kv_8bit_with else "bf16")
    kv = facts.precision(kv_name)
    accelerator = facts.accelerator(row.accelerator)
    load = step_load(model, weights, kv, row.layout)
    return Prepared(
        row=row,
        model=model,
        weights=weights,
        kv=kv,
        accelerator=accelerator,
        generation=generation,
        fabric=fabric_of(accelerator),
        load=load,
        kv_space=math.inf if row.static else _kv_space(row, model, weights, kv, accelerator, generation, table),
        workload=Workload(
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            concurrency=row.concurrency,
            static=row.static,
            lockstep=row.lockstep,
            varied=row.varied,
            requests=row.requests,
            max_num_seqs=row.max_num_seqs,
            poll_steps=row.poll_steps,
        ),
    )


def weight_precision(row: MeasuredRow, model: Model, facts: Facts) -> Precision:
    """The precision a row names, as checkpoints of its model keep it.

    NVFP4 checkpoints of latent-attention models leave attention at 16 bit; MXFP4 of a dense model quantizes all of it.
    """
    precision = facts.precision(row.precision)
    if precision.id == "nvfp4" and any(isinstance(group.attention, Latent) for group in model.groups):
        return facts.precision("nvfp4-mlp")
    if precision.id == "mxfp4" and not model.is_moe:
        return facts.precision("mxfp4-w4a4")
    return precision


def _kv_space(
    row: MeasuredRow,
    model: Model,
    weights: Precision,
    kv: Precision,
    accelerator: Accelerator,
    generation: Generation,
    table: RuntimeTable,
) -> float:
    """Bytes that the engine leaves for the cache of the tightest GPU; infinite for engines without a memory model."""
    engine = _MEMORY_ENGINE.get(generation.engine, generation.engine)
    if engine in _OUTSIDE_MEMORY_MODEL:
        return math.inf
    try:
        constants = table.of(engine, row.version)
    except UnknownEngineError:
        return math.inf
    deployment = Deployment(
        model,
        weights,
        kv,
        constants,
        row.utilization or constants.utilization,
        max_num_seqs=min(row.max_num_seqs or generation.max_num_seqs, generation.max_num_seqs),
    )
    whole = Sequences(row.layout.dp, max(1, math.ceil(row.input_tokens + row.output_tokens)))
    return float(plan_memory(deployment, accelerator, row.layout, whole, table).kv_space)


def predict(prepared: Prepared, constants: Constants) -> float:
    """The figure of a row in its own unit: ms, or tokens per second."""
    plan = prepared.plan(constants)
    row, workload = prepared.row, prepared.workload
    mix = predict_mix(plan, workload)
    if row.metric == "ttft_ms":
        return mix.ttft_s * 1e3
    if row.metric == "tpot_ms":
        return mix.tpot_s * 1e3
    dp = row.layout.dp
    total = mix.per_replica * (dp if workload.concurrency is None else min(float(dp), workload.concurrency))
    return as_metric(total, row)


def as_metric(output_per_s: float, row: MeasuredRow) -> float:
    """Output tokens/s of all GPUs in the terms of the row's metric."""
    if row.metric == "output_tokens_per_s_per_gpu":
        return output_per_s / row.layout.gpus
    if row.metric == "total_tokens_per_s":
        return output_per_s * (row.input_tokens + row.output_tokens) / row.output_tokens
    return output_per_s


def estimate(prepared: Prepared, constants: Constants) -> Serving:
    """Everything about a row, not only the figure that was measured."""
    return serve(prepared.plan(constants), prepared.workload)


SPEED_FIGURES = (
    "est_ttft_ms",
    "est_tpot_ms",
    "est_output_tokens_per_s_total",
    "est_output_tokens_per_s_per_gpu",
    "est_total_tokens_per_s",
)
"""Columns that have a `_low` and a `_high` beside them."""
SPEED_COLUMNS = (
    *SPEED_FIGURES,
    "est_bound",
    "est_batch",
    *(f"{name}_{end}" for name in SPEED_FIGURES for end in ("low", "high")),
)


def estimate_columns(prepared: Prepared, constants: Constants) -> dict[str, float | str]:
    """`SPEED_COLUMNS` of a row with traffic. An interval stays empty where nothing of its kind has been measured."""
    plan = prepared.plan(constants)
    serving = serve(plan, prepared.workload)
    rate: Quantity = "max throughput" if prepared.workload.concurrency is None else "throughput"
    figures: tuple[tuple[str, float, Quantity], ...] = (
        ("est_ttft_ms", serving.ttft_s * 1e3, "ttft" if prepared.workload.concurrency == 1 else "ttft under load"),
        ("est_tpot_ms", serving.tpot_s * 1e3, "tpot"),
        ("est_output_tokens_per_s_total", serving.output_per_s, rate),
        ("est_output_tokens_per_s_per_gpu", serving.output_per_s_per_gpu, rate),
        ("est_total_tokens_per_s", serving.total_per_s, rate),
    )
    found: dict[str, float | str] = {name: value for name, value, _ in figures}
    found |= {"est_bound": serving.bound, "est_batch": serving.batch}
    for name, value, quantity in figures:
        band = plan.band(quantity)
        low, high = band.interval.around(value) if band else ("", "")
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found
