"""Prefill and decode on pools of their own, as the user pins it: so many replicas for prompts, so many for answers.

The replicas for answers hold the caches and decode undisturbed; those for prompts compute them and hand them on. On
given GPUs the two groups are taken whose pools hold the load and answer it best, for a demand those that take the
fewest GPUs. Both are judged as everything else: own memory, predicted latency and rate, head room for random arrivals.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cluster.abilities import POOLS
from ..cluster.layout import Layout
from ..cluster.legal import packs
from ..figures.derivation import Ledger
from ..figures.reason import Reason, because
from ..memory.plan import MemoryPlan
from ..speed import Plan, Serving, serve
from .apart import PoolUnit, prefill_units
from .candidates import copies, short_of, users_held, usual
from .choose import LayoutChoice
from .demand import offered_load
from .fleet import FleetPlan
from .judge import Judged, NoReplicaError, PoolSplit, Replica, judge, replica_on
from .reasons import ReasonKind

if TYPE_CHECKING:
    from ..case import Case

WIDEST = 16
"""GPUs of a pool's replica at most, as where it is not pinned."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A group for prompts beside one for answers."""

    prefill: PoolUnit
    decode: Layout


def split_of(case: Case) -> tuple[int, int] | None:
    """(replicas for prompts, replicas for answers) as pinned; None: replicas do both."""
    if not case.scenario.pools:
        return None
    prompts, _, answers = case.scenario.pools.partition(":")
    return int(prompts), int(answers)


def refused(case: Case) -> Reason | None:
    """Why the scenario cannot be split so."""
    scenario = case.scenario
    if POOLS not in case.abilities.can:
        return because(ReasonKind.NO_POOLS, scenario.engine)
    if scenario.input_tokens < 2:
        return because(ReasonKind.NO_PROMPTS)
    if scenario.cascade_pct:
        return because(ReasonKind.POOLS_AND_CASCADE)
    return None


def _pairs(case: Case) -> list[_Pair]:
    sizes = replace(case.forced, dp=0)
    domain = case.site.fabric.domain
    groups = [
        group
        for group in usual(case.model, case.precision, domain, case.abilities)
        if group.gpus <= WIDEST and sizes.allows(replace(group, dp=1))
    ]
    # Where no group holds the target for the first token, the one that comes nearest is judged.
    prefill = prefill_units(case, case.site, groups) or prefill_units(case.with_(ttft_ms=0.0), case.site, groups)
    return [_Pair(unit, group) for unit in prefill for group in groups]


def choose_pools(case: Case, gpus: int) -> LayoutChoice:
    """The pools of `gpus` in the pinned ratio that hold the load, meet the targets and make most tokens/s."""
    split = split_of(case)
    assert split is not None
    if (why := refused(case)) is not None:
        return LayoutChoice(None, gpus, True, (), refused=(why,))
    prompts, answers = split
    judged: dict[Layout, Judged] = {}
    plans: dict[Layout, MemoryPlan] = {}
    found: list[tuple[Judged, PoolSplit]] = []
    short: list[tuple[MemoryPlan, PoolSplit]] = []
    least = 0
    asked = case.with_(prefix_hit=100.0)
    for pair in _pairs(case):
        size = prompts * pair.prefill.layout.gpus + answers * pair.decode.gpus
        least = min(least or size, size)
        count = gpus // size
        layout = copies(pair.decode, answers * max(1, count))
        pools = _pools(pair, prompts * max(1, count))
        if not count or not packs(layout, case.site.fabric):
            continue
        if layout not in plans:
            plans[layout] = case.site.plan(case.deployment, layout, case.load)
        plan = plans[layout]
        if not plan.fits:
            short.append((plan, pools))
            continue
        if layout not in judged:
            judged[layout] = judge(asked, case.site, layout, plan)
        found.append((_fed(case, judged[layout], pools), pools))
    if found:
        return _taken(case, found, gpus)
    if short:
        plan, pools = max(short, key=lambda entry: (entry[0].max_users, -entry[0].missing))
        reason = short_of(plan)
        return LayoutChoice(Judged(plan.layout, plan, no_speed=reason), gpus, True, (reason,), pools=pools)
    needed = because(ReasonKind.TAKES_MORE, case.scenario.pools, needed=least, gpus=gpus)
    return LayoutChoice(None, gpus, True, (), refused=(needed,))


def _pools(pair: _Pair, replicas: int) -> PoolSplit:
    unit = pair.prefill
    return PoolSplit(unit.layout, replicas, unit.rate * replicas, unit.prompt_s, unit.transfer_s)


def _fed(case: Case, decode: Judged, pools: PoolSplit) -> Judged:
    """Answers that wait for their prompts: first token behind prompt and transfer, no more of them than prompts."""
    if decode.tpot_s is None or decode.output_per_s is None:
        return decode
    ttft = pools.prompt_s + pools.transfer_s + decode.tpot_s
    share = case.scenario.load_pct / 100
    output = min(decode.output_per_s, pools.requests_per_s / share * case.workload().output_tokens)
    return replace(decode, ttft_s=ttft, output_per_s=output, meets=case.targets.met(ttft, decode.tpot_s))


