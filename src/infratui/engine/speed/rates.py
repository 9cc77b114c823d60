"""What a rank of a plan reaches: published peaks, less what the calibration found is lost of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...value_types import dataclass
from ..cluster.fabric import Fabric
from ..cluster.hardware import Accelerator
from ..model.precision import Compute
from .collectives import Path, all_reduce_path, all_to_all_path, hop_path
from .constants import Constants, Generation
from .load import StepLoad

MEMORY_CEILING = 0.98
_WIDE = 12
"""Bits above which a weight counts as 16 bit."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What a rank reaches: bytes/s, FLOP/s and seconds, efficiency included."""

    bandwidth: float
    """Published."""
    peak: float
    """Published FLOP/s of the format that most matrices compute in."""
    attention_read: float
    dense_read: float
    head_read: float
    kv_read: float
    attention_rate: float
    dense_rate: float
    head_rate: float
    expert_rate: float
    score_rate: float
    """Attention scores and their values."""
    touches: float
    idle_tokens: float
    expert_idle_tokens: float
    skew: float
    per_layer: float
    per_expert_layer: float
    per_kernel: float
    per_step: float
    per_sequence: float
    per_request: float
    per_other: float
    """Per request and other request in flight, before its first token."""
    schedules_ahead: bool
    gathers: bool
    """Ranks that share experts gather all tokens of a step instead of sending each where its experts are.

    What vLLM (all2all backend allgather_reducescatter) and TensorRT-LLM do by default within a server; across servers,
    and in a rack that one link joins, tokens are sent.
    """
    reduce: Path
    context: Path
    """Among ranks that share out the cache."""
    exchange: Path
    hop: Path

    def at_pace(self, pace: float) -> Rates:
        """The same machine with all times `pace` times as long."""
        if pace == 1:
            return self
        changes: dict[str, Any] = {name: getattr(self, name) / pace for name in _PER_SECOND}
        changes |= {name: getattr(self, name) * pace for name in _SECONDS}
        for name in ("reduce", "context", "exchange", "hop"):
            path: Path = getattr(self, name)
            changes[name] = Path(path.latency * pace, path.bandwidth / pace)
        return replace(self, **changes)


_PER_SECOND = (
    "bandwidth", "peak", "attention_read", "dense_read", "head_read", "kv_read", "attention_rate", "dense_rate",
    "head_rate", "expert_rate", "score_rate",
)  # fmt: skip
_SECONDS = ("per_layer", "per_expert_layer", "per_kernel", "per_step", "per_sequence", "per_request", "per_other")


def _bits_factor(constants: Constants, bits: float) -> float:
    if bits > _WIDE:
        return 1.0
    return constants["read_8bit"] if bits > 6 else constants["read_4bit"]


def rates_of(
    constants: Constants, generation: Generation, accelerator: Accelerator, fabric: Fabric, load: StepLoad
) -> Rates | str:
    """Rates of one rank, or the reason why there are none."""
    family = constants.family(accelerator.arch)
    if not accelerator.bandwidth:
        return f"{accelerator.name} has no published memory bandwidth: no speed can be predicted"
    peak16 = accelerator.peak("bf16")
    if not peak16:
        return f"{accelerator.name} has no published 16-bit compute rate: no speed can be predicted"
    if accelerator.link_unrated and load.tp * load.pp * load.group > 1:
        return f"{accelerator.name}: the rate of {accelerator.link_unrated} is not published: no speed across cards"
    memory = constants["read"] * constants.factor(f"{family}.bandwidth" if family else "")
    early = constants.factor(generation.latent) if load.latent else 1.0
    memory *= constants.factor(generation.bandwidth) * early
    matrix = constants["compute"] * constants.factor(f"{family}.compute" if family else "") * early
    consumer = generation.consumer_compute if accelerator.wide_sums_halved else ""
    matrix *= constants.factor(consumer or generation.compute)
    bandwidth = accelerator.bandwidth

    def read(bits: float) -> float:
        return min(MEMORY_CEILING, memory * _bits_factor(constants, bits)) * bandwidth

    def rate(compute: Compute, bits: float) -> float:
        peak = accelerator.peak(compute)
        if compute == "fp32" and peak:
            # Full precision computes outside the 16-bit matrix units.
            return matrix * peak
        if compute in ("fp8", "int8") and peak:
            return matrix * constants["compute_8bit"] * peak
        if compute == "fp4" and peak:
            return matrix * constants["compute_4bit"] * peak
        # Weights that the matrix units cannot take as they are must be unpacked to 16 bit on the way.
        return matrix * peak16 * (constants["unpack"] if bits < _WIDE else 1.0)

    cache = constants["read_kv"] * early
    if generation.repeats_keys and load.queries_per_key not in (1, *generation.shared_groups):
        # An element takes as long for each query head, whatever its width.
        cache = min(cache, constants[generation.repeats_keys] * load.cache_bytes / load.queries_per_key)
    dense = rate(load.dense_compute, load.dense_bits)
    family_compute = constants.factor(f"{family}.compute" if family else "")
    family_memory = constants.factor(f"{family}.bandwidth" if family else "")
    found = Rates(
        bandwidth=bandwidth,
        peak=accelerator.peak(load.dense_compute) or peak16,
        attention_read=read(load.attention_bits),
        dense_read=read(load.dense_bits),
        head_read=read(load.head_bits),
        kv_read=min(MEMORY_CEILING, cache * family_memory) * bandwidth,
        attention_rate=rate(load.attention_compute, load.attention_bits),
        dense_rate=dense,
        head_rate=matrix * peak16,
        expert_rate=dense * constants["expert_compute"],
        score_rate=constants["score_compute"] * family_compute * early * peak16,
        touches=constants["activation_touches"],
        idle_tokens=0.0 if generation.narrow_products else constants["idle_tokens"],
        expert_idle_tokens=constants["expert_idle_tokens"],
        skew=constants["routing_skew"],
        per_layer=constants[generation.layer],
        per_expert_layer=constants["expert_layer"],
        per_kernel=constants["kernel"],
        per_step=constants[generation.step],
        per_sequence=constants[generation.sequence],
        per_request=constants[generation.request],
        per_other=constants[generation.admission] if generation.admission else 0.0,
        schedules_ahead=generation.schedules_ahead,
        gathers=not fabric.rack and load.ep <= fabric.gpus_per_node,
        reduce=all_reduce_path(constants, fabric, load.tp, generation.collectives),
        context=all_reduce_path(constants, fabric, load.dcp, generation.collectives),
        exchange=all_to_all_path(constants, fabric, max(load.ep, 1)),
        hop=hop_path(constants, fabric, load.tp, load.pp),
    )
    return found.at_pace(constants.pace_on(accelerator.id))
