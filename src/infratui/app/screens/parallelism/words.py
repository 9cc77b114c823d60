"""Rows and lines of the Parallelism screen."""

from __future__ import annotations

from ....engine.cluster.hardware import Link
from ....engine.cluster.layout import Layout
from ....engine.cluster.traffic import LinkTime
from ....engine.figures.units import ByteUnit, format_bytes, format_count, format_seconds
from ....engine.sections.layout_table import LayoutRow
from ....engine.sections.parallelism import ParallelismResult, TypicalRow
from ....report.parallelism import bytes_per_token, figure, link_words, tone, verdict, why
from ...widgets.headline import Answer
from ...widgets.table import Cell, Column, Row

LAYOUT_COLUMNS = (
    Column("layout", "left"),
    Column("TTFT", keep=1),
    Column("TPOT"),
    Column("tokens/s"),
    Column("node B/tok", keep=2),
    Column("net B/tok", keep=3),
    Column("bubble", keep=4),
    Column("KV copies", keep=5),
    Column("free", keep=6),
    Column("", "left", flex=True),
)
LINK_COLUMNS = (
    Column("link", "left", flex=True),
    Column("GB/s each way"),
    Column("where", "left", keep=1),
    Column("B/token"),
    Column("transfer"),
    Column("latency"),
)
TYPICAL_COLUMNS = (
    Column("model", "left", flex=True),
    Column("reference", "left"),
    Column("FP16 here", "left"),
    Column("FP8 here", "left"),
    Column("strategy", "left", keep=2),
)
_NONE = Cell("–", "muted", float("inf"))
_LOW = Cell("–", "muted", -1.0)


def answer(result: ParallelismResult, bytes_as: ByteUnit) -> Answer:
    """The headline: layout, speed with its error, why."""
    return Answer(figure(result), verdict(result, bytes_as), tone(result), why(result))


def layout_row(row: LayoutRow, result: ParallelismResult, bytes_as: ByteUnit) -> Row:
    """One layout of the table."""
    label = row.layout.label
    marked = result.chosen is not None and row.layout == result.chosen.layout
    notes = []
    if row.layout == result.ladder:
        notes.append("ladder")
    if result.fastest is not None and row.layout == result.fastest.layout:
        notes.append("fastest")
    if marked and result.chosen and result.chosen.forced:
        notes.append("set by hand")
    if row.idle:
        notes.append(f"{row.idle:,} idle")
    name = Cell(label, "bold" if marked else "")
    serving, traffic = row.serving, row.traffic
    if serving is None or traffic is None:
        short = row.memory.missing if row.memory is not None and not row.legal else 0
        notes.insert(0, f"{format_bytes(short, bytes_as)}/GPU short" if short else row.reason)
        reason = Cell(f"{'✗' if not row.legal else '?'} {' · '.join(notes)}", "bad" if marked else "muted")
        dashes = (_NONE, _NONE, _LOW, _NONE, _NONE, _NONE, _NONE, _LOW)
        return Row(label, (name, *dashes, reason), "muted", marked)
    free = row.memory.free if row.memory else 0
    cells = (
        name,
        Cell(format_seconds(serving.ttft_s), "", serving.ttft_s),
        Cell(format_seconds(serving.tpot_s), "", serving.tpot_s),
        Cell(format_count(round(serving.output_per_s)), "bold", serving.output_per_s),
        Cell(bytes_per_token(traffic.inside.bytes), "", traffic.inside.bytes),
        Cell(bytes_per_token(traffic.between.bytes), "", traffic.between.bytes),
        Cell(f"{serving.bubble:.0%}" if row.layout.pp > 1 else "–", "", serving.bubble),
        Cell(f"{row.kv_copies:.3g}×", "tight" if row.kv_copies > 1.01 else "", row.kv_copies),
        Cell(format_bytes(free, bytes_as), "", free),
        Cell("✓ " + " · ".join(notes), "good"),
    )
    return Row(label, cells, "", marked)


def link_text(link: Link | None) -> str:
    """`NVSwitch gen3, 450 GB/s`: in one direction."""
    if link is None:
        return "no link published"
    rate = f"{link.bandwidth / 1e9:,.4g} GB/s" if link.bandwidth else "no published bandwidth"
    return f"{link.name}, {rate}"


def link_row(time: LinkTime) -> Row:
    """One link with what this plan's token takes on it."""
    strong = "bold" if time.used else ""
    rate = Cell(f"{time.bandwidth / 1e9:,.4g}", "", time.bandwidth) if time.bandwidth else _LOW
    transfer = _NONE if time.transfer_s is None else Cell(format_seconds(time.transfer_s), strong, time.transfer_s)
    latency = _NONE
    if time.latency_s:
        latency = Cell(f"{time.share.messages} × {time.link.latency_us:g} µs", "", time.latency_s)
    cells = (
        Cell(time.link.name, strong),
        rate,
        Cell(link_words(time)),
        Cell(bytes_per_token(time.share.bytes), "", time.share.bytes),
        transfer,
        latency,
    )
    return Row(time.link.id, cells, "", time.used)


def typical_row(row: TypicalRow) -> Row:
    """A typical deployment beside the engine's own."""
    return Row(
        row.typical.model,
        (
            Cell(row.model.name),
            Cell(row.typical.said),
            Cell(_layout(row.sixteen_bit), "bold"),
            Cell(_layout(row.recommended), "bold"),
            Cell(row.typical.strategy, "muted"),
        ),
    )


def _layout(layout: Layout | None) -> str:
    return f"{layout.gpus:,} ({layout.label})" if layout else "none"
