"""Slurm nodes: `scontrol show node`, on one line or several, and `sinfo` with a GRES column."""

from __future__ import annotations

import re

from ..text import UnreadableError
from .reading import Card, Listing, Slice
from .tables import HostTables

_FIELD = re.compile(r"(?:^|\s)([A-Za-z][\w:]*)=(\S*)")
_GRES = re.compile(r"gpu:(?:([^:,()\s]+):)?([0-9]{1,5})(?:\([^)]*\))?")
_PROFILE = re.compile(r"(?:^|_)([0-9]+g\.[0-9]+gb)", re.IGNORECASE)
_DOWN = ("DOWN", "DRAIN", "FAIL", "NOT_RESPONDING", "MAINT")


def read_scontrol(lines: list[str], tables: HostTables) -> list[Listing]:
    """Every node with cards. Raises UnreadableError where none has."""
    nodes: list[dict[str, str]] = []
    for line in lines:
        for key, value in _FIELD.findall(line):
            if key == "NodeName":
                nodes.append({})
            if nodes:
                nodes[-1].setdefault(key, value)
    listings = [found for node in nodes if (found := _node(node, tables)) is not None]
    if not listings:
        raise UnreadableError(f"{len(nodes)} Slurm nodes without a GPU in Gres; ask a node of a GPU partition")
    return listings


def _node(fields: dict[str, str], tables: HostTables) -> Listing | None:
    name = fields.get("NodeName", "")
    cards, notes = gres_cards(fields.get("Gres", ""), tables)
    instance = tables.instance(fields.get("InstanceType", "")) or next(
        (found for word in fields.get("ActiveFeatures", "").split(",") if (found := tables.instance(word))), None
    )
    if not cards:
        return None
    whole_cards = [card for card in cards if card.mig is None]
    if len(whole_cards) == 1 and instance is not None and whole_cards[0].count == instance.gpus:
        card = whole_cards[0]
        better = Card(card.name or instance.gpu, count=card.count, known_as=instance.gpu)
        cards = [better if entry is card else entry for entry in cards]
        notes.append(f"the instance type {instance.type} names the card")
    total = sum(card.count or 0 for card in whole_cards)
    in_use = _allocated(fields.get("AllocTRES", "")) if whole_cards else 0
    if in_use:
        notes.append(f"{in_use} of {total} in use")
        at = cards.index(next(card for card in cards if card.mig is None))
        used = cards[at]
        cards[at] = Card(
            used.name, count=used.count, known_as=used.known_as, busy_count=min(in_use, used.count or in_use)
        )
    state = fields.get("State", "")
    if any(word in state.upper() for word in _DOWN):
        notes.append(f"state {state}")
    offered = re.search(r"gres/gpu=([0-9]{1,5})", fields.get("CfgTRES", ""))
    slices = sum(part.count for card in cards for part in card.mig or ())
    if offered and slices and int(offered[1]) == total + slices:
        notes.append(f"Slurm counts {offered[1]}: {total} cards and {slices} MIG slices")
    where = f"{name}: " if name else ""
    return Listing("slurm", tuple(cards), name, notes=tuple(f"{where}{note}" for note in notes))


def _allocated(tres: str) -> int:
    plain = re.search(r"(?:^|,)gres/gpu=([0-9]{1,5})", tres)
    if plain:
        return int(plain[1])
    return sum(int(count) for count in re.findall(r"(?:^|,)gres/gpu:[^=,]+=([0-9]{1,5})", tres))


def gres_cards(gres: str, tables: HostTables) -> tuple[list[Card], list[str]]:
    """The cards and MIG slices that a GRES text lists: `gpu:a100:4(S:0-1),gpu:1g.10gb:12`."""
    cards: list[Card] = []
    slices: list[tuple[str, Slice]] = []
    notes = []
    for kind, count in _GRES.findall(gres):
        profile = _PROFILE.search(kind)
        if profile:
            slices.append((kind[: profile.start()], Slice(profile[1].lower(), None, int(count))))
        elif int(count):
            cards.append(Card(kind, count=int(count), known_as=tables.names.get(kind.lower(), "")))
    if slices:
        name = next((owner for owner, _ in slices if owner), cards[0].name if cards else "")
        known = tables.names.get(name.lower(), "")
        cards.append(Card(name, count=None, mig=tuple(part for _, part in slices), known_as=known))
    if "shard" in gres:
        notes.append("shards of cards are offered too: not for tensor parallelism")
    return cards, notes


def is_sinfo(line: str) -> bool:
    """The head of an `sinfo` table that shows GRES."""
    words = line.upper().split()
    return "GRES" in words and ("NODELIST" in words or "HOSTNAMES" in words or "NODES" in words)


def read_sinfo(lines: list[str], tables: HostTables) -> list[Listing]:
    """`sinfo` with NODELIST and GRES columns, one listing per row that has cards."""
    head: list[str] = []
    listings = []
    for line in lines:
        words = line.split()
        if not head:
            head = [word.upper() for word in words] if is_sinfo(line) else []
            continue
        if len(words) != len(head):
            continue
        row = dict(zip(head, words, strict=True))
        cards, notes = gres_cards(row["GRES"], tables)
        node = row.get("NODELIST", row.get("HOSTNAMES", ""))
        nodes = int(row["NODES"]) if row.get("NODES", "").isdecimal() and len(row["NODES"]) < 6 else 1
        if cards:
            if nodes > 1:
                notes.append(f"{nodes} nodes alike; the counts are of one")
            listings.append(Listing("sinfo", tuple(cards), node, notes=tuple(f"{node}: {note}" for note in notes)))
    if not listings:
        raise UnreadableError("no row with a GPU in GRES; sinfo -N -o '%N %G' shows them")
    return listings
