"""The calibrated constants of the speed model: which there are, and how a plan finds its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from ...value_types import dataclass
from ..memory.runtime import version_key

Collectives = Literal["ring", "one_shot", "fused"]
"""How a tensor-parallel group sums: NCCL's rings, a kernel that reads all peers at once (TensorRT-LLM from 0.6), or one
fused with the norm after it (today's engines)."""


Way = Literal["study", "cell"]
"""What is left out of a fit together: a study, or a model on a GPU."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One fitted number. The fit moves it away from `prior` only as far as measured rows force it."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    value: float
    prior: float
    spread: float
    """Standard deviation of the prior, in natural logarithm: 0.2 is about ± 20 %."""
    meaning: str
    unit: str = ""
    why: str = ""
    """Where the prior comes from."""


@dataclass(frozen=True, slots=True)
class ConstantFamily:
    """GPU generations that share a correction."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    archs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """An engine within the versions that run alike. Each constant names the parameter that holds it."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    label: str
    engine: str
    collectives: Collectives
    layer: str
    """Seconds per layer and step: kernel launches and gaps."""
    step: str
    """Seconds per step: scheduling and sampling on the host."""
    sequence: str
    """Seconds per running sequence and step."""
    request: str
    """Seconds per request before its first token."""
    compute: str = ""
    """Factor on the matrix rate; empty: 1."""
    consumer_compute: str = ""
    """The same on consumer cards, which double their rate where sums are kept at 16 bit; empty: as `compute`."""
    bandwidth: str = ""
    """Factor on the memory rate; empty: 1."""
    latent: str = ""
    """Factor on all rates of models with latent attention; empty: 1."""
    narrow_products: bool = False
    """Few tokens are multiplied by kernels of their own, without tiles that stay half empty."""
    repeats_keys: str = ""
    """Elements of the cache per byte of bandwidth, where each query head reads its keys again; empty: none does."""
    shared_groups: tuple[int, ...] = ()
    """Query heads per key for which a kernel reads keys once all the same."""
    burst: str = ""
    """Share of requests in flight that arrive together, where a run does not say; empty: none."""
    bunched: str = ""
    """Prompts before one's own, beyond the burst, in a closed loop of similar requests; empty: none."""
    admission: str = ""
    """Seconds before its first token that a request spends per other request in flight; empty: 0."""
    schedules_ahead: bool = False
    """The host prepares the next step while the GPU runs this one: only what exceeds the GPU's time shows."""
    one_stage_at_a_time: bool = False
    """Stages of a pipeline take turns on the whole batch while it decodes; else each has a micro-batch of its own."""
    unmeasured: bool = False
    """No row was measured on it: its constants are those of a like engine, and no error band holds."""
    measured_alone: bool = False
    """Rows were measured with one request at a time: what many do together has no error band."""
    reserves_output: bool = False
    """A request is admitted when its whole answer has room; else when its prompt has, and some are preempted later."""
    before: str = ""
    """Versions below this one; empty: all later ones."""
    aliases: tuple[str, ...] = ()
    """Other names of the engine, lower case."""
    default: bool = False
    """Meant where an engine is named without a version."""
    max_num_seqs: int = 1024
    """Sequences per step that the engine allows where nobody sets it."""
    kv_8bit_with: tuple[str, ...] = ()
    """Weight precisions beside which the engine keeps an 8-bit cache unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where 80 of 100 measurements lie that the fit did not see, as factors on the prediction."""

    low: float
    high: float

    def around(self, predicted: float) -> tuple[float, float]:
        """The interval in the unit of the prediction."""
        return predicted * self.low, predicted * self.high

    @property
    def half_pct(self) -> float:
        """Its wider side, in percent of the prediction: where one ± must do."""
        return 100 * max(1 - self.low, self.high - 1)


@dataclass(frozen=True, slots=True)
class Band:
    """How far predictions of one kind were off on rows that the fit did not see, in percent.

    Rows are left out in two ways, by study and by model and GPU; errors are those of the worse.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    quantity: str
    kind: Literal["dense", "moe"]
    n: int
    sources: int
    mean_ape: float
    median_ape: float
    bias: float
    p90_ape: float
    low: float
    """Measured over predicted: a tenth of the rows left out, either way, lie below."""
    high: float
    """Likewise a tenth lie above."""
    families: tuple[str, ...]
    """GPU families with measured rows of this quantity and kind; elsewhere there is no measured data."""

    @property
    def interval(self) -> Interval:
        return Interval(self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class Constants:
    """One set of fitted numbers, with what says where each applies. Compared by identity."""

    values: Mapping[str, float]
    families: tuple[ConstantFamily, ...]
    generations: tuple[Generation, ...]
    bands: tuple[Band, ...] = ()
    host: str = ""
    """The host whose profile says how fast it is; empty: none."""
    pace: float = 1.0
    """Seconds there over seconds predicted: above 1 it is slower."""
    paced: str = ""
    """Accelerator that the pace was measured on; empty: any."""

    def pace_on(self, accelerator_id: str) -> float:
        """The pace of one kind of GPU: 1 for others than the host's."""
        return self.pace if self.paced in ("", accelerator_id) else 1.0

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def factor(self, name: str) -> float:
        """A factor that is 1 where no parameter carries it."""
        return self.values.get(name, 1.0) if name else 1.0

    def family(self, arch: str) -> str:
        """Family id of a GPU generation; empty: no rows were measured on it, general values hold."""
        return next((family.id for family in self.families if arch in family.archs), "")

    def generation(self, engine: str, version: str = "") -> Generation:
        """The generation that an engine and version belong to. Raises KeyError with the known engines."""
        wanted = engine.strip().lower()
        rows = [row for row in self.generations if wanted in (row.id, row.engine, *row.aliases)]
        if not rows:
            known = ", ".join(dict.fromkeys(row.engine for row in self.generations))
            raise KeyError(f"engine {engine!r} is not known; choose one of {known}")
        exact = next((row for row in rows if wanted == row.id or wanted in row.aliases), None)
        if exact:
            return exact
        stated = version_key(version)
        if stated:
            return next((row for row in rows if not row.before or stated < version_key(row.before)), rows[-1])
        return next((row for row in rows if row.default), rows[-1])

    def band(self, quantity: str, *, moe: bool, arch: str) -> Band | None:
        """The error band of a prediction; None: no measured data in its regime."""
        kind = "moe" if moe else "dense"
        family = self.family(arch)
        for band in self.bands:
            if band.quantity == quantity and band.kind == kind:
                return band if family in band.families else None
        return None
