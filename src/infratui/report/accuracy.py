"""The engine's error against the measured rows that ship with it, beside two baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.measured.accuracy import Accuracy, Errors, Key, score_rows
from ..value_types import dataclass

if TYPE_CHECKING:
    from ..catalog.load import Catalog


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """One line of the table; errors in percent of the measured figure."""

    quantity: str
    group: str
    n: int
    sources: int
    median_ape: float
    mean_ape: float
    p90_ape: float
    bias: float
    rule_of_thumb_mean: float | None
    """Mean error of the guide's arithmetic; None where it says nothing about the quantity."""
    roofline_mean: float | None
    """Mean error of a roofline at published peak rates."""
    left_out_by: str = ""
    """The way of leaving rows out that came out worse: `study`, or `cell` for model and GPU; empty: none were."""
    by_study_mean: float | None = None
    by_cell_mean: float | None = None
    inside: float | None = None
    """Share of the rows left out, either way, that the printed interval holds."""


def published(facts: Catalog) -> Accuracy:
    """All shipped benchmark rows, each predicted with constants of fits that did not see it."""
    return score_rows(facts.measured_throughput(), facts, facts.speed(), facts.runtime(), facts.speed_without)


def rows_of(accuracy: Accuracy, facts: Catalog, by: Key) -> tuple[AccuracyRow, ...]:
    """Memory first, then speed by quantity and group."""
    speed = tuple(
        AccuracyRow(
            score.quantity,
            score.group,
            score.n,
            score.studies,
            score.errors.median_ape,
            score.errors.mean_ape,
            score.errors.p90_ape,
            score.errors.bias,
            score.rule_of_thumb.mean_ape,
            score.roofline.mean_ape,
            score.way,
            score.ways["study"].mean_ape,
            score.ways["cell"].mean_ape,
            None if math.isnan(score.inside) else score.inside,
        )
        for score in accuracy.scores(by)
    )
    return (*memory_rows(facts, by), *speed)


_MEMORY: tuple[tuple[str, str, str, bool], ...] = (
    ("weights per GPU", "weights_gib_per_gpu", "est_weights_gib_per_gpu", False),
    ("KV tokens, given KV space", "kv_tokens", "est_kv_tokens", True),
    ("max concurrency, given KV space", "max_concurrency", "est_max_concurrency", True),
    ("KV space", "kv_cache_gib_per_gpu", "est_kv_cache_gib_per_gpu", False),
)


def memory_rows(facts: Catalog, by: Key) -> tuple[AccuracyRow, ...]:
    """Start-up logs against `infratui estimate`, row by row. Runtime constants are fitted on the same logs."""
    from ..engine.measured.memory_estimate import estimate_memory

    groups: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for row in facts.measured_memory():
        if row.get("left_out"):
            continue
        for name, column, estimate, given in _MEMORY:
            said = row.get(column, "")
            if not said or (given and (not row.get("kv_cache_gib_per_gpu") or row.get("kv_left_out"))):
                continue
            # llama.cpp allocates the context that is asked for: its log does not say what would have been left.
            if name == "KV space" and "llama.cpp" in row.get("engine", ""):
                continue
            told = estimate_memory(row, facts, given_kv=given).get(estimate, "")
            if told and float(said) > 0:
                key = (name, _group_of(row, by, facts))
                groups.setdefault(key, []).append((row.get("source", ""), float(told) / float(said)))
    found = []
    order = [name for name, *_ in _MEMORY]
    for (name, group), entries in sorted(groups.items(), key=lambda item: (order.index(item[0][0]), item[0][1])):
        errors = Errors.of([ratio for _, ratio in entries])
        sources = len({source for source, _ in entries})
        found.append(
            AccuracyRow(
                name,
                group,
                len(entries),
                sources,
                errors.median_ape,
                errors.mean_ape,
                errors.p90_ape,
                errors.bias,
                None,
                None,
            )
        )
    return tuple(found)


def _group_of(row: Mapping[str, str], by: Key, facts: Catalog) -> str:
    match by:
        case "regime":
            try:
                return "moe" if facts.model(row["model_id"]).is_moe else "dense"
            except ValueError:
                return "unknown"
        case "model":
            return row["model_id"]
        case "gpu":
            return row.get("gpu", "") or "not stated"
        case "engine":
            return row.get("engine", "")