def _taken(case: Case, found: list[tuple[Judged, PoolSplit]], gpus: int) -> LayoutChoice:
    best, pools = max(
        found, key=lambda entry: (entry[0].meets, entry[0].output_per_s or 0.0, -entry[0].layout.gpus - entry[1].gpus)
    )
    reasons = [because(ReasonKind.PINNED), because(ReasonKind.POOLS, pools.layout.label, replicas=pools.replicas)]
    if best.no_speed is not None:
        reasons.append(best.no_speed)
    elif not best.meets:
        reasons.append(because(ReasonKind.MISSES, ttft_s=best.ttft_s, tpot_s=best.tpot_s))
    if idle := gpus - best.layout.gpus - pools.gpus:
        reasons.append(because(ReasonKind.IDLE, idle=idle, gpus=gpus))
    return LayoutChoice(best, gpus, True, tuple(reasons), len(found), pools=pools)


def fleet_pools(case: Case) -> FleetPlan:
    """The fewest GPUs in the pinned ratio that hold the users and keep up. Raises NoReplicaError."""
    split = split_of(case)
    assert split is not None
    if (why := refused(case)) is not None:
        raise NoReplicaError(why)
    prompts, answers = split
    asked = case.with_(prefix_hit=100.0, ttft_ms=0.0)
    peak = offered_load(case.demand, Ledger(recording=False)).peak_rate
    decoding: dict[Layout, tuple[Replica, int] | None] = {}
    best: FleetPlan | None = None
    why = because(ReasonKind.NO_LAYOUT, case.model.name)
    for pair in _pairs(case):
        group = pair.decode
        if group not in decoding:
            held = users_held(case.deployment, case.site, case.load, group)
            made = replica_on(asked, case.site, group) if held else because(ReasonKind.NO_ROOM)
            why = made if isinstance(made, Reason) else why
            decoding[group] = None if isinstance(made, Reason) else (made, held)
        known = decoding[group]
        if known is None or not known[0].requests_per_s:
            continue
        unit = _unit(pair, known, prompts, answers)
        if case.targets.ttft_s and (unit.ttft_s or 0.0) > case.targets.ttft_s:
            why = because(ReasonKind.MISSES_TTFT, seconds=unit.ttft_s, target_s=case.targets.ttft_s)
            continue
        holding = math.ceil(case.load.users / unit.users)
        keeping = max(1, math.ceil(peak / unit.requests_per_s - 1e-9))
        count = max(holding, keeping) + case.scenario.spares
        plan = FleetPlan(unit, count, case.scenario.spares, unit.gpus * count, holding, keeping)
        if best is None or (plan.gpus, -unit.requests_per_s) < (best.gpus, -best.replica.requests_per_s):
            best = plan
    if best is None:
        raise NoReplicaError(why)
    return best


def _unit(pair: _Pair, decode: tuple[Replica, int], prompts: int, answers: int) -> Replica:
    """Both pools in their smallest number, as one replica."""
    made, held = decode
    pools = _pools(pair, prompts)
    return replace(
        made,
        layout=copies(made.layout, answers),
        batch=made.batch * answers,
        requests_per_s=min(answers * made.requests_per_s, pools.requests_per_s),
        ttft_s=pools.prompt_s + pools.transfer_s + made.tpot_s,
        users=held * answers,
        pools=pools,
    )


def mine_pools(case: Case, choice: LayoutChoice) -> FleetPlan:
    """The pools of the scenario's GPUs as they are. Raises NoReplicaError where they serve nothing."""
    split = split_of(case)
    if choice.best is None or choice.pools is None or split is None:
        raise NoReplicaError(choice.refused[0])
    group = replace(choice.best.layout, dp=max(1, choice.best.layout.ep // choice.best.layout.tp))
    answers = choice.best.layout.dp // group.dp
    made = replica_on(case.with_(prefix_hit=100.0, ttft_ms=0.0, tpot_ms=0.0), case.site, group)
    if isinstance(made, Reason):
        raise NoReplicaError(made)
    pools = choice.pools
    held = users_held(case.deployment, case.site, case.load, group) * answers
    unit = replace(
        made,
        layout=choice.best.layout,
        batch=made.batch * answers,
        requests_per_s=min(answers * made.requests_per_s, pools.requests_per_s),
        ttft_s=pools.prompt_s + pools.transfer_s + made.tpot_s,
        users=held,
        pools=pools,
    )
    peak = offered_load(case.demand, Ledger(recording=False)).peak_rate
    holding = math.ceil(case.load.users / held) if held else 0
    return FleetPlan(unit, 1, 0, case.gpus, holding, max(1, math.ceil(peak / unit.requests_per_s)))


def served(case: Case, choice: LayoutChoice, plan: Plan) -> Serving:
    """The prediction of the layout that is chosen, explained; where prompts are apart, answers that wait for them."""
    users = float(case.load.users)
    if choice.pools is None or choice.best is None:
        return serve(plan, case.workload(concurrency=users), explain=True)
    found = serve(plan, case.with_(prefix_hit=100.0).workload(concurrency=users), explain=True)
    best, ratio = choice.best, (choice.best.output_per_s or 0.0) / found.output_per_s
    return replace(
        found,
        ttft_s=best.ttft_s or found.ttft_s,
        output_per_s=found.output_per_s * ratio,
        output_per_s_per_user=found.output_per_s_per_user * ratio,
        gpus=found.gpus + choice.pools.gpus,
        prefill_s=choice.pools.prompt_s,
    )
