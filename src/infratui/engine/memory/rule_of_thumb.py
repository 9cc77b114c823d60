"""The classic estimate on a napkin: parameters × bytes, full-length cache, 15 % on top, a ladder of splits."""

from __future__ import annotations

import math

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..figures.units import GIB
from ..model.architecture import (
    Compressed,
    GroupedQuery,
    Latent,
    Model,
    Recurrent,
    RuleOfThumb,
    layer_order,
    parameters,
)
from ..model.precision import Precision

NODE_GPUS = 8
"""GPUs of a server, as the ladder counts."""

WEIGHTS = Formula("weights", "parameters * bytes_per_parameter", Unit.BYTES, term="parameters")
KV = Formula("kv_cache", "2 * layers * kv_heads * head_dim * kv_bytes * context * users", Unit.BYTES, term="kv-cache")
OVERHEAD = Formula("overhead", "0.15 * (weights + kv_cache)", Unit.BYTES, basis=Basis.ASSUMED, term="activations")
TOTAL = Formula("total", "weights + kv_cache + overhead", Unit.BYTES, term="rule-of-thumb")
MIN_GPUS = Formula("min_gpus", "max(1, ceil(weights_gib / gpu_gb))", Unit.COUNT, term="rule-of-thumb")


@dataclass(frozen=True, slots=True)
class RuleOfThumbMemory:
    """Memory of one replica in bytes."""

    weights: int
    kv_cache: int
    overhead: int
    total: int
    derivation: Derivation | None = None


@dataclass(frozen=True, slots=True)
class RuleOfThumbSplit:
    """The ladder's answer for a number of GPUs."""

    layout: Layout
    min_gpus: int
    """GPUs whose marketing gigabytes hold the weights."""
    enough: bool
    kind: str
    """`none`, `data`, `tensor`, `tensor+data`, `tensor+pipeline`, `tensor+pipeline+data`."""


def figures(model: Model) -> RuleOfThumb:
    """The round figures of a classic size, else what the config of the model would suggest to this rule.

    It knows no latents, windows or states: every layer counts as a full one.
    """
    if model.rule_of_thumb:
        return model.rule_of_thumb
    order = layer_order(model)
    kv_heads, head_dim = 0, 0
    for layer in order:
        match layer.attention:
            case GroupedQuery(kv_heads=kv_heads, head_dim=head_dim):
                break
            case Latent(heads=kv_heads, v_head_dim=head_dim):
                break
            case Compressed(head_dim=head_dim):
                kv_heads = 1
                break
            case Recurrent(heads=kv_heads, head_dim=head_dim):
                continue
            case None:
                continue
    return RuleOfThumb(parameters(model).total, len(order), kv_heads, head_dim)


def kv_bytes(precision: Precision) -> float:
    """Bytes per cache element that go with a weight precision: the same, but 16 bit beside 4-bit weights."""
    return precision.nominal_bytes if precision.nominal_bytes >= 1 else 2.0


def memory(
    model: RuleOfThumb,
    bytes_per_parameter: float,
    kv_bytes_per_element: float,
    context: int,
    users: int,
    *,
    explain: bool = False,
) -> RuleOfThumbMemory:
    """Memory of one replica.

    70B in FP8, FP8 cache, 4,096 tokens, 10 users: 70 GB + 6.7 GB + 15 % = 88.2 GB.
    """
    ledger = Ledger(recording=explain)
    weights = ledger.bytes(WEIGHTS, parameters=model.parameters, bytes_per_parameter=bytes_per_parameter)
    cache = ledger.bytes(
        KV,
        layers=model.layers,
        kv_heads=model.kv_heads,
        head_dim=model.head_dim,
        kv_bytes=kv_bytes_per_element,
        context=context,
        users=users,
    )
    overhead = ledger(OVERHEAD, weights=weights, kv_cache=cache)
    total = ledger(TOTAL, weights=weights, kv_cache=cache, overhead=overhead)
    return RuleOfThumbMemory(
        weights,
        cache,
        round(overhead),
        round(total),
        ledger.derivation("Memory of one replica by the rule of thumb") if explain else None,
    )


def split(weights: float, gpus: int, gpu_gb: float = 80.0) -> RuleOfThumbSplit:
    """The ladder: fits on one → data parallelism; up to 8 → tensor; more → tensor × pipeline; the rest → replicas.

    Sized on the weights alone, GiB against the marketing GB of a GPU, as the rule has it.
    """
    least = int(MIN_GPUS(weights_gib=weights / GIB, gpu_gb=gpu_gb))
    tp = min(least, NODE_GPUS, gpus)
    pp = 1 if least <= NODE_GPUS else math.ceil(least / tp)
    dp = max(1, gpus // (tp * pp))
    kind = "+".join(
        name for name, used in (("tensor", least > 1), ("pipeline", least > NODE_GPUS), ("data", dp > 1)) if used
    )
    return RuleOfThumbSplit(Layout(tp, pp, dp), least, gpus >= least, kind or "none")
