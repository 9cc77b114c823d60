"""What the MoE screen says: headline, cards, trade-off rows, experts on GPUs, and when which model pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from ....engine.figures.units import ByteUnit, format_bytes, format_count, format_seconds, format_usd, significant
from ....engine.model.architecture import Part
from ....report.moe import SIDES, even_batch, gate, offload, pays, ratios, sentence, times, value
from ...widgets.headline import Answer
from ...widgets.prose import Says
from ...widgets.table import Cell, Column, Row
from .side_cards import Figure
from .weight_bars import WeightBar

if TYPE_CHECKING:
    from ....engine.experts.router import RouterResult
    from ....engine.experts.spread import Placement
    from ....engine.sections.moe import MoeResult, TradeOff
    from ....engine.sections.moe_side import Served, Side

_LEVELS = "▁▂▃▄▅▆▇"
_MOST_GPUS = 48
"""GPUs that one line of load shows."""
_COPIES = 6
"""Copied experts that are named."""


def answer(result: MoeResult, bytes_as: ByteUnit) -> Answer:
    """The headline: compute against memory, and who wins what on the same GPUs."""
    compute, memory = ratios(result)
    router = result.router
    first, second = result.dense.budget.serving, result.moe.budget.serving
    if first and second:
        lead = "dense" if first.output_per_s > second.output_per_s else "MoE"
        most, least = sorted((first.output_per_s, second.output_per_s), reverse=True)
        text = f"{lead} makes {times(most / least)} the tokens/s on {result.budget} GPUs each"
    else:
        text = next(
            (side.budget.reason for side in (result.dense, result.moe) if side.budget.reason), "no prediction for both"
        )
    held = format_bytes(result.moe.weight_bytes, bytes_as)
    tokens = "1 token touches" if router.batch.batch == 1 else f"{router.batch.batch:,} tokens touch"
    detail = (
        f"memory is for all {router.spec.experts} experts ({held}), speed for the {router.batch.touched} that {tokens}"
    )
    return Answer(f"{compute} compute, {memory} memory", text, "", detail)


def weight_bars(result: MoeResult, bytes_as: ByteUnit) -> tuple[tuple[WeightBar, ...], tuple[str, str, str, str]]:
    """Both models' weights, the routed experts split into those that the batch reads and those that wait."""
    batch = result.router.batch
    share = batch.touched / result.router.spec.experts
    bars = []
    for label, side in (("dense", result.dense), ("MoE", result.moe)):
        routed = side.bytes_of(Part.ROUTED_EXPERTS)
        mlp = side.bytes_of(Part.MLP, Part.SHARED_EXPERTS)
        read = round(routed * share)
        rest = side.weight_bytes - routed - mlp
        amounts = (rest, mlp, read, routed - read)
        bars.append(WeightBar(label, amounts, format_bytes(side.weight_bytes, bytes_as)))
    tokens = "1 token reads" if batch.batch == 1 else f"{batch.batch:,} tokens read"
    return tuple(bars), ("attention, head", "MLP, shared", f"experts {tokens}", "that wait")


