"""Prefill and decode on pools of their own, as a layout: its ratio, what the cache's way costs, and when it pays.

Prompts never interrupt decoding, so that a decode replica runs larger batches within the same TPOT target; in exchange
every cache travels, weights are held twice, and each pool comes in whole replicas. Both pools are sized for the same
targets as the fleet beside them, with the same head room for random arrivals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..figures.derivation import Derivation, Formula, Ledger, Unit
from ..figures.reason import Reason
from ..speed.disaggregate import TRANSFER
from .candidates import users_held, usual
from .demand import offered_load
from .fleet import FleetPlan, fleet
from .judge import Replica, plan_on, replica_on

if TYPE_CHECKING:
    from ..case import Case
    from .site import Site

WIDEST = 16
"""GPUs of a pool's replica at most: beyond, whole replicas outweigh what they gain."""
MOST_GPUS = 4096
"""Loads that take more than this are not looked at."""

_QUIET = Ledger(recording=False)

PREFILL_RATE = Formula(
    "prefill replica rate", "replicas * stages / prompt * load_pct / 100", Unit.REQUESTS_PER_S, term="disaggregation"
)
PER_GPU = Formula(
    "requests/s per GPU, apart",
    "1 / (prefill_gpus / prefill_rate + decode_gpus / decode_rate)",
    Unit.REQUESTS_PER_S,
    term="disaggregation",
)


@dataclass(frozen=True, slots=True)
class PoolHalf:
    """One pool: replicas of one layout."""

    layout: Layout
    requests_per_s: float
    """That one replica is sized for."""
    replicas: int
    """For the peak of today."""

    @property
    def gpus(self) -> int:
        return self.replicas * self.layout.gpus


@dataclass(frozen=True, slots=True)
class Apart:
    """Two pools beside the fleet that does both."""

    prefill: PoolHalf
    decode: PoolHalf
    together: FleetPlan
    """The same demand on replicas that do both."""
    transfer_s: float
    """One prompt's cache between the pools."""
    ttft_s: float
    """Prompt, transfer and one decode step, nobody ahead."""
    tpot_s: float
    """At the largest batch within the target."""
    share: float
    """Prefill GPUs per decode GPU where both are full."""
    per_gpu: float
    """Requests/s per GPU within the targets, at scale."""
    together_per_gpu: float
    pays_from: float | None
    """Requests/s at peak from which the pools take fewer GPUs; None: at no load looked at."""
    derivation: Derivation

    @property
    def gpus(self) -> int:
        return self.prefill.gpus + self.decode.gpus

    @property
    def gain(self) -> float:
        """Requests/s per GPU against the fleet's, at scale: 0.1 is a tenth more."""
        return self.per_gpu / self.together_per_gpu - 1


@dataclass(frozen=True, slots=True)
class PoolUnit:
    """A layout that a pool may be made of."""

    layout: Layout
    rate: float
    holding: int = 1
    """Replicas that hold the users."""
    prompt_s: float = 0.0
    transfer_s: float = 0.0
    tpot_s: float = 0.0

    def replicas(self, load: float) -> int:
        return max(1, self.holding, math.ceil(load / self.rate - 1e-9))

    @property
    def per_gpu(self) -> float:
        return self.rate / self.layout.gpus


