"""A listing of hardware in words: node × card × count × memory as reported × busy × link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import counted
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..reality.host.reading import Device, HostLink, HostReading

_COLUMNS = (
    Column("node", "left", keep=2),
    Column("card as reported", "left", flex=True),
    Column("catalog", "left"),
    Column("count"),
    Column("MiB each"),
    Column("busy", keep=1),
    Column("cut or shared", "left", keep=3),
    Column("link", "left", keep=4),
)


def answer(reading: HostReading) -> Answer:
    """How many cards of what, and whether all are known."""
    count = sum(entry.count or 0 for entry in reading.devices)
    nodes = len({entry.node for entry in reading.devices})
    unknown = [entry for entry in reading.devices if entry.accelerator is None]
    names = dict.fromkeys(entry.accelerator or entry.name or "unnamed" for entry in reading.devices)
    kinds = ", ".join(list(names)[:4]) + (" …" if len(names) > 4 else "")
    where = f" on {nodes} nodes" if nodes > 1 else ""
    text = f"{kinds}{where}, read as {reading.format}"
    tone = "tight" if unknown or not count else "good"
    return Answer(f"{counted(count, 'card')}: {text}", "", tone)


def page(reading: HostReading) -> tuple[Block, ...]:
    """The devices, then what is remarkable."""
    return (
        Table("hardware", "Your hardware", _COLUMNS, rows(reading)),
        Prose("remarks", "Remarks", tuple(Says("", note) for note in reading.notes)),
    )


def rows(reading: HostReading) -> tuple[Row, ...]:
    """One row per group of cards alike."""
    found = []
    for at, entry in enumerate(reading.devices):
        links = " ".join(link_text(link) for link in reading.links if link.node == entry.node)
        cells = (
            Cell(entry.node or "–"),
            Cell(entry.name or "–"),
            Cell(entry.accelerator or "unknown", "" if entry.accelerator else "tight"),
            Cell("–" if entry.count is None else f"{entry.count}", "", entry.count),
            Cell("–" if entry.memory_mib is None else f"{entry.memory_mib:,}", "", entry.memory_mib),
            Cell(f"{entry.busy}", "tight" if entry.busy else "muted", entry.busy),
            Cell(_cut(entry) or "–", "tight" if _cut(entry) else "muted"),
            Cell(links or "–", "" if links else "muted"),
        )
        found.append(Row(str(at), cells))
    return tuple(found)


def link_text(link: HostLink) -> str:
    """`NV18 all to all`, `PIX ×3`."""
    return f"{link.kind} all to all" if link.all_to_all else f"{link.kind} ×{len(link.pairs)}"


def _cut(device: Device) -> str:
    said = [f"shared by {device.shared_by}"] if device.shared_by > 1 else []
    if device.mig is not None:
        sizes = (part.profile or (f"{part.memory_mib:,} MiB" if part.memory_mib else "slice") for part in device.mig)
        parts = [f"{part.count} × {size}" for part, size in zip(device.mig, sizes, strict=True)]
        said.append(f"MIG {', '.join(parts) or 'on, no slice'}")
    return "; ".join(said)


def data(reading: HostReading) -> dict[str, Any]:
    """The reading as plain values; keys are part of the schema."""
    return {
        "format": reading.format,
        "devices": [
            {
                "node": entry.node,
                "name": entry.name,
                "accelerator": entry.accelerator,
                "count": entry.count,
                "memory_mib": entry.memory_mib,
                "mig": entry.mig,
                "shared_by": entry.shared_by,
                "busy": entry.busy,
            }
            for entry in reading.devices
        ],
        "links": [
            {"node": link.node, "kind": link.kind, "pairs": link.pairs, "all_to_all": link.all_to_all}
            for link in reading.links
        ],
        "notes": reading.notes,
    }