def figures(result: MoeResult, bytes_as: ByteUnit) -> tuple[Figure, ...]:
    """Both models line by line: what they are, what they read and compute, what they do on GPUs."""
    sides = (result.dense, result.moe)
    router = result.router
    spec = router.spec

    def both(label: str, say: Callable[[Side], str]) -> Figure:
        return Figure(label, say(sides[0]), say(sides[1]))

    def size(*parts: Part) -> Callable[[Side], str]:
        return lambda side: format_bytes(side.bytes_of(*parts), bytes_as) if side.bytes_of(*parts) else "–"

    def thumb(side: Side) -> str:
        return "–" if side.plain_bytes is None else format_bytes(side.plain_bytes, bytes_as)

    dense_layers = result.moe.model.layers - len(router.moe_layers)
    before = f"{dense_layers} dense, " if dense_layers else ""
    shared = f" + {spec.shared_experts} shared" if spec.shared_experts else ""
    lines = [
        both("total", lambda side: f"{format_count(side.total)}, {format_count(side.embedded)} embedded"),
        both("active", lambda side: f"{format_count(side.active)} per token ({side.active / side.total:.1%})"),
        Figure("layers", f"{result.dense.model.layers} dense", f"{before}{len(router.moe_layers)} with experts"),
        Figure("experts", "none", f"{spec.experts}, top-{router.own_top_k}{shared}"),
        Figure("router", "none", gate(router)),
        both("weights", lambda side: f"{format_bytes(side.weight_bytes, bytes_as)} in {result.precision.label}"),
        *([both(" rule of thumb", thumb)] if any(_off_thumb(side) for side in sides) else []),
        both(" attention", size(Part.ATTENTION)),
        both(" MLP, shared", size(Part.MLP, Part.SHARED_EXPERTS)),
        both(" experts", size(Part.ROUTED_EXPERTS)),
        both("KV cache", lambda side: f"{side.kv_bytes_per_token:,.0f} B/token"),
        both(f"read, batch {result.batch:,}", lambda side: _read(side, bytes_as)),
        both("compute", lambda side: f"{significant(side.flops_per_token / 1e9)} GFLOP/token"),
    ]
    lines += _served("fewest GPUs", (result.dense.fewest, result.moe.fewest))
    if any(side.budget is not side.fewest for side in sides):
        lines += _served(f"on {result.budget} each", (result.dense.budget, result.moe.budget))
    return tuple(lines)


def _off_thumb(side: Side) -> bool:
    """The rule of thumb is off by more than half a percent, as it is where scales and wider parts count."""
    return side.plain_bytes is not None and abs(side.plain_bytes / side.weight_bytes - 1) > 0.005


def _read(side: Side, bytes_as: ByteUnit) -> str:
    step, token = format_bytes(side.read_bytes, bytes_as), format_bytes(side.read_bytes_per_token, bytes_as)
    return f"{step}, {token}/token"


def _served(label: str, pair: tuple[Served, Served]) -> list[Figure]:
    columns = [_on(served) for served in pair]
    return [
        Figure(label if at == 0 else "", *texts) for at, texts in enumerate(zip(*columns, strict=True)) if any(texts)
    ]


def _on(on: Served) -> tuple[str, str, str]:
    if on.memory is None or on.serving is None:
        return on.reason or "no legal layout", "", ""
    serving = on.serving
    band = f" ±{on.band_pct:.0f} %" if on.band_pct is not None else ", no measured data"
    cost = "no price" if on.usd_per_mtok is None else f"{format_usd(on.usd_per_mtok)}/1M"
    return (
        f"{on.gpus}: {on.memory.layout.label}",
        f"{significant(serving.output_per_s)} tokens/s, {cost}",
        f"TPOT {format_seconds(serving.tpot_s)}{band}",
    )


def trade_columns(result: MoeResult | None = None) -> tuple[Column, ...]:
    """Columns of the trade-off table, headed by the models."""
    dense = result.dense.model.name if result else "dense"
    moe = result.moe.model.name if result else "MoE"
    return (
        Column("what", "left", flex=True, sortable=False),
        Column(_short(dense), sortable=False),
        Column(_short(moe), sortable=False),
        Column("wins", "left", sortable=False),
        Column("by", sortable=False),
    )


def _short(name: str) -> str:
    return name if len(name) <= 18 else name[:17] + "…"


def trade_row(line: TradeOff, bytes_as: ByteUnit) -> Row:
    """One line: both figures, who wins, by how much."""
    won = line.winner
    tones = {"dense": ("bold", "muted"), "moe": ("muted", "bold")}.get(won, ("", ""))
    by = times(line.ratio) if line.ratio is not None and won in ("dense", "moe") else ""
    wins = {"dense": "← dense", "moe": "→ MoE"}.get(won, SIDES[won])
    tone = {"dense": "tight", "moe": "key"}.get(won, "muted")
    return Row(
        line.name,
        (
            Cell(line.name),
            Cell(_bare(value(line, "dense", bytes_as)), tones[0]),
            Cell(_bare(value(line, "moe", bytes_as)), tones[1]),
            Cell(wins, tone),
            Cell(by, tone),
        ),
    )


