"""The planner's answer in words: the cheapest plans of the whole catalog for a demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import format_count
from .cost_json import replica_data
from .money import money
from .reasons import reason_text
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.deployment.planner import Candidate, DemandPlan

_COLUMNS = (
    Column("plan", "left", flex=True),
    Column("month"),
    Column("per 1M", keep=2),
    Column("tok/s·user", keep=1),
    Column("paid", "left", keep=3),
    Column("against it", "left", keep=4, sortable=False),
)
SEARCH = "search"
"""Id of the row that starts the search."""
UNASKED = Table(
    "plans",
    "Cheapest plans in the catalog",
    _COLUMNS,
    (Row(SEARCH, (Cell("enter: search", "key"), *(Cell("", "muted"),) * 5)),),
)
"""What stands in place of the plans before they are searched."""


def answer(plan: DemandPlan) -> Answer:
    """The cheapest plan, or why there is none."""
    scenario, best = plan.scenario, plan.best
    if best is None:
        reasons = dict.fromkeys(reason_text(entry.reason) for entry in plan.refused)
        why = "; ".join(list(reasons)[:3])
        return Answer("No plan holds that", "", "bad", (Says("why", why), Says("", demand(plan))))
    return Answer(
        f"{best.label}: {money(best.monthly, scenario.currency)} a month",
        f"{best.option.value} ({best.price})",
        "good",
        (Says("", _served(best)),),
    )


def _served(best: Candidate) -> str:
    replica = best.replica
    return (
        f"TTFT {(replica.ttft_s or 0) * 1000:,.0f} ms, TPOT {replica.tpot_s * 1000:,.0f} ms at batch "
        f"{replica.batch:,.0f}, {best.busy:.0%} busy; limited by {replica.limited_by}"
    )


def demand(plan: DemandPlan) -> str:
    """What was asked for."""
    scenario = plan.scenario
    targets = [f"TTFT {scenario.ttft_ms:g} ms"] if scenario.ttft_ms else []
    targets += [f"TPOT {scenario.tpot_ms:g} ms"] if scenario.tpot_ms else []
    return (
        f"{format_count(scenario.requests_per_day)} requests/day of {scenario.input_tokens:,} + "
        f"{scenario.output_tokens:,} tokens, {' and '.join(targets) or 'no latency target'}"
    )


def page(plan: DemandPlan, shown: int = 40) -> tuple[Block, ...]:
    """The cheapest plans, those that nothing beats in both cost and speed, and what was refused."""
    refused = dict.fromkeys(f"{entry.accelerator.name}: {reason_text(entry.reason)}" for entry in plan.refused)
    said = [Says("?", "no measured data for this kind of model on this accelerator")]
    said += [Says("refused" if at == 0 else "", reason) for at, reason in enumerate(list(refused)[:5])]
    return (
        plans(plan, shown),
        Table("pareto", "Nothing beats these in both cost and speed per user", _COLUMNS, _rows(plan, plan.pareto)),
        Prose("refused", f"Refused: {len(refused)}", tuple(said)),
    )


def plans(plan: DemandPlan, shown: int = 40) -> Table:
    """The best layout of each accelerator and format, cheapest first; `?` where no measured data back the speed."""
    return Table("plans", "Cheapest plans in the catalog", _COLUMNS, _rows(plan, plan.candidates[:shown]))


def _rows(plan: DemandPlan, candidates: tuple[Candidate, ...]) -> tuple[Row, ...]:
    scenario, rows = plan.scenario, []
    for entry in candidates:
        here = entry.accelerator.id == scenario.accelerator and entry.precision.id == scenario.precision
        unproven = "" if entry.replica.interval is not None else " ?"
        per_mtok = entry.usd_per_mtok
        rows.append(
            Row(
                f"{entry.accelerator.id} {entry.precision.id}",
                (
                    Cell(entry.label.replace("NVIDIA ", ""), "bold" if here else ""),
                    Cell(money(entry.monthly, scenario.currency), "", entry.monthly),
                    Cell("–" if per_mtok is None else money(per_mtok, scenario.currency), "", per_mtok),
                    Cell(f"{entry.tokens_per_s_per_user:,.0f}{unproven}", "", entry.tokens_per_s_per_user),
                    Cell(entry.option.value),
                    Cell(_standing(entry), "muted" if entry.loses else "good"),
                ),
                marked=here,
                detail=f"{_standing(entry)}; price: {entry.price}",
            )
        )
    return tuple(rows)


def _standing(entry: Candidate) -> str:
    return reason_text(entry.loses) or "cheapest"


def data(plan: DemandPlan) -> dict[str, Any]:
    """The planner's answer as plain values."""
    return {
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
        "replica": replica_data(entry.replica),
    }
