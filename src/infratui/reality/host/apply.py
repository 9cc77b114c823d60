"""What a listing of hardware means for a scenario: the fields that it settles, and what it leaves open."""

from __future__ import annotations

from ...engine.facts import Facts
from ...engine.figures.units import MIB
from ...value_types import dataclass
from .reading import Device, HostReading


@dataclass(frozen=True, slots=True)
class Settled:
    """The hardware of a scenario, as listed."""

    accelerator: str
    gpus: int
    gpus_per_node: int
    memory_mib: int | None
    """The smallest card, where it is reported and differs from the catalog's."""
    link: str
    """How the cards of a node reach each other, as listed."""
    left_out: tuple[str, ...]
    """Devices that do not serve: cut, shared, unknown, or of another kind."""

    @property
    def changes(self) -> dict[str, object]:
        """Scenario fields to set."""
        return {"accelerator": self.accelerator, "gpus": self.gpus, "gpus_per_node": self.gpus_per_node}


def settle(reading: HostReading, facts: Facts, chosen: Device | None = None) -> Settled | str:
    """The scenario's hardware: of `chosen`, else of the kind with most memory altogether; or why there is none."""
    usable = [entry for entry in reading.usable if entry.accelerator]
    if chosen is not None and chosen not in usable:
        return why_not(chosen)
    if not usable:
        reasons = [why_not(entry) for entry in reading.devices]
        return reasons[0] if reasons else "no card is listed"
    sizes: dict[str, float] = {}
    for entry in usable:
        size = facts.accelerator(entry.accelerator or "").memory * (entry.count or 0)
        sizes[entry.accelerator or ""] = sizes.get(entry.accelerator or "", 0) + size
    kind = chosen.accelerator if chosen is not None else max(sizes, key=lambda name: sizes[name])
    taken = [entry for entry in usable if entry.accelerator == kind]
    counts = [entry.count or 0 for entry in taken]
    reported = [entry.memory_mib for entry in taken if entry.memory_mib]
    accelerator = facts.accelerator(kind or "")
    smallest = min(reported, default=None)
    differs = smallest is not None and smallest != round(accelerator.memory / MIB)
    links = [link.kind for link in reading.links if link.all_to_all] or [link.kind for link in reading.links][:1]
    left_out = tuple(
        "another kind: " + (entry.name or "unnamed") if entry in usable else why_not(entry)
        for entry in reading.devices
        if entry not in taken
    )
    return Settled(
        accelerator.id, sum(counts), max(counts), smallest if differs else None, next(iter(links), ""), left_out
    )


def why_not(device: Device) -> str:
    """Why cards cannot be set as the scenario's."""
    name = device.name or "the card"
    if device.shared_by > 1:
        return f"{name} is shared by {device.shared_by}: its memory is not yours alone"
    if device.mig is not None:
        return f"{name} is cut into MIG slices"
    if not device.count:
        return f"{name}: how many is not told"
    if not device.accelerator:
        return f"{name} is not told apart in the catalog"
    return f"{name} can be taken"
