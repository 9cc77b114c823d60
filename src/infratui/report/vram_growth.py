"""How memory grows with users and context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import (
    GB,
    GIB,
    ByteUnit,
    format_count,
    format_tokens,
)
from .names import short_name
from .show import (
    Chart,
    Curve,
    Rule,
)

if TYPE_CHECKING:
    from ..engine.memory.kv_cache import Sequences
    from ..engine.sections.vram import VramResult
    from ..engine.sections.vram_result import Growth


def chosen(result: VramResult) -> str:
    """`8 × H100 SXM`."""
    accelerator = result.selected.accelerator
    return f"{result.selected.gpus} × {short_name(accelerator)}"


def growth(result: VramResult, bytes_as: ByteUnit) -> Chart:
    """Memory of all GPUs against users, one curve per context, the capacity as a rule."""
    return growth_chart(result.growth, result.load, chosen(result), bytes_as)


def growth_chart(found: Growth, load: Sequences, cards: str, bytes_as: ByteUnit) -> Chart:
    """The same of any estimate: its lines, the load that it is for, and the cards that it is held against."""
    size = GB if bytes_as is ByteUnit.GB else GIB
    last = min((line.points[-1][0] for line in found.lines), default=1)
    # A round end of the axis: the picture stands still while the number of users moves a little.
    end = _round_down(last)
    curves = tuple(
        Curve(
            format_tokens(line.context),
            _until([(float(users), total / size) for users, total in line.points], end),
            "kv" if line.context == load.context else "muted",
        )
        for line in found.lines
    )
    capacity = found.capacity / size
    # Where the load takes far more than there is, the picture still shows where it stands.
    here = [_until(list(curve.points), float(load.users)) for curve in curves if curve.tone == "kv"]
    taken = max((points[-1][1] for points in here if points), default=0.0)
    return Chart(
        curves=curves,
        rules=(
            *((Rule(cards, capacity, "bad"),) if capacity else ()),
            *((Rule("", float(load.users), "muted", upright=True),) if load.users <= end else ()),
        ),
        x_label="users",
        y_label=bytes_as.value,
        x_text=lambda value: format_count(round(value)),
        y_text=lambda value: format_count(round(value)),
        top=max(capacity * 2, taken * 1.25) if capacity else None,
        id="growth",
        title="How it grows: all GPUs, by users and context",
    )


def _round_down(value: int) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10 ** (len(str(value)) - 1)
    return float(max(step * power for step in (1, 2, 5) if step * power <= value))


def _until(points: list[tuple[float, float]], end: float) -> tuple[tuple[float, float], ...]:
    """The points up to an x, with one on it."""
    kept = [point for point in points if point[0] <= end]
    beyond = next((point for point in points if point[0] > end), None)
    if kept and beyond is not None and kept[-1][0] < end:
        (x, y), (next_x, next_y) = kept[-1], beyond
        kept.append((end, y + (next_y - y) * (end - x) / (next_x - x)))
    return tuple(kept)
