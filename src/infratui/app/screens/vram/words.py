"""What the VRAM screen says: headline, table rows, summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....engine.figures.units import ByteUnit, format_count, format_gigabytes, format_tokens
from ....report.vram import reasons, short_name, total_text, verdict
from ...widgets.headline import Answer
from ...widgets.table import Cell, Column, Row

if TYPE_CHECKING:
    # The engine is loaded when it is first asked: the frame of the screen is drawn before that.
    from ....engine.sections.vram import AcceleratorRow, VramResult

TONES = {"fits": "good", "tight": "tight", "no": "bad"}
GLYPHS = {"fits": "✓", "tight": "!", "no": "✗"}


def answer(result: VramResult, bytes_as: ByteUnit) -> Answer:
    """The headline: what it needs, whether the chosen GPUs hold it, and why it takes as many as it does."""
    return Answer(
        total_text(result.headline, bytes_as),
        verdict(result, bytes_as),
        TONES[result.selected.verdict],
        reasons(result, bytes_as),
    )


def columns(bytes_as: ByteUnit) -> tuple[Column, ...]:
    """Columns of the accelerator table."""
    return (
        Column("GPU", "left", flex=True),
        Column(f"usable {bytes_as.value}", keep=4),
        Column("GPUs"),
        Column("layout", "left", keep=1),
        Column("nodes", keep=5),
        Column(f"free {bytes_as.value}", keep=2),
        Column("max users"),
        Column("max ctx", keep=3),
        Column("fits", "left"),
    )


def row(entry: AcceleratorRow, bytes_as: ByteUnit, marked: bool) -> Row:
    """One accelerator as a row of the table."""
    accelerator = entry.accelerator
    own = "◆ " if accelerator.origin != "built-in" else ""
    name = Cell(own + short_name(accelerator.name, accelerator.vendor), "bold" if marked else "")
    usable = Cell(format_gigabytes(entry.usable, bytes_as), "", entry.usable)
    tone = TONES[entry.verdict]
    fits = Cell(f"{GLYPHS[entry.verdict]} {entry.verdict.value}", tone)
    if entry.gpus is None or entry.layout is None or entry.free is None:
        none = Cell("–", "muted", float("inf"))
        low = Cell("–", "muted", -1.0)
        return Row(
            accelerator.id, (name, usable, none, Cell("none legal", "muted"), none, low, low, low, fits), "", marked
        )
    arithmetic = entry.gpus_arithmetic
    gpus = f"{arithmetic}→{entry.gpus}" if arithmetic is not None and arithmetic != entry.gpus else str(entry.gpus)
    cells = (
        name,
        usable,
        Cell(gpus, "bold", entry.gpus),
        Cell(entry.layout.label, "", entry.gpus),
        Cell(str(entry.nodes), "", entry.nodes),
        Cell(format_gigabytes(entry.free, bytes_as), "", entry.free),
        Cell(format_count(entry.max_users or 0), "", entry.max_users),
        Cell(format_tokens(entry.max_context or 0), "", entry.max_context),
        fits,
    )
    return Row(accelerator.id, cells, "", marked)
