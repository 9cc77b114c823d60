"""Dense beside mixture of experts by the rule of thumb: parameters, flat bytes, GPUs for the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import ByteUnit, format_bytes, format_count, significant
from .moe_router import loads, placement, router
from .names import short_name
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Stacks, Table
from .thumb_words import NO_SPEED

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.thumb import ThumbSide, ThumbSides

ASSUMED = ("router_batch", "router_top_k", "router_skew")
"""Inputs that the summary rests on without naming them."""


def evaluate(evaluation: Evaluation) -> ThumbSides:
    """The section by the rule."""
    return evaluation.thumb_sides


def derivations(result: ThumbSides) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: ThumbSides, bytes_as: ByteUnit) -> Answer:
    """Compute against memory, and the GPUs of either."""
    dense, moe = result.dense, result.moe
    compute, held = moe.active / dense.active, moe.weights / dense.weights
    text = (
        f"MoE: {significant(compute, 2)}× the arithmetic and {significant(held, 2)}× the memory of the dense "
        f"{dense.model.name}, by the rule of thumb"
    )
    less = f"{abs(1 - compute):.0%} {'less' if compute < 1 else 'more'} compute per token"
    name = short_name(result.accelerator)
    return Answer(text, f"{moe.gpus:,} against {dense.gpus:,} × {name} for the weights", "", (
        Says("why", f"all {result.router.spec.experts} experts must be in memory "
                    f"({format_bytes(moe.weights, bytes_as)}), {result.router.spec.top_k} of them compute: {less}"),
        Says("speed", NO_SPEED, muted=True),
    ))  # fmt: skip


def page(result: ThumbSides, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel that the rule can fill, and the router, which is the same for both estimators."""
    return (
        weight_bars(result, bytes_as),
        side_by_side(result, bytes_as),
        trade_offs(result, bytes_as),
        router(result.router),
        loads(result.router),
        placement(result.router),
        notes(),
    )


def weight_bars(result: ThumbSides, bytes_as: ByteUnit) -> Stacks:
    """Both models' weights; of the mixture, the share that computes for one token."""
    wholes = []
    for label, side in (("dense", result.dense), ("MoE", result.moe)):
        share = side.weights * side.active / side.total
        wholes.append((label, (share, side.weights - share), format_bytes(side.weights, bytes_as)))
    legend = (("computes for a token", "weights"), ("waits", "muted"))
    return Stacks("weights", "Weights", legend, tuple(wholes))


def _rows(result: ThumbSides, bytes_as: ByteUnit) -> tuple[tuple[str, str, str, float, float], ...]:
    def line(name: str, dense: tuple[str, float], moe: tuple[str, float]) -> tuple[str, str, str, float, float]:
        return name, dense[0], moe[0], dense[1], moe[1]

    dense, moe = result.dense, result.moe
    return (
        line("parameters, active", *((format_count(side.active), float(side.active)) for side in (dense, moe))),
        line("FLOPs per token", *((f"{significant(side.flops_per_token / 1e9)} GFLOP", float(side.flops_per_token))
                                  for side in (dense, moe))),
        line("weights in memory", *((format_bytes(side.weights, bytes_as), float(side.weights))
                                    for side in (dense, moe))),
        line("GPUs for the weights", *((f"{side.gpus:,}", float(side.gpus)) for side in (dense, moe))),
    )  # fmt: skip


def side_by_side(result: ThumbSides, bytes_as: ByteUnit) -> Table:
    """Both models, what the rule knows of each."""
    columns = (
        Column("", "left", sortable=False),
        Column(result.dense.model.name, "left", sortable=False),
        Column(result.moe.model.name, "left", sortable=False),
    )
    names = ("total", format_count(result.dense.total), format_count(result.moe.total), 0.0, 0.0)
    rows = (names, *_rows(result, bytes_as))
    return Table("cards", "Side by side", columns, tuple(
        Row(name, (Cell(name), Cell(dense), Cell(moe))) for name, dense, moe, _, _ in rows
    ))  # fmt: skip


def trade_offs(result: ThumbSides, bytes_as: ByteUnit) -> Table:
    """Who wins which line, and by how much."""
    columns = (
        Column("what", "left", flex=True, sortable=False),
        Column("dense", sortable=False),
        Column("MoE", sortable=False),
        Column("wins", "left", sortable=False),
        Column("by", sortable=False),
    )
    found = []
    for name, dense, moe, first, second in _rows(result, bytes_as):
        wins = "even" if first == second else "← dense" if first < second else "→ MoE"
        by = "" if first == second else f"{significant(max(first, second) / min(first, second), 2)}×"
        found.append(Row(name, tuple(Cell(text) for text in (name, dense, moe, wins, by))))
    return Table("trade", "Who wins which line", columns, tuple(found))


def notes() -> Prose:
    """What the rule leaves out."""
    return Prose(
        "notes",
        "When which pays",
        (
            Says("speed", NO_SPEED),
            Says("quality", "A mixture answers like a dense model between its active and its total size; compare both "
                            "on your own tasks."),
        ),
    )  # fmt: skip


def headlines(evaluation: Evaluation, result: ThumbSides) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    return tuple(
        entry
        for label, side in (("Dense", result.dense), ("MoE", result.moe))
        for entry in (
            headline(f"{label}: weights", side.weights, Unit.BYTES),
            headline(f"{label}: GPUs", side.gpus),
        )
    )


def summary(result: ThumbSides, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences."""
    said = answer(result, bytes_as)
    return f"{said.text}; {said.figure}. {said.lines[0].text[:1].upper()}{said.lines[0].text[1:]}."


def _side_data(side: ThumbSide) -> dict[str, object]:
    return {
        "model": side.model.id,
        "parameters": side.total,
        "active_parameters": side.active,
        "weights_bytes": side.weights,
        "gpus": side.gpus,
        "flops_per_token": side.flops_per_token,
    }


def data(result: ThumbSides, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values."""
    batch = result.router.batch
    return {
        "estimator": "rule-of-thumb",
        "dense": _side_data(result.dense),
        "moe": _side_data(result.moe),
        "router": {
            "experts": result.router.spec.experts,
            "top_k": result.router.spec.top_k,
            "touched": batch.touched,
            "touched_expected": batch.touched_expected,
            "imbalance": batch.imbalance,
        },
        "no_speed": NO_SPEED,
        "summary": summary(result),
    }
