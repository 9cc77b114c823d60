"""Memory by the rule of thumb in words: parameters × bytes, full caches, 15 % on top, cards by their gigabytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Better, Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import (
    GIB,
    ByteUnit,
    counted,
    format_bytes,
    format_count,
    format_gigabytes,
    format_tokens,
)
from .money import money
from .names import short_name
from .show import Answer, Bar, Bars, Block, Cell, Chart, Column, Row, Says, Stack, StackPart, Table
from .thumb_words import GIGABYTES, card_text, unknown_text
from .vram_accelerators import MOST_NODES
from .vram_growth import growth_chart

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.memory.rule_of_thumb import RuleOfThumbMemory
    from ..engine.sections.thumb import ThumbMemory, ThumbRow

ASSUMED = ()
"""Inputs that the summary rests on without naming them: the rule asks for no more."""


def evaluate(evaluation: Evaluation) -> ThumbMemory:
    """The section by the rule. Raises ValueError in one line for a cache that it does not know."""
    from ..engine.sections.thumb import NoThumbError

    try:
        return evaluation.thumb_memory
    except NoThumbError as error:
        raise ValueError(unknown_text(error.model, error.unknown)) from None


def derivations(result: ThumbMemory) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: ThumbMemory, bytes_as: ByteUnit) -> Answer:
    """Whether the cards hold it by the rule, the fewest that do, the cheapest, and the detailed estimate."""
    sizing = result.sizing
    cards = card_text(sizing)
    if result.fits:
        text = f"By the rule of thumb {cards} hold it"
        users, context = counted(sizing.max_users or 0, "user"), format_tokens(sizing.max_context or 0)
        figure = f"{format_bytes(sizing.free_per_gpu, bytes_as)} free per GPU · room for {users}, or {context} "
        figure += "tokens each"
    else:
        text = f"By the rule of thumb it takes {sizing.least:,} × {short_name(sizing.accelerator)}, you have "
        text += f"{sizing.gpus:,}"
        figure = f"{format_bytes(-sizing.free_per_gpu, bytes_as)} short on each GPU"
    says = [Says("fewest", f"{sizing.least:,}: {format_bytes(memory(result).total, bytes_as)} on cards of "
                           f"{sizing.card_gb:g} GB ({GIGABYTES})")]  # fmt: skip
    if cheap := cheapest(result):
        says.append(Says("cheapest", cheap))
    if result.detailed is not None:
        says.append(Says("detailed", f"copies, padding and buffers counted: {format_bytes(result.detailed, bytes_as)}",
                         muted=True))  # fmt: skip
    return Answer(text, figure, "good" if result.fits else "bad", tuple(says))


def memory(result: ThumbMemory) -> RuleOfThumbMemory:
    """Weights, cache and overhead: known wherever there is a result."""
    found = result.sizing.memory
    assert found is not None
    return found


def cheapest(result: ThumbMemory) -> str:
    """The cards that hold it for the least money, by published rents."""
    priced = sorted(
        ((usd, row) for row in result.rows if row.nodes <= MOST_NODES and (usd := result.monthly(row)) is not None),
        key=lambda pair: pair[0],
    )
    found = [f"{row.gpus:,} × {short_name(row.accelerator)} {money(usd, result.currency)}" for usd, row in priced[:3]]
    return f"{'; then '.join(filter(None, (found[0], ', '.join(found[1:]))))} a month rented" if found else ""


def page(result: ThumbMemory, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel that the rule can fill, in reading order."""
    return stack(result, bytes_as), accelerators(result, bytes_as), growth(result, bytes_as), formulas(result, bytes_as)


def stack(result: ThumbMemory, bytes_as: ByteUnit) -> Stack:
    """One copy with all users, in its three parts."""
    found = memory(result)
    amounts = (("weights", found.weights, "weights"), ("KV cache", found.kv_cache, "kv"),
               ("overhead 15 %", found.overhead, "overhead"))  # fmt: skip
    parts = tuple(StackPart(label, amount, format_bytes(amount, bytes_as), tone) for label, amount, tone in amounts)
    total = format_bytes(found.total, bytes_as)
    sizing = result.sizing
    return Stack("total", "In all", parts, sizing.gpus * sizing.card, f"{sizing.gpus:,} × {sizing.card_gb:g} GB",
                 label="in all", below=(Says("total", f"{total}, one copy"),))  # fmt: skip


def accelerators(result: ThumbMemory, bytes_as: ByteUnit) -> Table:
    """Every card of the catalog, the cheapest first."""
    columns = (
        Column("GPU", "left", flex=True),
        Column("card GB", keep=4),
        Column("GPUs"),
        Column("layout", "left", keep=1, term="tensor-parallelism"),
        Column("nodes", keep=5, term="node"),
        Column(f"free {bytes_as.value}", keep=2),
        Column("max users", term="concurrency"),
        Column("max ctx", keep=3, term="context-window"),
        Column(f"{result.currency}/month", keep=2, term="on-demand"),
    )
    rows = tuple(_row(row, result, bytes_as) for row in sorted(result.rows, key=lambda row: _order(row, result)))
    return Table("fits", "On every accelerator by the rule of thumb, the cheapest first", columns, rows)


def _order(row: ThumbRow, result: ThumbMemory) -> tuple[bool, bool, float, int]:
    usd = result.monthly(row)
    return row.nodes > MOST_NODES, usd is None, usd or 0.0, row.gpus


