"""The cheapest ways out of a start that failed, as flags of its engine, each checked against the shortfall."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..value_types import dataclass
from .logs.reading import LogReading, StartOutcome
from .prediction import Predicted

HIGHEST_SHARE = 0.96
"""Share of memory above which an engine has no room to breathe."""
MOST = 3


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out."""

    kind: str
    """`utilization`, `fp8_kv`, `max_model_len`, `eager`, `batch`, `tp`, `offload`, `smaller_weights`, `host_memory`."""
    flag: str
    """As it is typed; empty where no flag does it."""
    gains: int | None
    """Bytes of one GPU that it frees or no longer needs; None: not known."""
    value: float = 0.0


def remedies_for(
    reading: LogReading, predicted: Predicted, flags: Mapping[str, str], shortfall: int | None
) -> tuple[Remedy, ...]:
    """At most three, what costs least first: first what changes no answer, then precision, length, and hardware."""
    ways: list[Remedy] = []
    if reading.outcome is StartOutcome.KILLED and shortfall is None:
        return _without_figures(reading, predicted, flags)
    short = shortfall or 0
    ways += _share(reading, predicted, flags, short)
    ways += _runtime(reading, predicted, flags, short)
    ways += _cache(reading, flags, short)
    ways += _length(reading, flags, short)
    ways += _together(reading, flags, short)
    if len(ways) < MOST:
        ways += _weights(reading, predicted, flags, short)
    return tuple(ways[:MOST])


def _share(reading: LogReading, predicted: Predicted, flags: Mapping[str, str], short: int) -> list[Remedy]:
    """More of the memory, where there is more."""
    share, visible = reading.settings.utilization, predicted.visible
    constants = predicted.constants
    if not share and constants is not None:
        share = constants.utilization
    if not share or visible is None or "utilization" not in flags:
        return []
    free, requested = reading.smallest("free"), reading.smallest("requested")
    if free is not None and requested is not None and free.value < requested.value:
        # Others hold the rest: less must be asked for.
        lower = math.floor(free.value / visible.bytes * 100) / 100
        return [Remedy("utilization", f"{flags['utilization']} {lower:.2f}", None, lower)] if lower >= 0.1 else []
    wanted = math.ceil((share + short / visible.bytes) * 100) / 100
    if not short or wanted > HIGHEST_SHARE or wanted <= share:
        return []
    gains = round((wanted - share) * visible.bytes)
    return [Remedy("utilization", f"{flags['utilization']} {wanted:.2f}", gains, wanted)]


def _runtime(reading: LogReading, predicted: Predicted, flags: Mapping[str, str], short: int) -> list[Remedy]:
    """No CUDA graphs, where they alone are what is missing."""
    graphs = reading.last("graphs_estimated")
    constants = predicted.constants
    if reading.settings.eager or "eager" not in flags or constants is None or not constants.graphs_reserved:
        return []
    gains = round(graphs.value) if graphs else predicted.graphs or 0
    return [Remedy("eager", flags["eager"], gains)] if 0 < short <= gains else []


def _wide(reading: LogReading) -> bool:
    """The cache is 16 bit."""
    return (reading.settings.kv_dtype or "auto") in ("auto", "bfloat16", "float16", "bf16", "fp16", "f16")


def _cache(reading: LogReading, flags: Mapping[str, str], short: int) -> list[Remedy]:
    needed = reading.last("kv_needed")
    if needed is None or not _wide(reading) or "fp8_kv" not in flags:
        return []
    gains = round(needed.value / 2)
    return [Remedy("fp8_kv", flags["fp8_kv"], gains)] if gains >= short else []


def _length(reading: LogReading, flags: Mapping[str, str], short: int) -> list[Remedy]:
    longest, length = reading.last("longest"), reading.settings.max_model_len
    if "max_model_len" not in flags:
        return []
    needed = reading.last("kv_needed")
    fits = 0
    if longest is not None:
        fits = int(longest.value)
    elif needed is not None and length and needed.value > 0:
        fits = int(length * max(0.0, needed.value - short) / needed.value)
    # A round length is what people write.
    fits = fits // 1024 * 1024 if fits > 8192 else fits
    if not length or not 256 <= fits < length:
        return []
    return [Remedy("max_model_len", f"{flags['max_model_len']} {fits}", short or None, fits)]


def _together(reading: LogReading, flags: Mapping[str, str], short: int) -> list[Remedy]:
    """An 8-bit cache and no graphs, where neither alone is enough."""
    needed, graphs = reading.last("kv_needed"), reading.last("graphs_estimated")
    if needed is None or graphs is None or not _wide(reading) or not {"fp8_kv", "eager"} <= set(flags):
        return []
    half = round(needed.value / 2)
    gains = half + round(graphs.value)
    if half >= short or gains < short or reading.settings.eager:
        return []
    return [Remedy("fp8_kv", f"{flags['fp8_kv']} {flags['eager']}", gains)]


def _weights(reading: LogReading, predicted: Predicted, flags: Mapping[str, str], short: int = 0) -> list[Remedy]:
    """Half the weights on each GPU, or smaller ones."""
    found = reading.largest("weights")
    weights = round(found.value) if found else predicted.weights
    ways: list[Remedy] = []
    identity = predicted.identity
    if short and "offload" in flags and weights and short < weights:
        gigabytes = math.ceil(short / 1e9)
        ways.append(Remedy("offload", f"{flags['offload']} {gigabytes}", short, gigabytes))
    if weights and (identity is None or identity.precision.bits > 6):
        ways.append(Remedy("smaller_weights", "", weights // 2))
    if "tp" in flags:
        tp = 2 * (reading.settings.tp or 1)
        ways.append(Remedy("tp", f"{flags['tp']} {tp}", weights // 2 if weights else None, tp))
    length = reading.settings.max_model_len
    if length and length > 2048 and "max_model_len" in flags and reading.last("kv_needed") is None:
        ways.append(Remedy("max_model_len", f"{flags['max_model_len']} {length // 2}", None, length // 2))
    batched = reading.settings.max_batched_tokens
    if batched and batched > 1024 and "max_batched_tokens" in flags:
        half = batched // 2
        gains = (predicted.activation or 0) // 2 or None
        ways.append(Remedy("batch", f"{flags['max_batched_tokens']} {half}", gains, half))
    return ways


def _without_figures(reading: LogReading, predicted: Predicted, flags: Mapping[str, str]) -> tuple[Remedy, ...]:
    """The system took the process: less must be asked of the host, too."""
    ways: list[Remedy] = []
    share = reading.settings.utilization
    if share and share > 0.5 and "utilization" in flags:
        lower = math.floor((share - 0.09) * 100) / 100
        visible = predicted.visible
        gains = round((share - lower) * visible.bytes) if visible else None
        ways.append(Remedy("utilization", f"{flags['utilization']} {lower:.2f}", gains, lower))
    if reading.last("host_memory") is not None:
        ways.append(Remedy("host_memory", "", None))
    ways += _weights(reading, predicted, flags)
    return tuple(ways[:MOST])
