"""What would make it cheaper, and what would change the answer: levers and swings in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import significant
from .money import money
from .names import short_name
from .reasons import reason_text
from .show import Cell, Column, Row, Table

if TYPE_CHECKING:
    from ..engine.cost.levers import CostLever
    from ..engine.cost.sensitivity import Lever
    from ..engine.cost.tornado import Tornado
    from ..engine.evaluate import Evaluation

_LEVER_COLUMNS = (
    Column("", "left", sortable=False),
    Column("lever", "left"),
    Column("saves"),
    Column("share", keep=1),
    Column("says", "left", keep=2, flex=True, sortable=False),
)


def lever_words(lever: CostLever, currency: str) -> str:
    """What a lever does here, or why nothing is known of it."""
    saves, on = lever.saves or 0.0, lever.on
    match lever.effect.value:
        case "saves":
            return f"{'saves' if on else 'would save'} {money(saves, currency)} a month, {lever.share or 0.0:.0%}"
        case "costs":
            return f"{'costs' if on else 'would cost'} {money(-saves, currency)} a month more"
        case "nothing":
            return "saves nothing: as many GPUs are needed either way"
        case "own speed":
            return "your own tokens/s tell nothing of it: measure it with this as well"
        case "unmeasured":
            return lever.note.basis
        case "no price":
            return "no price is known"
    return reason_text(lever.refusal)


def levers(found: Sequence[CostLever], currency: str) -> Table:
    """The levers as switches."""
    rows = []
    for entry in found:
        saves, share = entry.saves, entry.share
        tone = {"saves": "good", "costs": "bad"}.get(entry.effect, "")
        # Where there is no figure, what is claimed of it elsewhere gives way to the reason.
        claim = f"; {entry.note.claim}" if entry.note.claim and saves is not None else ""
        rows.append(
            Row(
                entry.note.id,
                (
                    Cell("[x]" if entry.on else "[ ]", "key" if entry.on else ""),
                    Cell(entry.note.label, "bold" if entry.on else ""),
                    Cell("–" if saves is None else money(saves, currency), tone, -math.inf if saves is None else saves),
                    Cell("–" if share is None else f"{share:.0%}", tone, share),
                    Cell(f"{lever_words(entry, currency)}{claim}", "muted"),
                ),
                "" if entry.turn else "muted",
                detail="; ".join(filter(None, (f"{entry.note.why} ({entry.note.basis})", entry.note.claim))),
            )
        )
    return Table("levers", "Levers", _LEVER_COLUMNS, tuple(rows))


def swing_words(at: float, tornado: Tornado, currency: str = "$") -> str:
    """Who leads at one end of a swing, and by how much a month."""
    return f"{tornado.leader if at > 0 else tornado.runner_up} by {money(abs(at), currency)}"


def lever_text(lever: Lever, value: float) -> str:
    """A value of an input as it is read: a quantity, or what it is called."""
    return significant(value) if lever.kinds is None else short_name(lever.kinds[int(value)])


def swings(tornado: Tornado | None, currency: str) -> Table:
    """What each input does to the decision between its low and its high end."""
    title = "What moves the decision"
    columns = (
        Column("input", "left", flex=True),
        Column("now"),
        Column("low", keep=1),
        Column("then", "left", sortable=False),
        Column("high", keep=1),
        Column("then", "left", sortable=False),
        Column("flips at"),
    )
    if tornado is None:
        return Table("tornado", title, columns, ())
    rows = []
    for swing in tornado.swings:
        lever = swing.lever
        cells = (
            Cell(lever.label),
            Cell(lever_text(lever, lever.now), "", lever.now),
            Cell(lever_text(lever, lever.low), "", lever.low),
            Cell(swing_words(swing.at_low, tornado, currency)),
            Cell(lever_text(lever, lever.high), "", lever.high),
            Cell(swing_words(swing.at_high, tornado, currency)),
            Cell("–") if swing.flips_at is None else Cell(lever_text(lever, swing.flips_at), "key", swing.flips_at),
        )
        rows.append(Row(lever.name, cells))
    return Table("tornado", f"{title}: {tornado.leader} against {tornado.runner_up}", columns, tuple(rows))


def lever_data(evaluation: Evaluation) -> dict[str, Any]:
    """Levers and swings as plain values."""
    tornado = evaluation.cost_tornado
    return {
        "levers": [
            {
                "id": entry.note.id,
                "on": entry.on,
                "saves_usd_per_month": entry.saves,
                "effect": entry.effect.value,
                "words": lever_words(entry, "$"),
            }
            for entry in evaluation.cost_levers
        ],
        "tornado": None
        if tornado is None
        else {
            "leader": tornado.leader,
            "runner_up": tornado.runner_up,
            "advantage_usd_per_month": tornado.advantage,
            "swings": [
                {
                    "input": swing.lever.name,
                    "now": _lever_value(swing.lever, swing.lever.now),
                    "low": _lever_value(swing.lever, swing.lever.low),
                    "high": _lever_value(swing.lever, swing.lever.high),
                    "at_low_usd_per_month": swing.at_low,
                    "at_high_usd_per_month": swing.at_high,
                    "flips_at": None if swing.flips_at is None else _lever_value(swing.lever, swing.flips_at),
                }
                for swing in tornado.swings
            ],
        },
    }


def _lever_value(lever: Lever, value: float) -> float | str:
    return value if lever.kinds is None else lever.kinds[int(value)].id
