"""Prefill and decode on pools of their own, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import counted, format_seconds, significant
from .reasons import error_text
from .show import Prose, Says

if TYPE_CHECKING:
    from ..engine.deployment.apart import Apart
    from ..engine.evaluate import Evaluation

TITLE = "Prefill and decode apart"


def of(evaluation: Evaluation) -> Prose:
    """What an evaluation says of it; why it says nothing."""
    try:
        return words(evaluation.apart)
    except ValueError as error:
        return Prose("apart", TITLE, (Says("", error_text(error), muted=True),))


def data_of(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values."""
    try:
        return data(evaluation.apart)
    except ValueError as error:
        return {"prefill_decode_apart": {"refused": error_text(error)}}


def words(found: Apart) -> Prose:
    """Pools, transfer, and whether it pays."""
    prefill, decode, fleet = found.prefill, found.decode, found.together
    ratio = f"{significant(found.share, 2)} prefill GPUs per decode GPU"
    if found.share < 1:
        ratio = f"{significant(1 / found.share, 2)} decode GPUs per prefill GPU"
    more = f"{abs(found.gain):.0%} {'more' if found.gain >= 0 else 'fewer'} requests/s per GPU at scale"
    if found.pays_from is None:
        verdict, tone = f"at no load looked at; {more} than replicas that do both", "tight"
    else:
        verdict, tone = f"from {significant(found.pays_from)} requests/s at peak on: {more}", "good"
    pools = (
        f"{prefill.replicas:,} × {prefill.layout.label} for prompts, {decode.replicas:,} × {decode.layout.label} for "
        f"answers: {counted(found.gpus, 'GPU')} where {fleet.gpus:,} do both as {fleet.replicas:,} × "
        f"{fleet.layout.label}"
    )
    return Prose(
        "apart",
        TITLE,
        (
            Says("Today", pools),
            Says("Ratio", f"{ratio}, {significant(prefill.requests_per_s)} and {significant(decode.requests_per_s)} "
                 "requests/s a replica"),
            Says("Transfer", f"{format_seconds(found.transfer_s)} per prompt's cache over the link between nodes; TTFT "
                 f"{format_seconds(found.ttft_s)}, TPOT {format_seconds(found.tpot_s)} undisturbed"),
            Says("Pays", verdict, "", tone),
        ),
    )  # fmt: skip


def data(found: Apart) -> dict[str, Any]:
    """The pools as plain values."""
    return {
        "prefill_decode_apart": {
            "prefill": _half(found.prefill),
            "decode": _half(found.decode),
            "gpus": found.gpus,
            "gpus_together": found.together.gpus,
            "prefill_gpus_per_decode_gpu": found.share,
            "transfer_s": found.transfer_s,
            "ttft_s": found.ttft_s,
            "tpot_s": found.tpot_s,
            "requests_per_s_per_gpu": found.per_gpu,
            "requests_per_s_per_gpu_together": found.together_per_gpu,
            "pays_from_requests_per_s": found.pays_from,
        }
    }


def _half(half: Any) -> dict[str, Any]:
    return {
        "layout": half.layout.label,
        "replicas": half.replicas,
        "gpus": half.gpus,
        "requests_per_s_per_replica": half.requests_per_s,
    }