def trade_words(line: TradeOff, result: MoeResult, bytes_as: ByteUnit) -> str:
    """A line as a sentence: who wins, both figures, and what else is to be said."""
    amounts = f"{value(line, 'dense', bytes_as)} against {value(line, 'moe', bytes_as)}"
    names = {"dense": result.dense.model.name, "moe": result.moe.model.name}
    ahead = f"{names[line.winner]} by {times(line.ratio)}" if line.winner in names and line.ratio else ""
    return f"{line.name}: " + "; ".join(part for part in (ahead, amounts, line.words) if part)


def _bare(text: str) -> str:
    return text.removesuffix(" params").removesuffix("/1M tokens").replace(" tokens/s", "")


def router_title(router: RouterResult, *, whole: bool) -> str:
    """Title of the routing panel."""
    own = "" if router.spec.top_k == router.own_top_k else f" (its own is {router.own_top_k})"
    what, other = ("a whole batch", "tokens") if whole else ("token by token", "the batch")
    return f"Router of layer {router.layer}: top-{router.spec.top_k} of {router.spec.experts}{own}, {what} · v: {other}"


def placement_loads(router: RouterResult) -> tuple[Content, ...]:
    """Load per GPU, in order and with hot experts copied; nothing where there is one GPU."""
    if router.ep == 1:
        return ()
    return _loads("in order", router.linear), _loads("hot ones copied", router.replicated)


def placement_words(router: RouterResult) -> tuple[Says, ...]:
    """What the fullest GPU costs, and what copies would."""
    if router.ep == 1:
        lines = [Says("", "One GPU holds all experts: nothing waits for another. Raise EP to spread them.")]
    else:
        copies = router.replicated.copies
        copied = sorted(
            (expert for expert, count in enumerate(copies) if count > 1),
            key=lambda expert: (-copies[expert], -router.batch.load[expert], expert),
        )
        names = ", ".join(f"E{expert} ×{copies[expert]}" for expert in copied[:_COPIES])
        more = f" and {len(copied) - _COPIES} more" if len(copied) > _COPIES else ""
        lines = [
            Says(
                "",
                "The expert part of a step waits for the fullest GPU: "
                f"{significant(router.linear.slowdown)}× as long as with an even load, "
                f"{significant(router.replicated.slowdown)}× with {sum(copies) - len(copies)} "
                f"copies of experts in each layer ({names}{more}).",
            )
        ]
    if router.ep_note:
        lines.append(Says("", f"{router.ep_note}.", muted=True))
    return tuple(lines)


def _loads(label: str, placement: Placement) -> Content:
    loads = placement.load_per_gpu
    top = max(loads) or 1.0
    bars = "".join(_LEVELS[min(6, int(load / top * 7))] for load in loads[:_MOST_GPUS])
    return Content.assemble(
        (f" {label:<16}", "$muted"),
        (f"{times(placement.slowdown):>6}", "bold"),
        " ",
        (bars + ("…" if len(loads) > _MOST_GPUS else ""), "$weights"),
    )


def notes(result: MoeResult, bytes_as: ByteUnit) -> tuple[Says, ...]:
    """When which model pays, in words."""
    for_dense, for_moe = pays(result, bytes_as)
    parts = (
        ("memory, speed", sentence(result, bytes_as).partition(": ")[2]),
        ("dense pays", for_dense),
        ("MoE pays", for_moe),
        ("bytes", even_batch(result)),
        ("offload", offload(result, bytes_as)),
        ("quality", result.quality_caveat),
        *((("GPUs", f"{result.budget_words}."),) if result.budget_words else ()),
    )
    return tuple(Says(label, text) for label, text in parts)