def _row(row: ThumbRow, result: ThumbMemory, bytes_as: ByteUnit) -> Row:
    usd, accelerator = result.monthly(row), row.accelerator
    marked = accelerator is result.sizing.accelerator
    own = accelerator.origin != "built-in"
    size = accelerator.memory_marketing_gb
    cells = (
        Cell(("◆ " if own else "") + short_name(accelerator), "bold" if marked else ""),
        Cell(f"{size:g}", "", size),
        Cell(f"{row.gpus:,}", "bold", row.gpus),
        Cell(row.layout.label, "", row.gpus),
        Cell(str(row.nodes), "", row.nodes),
        Cell(format_gigabytes(row.free, bytes_as), "", row.free),
        Cell(format_count(row.max_users), "", row.max_users),
        Cell(format_tokens(row.max_context), "", row.max_context),
        Cell("–", "muted", float("inf")) if usd is None else Cell(money(usd, result.currency), "", usd),
    )
    detail = f"{accelerator.name}: {GIGABYTES}"
    return Row(accelerator.id, cells, "" if row.nodes <= MOST_NODES else "muted", marked, detail, own)


def growth(result: ThumbMemory, bytes_as: ByteUnit) -> Chart:
    """One copy against users, one curve per context, the cards' gigabytes as a rule."""
    return growth_chart(
        result.growth, result.load, f"{result.sizing.gpus:,} × {short_name(result.sizing.accelerator)}", bytes_as
    )


def formulas(result: ThumbMemory, bytes_as: ByteUnit) -> Bars:
    """The three products behind the total."""
    found, sizing = memory(result), result.sizing
    figures = sizing.figures
    weights = f"{format_count(figures.parameters)} parameters × {sizing.bytes_per_parameter:g} B"
    cache = (
        f"2 × {figures.layers} × {figures.kv_heads} × {figures.head_dim} × {sizing.kv_bytes_per_element:g} B × "
        f"{sizing.context:,} tokens × {sizing.users:,} users"
    )
    lines = (
        ("weights", found.weights, "weights", weights),
        ("KV cache", found.kv_cache, "kv", cache),
        ("overhead", found.overhead, "overhead", "15 % of both, for contexts, activations and buffers"),
    )
    return Bars(
        "parts",
        "What the total is made of",
        tuple(Bar(label, amount, format_bytes(amount, bytes_as), tone, note) for label, amount, tone, note in lines),
    )


def headlines(evaluation: Evaluation, result: ThumbMemory) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    found, sizing = memory(result), result.sizing
    return (
        headline("Memory of one replica", found.total, Unit.BYTES),
        headline("Weights", found.weights, Unit.BYTES),
        headline("KV cache", found.kv_cache, Unit.BYTES),
        headline("Runtime", found.overhead, Unit.BYTES),
        headline("GPUs needed", sizing.least),
        headline("Free per GPU", sizing.free_per_gpu, Unit.BYTES, Better.HIGHER),
        headline("Largest users", sizing.max_users, Unit.COUNT, Better.HIGHER),
        headline("Longest context", sizing.max_context, Unit.TOKENS, Better.HIGHER),
    )


def summary(result: ThumbMemory, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences."""
    found, sizing = memory(result), result.sizing
    parts = (
        f"weights {format_bytes(found.weights, bytes_as)} + KV cache {format_bytes(found.kv_cache, bytes_as)} + 15 % "
        f"{format_bytes(found.overhead, bytes_as)}"
    )
    count = counted(sizing.users, "user")
    detailed = "" if result.detailed is None else (
        f" The detailed estimate counts {format_bytes(result.detailed, bytes_as)} on its own layout."
    )  # fmt: skip
    lead = answer(result, bytes_as)
    return (
        f"{sizing.model.name} with {result.precision.label} weights and {result.kv_precision.label} KV cache, for "
        f"{count} at {format_tokens(sizing.context)} tokens, by the rule of thumb: "
        f"{format_bytes(found.total, bytes_as)} ({parts}). {lead.text}: {lead.figure}.{detailed}"
    )


def data(result: ThumbMemory, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values; bytes are integers."""
    found, sizing = memory(result), result.sizing
    return {
        "model": sizing.model.id,
        "precision": result.precision.id,
        "kv_precision": result.kv_precision.id,
        "users": sizing.users,
        "context_tokens": sizing.context,
        "estimator": "rule-of-thumb",
        "estimates": {
            "rule-of-thumb": {
                "weights_bytes": found.weights,
                "kv_cache_bytes": found.kv_cache,
                "runtime_bytes": found.overhead,
                "total_bytes": found.total,
                "total_gib": found.total / GIB,
                "band_pct": None,
            }
        },
        "detailed_total_bytes": result.detailed,
        "fits": result.fits,
        "selected": {
            "accelerator": sizing.accelerator.id,
            "gpus": sizing.gpus,
            "card_gb": sizing.card_gb,
            "needed_gpus": sizing.least,
            "free_bytes_per_gpu": sizing.free_per_gpu,
            "max_users": sizing.max_users,
            "max_context": sizing.max_context,
        },
        "accelerators": [
            {
                "id": row.accelerator.id,
                "card_gb": row.accelerator.memory_marketing_gb,
                "usd_per_month": result.monthly(row),
                "gpus": row.gpus,
                "layout": row.layout.label,
                "nodes": row.nodes,
                "free_gib_per_gpu": row.free / GIB,
                "max_users": row.max_users,
                "max_context": row.max_context,
            }
            for row in result.rows
        ],
    }
