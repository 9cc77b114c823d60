"""Dense and mixture of experts beside each other, line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..engine.figures.derivation import Unit
from ..engine.figures.units import (
    ByteUnit,
    format_bytes,
    format_count,
    format_seconds,
    significant,
)
from ..engine.model.parts import Part as ModelPart
from .deployment import placed_label
from .interval import around
from .moe_router import gate, times
from .money import figure, labelled, money
from .names import fitting
from .reasons import reason_text
from .show import Cell, Column, Row, Table

if TYPE_CHECKING:
    from ..engine.sections.moe import MoeResult, TradeOff
    from ..engine.sections.moe_side import Served, Side


SIDES = {"dense": "dense", "moe": "MoE", "even": "even", "": "–"}


def value(line: TradeOff, side: str, bytes_as: ByteUnit, currency: str) -> str:
    """One side's figure with its unit."""
    amount = line.dense if side == "dense" else line.moe
    if amount is None:
        return "–"
    if line.unit is Unit.FLOP:
        return f"{significant(amount / 1e9)} GFLOP"
    return figure(amount, line.unit, bytes_as, currency)


def trade_offs(result: MoeResult, bytes_as: ByteUnit) -> Table:
    """Line by line, who wins and by how much."""
    rows = tuple(_trade_row(line, result, bytes_as) for line in result.trade_offs)
    return Table("trade", "Who wins which line", _trade_columns(result), rows)


def _trade_columns(result: MoeResult) -> tuple[Column, ...]:
    """Columns of the trade-off table, headed by the models."""
    dense, moe = result.dense.model.name, result.moe.model.name
    return (
        Column("what", "left", flex=True, sortable=False),
        Column(_short(dense), sortable=False),
        Column(_short(moe), sortable=False),
        Column("wins", "left", sortable=False),
        Column("by", sortable=False),
    )


def _short(name: str) -> str:
    """A name without what every model of its kind has in it: `Llama 3.3 70B`."""
    return fitting(name.partition(" (")[0].removesuffix(" Instruct"), 20)


def _trade_row(line: TradeOff, result: MoeResult, bytes_as: ByteUnit) -> Row:
    """One line: both figures, who wins, by how much."""
    won = line.winner
    tones = {"dense": ("bold", "muted"), "moe": ("muted", "bold")}.get(won, ("", ""))
    by = times(line.ratio) if line.ratio is not None and won in ("dense", "moe") else ""
    wins = {"dense": "← dense", "moe": "→ MoE"}.get(won, SIDES[won])
    tone = {"dense": "tight", "moe": "key"}.get(won, "muted")
    return Row(
        line.name,
        (
            Cell(labelled(line.name, result.currency)),
            Cell(_bare(value(line, "dense", bytes_as, result.currency)), tones[0]),
            Cell(_bare(value(line, "moe", bytes_as, result.currency)), tones[1]),
            Cell(wins, tone),
            Cell(by, tone),
        ),
        detail=_trade_words(line, result, bytes_as),
    )


def _trade_words(line: TradeOff, result: MoeResult, bytes_as: ByteUnit) -> str:
    """A line as a sentence: who wins, both figures, and what else is to be said."""
    amounts = (
        f"{value(line, 'dense', bytes_as, result.currency)} against {value(line, 'moe', bytes_as, result.currency)}"
    )
    names = {"dense": result.dense.model.name, "moe": result.moe.model.name}
    ahead = f"{names[line.winner]} by {times(line.ratio)}" if line.winner in names and line.ratio else ""
    return f"{line.name}: " + "; ".join(part for part in (ahead, amounts, line.words, reason_text(line.reason)) if part)


def _bare(text: str) -> str:
    return text.removesuffix(" params").removesuffix("/1M tokens").replace(" tokens/s", "")


