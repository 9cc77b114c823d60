"""The same load on every accelerator of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.cluster.abilities import Cannot
from ..engine.figures.units import (
    ByteUnit,
    format_count,
    format_gigabytes,
    format_tokens,
)
from .money import money
from .names import short_name
from .reasons import no_layout_text, reason_text
from .show import (
    Cell,
    Column,
    Row,
    Table,
)

if TYPE_CHECKING:
    from ..engine.sections.vram import AcceleratorRow, VramResult


TONES = {"fits": "good", "tight": "tight", "no": "bad"}


GLYPHS = {"fits": "✓", "tight": "!", "no": "✗"}


MOST_NODES = 8
"""Servers beyond which a row of the table is arithmetic rather than a plan."""


def _sane(entry: AcceleratorRow) -> bool:
    """As many servers as a team runs."""
    return entry.nodes is not None and entry.nodes <= MOST_NODES


def accelerators(result: VramResult, bytes_as: ByteUnit) -> Table:
    """The fewest of every accelerator that hold the load."""
    columns = (
        Column("GPU", "left", flex=True),
        Column(f"usable {bytes_as.value}", keep=4, term="gpu-memory-utilization"),
        Column("GPUs"),
        Column(f"{result.currency}/month", keep=1, term="on-demand"),
        Column("layout", "left", keep=1, term="tensor-parallelism"),
        Column("nodes", keep=5, term="node"),
        Column(f"free {bytes_as.value}", keep=2),
        Column("max users", term="concurrency"),
        Column("max ctx", keep=3, term="context-window"),
        Column("fits", "left"),
    )
    selected = result.selected.accelerator
    entries = sorted(result.rows, key=lambda entry: _order(entry, result))
    rows = tuple(_accelerator(entry, bytes_as, entry.accelerator is selected, result) for entry in entries)
    aside = f"need more than {MOST_NODES} nodes, or hold it in no layout"
    if any(entry.reason is not None and isinstance(entry.reason.kind, Cannot) for entry in result.rows):
        aside = f"{aside} of this engine"
    return Table("fits", "On every accelerator, the cheapest first", columns, rows, aside)


def _order(entry: AcceleratorRow, result: VramResult) -> tuple[bool, bool, float, int]:
    """Those that hold it on a few servers first, by price; then those without one; then what is absurd."""
    usd = result.monthly(entry)
    return not _sane(entry), usd is None, usd or 0.0, entry.gpus or 1 << 30


def _accelerator(entry: AcceleratorRow, bytes_as: ByteUnit, marked: bool, result: VramResult) -> Row:
    accelerator = entry.accelerator
    usd = result.monthly(entry)
    own = accelerator.origin != "built-in"
    name = Cell(("◆ " if own else "") + short_name(accelerator), "bold" if marked else "")
    usable = Cell(format_gigabytes(entry.usable, bytes_as), "", entry.usable)
    fits = Cell(f"{GLYPHS[entry.verdict]} {entry.verdict.value}", TONES[entry.verdict])
    detail = f"{accelerator.name}: {reason_text(entry.reason) or entry.verdict.value}"
    if entry.gpus is None or entry.layout is None or entry.free is None:
        none, low = Cell("–", "muted", float("inf")), Cell("–", "muted", -1.0)
        cells = (name, usable, none, none, Cell(no_layout_text(entry.reason), "muted"), none, low, low, low, fits)
        return Row(accelerator.id, cells, "", marked, detail, own, aside=not marked)
    arithmetic = entry.gpus_arithmetic
    gpus = f"{arithmetic}→{entry.gpus}" if arithmetic is not None and arithmetic != entry.gpus else str(entry.gpus)
    cells = (
        name,
        usable,
        Cell(gpus, "bold", entry.gpus),
        Cell("–", "muted", float("inf")) if usd is None else Cell(money(usd, result.currency), "", usd),
        Cell(entry.layout.label, "", entry.gpus),
        Cell(str(entry.nodes), "", entry.nodes),
        Cell(format_gigabytes(entry.free, bytes_as), "", entry.free),
        Cell(format_count(entry.max_users or 0), "", entry.max_users),
        Cell(format_tokens(entry.max_context or 0), "", entry.max_context),
        fits,
    )
    aside = not _sane(entry)
    return Row(accelerator.id, cells, "muted" if aside else "", marked, detail, own, aside and not marked)