def evaluate_apart(case: Case) -> Apart:
    """Split the demand. Raises ValueError in one line where it cannot be split, or nothing serves it."""
    if case.scenario.input_tokens < 2:
        raise ValueError("there are no prompts to compute apart; set input_tokens")
    site, spares = case.site, case.scenario.spares
    together = fleet(case, site)
    prefill, decode, both = (
        prefill_units(case, site, _groups(case, site)),
        _decode(case, site),
        _both(case, site, together),
    )
    if not prefill or not decode:
        raise ValueError("no two pools hold the targets: prompts and cache transfer alone take too long")

    def gpus(units: list[PoolUnit], load: float) -> int:
        return min((unit.replicas(load) + spares) * unit.layout.gpus for unit in units)

    def taken(units: list[PoolUnit], load: float) -> PoolUnit:
        return min(units, key=lambda unit: ((unit.replicas(load) + spares) * unit.layout.gpus, -unit.rate))

    peak = offered_load(case.demand, _QUIET).peak_rate
    first, second = taken(prefill, peak), taken(decode, peak)
    best = [max(units, key=lambda unit: unit.per_gpu) for units in (prefill, decode, both)]
    ledger = Ledger()
    per_gpu = ledger(
        PER_GPU, prefill_gpus=best[0].layout.gpus, prefill_rate=best[0].rate, decode_gpus=best[1].layout.gpus,
        decode_rate=best[1].rate, note=f"{best[0].layout.label} for prompts, {best[1].layout.label} for answers",
    )  # fmt: skip
    steps = {unit.rate for unit in (first, second, *best)}

    def split(load: float) -> int:
        return gpus(prefill, load) + gpus(decode, load)

    return Apart(
        prefill=PoolHalf(first.layout, first.rate, first.replicas(peak) + spares),
        decode=PoolHalf(second.layout, second.rate, second.replicas(peak) + spares),
        together=together,
        transfer_s=first.transfer_s,
        ttft_s=first.prompt_s + first.transfer_s + second.tpot_s,
        tpot_s=second.tpot_s,
        share=best[1].per_gpu / best[0].per_gpu,
        per_gpu=float(per_gpu),
        together_per_gpu=best[2].per_gpu,
        pays_from=_pays_from(
            lambda load: gpus(prefill, load) + gpus(decode, load), lambda load: gpus(both, load), steps
        ),
        derivation=ledger.derivation("Prefill and decode apart"),
    )


def _groups(case: Case, site: Site) -> list[Layout]:
    found = usual(case.model, case.precision, site.fabric.domain, case.deployment.engine)
    return [group for group in found if group.gpus <= WIDEST and case.forced.allows(group)]


def prefill_units(case: Case, site: Site, groups: list[Layout]) -> list[PoolUnit]:
    """Layouts that compute a prompt and hand its cache on within the TTFT target."""
    load_pct, target = case.scenario.load_pct, case.targets.ttft_s
    found = []
    for group in groups:
        made = plan_on(case, site, group)
        if isinstance(made, Reason):
            continue
        plan, workload = made
        alone = plan.prefill(workload)
        prompt = plan.rates.per_request + alone
        cache = plan.load.sequence_bytes(workload.input_tokens)
        transfer = float(TRANSFER(cache_bytes=cache, ranks=1, bandwidth=site.fabric.node_bandwidth))
        if not target or prompt + transfer <= target:
            rate = _QUIET(PREFILL_RATE, replicas=group.dp, stages=group.pp, prompt=alone, load_pct=load_pct)
            found.append(PoolUnit(group, float(rate), 1, prompt, transfer))
    return found


def _decode(case: Case, site: Site) -> list[PoolUnit]:
    """Layouts that answer within the TPOT target, where every cache arrives."""
    return list(_serving(case, case.with_(prefix_hit=100.0, ttft_ms=0.0), site, _groups(case, site)))


def _both(case: Case, site: Site, together: FleetPlan) -> list[PoolUnit]:
    """Layouts that do both, that of the fleet among them."""
    groups = dict.fromkeys((together.replica.layout, *_groups(case, site)))
    return list(_serving(case, case, site, list(groups)))


def _serving(case: Case, asked: Case, site: Site, groups: list[Layout]) -> Iterator[PoolUnit]:
    for group in groups:
        held = users_held(case.deployment, site, case.load, group)
        replica = replica_on(asked, site, group) if held else None
        if isinstance(replica, Replica) and replica.requests_per_s > 0:
            holding = math.ceil(case.load.users / held)
            yield PoolUnit(group, replica.requests_per_s, holding, tpot_s=replica.tpot_s)


def _pays_from(apart: Callable[[float], int], together: Callable[[float], int], steps: set[float]) -> float | None:
    """The smallest load at which two pools take fewer GPUs: loads just beyond which one of the counts rises."""
    for load in sorted({step * count * (1 + 1e-6) for step in steps for count in range(1, 257)}):
        if together(load) > MOST_GPUS:
            return None
        if apart(load) < together(load):
            return load
    return None
