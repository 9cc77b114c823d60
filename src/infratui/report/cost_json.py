"""Buying and renting as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cost_decision import (
    ADVICE,
    QUESTIONS,
    breakeven_text,
    fork_text,
    note_text,
    signal_text,
    why_text,
)
from .interval import ends

if TYPE_CHECKING:
    from ..engine.deployment.judge import Replica
    from ..engine.sections.cost import CostResult, PricedOption


def data(result: CostResult, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values, units in the key names, no catalog rows repeated."""
    api, best = result.api, result.best
    return {
        "model": result.replica.model.id,
        "accelerator": result.accelerator.id,
        "demand": result.demand,
        "offered": result.offered,
        "replica": replica_data(result.replica),
        "small_replica": replica_data(result.small) if result.small else None,
        "fleet": result.fleet,
        "requests_in_flight_at_peak": result.in_flight,
        "energy": None
        if result.energy is None
        else {
            "kwh_per_mtok": result.energy.kwh,
            "co2_g_per_mtok": result.energy.co2_g,
            "grid_g_per_kwh": result.energy.grams_per_kwh,
        },
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
            {"name": entry.name, "value": entry.value, "unit": entry.unit, "words": breakeven_text(entry)}
            for entry in (*result.hours, result.month, result.requests)
        ],
        "decision": {
            "leaf": result.decision.leaf,
            "option": result.decision.option,
            "advice": ADVICE[result.decision.leaf],
            "why": why_text(result.decision),
            "path": [
                {
                    "id": fork.id,
                    "question": QUESTIONS[fork.id],
                    "answer": fork.answer,
                    "fact": fork_text(fork, result.decision),
                }
                for fork in result.decision.path
            ],
        },
        "usd_per_month": best.monthly if best else None,
        "usd_per_month_band": result.monthly_band,
        "gpus_band": result.gpus_band,
        "usd_per_mtok": best.per_mtok if best else None,
        "usd_per_request": result.per_request,
        "usd_per_user_month": result.per_user,
        "signals": [
            {"id": entry.signal.id, "side": entry.signal.side, "holds": entry.holds, "fact": signal_text(entry)}
            for entry in result.signals
        ],
        "assumptions": result.assumptions,
        "notes": [note_text(note) for note in result.notes],
    }


def replica_data(replica: Replica) -> dict[str, Any]:
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
        **ends("requests_per_s", replica.requests_per_s, replica.interval),
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
