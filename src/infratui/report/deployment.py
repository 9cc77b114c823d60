"""The deployment in words and plain values: why a layout is taken, what would help, the three objects of JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..engine.deployment.answer import deployed, fleet_of
from ..engine.figures.units import counted, format_count, format_tokens, significant
from .as_json import plain
from .draw import BETWEEN
from .names import short_name
from .reasons import error_text, reasons_text
from .thumb_words import deployment_data
from .workload import FAR, WorkloadWords

if TYPE_CHECKING:
    from ..engine.case import Case
    from ..engine.cluster.hardware import Accelerator
    from ..engine.cluster.layout import Layout
    from ..engine.deployment.judge import PoolSplit
    from ..engine.deployment.ways_out import WayOut
    from ..engine.evaluate import Evaluation


def layout_text(layout: Layout) -> str:
    """How a layout lies, in words: `2 copies, 4 GPUs each`."""
    if layout.dcp > 1:
        return f"{layout_text(replace(layout, dcp=1))}, cached tokens shared out over {layout.dcp}"
    copies = "1 copy" if layout.dp == 1 else f"{layout.dp:,} copies"
    each = "" if layout.dp == 1 else " each"
    if layout.ep > layout.tp:
        return f"experts spread over {layout.ep:,} GPUs, users shared out"
    if layout.pp > 1 and layout.tp > 1:
        return f"{copies} in {layout.pp} stages of {layout.tp} GPUs{each}"
    if layout.pp > 1:
        return f"{copies} in {layout.pp} stages{each}"
    cards = counted(layout.tp, "GPU")
    if layout.dp == 1:
        return f"{copies} {'over' if layout.tp > 1 else 'on'} {cards}"
    return f"{copies}, {cards} each"


def placed_label(layout: Layout, pools: PoolSplit | None) -> str:
    """`TP8`, or with prompts computed apart `TP2·DP3 + 1 × TP4 for prompts`."""
    return layout.label if pools is None else f"{layout.label} + {pools.replicas:,} × {pools.layout.label} for prompts"


def needs_text(needed: int, accelerator: Accelerator, gpus: int) -> str:
    """That there are too few: `Needs 12 × H100 SXM, you have 8`."""
    return f"Needs {needed:,} × {short_name(accelerator)}, you have {gpus:,}"


def needs_offer(needed: int) -> str:
    """What a key does about that; empty where nothing is missing."""
    return f"! takes {needed:,}" if needed else ""


def pools_data(pools: PoolSplit | None) -> dict[str, Any] | None:
    """What computes the prompts, as plain values; None where replicas do both."""
    if pools is None:
        return None
    return {
        "layout": pools.layout.label,
        "replicas": pools.replicas,
        "gpus": pools.gpus,
        "requests_per_s": pools.requests_per_s,
        "transfer_s": pools.transfer_s,
    }


def way_text(entry: WayOut) -> str:
    """What is changed: `KV cache in FP8`, `a context of 16K`."""
    from ..engine.deployment.ways_out import Way

    changes = dict(entry.changes)
    match entry.way:
        case Way.UTILIZATION:
            return f"utilization {changes['utilization']:.2f}"
        case Way.SEQUENCES:
            also = f" at utilization {changes['utilization']:.2f}" if "utilization" in changes else ""
            return f"{changes['max_num_seqs']:,} sequences at most{also}"
        case Way.BATCHED_TOKENS:
            return f"{changes['max_batched_tokens']:,} batched tokens"
        case Way.UNPINNED:
            return "a free layout"
        case Way.CACHE:
            return f"KV cache in {entry.name}"
        case Way.FORMAT:
            return f"weights in {entry.name}"
        case Way.CONTEXT:
            return f"a context of {format_tokens(int(str(changes['context'])))}"
        case Way.USERS:
            return counted(int(str(changes["users"])), "user")
        case Way.GPUS:
            return counted(int(str(changes["gpus"])), "GPU")


def way_flag(entry: WayOut) -> str:
    """The same as command-line options: `--set kv_precision=fp8`."""
    return " ".join(
        f"--gpus {value}" if field == "gpus" else f"--set {field}={value}" for field, value in entry.changes
    )


def ways_text(ways: Iterable[WayOut]) -> str:
    """The ways out, those that let the GPUs at hand hold it first."""
    return BETWEEN.join(f"{way_text(entry)} ({way_flag(entry)})" for entry in ways if entry.holds)


def workload(evaluation: Evaluation) -> WorkloadWords:
    """The line that every screen has: model, format, users and contexts, requests, GPUs and their layout.

    Raises ValueError where the scenario names what is not known.
    """
    case = evaluation.case
    scenario = case.scenario
    users = counted(scenario.users, "user")
    cards = f"{format_count(case.gpus)} × {short_name(case.accelerator)}"
    placed = f"{cards}{_placed(case)}"
    demand = f"{format_count(scenario.requests_per_day)} requests/day"
    sizes = f"{format_tokens(scenario.input_tokens)} → {format_tokens(scenario.output_tokens)}"
    if not case.model.answers:
        sizes = f"{format_tokens(scenario.input_tokens)} read each"
    if scenario.demand_profile is not None:
        return _measured_workload(case, placed, users, demand)
    far = scenario.context >= FAR * (scenario.input_tokens + scenario.output_tokens)
    return WorkloadWords(
        (
            (case.model.name, 0),
            (case.deployment.precision.label, 1),
            (f"{users} × {format_tokens(scenario.context)}", 2),
            (demand, 5),
            (sizes, 4),
            (placed, 3),
            *((("contexts far beyond requests", 6),) if far else ()),
        ),
        "tight" if far else "",
    )


def _placed(case: Case) -> str:
    """How the GPUs are laid out, or that they are too few."""
    if case.scenario.estimator == "rule-of-thumb":
        from ..engine.deployment.thumb import sized

        thumb = sized(case)
        return f" as {thumb.split.layout.label}" if thumb.split.enough and thumb.holds else ": too small"
    found = deployed(case)
    if case.deployment.refusal(case.accelerator):
        return ": not served"
    if found.plan is None or not found.holds:
        return ": too small"
    return f" as {placed_label(found.plan.layout, found.choice.pools)}"


def _measured_workload(case: Case, placed: str, users: str, demand: str) -> WorkloadWords:
    """The same where the demand is measured: that stays longest in view, with the way to drop it."""
    scenario = case.scenario
    peak = f" ×{significant(scenario.peak_factor)}"
    sizes = f"measured {scenario.input_tokens:,} → {scenario.output_tokens:,}{peak}"
    return WorkloadWords(
        (
            (case.model.name, 0),
            (case.deployment.precision.label, 4),
            (f"{users} × {format_tokens(case.load.tokens)}", 5),
            (demand, 6),
            (sizes, 1),
            ("demand_profile=none drops it", 2),
            (placed, 3),
        )
    )


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """`deployment`, `fewest` and `fleet` of the scenario's model: the same in the JSON of every section."""
    case = evaluation.case
    try:
        if case.scenario.estimator == "rule-of-thumb":
            return {**deployment_data(case), "fleet": _fleet(case)}
        return {"deployment": _deployment(case), "fewest": _fewest(case), "fleet": _fleet(case)}
    except (ValueError, OSError) as refusal:
        nothing = {"reason": error_text(refusal)}
        return {"deployment": nothing, "fewest": nothing, "fleet": nothing}


