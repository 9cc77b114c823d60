"""What a serving engine takes beside weights and cache: activations, non-torch memory and CUDA graphs on one GPU."""

from __future__ import annotations

from dataclasses import field, replace
from functools import lru_cache
from typing import ClassVar, Literal

from ...value_types import Keyed, dataclass
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..figures.derivation import Basis, Formula, Ledger, Unit
from ..figures.units import GIB, MIB
from ..model.architecture import Dense, Mixture, Model, group_counts
from .kv_cache import DEFAULT_RULES, KvRules
from .startup import CacheMode

Budget = Literal["total", "static", "free"]
"""What `utilization` is a share of.

`total`: of visible memory, everything inside (vLLM). `static`: of visible memory, for weights and cache only (SGLang).
`free`: of what weights and runtime leave (TensorRT-LLM).
"""


@dataclass(frozen=True, slots=True)
class BatchDefaults:
    """What the engine sets where the user sets nothing."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    max_batched_tokens: int
    max_num_seqs: int
    min_memory_gib: float = 0.0
    """Applies to GPUs with at least this much memory."""
    except_arch: tuple[str, ...] = ()
    """GPU generations that it does not apply to."""

    def applies_to(self, accelerator: Accelerator) -> bool:
        return accelerator.memory >= self.min_memory_gib * GIB and accelerator.arch not in self.except_arch


@dataclass(frozen=True, slots=True)
class OnHost:
    """What one machine was seen to take beyond the constants; bytes of one GPU."""

    name: str = ""
    accelerator: str = ""
    """Id of the card that `visible` holds for."""
    visible: int = 0
    """0: as of any such card."""
    reported: int = 0
    """Bytes that the driver reports of its smallest card; 0: as of any such card."""
    activation: int = 0
    non_torch: int = 0
    graphs: int = 0
    engine: str = ""
    """The engine that the offsets hold for."""


@dataclass(frozen=True, slots=True)
class RuntimeConstants(Keyed):
    """One engine generation, as fitted. Memory is per GPU."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    generation: str
    """What a reader knows it by: `0.8 to 0.15`."""
    budget: Budget
    utilization: float
    """The engine's own default."""
    logit_bytes: float
    """Bytes per sequence and vocabulary entry that sampling takes."""
    residual_bytes: float
    """Bytes per batched token and hidden element that outlive the layers."""
    layer_bytes: float
    """Bytes per batched token and element of the widest layer."""
    non_torch_base_mib: float
    """CUDA context and libraries, one GPU."""
    non_torch_doubling_mib: float
    """Communication buffers, each time tensor parallelism doubles."""
    graph_first_mib: float
    """The first CUDA graph that is captured, per layer."""
    graph_mib: float
    """Each further one, per layer."""
    graphs_reserved: bool
    """CUDA graphs come out of the requested memory; else out of what utilization leaves."""
    batch: tuple[BatchDefaults, ...] = field(hash=False)
    """The first that applies counts."""
    before: str = ""
    """Versions below this one; empty: all."""
    block_tokens: int = 16
    graph_batches: tuple[tuple[int, int, int], ...] = ((1, 513, 16),)
    """Batch sizes that graphs are captured for, as (first, end, step); those up to the most sequences count."""
    logits_of_all_tokens: bool = False
    """Buffers are made for the logits of every token of a step; else of one per sequence."""
    logits_sharded: bool = False
    """Sampling is divided by tensor parallelism."""
    whole_shared_experts: bool = False
    """Where experts spread over replicas, each rank keeps the shared ones whole."""
    absorbed_copies: Literal["", "quantized", "always"] = ""
    """Which up-projections of a latent are kept twice: as stored, and in 16 bit in the form that decoding absorbs."""
    position_bytes: int = 0
    """Of an element in the table of rotary positions that every rank keeps; 0: the engine keeps none."""
    hybrid_cache: CacheMode = "none"
    """How recurrent state is kept where the user does not say."""
    merged_line: bool = False
    """Cache size and concurrency are printed on one line."""
    prints_groups: bool = False
    """Of mixed layers, the start-up log prints the tokens that one group could hold."""
    kv: KvRules = field(default=DEFAULT_RULES, hash=False)
    default: bool = False
    """The generation meant where no version is stated."""
    weights_band_pct: float | None = None
    """Four of five measured rows lie within ± this; None: no measured data. Likewise below."""
    runtime_band_pct: float | None = None
    kv_space_band_pct: float | None = None
    source: str = ""
    notes: str = ""
    host: OnHost = field(default=OnHost(), hash=False)
    """The machine that is meant, where one is."""


