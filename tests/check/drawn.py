"""Policies drawn at random."""

from __future__ import annotations

import random

from infratui.policy import NO_POLICY, Policy


def random_policy(rng: random.Random) -> Policy:
    """Any policy: each limit asked for or not, anywhere from far below to far above what figures come to."""
    drawn: dict[str, object] = {
        "fits": True,
        "headroom_pct": round(rng.uniform(0, 99), 2),
        "survive_gpus": rng.randrange(1, 5),
        "ttft_ms_p95": round(10 ** rng.uniform(0, 4), 1),
        "tpot_ms": round(10 ** rng.uniform(0, 3), 1),
        "usd_per_month": float(round(10 ** rng.uniform(2, 6))),
        "usd_per_mtok": round(10 ** rng.uniform(-2, 2), 3),
        "prices_max_age_days": rng.randrange(1, 400),
        "engine_flags": rng.choice(["vllm", "vllm 0.18.0 --swap-space", "sglang 0.5.23", "vllm 0.25.1 --made-up"]),
    }
    often = rng.choice([0.1, 0.3, 0.7])
    return NO_POLICY.replaced({name: value for name, value in drawn.items() if rng.random() < often})