def side_by_side(result: MoeResult, bytes_as: ByteUnit) -> Table:
    """Both models line by line: what they are, what they read and compute, what they do on GPUs."""
    sides = (result.dense, result.moe)
    router = result.router
    spec = router.spec

    def both(label: str, say: Callable[[Side], str]) -> Row:
        return _pair(label, say(sides[0]), say(sides[1]))

    def size(*parts: ModelPart) -> Callable[[Side], str]:
        return lambda side: format_bytes(side.bytes_of(*parts), bytes_as) if side.bytes_of(*parts) else "–"

    def thumb(side: Side) -> str:
        return "–" if side.plain_bytes is None else format_bytes(side.plain_bytes, bytes_as)

    dense_layers = result.moe.model.layers - len(router.moe_layers)
    before = f"{dense_layers} dense, " if dense_layers else ""
    shared = f" + {spec.shared_experts} shared" if spec.shared_experts else ""
    lines = [
        both("total", lambda side: f"{format_count(side.total)}, {format_count(side.embedded)} embedded"),
        both("active", lambda side: f"{format_count(side.active)} per token ({side.active / side.total:.1%})"),
        _pair("layers", f"{result.dense.model.layers} dense", f"{before}{len(router.moe_layers)} with experts"),
        _pair("experts", "none", f"{spec.experts}, top-{router.own_top_k}{shared}"),
        _pair("router", "none", gate(router)),
        both("weights", lambda side: f"{format_bytes(side.weight_bytes, bytes_as)} in {result.precision.label}"),
        *([both(" rule of thumb", thumb)] if any(_off_thumb(side) for side in sides) else []),
        both(" attention", size(ModelPart.ATTENTION)),
        both(" MLP, shared", size(ModelPart.MLP, ModelPart.SHARED_EXPERTS)),
        both(" experts", size(ModelPart.ROUTED_EXPERTS)),
        both("KV cache", lambda side: f"{side.kv_bytes_per_token:,.0f} B/token"),
        both(f"read, batch {result.batch:,}", lambda side: _read(side, bytes_as)),
        both("compute", lambda side: f"{significant(side.flops_per_token / 1e9)} GFLOP/token"),
    ]
    lines += _rows_of("fewest GPUs", (result.dense.fewest, result.moe.fewest), result.currency)
    if any(side.budget is not side.fewest for side in sides):
        lines += _rows_of(f"on {result.budget} each", (result.dense.budget, result.moe.budget), result.currency)
    names = (sides[0].model.name, sides[1].model.name)
    columns = (Column("", "left"), Column(names[0], "left", flex=True), Column(names[1], "left", flex=True))
    return Table("cards", "Side by side", columns, tuple(lines))


def _pair(name: str, left: str, right: str) -> Row:
    """A line: its name and what it is on either side. Without a name it carries on the line above."""
    return Row(name, (Cell(name, "muted"), Cell(left), Cell(right)))


def _off_thumb(side: Side) -> bool:
    """The rule of thumb is off by more than half a percent, as it is where scales and wider parts count."""
    return side.plain_bytes is not None and abs(side.plain_bytes / side.weight_bytes - 1) > 0.005


def _read(side: Side, bytes_as: ByteUnit) -> str:
    step, token = format_bytes(side.read_bytes, bytes_as), format_bytes(side.read_bytes_per_token, bytes_as)
    return f"{step}, {token}/token"


def _rows_of(label: str, pair: tuple[Served, Served], currency: str) -> list[Row]:
    columns = [_on(served, currency) for served in pair]
    return [
        _pair(label if at == 0 else "", *texts) for at, texts in enumerate(zip(*columns, strict=True)) if any(texts)
    ]


def _on(on: Served, currency: str) -> tuple[str, str, str]:
    if on.memory is None or on.serving is None:
        return reason_text(on.reason) or "no legal layout", "", ""
    serving = on.serving
    tpot = around(serving.tpot_s, on.interval, format_seconds) or ", no measured data"
    cost = "no price" if on.usd_per_mtok is None else f"{money(on.usd_per_mtok, currency)}/1M"
    return (
        f"{on.gpus}: {placed_label(on.memory.layout, on.pools)}",
        f"{significant(serving.output_per_s)} tokens/s, {cost}",
        f"TPOT {format_seconds(serving.tpot_s)}{tpot}",
    )
