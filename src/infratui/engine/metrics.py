"""The quantities that trees, worked examples and comparisons name, read from the sections of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .cost.options import Option
from .figures.units import GB, KB
from .model.architecture import parameters

if TYPE_CHECKING:
    from .evaluate import Evaluation

Reader = Callable[["Evaluation", str], "float | None"]
"""Evaluation and accelerator id (empty: the scenario's) → value."""

_FP16_BITS = 16
_MONTHS_PER_YEAR = 12


def metric(evaluation: Evaluation, key: str, accelerator: str | None = None) -> float | None:
    """A quantity in the unit of `metrics.yaml`; None where the scenario has no answer.

    `accelerator`: what keys ending in `_on` are asked for. Raises KeyError for an unknown key.
    """
    reader = READERS[key]
    try:
        value = reader(evaluation, accelerator or "")
    except (ValueError, KeyError):
        # A refusal is not a number; the screen of the section says it in words.
        return None
    return None if value is None else float(value)


def _kv_bytes(evaluation: Evaluation) -> float:
    """One copy of the cache of all users: what the model needs, before tensor parallelism repeats any of it."""
    result = evaluation.vram
    if result.estimator == "rule-of-thumb":
        return result.headline.kv_cache
    return sum(group.total for group in result.kv_groups)


def _by_thumb(evaluation: Evaluation) -> bool:
    return evaluation.scenario.estimator == "rule-of-thumb"


def _bits(evaluation: Evaluation) -> float:
    if _by_thumb(evaluation):
        return 8 * evaluation.case.precision.nominal_bytes
    parts = evaluation.vram.weights_by_part
    return 8 * sum(part.bytes for part in parts) / sum(part.parameters for part in parts)


def _row(read: Callable[[Any], float | None]) -> Reader:
    def of(evaluation: Evaluation, accelerator: str) -> float | None:
        memory = evaluation.thumb_memory if _by_thumb(evaluation) else evaluation.vram
        return read(memory.row(evaluation.facts.accelerator(accelerator).id))

    return of


def _smallest(evaluation: Evaluation, _: str) -> float | None:
    if _by_thumb(evaluation):
        return evaluation.thumb_memory.sizing.least
    plan = evaluation.vram.smallest.plan
    return plan.layout.gpus if plan else None


def _vram(read: Callable[[Any], float | None]) -> Reader:
    return lambda evaluation, _: read(evaluation.vram)


def _cost(read: Callable[[Any], float | None]) -> Reader:
    return lambda evaluation, _: read(evaluation.cost)


def _scenario(read: Callable[[Any], float | None]) -> Reader:
    return lambda evaluation, _: read(evaluation.scenario)


def _monthly(option: Option) -> Reader:
    return _cost(lambda cost: cost.priced(option).monthly)


def _rate(option: Option) -> Reader:
    """USD per hour of all GPUs while they run."""

    def read(cost: Any) -> float | None:
        price = cost.priced(option).price
        return None if price is None else price.median * cost.fleet.gpus

    return _cost(read)


def _capital(cost: Any) -> float | None:
    owned = cost.priced(Option.OWNED).cost
    return None if owned is None else owned.upfront


def _at_full_load(evaluation: Evaluation, _: str) -> float | None:
    """USD per million output tokens of the chosen layout on demand, as many users at work all the time."""
    if _by_thumb(evaluation):
        return None
    chosen = evaluation.parallelism.chosen
    price = evaluation.cost.priced(Option.ON_DEMAND).price
    if chosen is None or chosen.serving is None or price is None:
        return None
    return price.median * chosen.layout.gpus / (chosen.serving.output_per_s * 3600) * 1e6


def _hours(cost: Any) -> float | None:
    found = [entry.value for entry in cost.hours if entry.value is not None]
    return min(found) if found else None


def _serving(read: Callable[[Any, Any], float | None]) -> Reader:
    """Of the chosen layout and its prediction."""

    def of(evaluation: Evaluation, _: str) -> float | None:
        if _by_thumb(evaluation):
            return None
        chosen = evaluation.parallelism.chosen
        return None if chosen is None or chosen.serving is None else read(chosen.layout, chosen.serving)

    return of


def _lab(read: Callable[[Any], float | None]) -> Reader:
    return lambda evaluation, _: read(evaluation.lab.alone)


def _relative_error(encoded: Any) -> float | None:
    return None if encoded.relative_error is None else 100 * encoded.relative_error


def _speedup(evaluation: Evaluation, _: str) -> float | None:
    if _by_thumb(evaluation):
        return evaluation.quantization.chosen.rule.speed
    speed = evaluation.quantization.chosen.speed
    return speed.decode if speed else None


def _touched(evaluation: Evaluation, _: str) -> float | None:
    """Distinct experts that a batch reads in one layer: N · (1 − (1 − k/N)^B)."""
    spec = evaluation.moe.router.spec
    batch = evaluation.scenario.router_batch
    return spec.experts * (1 - (1 - spec.top_k / spec.experts) ** batch)


def _states(stage: int) -> Reader:
    """Model states of training all weights with Adam on one of 64 GPUs, by ZeRO stage."""

    def read(evaluation: Evaluation, _: str) -> float | None:
        from .figures.derivation import Ledger
        from .training.memory import ADAM, states

        count = parameters(evaluation.facts.model(evaluation.scenario.model)).total
        return sum(states(2.0 * count, count, ADAM, stage, TRAINING_GPUS, Ledger(recording=False))) / GB

    return read


TRAINING_GPUS = 64
READERS: Mapping[str, Reader] = {
    **{f"training_zero{stage}_gb": _states(stage) for stage in range(4)},
    "weights_gb": _vram(lambda result: result.headline.weights / GB),
    "kv_gb": lambda evaluation, _: _kv_bytes(evaluation) / GB,
    "kv_kb_per_token": _vram(lambda result: result.kv_bytes_per_token / KB),
    "kv_share_pct": _vram(lambda result: 100 * result.headline.kv_cache / result.headline.total),
    "overhead_gb": _vram(lambda result: result.headline.runtime / GB),
    "memory_gb": _vram(lambda result: result.headline.total / GB),
    "gpus_needed": _smallest,
    "gpus_needed_on": _row(lambda row: row.gpus),
    "nodes_needed_on": _row(lambda row: row.nodes),
    "gpus_per_node": _vram(lambda result: result.selected.accelerator.gpus_per_node),
    "bits_per_weight": lambda evaluation, _: _bits(evaluation),
    "saved_pct": lambda evaluation, _: 100 * (1 - _bits(evaluation) / _FP16_BITS),
    "relative_error_pct": _lab(_relative_error),
    "decoded_value": _lab(lambda encoded: encoded.decoded),
    "speedup": _speedup,
    "ttft_ms": _serving(lambda _, serving: serving.ttft_s * 1e3),
    "tpot_ms": _serving(lambda _, serving: serving.tpot_s * 1e3),
    "tokens_per_s": _serving(lambda layout, serving: serving.output_per_s / layout.dp),
    "tokens_per_s_user": _serving(lambda _, serving: serving.output_per_s_per_user),
    "bubble_pct": _serving(lambda _, serving: 100 * serving.bubble),
    "offered_tokens_per_s": _cost(lambda cost: cost.offered.output_tokens_per_s),
    "replicas": _cost(lambda cost: cost.fleet.replicas),
    "gpus": _cost(lambda cost: cost.fleet.gpus),
    "requests_per_day": _scenario(lambda scenario: scenario.requests_per_day),
    "hours_per_day": _scenario(lambda scenario: scenario.hours_per_day),
    "term_years": _scenario(lambda scenario: scenario.term_years),
    "term_months": _scenario(lambda scenario: scenario.term_years * _MONTHS_PER_YEAR),
    "compliance": _scenario(lambda scenario: scenario.compliance),
    "ttft_target_ms": _scenario(lambda scenario: scenario.ttft_ms),
    "on_demand_usd_h": _rate(Option.ON_DEMAND),
    "spot_usd_h": _rate(Option.SPOT),
    "on_demand_usd_month": _monthly(Option.ON_DEMAND),
    "reserved_1y_usd_month": _monthly(Option.RESERVED_1Y),
    "reserved_3y_usd_month": _monthly(Option.RESERVED_3Y),
    "owned_usd_month": _monthly(Option.OWNED),
    "api_usd_month": _cost(lambda cost: cost.api.monthly if cost.api else None),
    "hosted_usd_month": _cost(lambda cost: cost.hosted.monthly if cost.hosted else None),
    "committed_usd_month": _cost(lambda cost: cost.committed.monthly if cost.committed else None),
    "gpus_sold_by": _cost(lambda cost: cost.sold_by),
    "capital_usd": _cost(_capital),
    "breakeven_hours_per_day": _cost(_hours),
    "breakeven_month_owned": _cost(lambda cost: cost.month.value),
    "breakeven_requests_per_day": _cost(lambda cost: cost.requests.value),
    "usd_per_mtok": _cost(lambda cost: cost.best.per_mtok if cost.best else None),
    "usd_per_mtok_full": _at_full_load,
    "params_total_b": lambda evaluation, _: parameters(evaluation.facts.model(evaluation.scenario.model)).total / 1e9,
    "params_active_b": lambda evaluation, _: parameters(evaluation.facts.model(evaluation.scenario.model)).active / 1e9,
    "experts_touched": _touched,
}
"""Key of `metrics.yaml` → where its value stands."""
