"""What a listing of hardware says: cards as they are reported, grouped, with links and remarks."""

from __future__ import annotations

from dataclasses import field

from ...value_types import dataclass

BUSY_MIB = 512
"""Used memory above which a card is somebody's: an idle driver, with a display or MIG, holds less."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a card that MIG cuts off."""

    profile: str
    """`3g.20gb`; empty where the listing gives only sizes."""
    memory_mib: int | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """One card, or several alike where a listing counts rather than lists them."""

    name: str
    """As reported; empty where the listing names none."""
    memory_mib: int | None = None
    index: int | None = None
    used_mib: int | None = None
    busy_pct: int | None = None
    processes: int = 0
    mig: tuple[Slice, ...] | None = None
    """None: not cut; empty: MIG is on and no slice is made, or none is listed."""
    fault: str = ""
    """Why the card does not count."""
    count: int | None = 1
    """None: the listing counts slices, not cards."""
    shared_by: int = 1
    """Replicas that an operator offers of each card."""
    busy_count: int | None = None
    """Cards in use, where the listing counts them."""
    known_as: str = ""
    """A better name for the catalog than the reported one: what a device number stands for."""

    @property
    def busy(self) -> bool:
        """Somebody works on it."""
        return bool(self.processes or (self.busy_pct or 0) > 0 or (self.used_mib or 0) > BUSY_MIB)


@dataclass(frozen=True, slots=True)
class HostLink:
    """How cards of a node reach each other: `NV18` or `PIX`, and the pairs that do."""

    node: str
    kind: str
    pairs: tuple[tuple[int, int], ...]
    all_to_all: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing of one node, as its parser read it."""

    format: str
    cards: tuple[Card, ...] = ()
    node: str = ""
    links: tuple[HostLink, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """Cards of a node that are alike."""

    node: str
    name: str
    accelerator: str | None
    """Catalog id; None: the catalog does not carry it, or the listing does not tell which."""
    count: int | None
    memory_mib: int | None
    """Of one card, the smallest where they differ: tensor parallelism goes by it."""
    mig: tuple[Slice, ...] | None = None
    shared_by: int = 1
    busy: int = 0
    """Cards that are in use."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """Everything that one text lists."""

    format: str
    devices: tuple[Device, ...]
    links: tuple[HostLink, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def usable(self) -> tuple[Device, ...]:
        """Devices whose cards can serve a model whole: neither cut nor shared."""
        return tuple(entry for entry in self.devices if entry.count and entry.mig is None and entry.shared_by <= 1)


def grouped(cards: tuple[Card, ...], node: str) -> tuple[tuple[tuple[Card, ...], ...], tuple[str, ...]]:
    """Cards that are alike, together, and what is remarkable about them. Faulty ones are left out and named."""
    groups: dict[tuple[object, ...], list[Card]] = {}
    notes: list[str] = []
    where = f"{node}: " if node else ""
    for card in cards:
        if card.fault:
            notes.append(f"{where}{called(card)}: {card.fault}; not counted")
            continue
        key = (card.name, card.mig is not None, card.shared_by, card.known_as)
        same = groups.setdefault(key, [])
        same.append(card)
    found: list[tuple[Card, ...]] = []
    for same in groups.values():
        for near in _by_memory(same):
            found.append(near)
            notes += _uneven(near, where)
    return tuple(found), tuple(notes)


_ALIKE = 0.02


def _by_memory(cards: list[Card]) -> list[tuple[Card, ...]]:
    """Cards of one name whose sizes are within 2 % of each other stay together."""
    groups: list[list[Card]] = []
    for card in cards:
        for group in groups:
            first = group[0].memory_mib
            if card.memory_mib == first or (card.memory_mib and first and abs(card.memory_mib / first - 1) <= _ALIKE):
                group.append(card)
                break
        else:
            groups.append([card])
    return [tuple(group) for group in groups]


def _uneven(cards: tuple[Card, ...], where: str) -> list[str]:
    sizes = [card.memory_mib for card in cards if card.memory_mib is not None]
    if not sizes or min(sizes) == max(sizes):
        return []
    small = [called(card) for card in cards if card.memory_mib == min(sizes)]
    return [
        f"{where}{', '.join(small[:4])}{' …' if len(small) > 4 else ''}: {max(sizes) - min(sizes)} MiB less than the "
        f"others; the smallest counts"
    ]


def called(card: Card) -> str:
    """A card in a sentence."""
    return f"GPU {card.index}" if card.index is not None else card.name or "a card"
