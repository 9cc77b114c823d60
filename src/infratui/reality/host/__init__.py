"""Listings of hardware, told apart by their content; one text may hold several, of several nodes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ...engine.facts import Facts
from ..text import UnreadableError, clean, lines_of
from . import amd, kubernetes, nvidia, slurm
from .identify import identify
from .nvidia_xml import read_xml
from .reading import Card, Device, HostLink, HostReading, Listing, Slice, grouped
from .tables import HostTables

FORMATS = (
    "nvidia-smi, nvidia-smi -L, -q or -q -x, --query-gpu=… --format=csv, topo -m; amd-smi, rocm-smi; kubectl get nodes "
    "-o json or describe node; scontrol show node or sinfo; a cloud's instance type"
)
MOST_DEVICES = 4096
"""Groups of cards that are kept: more is a list of a whole data centre, and no host."""


def read_host(text: str, tables: HostTables, facts: Facts) -> HostReading:
    """What hardware a text lists. Raises UnreadableError in one line where it lists none."""
    text = clean(text)
    bare = text.strip()
    if not bare:
        raise UnreadableError(f"nothing to read; give the output of one of: {FORMATS}")
    instance = tables.instance(bare) if len(bare) <= 80 else None
    if instance is not None:
        card = Card(instance.gpu, count=instance.gpus, known_as=instance.gpu)
        found = Listing("instance type", (card,), instance.type, notes=(f"as published: {instance.source}",))
        return assembled([found], facts)
    listings = _listings(text, tables)
    if not listings:
        if "\n" not in bare:
            raise UnreadableError(f"{bare[:60]!r} is no instance type that is known; give one, or a listing: {FORMATS}")
        raise UnreadableError(f"no listing of hardware; give the output of one of: {FORMATS}")
    if not any(listing.cards or listing.notes for listing in listings):
        raise UnreadableError(f"{listings[0].format}: no card is listed; give the whole output")
    return assembled(listings, facts)


# -- telling formats apart

_PREFIX = re.compile(r"([A-Za-z][\w.-]{0,62}): ?(.*)")


def _listings(text: str, tables: HostTables) -> list[Listing]:
    lines = lines_of(text)
    gathered = _by_prefix(lines)
    if gathered is not None:
        return [replace(listing, node=node) for node, part in gathered.items() for listing in _of_lines(part, tables)]
    return _of_lines(lines, tables)


def _by_prefix(lines: list[str]) -> dict[str, list[str]] | None:
    """The lines of each node where a parallel shell put `node: ` before every one."""
    parts: dict[str, list[str]] = {}
    for line in lines:
        if not line.strip():
            continue
        found = _PREFIX.fullmatch(line)
        if not found or found[1] in ("Name", "Labels"):
            return None
        parts.setdefault(found[1], []).append(found[2])
    return parts if parts and all(len(part) >= 3 for part in parts.values()) else None


_TELLING = re.compile(
    r"SMI|System Management|<\?xml|<nvidia_smi|<!|GPU|\{|\[|NodeName=|Name:|\bnvidia\.com|\bamd\.com|,|^name$|gres",
    re.IGNORECASE,
)


def _marker(line: str) -> str:
    """The format that begins on this line."""
    if not _TELLING.search(line):
        return ""
    bare = line.strip()
    if "NVIDIA-SMI" in line and line.lstrip().startswith("|"):
        return "table"
    if "NVSMI LOG" in line and "=" in line:
        return "query"
    if bare.startswith(("<?xml", "<nvidia_smi_log", "<!DOCTYPE nvidia_smi_log", "<!doctype", "<!ENTITY")):
        return "xml"
    if nvidia.is_topology(line):
        return "topology"
    if re.match(r"GPU [0-9]{1,4}: .+ \(UUID:", line):
        return "list"
    if re.match(
        r"(?:index|name|gpu_name|hostname|timestamp|uuid|pci\.bus_id|driver_version)\s*,|name$", bare, re.IGNORECASE
    ):
        return "csv"
    if line.startswith("|") and "AMD-SMI" in line:
        return "amd-smi"
    if "ROCm System Management Interface" in line or re.match(r"GPU\[[0-9]+\]\s*:", line):
        return "rocm-smi"
    if bare in ("{", "[") or bare.startswith(('{"', "{'")):
        return "json"
    if "NodeName=" in line:
        return "scontrol"
    if slurm.is_sinfo(line):
        return "sinfo"
    if line.startswith("Name:") or re.match(r"\s*(?:Labels:\s*)?[a-z0-9.-]*(?:nvidia|amd)\.com/[\w.-]+=", line):
        return "describe"
    return ""


_CONTINUES = {
    "xml": ("xml",),
    "list": ("list",),
    "rocm-smi": ("rocm-smi",),
    "scontrol": ("scontrol",),
    "describe": ("describe", "csv"),
    "query": ("query",),
}
_OF_NODE = re.compile(r"(?:#+|=+>?|-+|host:?|\*+)?\s*([A-Za-z][\w.-]{0,62})\s*(?:<?=+|-+|\*+|:)?")


def _of_lines(lines: list[str], tables: HostTables) -> list[Listing]:
    parts: list[tuple[str, str, list[str]]] = []
    kind = ""
    named = ""
    depth = 0
    for line in lines:
        if kind == "json" and depth > 0:
            parts[-1][2].append(line)
            depth += _opened(line)
            continue
        marker = _marker(line)
        goes_on = marker in _CONTINUES.get(kind, ()) and not (kind == "xml" and _closed(parts[-1][2]))
        if kind == "query" and marker == "query":
            goes_on = False
        if marker and not goes_on:
            kind = marker
            parts.append((kind, named, []))
            named = ""
        elif not marker and (heading := _OF_NODE.fullmatch(line.strip())) and _may_name(line, kind):
            named = heading[1]
        if parts:
            parts[-1][2].append(line)
        if kind == "json":
            depth = sum(_opened(entry) for entry in parts[-1][2])
    if not parts:
        # A table that was cut above its head still has rows with a bus address and memory.
        found = nvidia.read_table(lines)
        return [found] if found.cards else []
    listings: list[Listing] = []
    for kind, node, part in parts:
        listings += [entry if entry.node else replace(entry, node=node) for entry in _read(kind, part, tables)]
    return listings


def _may_name(line: str, kind: str) -> bool:
    """A line that stands alone and names a node: `== node-a ==`, `node-a:`; not a row of what is being read."""
    bare = line.strip()
    decorated = bare[:1] in "#=-*" or bare[-1:] in ":=*"
    return decorated and not line.startswith(" ") and kind not in ("query", "json", "describe", "xml", "rocm-smi")


def _opened(line: str) -> int:
    plain = re.sub(r'"(?:\\.|[^"\\])*"', "", line)
    return plain.count("{") + plain.count("[") - plain.count("}") - plain.count("]")


def _closed(lines: list[str]) -> bool:
    return any("</nvidia_smi_log>" in line for line in lines[-3:])


def _read(kind: str, lines: list[str], tables: HostTables) -> list[Listing]:
    match kind:
        case "table":
            return [nvidia.read_table(lines)]
        case "list":
            return [nvidia.read_list(lines)]
        case "csv":
            return [nvidia.read_csv(lines)]
        case "query":
            return [nvidia.read_query_text(lines)]
        case "xml":
            end = next((at for at, line in enumerate(lines) if "</nvidia_smi_log>" in line), len(lines) - 1)
            return [read_xml("\n".join(lines[: end + 1]))]
        case "topology":
            return [nvidia.read_topology(lines)]
        case "amd-smi":
            return [amd.read_amd_smi(lines, tables)]
        case "rocm-smi":
            return [amd.read_rocm_smi(lines, tables)]
        case "scontrol":
            return slurm.read_scontrol(lines, tables)
        case "sinfo":
            return slurm.read_sinfo(lines, tables)
        case "describe":
            return kubernetes.read_describe(lines, tables)
        case _:
            return _of_json(amd.read_json("\n".join(lines)), tables)


def _of_json(value: Any, tables: HostTables) -> list[Listing]:
    if amd.is_rocm_json(value):
        return [amd.read_rocm_json(value, tables)]
    if kubernetes.is_nodes(value):
        return kubernetes.read_nodes(value, tables)
    raise UnreadableError("JSON of an unknown kind; give kubectl get nodes -o json or rocm-smi --json")


# -- putting listings together


def assembled(listings: list[Listing], facts: Facts) -> HostReading:
    """One reading of several listings: named, joined with their topologies, matched with the catalog."""
    if len(listings) > MOST_DEVICES:
        raise UnreadableError(f"{len(listings):,} listings; give at most {MOST_DEVICES:,}, one partition or pool")
    listings = _topologies_joined(_numbered(listings))
    told: dict[tuple[str, str, int | None], tuple[str | None, str]] = {}
    devices: list[Device] = []
    links: list[HostLink] = []
    notes: list[str] = []
    for listing in listings:
        links += [replace(link, node=listing.node) for link in listing.links]
        notes += listing.notes
        groups, remarks = grouped(listing.cards, listing.node)
        notes += remarks
        for cards in groups:
            device, reason = _device(cards, listing.node, facts, told)
            devices.append(device)
            notes += [reason] if reason else []
    if len(devices) > MOST_DEVICES:
        raise UnreadableError(f"{len(devices):,} groups of cards; give at most {MOST_DEVICES:,}, one partition or pool")
    formats = list(dict.fromkeys(listing.format for listing in listings))
    return HostReading(" + ".join(formats), tuple(devices), tuple(links), tuple(dict.fromkeys(notes)))


def _numbered(listings: list[Listing]) -> list[Listing]:
    """Nodes without a name get a number, where there are several."""
    tables = [entry for entry in listings if entry.format != "nvidia-smi topo"]
    if len(tables) < 2:
        return listings
    found, number = [], 0
    for entry in listings:
        if not entry.node and entry.format != "nvidia-smi topo":
            number += 1
            entry = replace(entry, node=f"node {number}")
        found.append(entry)
    return found


def _topologies_joined(listings: list[Listing]) -> list[Listing]:
    """A topology goes to the listing before or behind it that counts as many cards."""
    cards = [entry for entry in listings if entry.format != "nvidia-smi topo"]
    if not cards:
        return listings
    found = list(cards)
    for topology in (entry for entry in listings if entry.format == "nvidia-smi topo"):
        count = topology.cards[0].count
        for at, entry in enumerate(found):
            if not entry.links and sum(card.count or 0 for card in entry.cards) == count:
                found[at] = replace(entry, links=topology.links, notes=entry.notes + topology.notes)
                break
        else:
            found.append(topology)
    return found


def _device(
    cards: tuple[Card, ...], node: str, facts: Facts, told: dict[tuple[str, str, int | None], tuple[str | None, str]]
) -> tuple[Device, str]:
    first = cards[0]
    sizes = [card.memory_mib for card in cards if card.memory_mib is not None]
    smallest = min(sizes) if sizes else None
    # Nodes of a cluster repeat each other.
    key = (first.name, first.known_as, smallest)
    if key not in told:
        told[key] = identify(replace(first, memory_mib=smallest), facts)
    accelerator, reason = told[key]
    counts = [card.count for card in cards]
    count = None if any(entry is None for entry in counts) else sum(entry or 0 for entry in counts)
    slices = None
    if first.mig is not None:
        slices = _alike([part for card in cards for part in card.mig or ()])
    busy = sum(card.busy_count if card.busy_count is not None else int(card.busy) * (card.count or 1) for card in cards)
    return Device(node, first.name, accelerator, count, smallest, slices, first.shared_by, busy), reason


def _alike(slices: list[Slice]) -> tuple[Slice, ...]:
    """Slices of one profile and size, counted."""
    counts: dict[tuple[str, int | None], int] = {}
    for entry in slices:
        key = (entry.profile, entry.memory_mib)
        counts[key] = counts.get(key, 0) + entry.count
    return tuple(Slice(profile, memory, count) for (profile, memory), count in counts.items())
