"""What the strip of a token's time is made of: its glyphs, and its legend in one line."""

from __future__ import annotations

from collections.abc import Sequence

from ....engine.figures.units import significant

Cause = tuple[str, float, str]
"""Label, seconds, tone."""
STRIP = "█▓▒░▚▞▤▥▧"
"""One glyph per cause of time."""
_NAMED = 0.03
"""Share of a token's time from which a cause is named."""
_REST_ROOM = len("rest 0.00 ms")


def causes(strip: Sequence[Cause], width: int) -> list[tuple[str, str]]:
    """The causes in ms; set close where the line is short, and the smallest taken together."""
    entries = list(zip(STRIP, strip, strict=False))
    total = sum(seconds for _, (_, seconds, _) in entries)
    named = [entry for entry in entries if entry[1][1] >= _NAMED * total]
    gap = 2 if _width(named, 2) + len("ms") <= width else 1
    while len(named) > 1 and _width(named, gap) + (_REST_ROOM if gap == 1 else 0) > width:
        named.remove(min(named, key=lambda entry: entry[1][1]))
    pieces = [(" ", "")]
    for glyph, (label, seconds, tone) in named:
        pieces += [(f"{glyph} ", tone), (f"{label} {significant(seconds * 1e3, 2)}{' ' * gap}", "muted")]
    rest = total - sum(seconds for _, (_, seconds, _) in named)
    last = f"rest {significant(rest * 1e3, 2)} ms" if gap == 1 and rest >= _NAMED * total else "ms"
    return [*pieces, (last, "muted")]


def _width(entries: Sequence[tuple[str, Cause]], gap: int) -> int:
    return 1 + sum(
        len(f"{glyph} {label} {significant(seconds * 1e3, 2)}") + gap for glyph, (label, seconds, _) in entries
    )