def with_deployment(told: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    """A section's own content with the three objects; what a section says of its own fleet stays beside them."""
    found = as_json(evaluation)
    own = told.get("fleet")
    if own is not None:
        found["fleet"] = {**plain(own), **{key: value for key, value in found["fleet"].items() if value is not None}}
    return {**told, **found}


def _deployment(case: Case) -> dict[str, Any]:
    found = deployed(case)
    best, totals = found.choice.best, found.totals
    plan = found.plan
    scale = None if best is None else best
    return {
        "accelerator": case.accelerator.id,
        "gpus": case.gpus,
        "layout": None if plan is None else placed_label(plan.layout, found.choice.pools),
        "prefill": pools_data(found.choice.pools),
        "replicas": None if plan is None else plan.layout.dp,
        "nodes": case.site.fabric.domains(case.gpus),
        "holds": found.holds,
        "free_bytes_per_gpu": totals.free_per_gpu if totals and found.holds else None,
        "max_users": None if plan is None else plan.max_users,
        "max_context_tokens": None if plan is None else plan.max_context,
        "ttft_ms": _ms(scale.ttft_s if scale else None),
        "tpot_ms": _ms(scale.tpot_s if scale else None),
        "output_tokens_per_s": scale.output_per_s if scale else None,
        "reason": None if found.holds else reasons_text(found.choice.refused or found.choice.reasons, between="; "),
    }


def _fewest(case: Case) -> dict[str, Any]:
    found = deployed(case).fewest
    plan = found.plan
    return {
        "accelerator": case.accelerator.id,
        "gpus": found.gpus,
        "layout": None if plan is None else plan.layout.label,
        "reason": found.reason,
    }


def _fleet(case: Case) -> dict[str, Any]:
    from ..engine.cost.case import CostCase, cheapest_monthly

    if case.scenario.estimator == "rule-of-thumb":
        return _fleet_by_rule(case)
    found = fleet_of(case)
    empty = dict.fromkeys(("gpus", "layout", "replicas", "spares", "binds", "usd_per_month"))
    if found.plan is None:
        return {"accelerator": case.accelerator.id, **empty, "reason": found.reason}
    plan = found.plan
    return {
        "accelerator": case.accelerator.id,
        "gpus": plan.gpus,
        "layout": placed_label(plan.layout, plan.replica.pools),
        "prefill": pools_data(plan.replica.pools),
        "replicas": plan.replicas,
        "spares": plan.spares,
        "binds": "mine" if found.mine else plan.binds,
        "usd_per_month": cheapest_monthly(CostCase.of(case)),
        "reason": None,
    }


def _fleet_by_rule(case: Case) -> dict[str, Any]:
    """The rule of thumb's fleet: one user's speed per instance, no users to hold."""
    from ..engine.cost.case import CostCase, cheapest_monthly

    costed = CostCase.of(case)
    _, fleet, _ = costed.costs()
    return {
        "accelerator": case.accelerator.id,
        "gpus": fleet.gpus,
        "layout": costed.replica.layout.label,
        "replicas": fleet.replicas,
        "spares": fleet.spares,
        "binds": fleet.binds,
        "usd_per_month": cheapest_monthly(costed),
        "reason": None,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3
