"""What every section says of the rule of thumb: how it counts, and what it has no arithmetic for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import counted
from .names import short_name

if TYPE_CHECKING:
    from ..engine.case import Case
    from ..engine.deployment.thumb import ThumbSizing, UnknownCache

GIGABYTES = "a card's GB as sold, 2^30 bytes each"
NO_SPEED = "latency and tokens/s have no answer here: the rule splits bytes; the detailed estimator predicts both (D)"


def unknown_text(model: str, unknown: UnknownCache) -> str:
    """Why there is no figure for a cache: `the rule of thumb has no arithmetic for the latent cache (MLA) of …`."""
    what = {
        "latent": "the latent cache (MLA)",
        "compressed": "the compressed cache",
        "state": "the recurrent state",
        "window": "the sliding-window cache",
        "nothing": "the missing cache",
    }[unknown.value]
    return (
        f"the rule of thumb has no arithmetic for {what} of {model}; the detailed estimator has (D, estimator=detailed)"
    )


def card_text(sizing: ThumbSizing) -> str:
    """`8 × H100 SXM of 80 GB`."""
    return f"{sizing.gpus:,} × {short_name(sizing.accelerator)} of {sizing.card_gb:g} GB"


def deployment_data(case: Case) -> dict[str, Any]:
    """`deployment` and `fewest` of JSON by the rule: no latency, and no users where the cache is unknown."""
    from ..engine.deployment.thumb import sized
    from ..engine.memory.rule_of_thumb import NODE_GPUS, split

    found = sized(case)
    at_hand = found.split
    unknown = None if found.unknown is None else unknown_text(found.model.name, found.unknown)
    known = found.memory is not None
    short = None if found.holds else f"the rule of thumb takes {counted(found.least, 'GPU')}"
    least = split(found.memory.total if found.memory else found.weights, found.least, found.card_gb).layout
    return {
        "deployment": {
            "accelerator": case.accelerator.id,
            "gpus": case.gpus,
            "layout": at_hand.layout.label if at_hand.enough else None,
            "replicas": at_hand.layout.dp if at_hand.enough else None,
            "nodes": -(-case.gpus // NODE_GPUS),
            "holds": found.holds if known or not found.holds else None,
            "free_bytes_per_gpu": found.free_per_gpu if known and found.holds else None,
            "max_users": found.max_users,
            "max_context_tokens": found.max_context,
            "ttft_ms": None,
            "tpot_ms": None,
            "output_tokens_per_s": None,
            "reason": short or unknown,
        },
        "fewest": {
            "accelerator": case.accelerator.id,
            "gpus": found.least if known else None,
            "layout": least.label if known else None,
            "reason": unknown,
        },
    }
