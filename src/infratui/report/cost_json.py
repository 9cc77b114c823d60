"""Buy or rent, and the planner's answer, as JSON for scripts: units in the key names, no catalog rows repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..engine.cost.levers import CostLever
    from ..engine.cost.tornado import Tornado
    from ..engine.deployment.judge import Replica
    from ..engine.deployment.planner import Candidate, DemandPlan
    from ..engine.sections.cost import CostResult, PricedOption


def cost_json(
    result: CostResult, levers: Sequence[CostLever], tornado: Tornado | None, *, explain: bool = False
) -> dict[str, Any]:
    """The section as plain values."""
    api, best = result.api, result.best
    found: dict[str, Any] = {
        "model": result.replica.model.id,
        "accelerator": result.accelerator.id,
        "demand": result.demand,
        "offered": result.offered,
        "replica": replica_json(result.replica),
        "small_replica": replica_json(result.small) if result.small else None,
        "fleet": result.fleet,
        "options": [_option(entry, result) for entry in result.options],
        "api": None
        if api is None
        else {
            "usd_per_mtok": {"low": api.low, "median": api.median, "high": api.high},
            "usd_per_month": {"low": api.monthly_low, "median": api.monthly, "high": api.monthly_high},
            "providers": api.providers,
            "date": api.date,
            "age_days": api.age_days,
            "stale": api.stale,
            "source": api.source,
        },
        "breakevens": [
            {"name": entry.name, "value": entry.value, "unit": entry.unit, "words": entry.words}
            for entry in (*result.hours, result.month, result.requests)
        ],
        "decision": {
            "leaf": result.decision.leaf,
            "option": result.decision.option,
            "advice": result.decision.advice,
            "why": result.decision.why,
            "path": result.decision.path,
        },
        "usd_per_month": best.monthly if best else None,
        "usd_per_month_band": result.monthly_band,
        "gpus_band": result.gpus_band,
        "usd_per_mtok": best.per_mtok if best else None,
        "usd_per_request": result.per_request,
        "usd_per_user_month": result.per_user,
        "signals": [
            {"id": entry.signal.id, "side": entry.signal.side, "holds": entry.holds, "fact": entry.fact}
            for entry in result.signals
        ],
        "levers": [
            {"id": entry.note.id, "on": entry.on, "saves_usd_per_month": entry.saves, "words": entry.words}
            for entry in levers
        ],
        "tornado": None
        if tornado is None
        else {
            "leader": tornado.leader,
            "runner_up": tornado.runner_up,
            "advantage_usd_per_month": tornado.advantage,
            "swings": [
                {
                    "input": swing.lever.name,
                    "now": swing.lever.now,
                    "low": swing.lever.low,
                    "high": swing.lever.high,
                    "at_low_usd_per_month": swing.at_low,
                    "at_high_usd_per_month": swing.at_high,
                    "flips_at": swing.flips_at,
                }
                for swing in tornado.swings
            ],
        },
        "assumptions": result.assumptions,
        "notes": result.notes,
    }
    if explain:
        found["derivations"] = result.derivations
    return found


def plan_json(plan: DemandPlan, *, explain: bool = False) -> dict[str, Any]:
    """The planner's answer as plain values."""
    found: dict[str, Any] = {
        "offered": plan.offered,
        "best": _candidate(plan.best) if plan.best else None,
        "candidates": [_candidate(entry) for entry in plan.candidates],
        "pareto": [_candidate(entry) for entry in plan.pareto],
        "refused": [
            {
                "accelerator": entry.accelerator.id,
                "precision": entry.precision.id if entry.precision else None,
                "reason": entry.reason,
            }
            for entry in plan.refused
        ],
    }
    if explain:
        found["derivations"] = plan.derivations
    return found


def replica_json(replica: Replica) -> dict[str, Any]:
    """One replica as plain values."""
    return {
        "model": replica.model.id,
        "precision": replica.precision.id,
        "layout": replica.layout.label,
        "gpus": replica.gpus,
        "batch": replica.batch,
        "requests_per_s": replica.requests_per_s,
        "ttft_ms": None if replica.ttft_s is None else replica.ttft_s * 1000,
        "tpot_ms": replica.tpot_s * 1000,
        "limited_by": replica.limited_by,
        "bound": replica.bound,
        "band_pct": replica.band_pct,
        "estimator": "rule-of-thumb" if replica.by_rule else "detailed",
    }


def _option(entry: PricedOption, result: CostResult) -> dict[str, Any]:
    cost, price = entry.cost, entry.price
    return {
        "option": entry.option,
        "recommended": entry.option is result.decision.option,
        "usd_per_month": None if cost is None else {"low": entry.low, "median": cost.monthly, "high": entry.high},
        "usd_per_year": None if cost is None else cost.yearly,
        "usd_over_horizon": None if cost is None else cost.yearly * result.scenario.term_years,
        "usd_upfront": None if cost is None else cost.upfront,
        "usd_per_mtok": None if cost is None else cost.per_mtok,
        "parts": () if cost is None else cost.parts,
        "price_usd": None if price is None else {"low": price.low, "median": price.median, "high": price.high},
        "price_rows": None if price is None else price.rows,
        "price_newest": None if price is None or price.newest is None else price.newest.isoformat(),
        "stale": entry.stale,
        "words": entry.words,
    }


def _candidate(entry: Candidate) -> dict[str, Any]:
    return {
        "accelerator": entry.accelerator.id,
        "replicas": entry.replicas,
        "gpus": entry.gpus,
        "busy": entry.busy,
        "option": entry.option,
        "usd_per_gpu_hour": entry.rate,
        "usd_per_month": entry.monthly,
        "usd_per_mtok": entry.usd_per_mtok,
        "tokens_per_s_per_user": entry.tokens_per_s_per_user,
        "price": entry.price,
        "against_it": entry.loses,
        "replica": replica_json(entry.replica),
    }