@dataclass(frozen=True, slots=True)
class VisibleMemory:
    """Memory that an engine saw on a card of a reported size."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    reported_mib: int
    visible_gib: float
    source: str


@dataclass(frozen=True, slots=True)
class OffloadTier:
    """A place for idle KV below GPU memory. Bandwidth is bytes per second and GPU."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    name: str
    bandwidth: float
    pcie_gen: int | None = None
    """Only on GPUs of this PCIe generation; None: any."""
    source: str = ""
    capacity: float = 0.0
    """Bytes per GPU of a usual server; 0: unknown."""


@dataclass(frozen=True, slots=True)
class RuntimeTable(Keyed):
    """All fitted memory constants."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engines: tuple[RuntimeConstants, ...]
    visible: tuple[VisibleMemory, ...]
    driver_base_mib: float
    """What the driver keeps of any NVIDIA card, and per GiB of it."""
    driver_mib_per_gib: float
    tiers: tuple[OffloadTier, ...]
    prefill_efficiency: float
    """Share of the peak rate that prefill reaches, for restore against recompute."""
    host: OnHost = OnHost()
    """The machine that is meant, where one is."""

    def on(self, host: OnHost) -> RuntimeTable:
        """The same table for one machine."""
        elsewhere = replace(host, activation=0, non_torch=0, graphs=0)
        engines = tuple(replace(row, host=host if host.engine == row.engine else elsewhere) for row in self.engines)
        return replace(self, engines=engines, host=host)

    def of(self, engine: str, version: str = "") -> RuntimeConstants:
        """Constants of an engine: of its default generation, the newest, or the one that `version` falls into."""
        rows = [row for row in self.engines if row.engine == engine]
        if not rows:
            known = ", ".join(dict.fromkeys(row.engine for row in self.engines))
            raise UnknownEngineError(f"engine {engine!r} is not known; choose one of {known}")
        if version == NEWEST:
            return rows[-1]
        stated = version_key(version)
        if stated:
            return next((row for row in rows if not row.before or stated < version_key(row.before)), rows[-1])
        return next((row for row in rows if row.default), rows[0])

    def visible_memory(self, accelerator: Accelerator) -> int:
        """Bytes that an engine can use: seen on the host, measured where published, else by the fitted driver share."""
        if self.host.accelerator == accelerator.id and (self.host.visible or self.host.reported):
            own = replace(accelerator, memory=self.host.reported or accelerator.memory)
            return self.host.visible or self._visible(own)
        return self._visible(accelerator)

    def _visible(self, accelerator: Accelerator) -> int:
        reported_mib = round(accelerator.memory / MIB)
        for row in self.visible:
            if row.reported_mib == reported_mib:
                return round(row.visible_gib * GIB)
        if accelerator.vendor != "NVIDIA":
            return accelerator.memory
        reserved = self.driver_base_mib + self.driver_mib_per_gib * accelerator.memory / GIB
        return max(0, accelerator.memory - round(reserved * MIB))


NEWEST = "newest"
"""In place of a version: the last generation."""


class UnknownEngineError(ValueError):
    """An engine without constants."""


def version_key(version: str) -> tuple[int, ...]:
    """Leading numbers of a version, for comparison; empty where there are none.

    >>> version_key("0.10.1.dev680+g79"), version_key("")
    ((0, 10, 1), ())
    """
    numbers: list[int] = []
    for part in version.split("+")[0].split("."):
        digits = part[: next((at for at, char in enumerate(part) if char not in "0123456789"), len(part))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class Batch:
    """The largest step that the engine prepares for."""

    max_batched_tokens: int
    max_num_seqs: int


def batch_limits(
    constants: RuntimeConstants, accelerator: Accelerator, max_batched_tokens: int = 0, max_num_seqs: int = 0
) -> Batch:
    """Limits as the user set them; 0: as the engine sets them on this accelerator."""
    chosen = next((row for row in constants.batch if row.applies_to(accelerator)), constants.batch[-1])
    return Batch(max_batched_tokens or chosen.max_batched_tokens, max_num_seqs or chosen.max_num_seqs)


@dataclass(frozen=True, slots=True)
class RuntimeMemory:
    """Bytes on one GPU."""

    activation: int
    non_torch: int
    graphs: int

    @property
    def total(self) -> int:
        return self.activation + self.non_torch + self.graphs


SAMPLING = Formula(
    "sampling", "seqs * vocabulary * logit_bytes / shards", Unit.BYTES, basis=Basis.CALIBRATED, term="activations"
)
RESIDUAL = Formula(
    "residual", "tokens * hidden * residual_bytes", Unit.BYTES, basis=Basis.CALIBRATED, term="activations"
)
LAYER = Formula(
    "widest_layer", "tokens * elements * layer_bytes", Unit.BYTES, basis=Basis.CALIBRATED, term="activations"
)
ACTIVATION = Formula(
    "activation", "ceil(max(sampling + residual, widest_layer))", Unit.BYTES, basis=Basis.CALIBRATED, term="activations"
)
NON_TORCH = Formula(
    "non_torch", "ceil(base + per_doubling * log2(tp))", Unit.BYTES, basis=Basis.CALIBRATED, term="non-torch-memory"
)
GRAPHS = Formula(
    "cuda_graphs",
    "ceil(layers * (first + (captured - 1) * per_graph))",
    Unit.BYTES,
    basis=Basis.CALIBRATED,
    term="cuda-graphs",
)

ACTIVATION_HERE = Formula(
    "activation_here", "max(0, expected + seen)", Unit.BYTES, basis=Basis.CALIBRATED, term="activations"
)
NON_TORCH_HERE = Formula(
    "non_torch_here", "max(0, expected + seen)", Unit.BYTES, basis=Basis.CALIBRATED, term="non-torch-memory"
)
GRAPHS_HERE = Formula(
    "cuda_graphs_here", "max(0, expected + seen)", Unit.BYTES, basis=Basis.CALIBRATED, term="cuda-graphs"
)


@lru_cache(maxsize=256)
def captured_graphs(batches: tuple[tuple[int, int, int], ...], max_num_seqs: int) -> int:
    """How many CUDA graphs are captured: one per batch size up to the most sequences, at least one.

    >>> captured_graphs(((1, 3, 1), (4, 8, 4), (8, 256, 8), (256, 513, 16)), 64)
    11
    """
    sizes = {size for batch in batches for size in range(*batch)}
    return max(1, sum(size <= max_num_seqs for size in sizes))


@lru_cache(maxsize=512)
def widest_layer(model: Model, tp: int) -> int:
    """Elements per token that the widest MLP holds at once on one rank, hidden state and residual included.

    Dense: gate and up side by side. Experts: each token's `top_k` copies in and between the two products.
    """
    hidden = model.hidden_size
    widest = 0
    for group, count in group_counts(model):
        if not count:
            continue
        match group.mlp:
            case Dense(width=width, gated=gated):
                widest = max(widest, (2 if gated else 1) * width // tp)
            case Mixture() as mixture:
                width = mixture.width // tp
                inner = mixture.latent_size or hidden
                widest = max(widest, mixture.top_k * (max(2 * width, inner) + width))
            case None:
                pass
    return widest + 2 * hidden


def runtime_memory(
    model: Model,
    layout: Layout,
    batch: Batch,
    constants: RuntimeConstants,
    ledger: Ledger,
) -> RuntimeMemory:
    """Runtime memory of one GPU in bytes.

    Sampling works on whole-vocabulary logits of every sequence on every rank, so tensor parallelism does not shrink it
    before the generation that shards it. CUDA graphs grow with the batch sizes that they are captured for.
    """
    band, source = constants.runtime_band_pct, constants.source
    tokens = batch.max_batched_tokens
    sampling = ledger(
        SAMPLING,
        band_pct=band,
        source=source,
        seqs=tokens if constants.logits_of_all_tokens else min(batch.max_num_seqs, tokens),
        vocabulary=model.vocab_size,
        logit_bytes=constants.logit_bytes,
        shards=layout.tp if constants.logits_sharded else 1,
    )
    residual = ledger(
        RESIDUAL, band_pct=band, tokens=tokens, hidden=model.hidden_size, residual_bytes=constants.residual_bytes
    )
    layer = ledger(
        LAYER,
        band_pct=band,
        tokens=tokens,
        elements=widest_layer(model, layout.tp),
        layer_bytes=constants.layer_bytes,
    )
    activation = ledger.bytes(ACTIVATION, sampling=sampling, residual=residual, widest_layer=layer)
    non_torch = ledger.bytes(
        NON_TORCH,
        base=round(constants.non_torch_base_mib * MIB),
        per_doubling=round(constants.non_torch_doubling_mib * MIB),
        tp=layout.tp,
    )
    graphs = ledger.bytes(
        GRAPHS,
        layers=-(-model.layers // layout.pp),
        first=round(constants.graph_first_mib * MIB),
        captured=captured_graphs(constants.graph_batches, batch.max_num_seqs),
        per_graph=round(constants.graph_mib * MIB),
        note="" if constants.graphs_reserved else "taken from what utilization leaves, not from the cache",
    )
    host = constants.host
    if not host.name:
        return RuntimeMemory(activation, non_torch, graphs)
    return RuntimeMemory(
        _here(ACTIVATION_HERE, activation, host.activation, host, ledger),
        _here(NON_TORCH_HERE, non_torch, host.non_torch, host, ledger),
        _here(GRAPHS_HERE, graphs, host.graphs, host, ledger),
    )


def _here(formula: Formula, expected: int, seen: int, host: OnHost, ledger: Ledger) -> int:
    """A term as the host was seen to take it."""
    if not seen:
        return expected
    return ledger.bytes(formula, expected=expected, seen=seen, note=f"host profile {host.name}")
