"""What the VRAM screen says: headline, table rows, summary."""

from __future__ import annotations

from ....engine.units import ByteUnit, format_bytes, format_count, format_gigabytes, format_tokens
from ....engine.vram import AcceleratorRow, Estimate, Verdict, VramResult
from ...widgets.headline import Answer
from ...widgets.table import Cell, Column, Row

TONES = {Verdict.FITS: "good", Verdict.TIGHT: "tight", Verdict.NO: "bad"}
GLYPHS = {Verdict.FITS: "✓", Verdict.TIGHT: "!", Verdict.NO: "✗"}


def short_name(name: str, vendor: str) -> str:
    """An accelerator's name without its maker: `H100 SXM`."""
    return name.removeprefix(vendor).strip() or name


def total_text(estimate: Estimate, bytes_as: ByteUnit) -> str:
    """`409 GB ±4 %`."""
    band = f" ±{estimate.band_pct:.0f} %" if estimate.band_pct is not None else ""
    return f"{format_bytes(estimate.total, bytes_as)}{band}"


def answer(result: VramResult, bytes_as: ByteUnit) -> Answer:
    """The headline: what it needs, whether the chosen GPUs hold it, and why it takes as many as it does."""
    return Answer(
        total_text(result.headline, bytes_as),
        verdict(result, bytes_as),
        TONES[result.selected.verdict],
        reasons(result, bytes_as),
    )


def chosen(result: VramResult) -> str:
    """`8 × H100 SXM`."""
    accelerator = result.selected.accelerator
    return f"{result.selected.gpus} × {short_name(accelerator.name, accelerator.vendor)}"


def verdict(result: VramResult, bytes_as: ByteUnit) -> str:
    """Whether the chosen GPUs hold the load, and by how much."""
    selected = result.selected
    name = chosen(result)
    if selected.plan is None:
        return f"{name}: no legal layout"
    layout = selected.plan.layout.label
    if selected.verdict is Verdict.NO:
        short = format_bytes(selected.missing, bytes_as)
        add = f"; {selected.missing_gpus} more would do" if selected.missing_gpus else ""
        return f"{name} {'do' if selected.gpus > 1 else 'does'} not hold it: {short} short per GPU{add}"
    free = format_bytes(selected.plan.free, bytes_as)
    hold = "hold it" if selected.gpus > 1 else "holds it"
    barely = " barely" if selected.verdict is Verdict.TIGHT else ""
    return f"{name}{barely} {hold} as {layout}, {free} free per GPU"


def reasons(result: VramResult, bytes_as: ByteUnit) -> str:
    """Why so many GPUs, and what the other estimator says."""
    parts = []
    least, selected = result.smallest, result.selected
    if (plan := selected.plan) is not None:
        parts.append(f"max {format_count(plan.max_users)} users, or {format_tokens(plan.max_context)} tokens each")
    if least.plan is not None:
        need = least.plan.layout.gpus
        if least.arithmetic is not None and least.arithmetic != need:
            parts.append(f"{least.arithmetic} → {need} GPUs at least: {least.reason}")
        else:
            parts.append(f"{need} GPU{'s' if need > 1 else ''} at least")
    elif least.reason:
        parts.append(least.reason)
    other = result.rule_of_thumb if result.estimator == "detailed" else result.detailed
    parts.append(f"{other.estimator.replace('-', ' ')} says {format_bytes(other.total, bytes_as)}")
    return " · ".join(parts)


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


def summary(result: VramResult, bytes_as: ByteUnit) -> str:
    """The answer in plain sentences, for a ticket or a chat."""
    headline, load = result.headline, result.load
    parts = " + ".join(
        f"{label} {format_bytes(amount, bytes_as)}"
        for label, amount in (
            ("weights", headline.weights), ("KV cache", headline.kv_cache), ("runtime", headline.runtime)
        )
    )  # fmt: skip
    fill = f", filled {load.mean_fill:.0%} on average" if load.mean_fill < 1 else ""
    count = f"{load.users:,} user{'s' if load.users > 1 else ''}"
    precision, cache = result.deployment.precision.label, result.deployment.kv_precision.label
    return (
        f"{result.model.name} with {precision} weights and {cache} KV cache, for {count} at "
        f"{format_tokens(load.context)} tokens{fill}: {total_text(headline, bytes_as)} ({parts}; {result.estimator} "
        f"estimate). {verdict(result, bytes_as)}. {reasons(result, bytes_as)}."
    )
