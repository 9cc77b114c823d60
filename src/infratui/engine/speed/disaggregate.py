"""Prefill and decode as two pools: prompts never interrupt decoding, but the cache travels between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ...value_types import dataclass
from ..figures.derivation import Basis, Formula, Unit
from .plan import Plan
from .serving import Serving, serve
from .workload import SpeedError, Workload

TRANSFER = Formula(
    "transfer", "cache_bytes * ranks / bandwidth", Unit.SECONDS, basis=Basis.DERIVED, term="disaggregation"
)


@dataclass(frozen=True, slots=True)
class Disaggregated:
    """Two pools at a concurrency. Rates are per second over both."""

    ttft_s: float
    """Prompt, cache transfer and one decode step."""
    tpot_s: float
    """Decoding undisturbed."""
    transfer_s: float
    """Moving one prompt's cache to the decode pool."""
    requests_per_s: float
    prefill_requests_per_s: float
    """What the prefill pool can feed."""
    decode_requests_per_s: float
    """What the decode pool can finish."""
    output_per_s: float
    gpus: int
    decode: Serving

    @property
    def limit(self) -> Literal["prefill pool", "decode pool"]:
        """The pool that holds the other back."""
        return "prefill pool" if self.prefill_requests_per_s < self.decode_requests_per_s else "decode pool"


def disaggregate(prefill: Plan, decode: Plan, workload: Workload, link_bandwidth: float) -> Disaggregated:
    """Predict two pools of one model; `link_bandwidth` is bytes per second and GPU between them.

    Each prefill replica computes one prompt after the other; the decode pool sees requests that come with their cache.
    """
    if prefill.model is not decode.model:
        raise SpeedError("both pools must serve the same model")
    if not link_bandwidth > 0:
        raise SpeedError("the link between the pools needs a bandwidth above 0")
    # One computed token per request remains: the cache of the others arrives.
    arrived = replace(workload, prefix_hit=1.0 if workload.input_tokens > 1 else workload.prefix_hit, static=False)
    decoding = serve(decode, arrived)
    alone = prefill.prefill(workload)
    per_rank = prefill.load.sequence_bytes(workload.input_tokens)
    transfer = TRANSFER(cache_bytes=per_rank, ranks=1, bandwidth=link_bandwidth)
    feeding = prefill.layout.dp * prefill.load.pp / alone
    finishing = decoding.requests_per_s
    rate = min(feeding, finishing)
    return Disaggregated(
        ttft_s=prefill.rates.per_request + alone + transfer + decoding.step.total_s,
        tpot_s=decoding.tpot_s,
        transfer_s=transfer,
        requests_per_s=rate,
        prefill_requests_per_s=feeding,
        decode_requests_per_s=finishing,
        output_per_s=rate * workload.output_tokens,
        gpus=prefill.gpus + decode.gpus,
        decode=decoding,
    )
