"""The tables of Parallelism: layouts, links, batching, and what is typical."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import ByteUnit, counted, format_bytes, format_count, format_seconds, significant
from .deployment import layout_text, placed_label
from .reasons import reasons_text
from .show import Cell, Column, Row, Table

if TYPE_CHECKING:
    from ..engine.cluster.hardware import Link
    from ..engine.cluster.layout import Layout
    from ..engine.cluster.traffic import LinkTime
    from ..engine.sections.layout_table import LayoutRow
    from ..engine.sections.parallelism import ParallelismResult, TypicalRow


LINKS = "Links: GB/s each way, traffic per token, and how long each link takes"


_LAYOUT_COLUMNS = (
    Column("layout", "left"),
    Column("what it is", "left", keep=2),
    Column("first", keep=1, term="ttft"),
    Column("next", term="tpot"),
    Column("tok/s", term="throughput"),
    Column("per user", keep=3, term="throughput"),
    Column("in-node B/token", keep=6, term="all-reduce"),
    Column("network B/token", keep=7, term="infiniband"),
    Column("bubble", keep=5, term="pipeline-bubble"),
    Column("KV copies", keep=8, term="kv-heads"),
    Column("free", keep=4, term="vram"),
    Column("verdict", "left", flex=True),
)


_LINK_COLUMNS = (
    Column("link", "left", flex=True),
    Column("GB/s"),
    Column("where", "left", keep=3),
    Column("B/token"),
    Column("transfer"),
    Column("latency", keep=3),
)


_TYPICAL_COLUMNS = (
    Column("model", "left", flex=True),
    Column("reference", "left"),
    Column("FP16 here", "left"),
    Column("FP8 here", "left"),
    Column("strategy", "left", keep=2),
)


_NONE = Cell("–", "muted", float("inf"))


_LOW = Cell("–", "muted", -1.0)


def link_words(time: LinkTime) -> str:
    """`in the node` or `between nodes`."""
    return "in the node" if time.reach == "node" else "between nodes"


def bytes_per_token(size: int) -> str:
    """Bytes that one token sends, decimal whatever memory is shown in: links are rated so."""
    return format_bytes(size) if size else "–"


def layouts(result: ParallelismResult, bytes_as: ByteUnit) -> Table:
    """Every layout, fastest first; the one that is drawn is marked."""
    rows = [_layout_row(row, result, bytes_as) for row in result.rows]
    of = counted(result.gpus, "GPU")
    title = f"The one layout of {of}" if len(rows) == 1 else f"All {len(rows)} layouts of {of}, fastest first"
    return Table("layouts", title, _LAYOUT_COLUMNS, tuple(rows))


def links(result: ParallelismResult) -> Table:
    """Each link with what this plan's token takes on it."""
    return Table("links", LINKS, _LINK_COLUMNS, tuple(_link_row(time) for time in result.links))


def batching(result: ParallelismResult) -> Table:
    """The same requests under each way to batch."""
    columns = (
        Column("batching", "left"),
        Column("busy"),
        Column("TTFT p95", term="ttft"),
        Column("latency p95", term="latency"),
        Column("tokens/s", term="throughput"),
        Column("TTFT p95 at a fifth of the load", keep=1, term="ttft"),
    )
    rows = tuple(
        Row(
            run.policy.value,
            (
                Cell(run.policy.value),
                Cell(f"{run.utilisation:.0%}", "", run.utilisation),
                Cell(format_seconds(run.ttft_p95_ms / 1e3), "", run.ttft_p95_ms),
                Cell(format_seconds(run.latency_p95_ms / 1e3), "", run.latency_p95_ms),
                Cell(format_count(round(run.output_tokens_per_s)), "", run.output_tokens_per_s),
                Cell(format_seconds(quiet.ttft_p95_ms / 1e3), "", quiet.ttft_p95_ms),
            ),
        )
        for run, quiet in zip(result.batching, result.quiet_batching, strict=True)
    )
    return Table("batching", "Batching: the same requests on this layout", columns, rows)


def typical(result: ParallelismResult) -> Table:
    """Typical deployments beside the engine's own."""
    rows = tuple(_typical_row(row) for row in result.typical)
    return Table("typical", "Typical deployments", _TYPICAL_COLUMNS, rows)


def _layout_row(row: LayoutRow, result: ParallelismResult, bytes_as: ByteUnit) -> Row:
    """One layout of the table."""
    label = placed_label(row.layout, row.pools)
    marked = result.chosen is not None and row.layout == result.chosen.layout
    notes = []
    if row.layout == result.ladder:
        notes.append("rule")
    if result.fastest is not None and row.layout == result.fastest.layout:
        notes.append("fastest")
    if marked and result.chosen:
        notes.append("set by hand" if result.chosen.forced else "chosen")
    if row.idle:
        notes.append(f"{row.idle:,} idle")
    name = Cell(label, "bold" if marked else "")
    why = reasons_text(row.reasons, bytes_as, "; ")
    detail = f"{label}: {why}" if why else ""
    serving, traffic = row.serving, row.traffic
    if serving is None or traffic is None:
        short = row.memory.missing if row.memory is not None and not row.legal else 0
        notes.insert(0, f"{format_bytes(short, bytes_as)} short" if short else why)
        reason = Cell(f"{'✗' if not row.legal else '?'} {' · '.join(notes)}", "bad" if marked else "muted")
        dashes = (_NONE, _NONE, _LOW, _LOW, _NONE, _NONE, _NONE, _NONE, _LOW)
        return Row(label, (name, Cell(layout_text(row.layout)), *dashes, reason), "muted", marked, detail)
    free = row.memory.free if row.memory else 0
    later = serving.output_tokens > 1
    each = 1 / serving.tpot_s if serving.tpot_s and later else 0.0
    cells = (
        name,
        Cell(layout_text(row.layout)),
        Cell(format_seconds(serving.ttft_s), "", serving.ttft_s),
        Cell(format_seconds(serving.tpot_s), "", serving.tpot_s) if later else _NONE,
        Cell(format_count(round(serving.output_per_s)), "bold", serving.output_per_s),
        Cell(significant(each), "", each) if later else _LOW,
        Cell(bytes_per_token(traffic.inside.bytes), "", traffic.inside.bytes),
        Cell(bytes_per_token(traffic.between.bytes), "", traffic.between.bytes),
        Cell(f"{serving.bubble:.0%}" if row.layout.pp > 1 else "–", "", serving.bubble),
        Cell(f"{row.kv_copies:.3g}×", "tight" if row.kv_copies > 1.01 else "", row.kv_copies),
        Cell(format_bytes(free, bytes_as), "", free),
        Cell("✓ " + " · ".join(notes), "good"),
    )
    return Row(label, cells, "", marked, detail)


def link_text(link: Link | None) -> str:
    """`NVSwitch gen3, 450 GB/s`: in one direction."""
    if link is None:
        return "no link published"
    rate = f"{link.bandwidth / 1e9:,.4g} GB/s" if link.bandwidth else "no published bandwidth"
    return f"{link.name}, {rate}"


def _link_row(time: LinkTime) -> Row:
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
    link = time.link
    detail = " · ".join(part for part in (link.name, link.used_by, link.notes) if part)
    return Row(link.id, cells, "", time.used, detail)


def _typical_row(row: TypicalRow) -> Row:
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
