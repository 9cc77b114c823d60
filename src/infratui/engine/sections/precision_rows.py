"""What is said about one way to store weights or a KV cache, and the formulas that say it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from ...value_types import dataclass
from ..cluster.hardware import Accelerator
from ..deployment.fewest import Fewest
from ..figures.derivation import Basis, Formula, Unit
from ..formats import NumberFormat
from ..formats.quality import Assessment
from ..model.precision import Precision
from ..speed.step import Bound

SIXTEEN_BIT = 16.0

EFFECTIVE_BITS = Formula("bits_per_weight", "weights * 8 / parameters", Unit.BITS, term="effective-bits")
SAVED = Formula("saved", "100 * (1 - weights / weights_16bit)", Unit.PERCENT, term="quantization")
KV_TOTAL = Formula("kv_cache", "shared_prefix + users * kv_per_user", Unit.BYTES, term="kv-cache")
GPUS = Formula("gpus", "tp * pp * dp", Unit.COUNT, term="tensor-parallelism")
DECODE_SPEED = Formula("decode_speed", "step_16bit / step", Unit.RATIO, basis=Basis.CALIBRATED, term="decode")
PREFILL_SPEED = Formula("prefill_speed", "prompt_16bit / prompt", Unit.RATIO, basis=Basis.CALIBRATED, term="prefill")
BYTE_RATIO = Formula("byte_ratio", "weights_16bit / weights", Unit.RATIO, term="bandwidth-bound")
RULE_SPEED = Formula(
    "rule_of_thumb_speed", "against_fp32 / against_fp32_16bit", Unit.RATIO, basis=Basis.ASSUMED, term="rule-of-thumb"
)
RULE_WEIGHTS = Formula(
    "weights", "parameters * bytes_per_parameter", Unit.BYTES, basis=Basis.ASSUMED, term="rule-of-thumb"
)
RULE_GPUS = Formula("gpus", "max(1, ceil(weights_gib / gpu_gb))", Unit.COUNT, basis=Basis.ASSUMED, term="rule-of-thumb")


class Arithmetic(StrEnum):
    """In what the matrix products of a precision run on an accelerator."""

    NATIVE = "native"
    """The matrix units take the format."""
    UNPACKED = "unpacked"
    """Only the weights are small: they are unpacked to 16 bit before each product."""
    EMULATED = "emulated"
    """The accelerator has no units for the format: products run at 16 bit."""


@dataclass(frozen=True, slots=True)
class SpeedEffect:
    """Predicted speed in multiples of 16-bit weights on the same layout, memory aside."""

    decode: float
    """At the users of the workload."""
    decode_alone: float
    """At one user."""
    prefill: float
    step_s: float
    """One decode step at the users of the workload."""
    prompt_s: float
    """One prompt."""
    bound: Bound
    """What a decode step spends most of its time on."""
    prefill_bound: Bound
    weights_share: float
    """Share of the 16-bit decode step that reads weights: the most that fewer bits can save."""


@dataclass(frozen=True, slots=True)
class RuleOfThumbEffect:
    """What the rule of thumb says about the same precision."""

    weights: int
    gpus: int
    """GPUs whose marketing gigabytes hold the weights."""
    speed: float | None
    """In multiples of 16 bit; None: the rule promises nothing."""
    speed_fp32: float | None
    """In multiples of FP32, as guides print it."""
    share_of_fp32: float
    """Weights as a share of FP32's."""
    quality: Literal["", "baseline", "safe", "caution"]
    """The badge that guides give; empty: none."""


@dataclass(frozen=True, slots=True)
class PrecisionRow:
    """One way to store the weights."""

    precision: Precision
    format: NumberFormat | None
    """Format of one element; None where the catalog carries none."""
    weights: int
    """Bytes of the whole model once."""
    bits_per_weight: float
    """Over the whole model: parts that stay wider are counted."""
    saved_pct: float
    """Against 16 bit; negative: more."""
    byte_ratio: float
    """Bytes of 16 bit over bytes of this: the most that reading fewer bytes can speed up."""
    least: Fewest
    """Fewest GPUs that hold the workload with these weights."""
    alone: Fewest
    """Fewest GPUs that hold the weights and one short request: what a guide calls fitting."""
    arithmetic: Arithmetic
    speed: SpeedEffect | None
    """None where nothing can be predicted; `QuantizationResult.why_no_speed` says why."""
    rule: RuleOfThumbEffect
    quality: Assessment

    @property
    def gpus(self) -> int | None:
        """GPUs of the smallest legal layout; None: none."""
        return self.least.plan.layout.gpus if self.least.plan else None

    @property
    def gpus_alone(self) -> int | None:
        """GPUs for the weights alone; None: none."""
        return self.alone.plan.layout.gpus if self.alone.plan else None

    @property
    def is_reference(self) -> bool:
        return self.precision.bits >= SIXTEEN_BIT


@dataclass(frozen=True, slots=True)
class KvRow:
    """One way to store the KV cache, the weights left as the scenario has them."""

    precision: Precision
    bytes_per_user: int
    total: int
    """All users, one copy, a shared prefix once."""
    saved_pct: float
    gpus: int | None
    quality: Assessment
    chosen: bool
    rule_total: int | None
    """Bytes of all users' caches by the rule of thumb; None: it knows no cache of this kind."""
    rule_gpus: int | None
    """GPUs that hold weights, cache and 15 % on top by the rule."""


def arithmetic_of(precision: Precision, accelerator: Accelerator) -> Arithmetic:
    """In what the products run: native units, unpacked to 16 bit, or 16 bit because the units are missing."""
    if precision.compute == "bf16":
        narrowest = min(precision.bits, *(part.bits for part in precision.parts), SIXTEEN_BIT)
        return Arithmetic.NATIVE if narrowest >= SIXTEEN_BIT else Arithmetic.UNPACKED
    return Arithmetic.NATIVE if accelerator.peak(precision.compute) else Arithmetic.EMULATED
