"""A ruler of representable values: where a value falls, and which mark it snaps to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ....report.bit_lab import number

if TYPE_CHECKING:
    from ....engine.formats import Encoded, Tick

_MARGIN = 2


def ruler(ticks: Sequence[Tick], encoded: Encoded, width: int) -> list[Content]:
    """Three lines: the value, the marks of the format around it, and their figures."""
    span = max(10, width - 2 * _MARGIN)
    values = [tick.value for tick in ticks]
    low, high = min(*values, encoded.value, encoded.decoded), max(*values, encoded.value, encoded.decoded)

    def place(value: float) -> int:
        # Halves first: the span of the widest formats overflows.
        if high == low:
            return _MARGIN + span // 2
        return _MARGIN + round((value / 2 - low / 2) / (high / 2 - low / 2) * (span - 1))

    line = ["─"] * width
    for tick in ticks:
        line[min(width - 1, place(tick.value))] = "┼"
    chosen = min(width - 1, place(encoded.decoded))
    line[chosen] = "●"
    at = min(width - 1, place(encoded.value))
    drawn = "".join(line)
    return [
        _marker(number(encoded.value), at, width),
        Content.assemble((drawn[:chosen], "$muted"), ("●", "bold $good"), (drawn[chosen + 1 :], "$muted")),
        _labels([(place(tick.value), number(tick.value), tick.is_chosen) for tick in ticks], width),
    ]


def _marker(text: str, at: int, width: int) -> Content:
    """The value above its place, its figure on the side that has room."""
    if at + len(text) + 2 <= width:
        return Content.assemble(" " * at, ("▼", "bold $key"), (f" {text}", "$key"))
    return Content.assemble((f"{text} ".rjust(at), "$key"), ("▼", "bold $key"))


def _labels(marks: Sequence[tuple[int, str, bool]], width: int) -> Content:
    """The figures below their marks: the chosen one first, then the ends, then what fits between."""
    order = sorted(range(len(marks)), key=lambda index: (not marks[index][2], index not in (0, len(marks) - 1), index))
    taken: list[tuple[int, int]] = []
    placed: list[tuple[int, str, bool]] = []
    for index in order:
        at, text, is_chosen = marks[index]
        start = max(0, min(width - len(text), at - len(text) // 2))
        end = start + len(text)
        if start >= 0 and all(end + 2 <= left or right + 2 <= start for left, right in taken):
            taken.append((start, end))
            placed.append((start, text, is_chosen))
    parts: list[tuple[str, str]] = []
    used = 0
    for start, text, is_chosen in sorted(placed):
        parts += [(" " * (start - used), ""), (text, "bold $good" if is_chosen else "$muted")]
        used = start + len(text)
    return Content.assemble(*parts)
