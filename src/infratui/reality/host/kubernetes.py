"""Kubernetes nodes: `kubectl get nodes -o json`, `kubectl describe node`, or a bare block of labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...engine.figures.units import counted
from ..text import UnreadableError, mebibytes, whole
from .reading import Card, Listing, Slice
from .tables import HostTables

_MIG_COUNT = re.compile(r"nvidia\.com/mig-([0-9]+g\.[0-9]+gb(?:\.[a-z0-9.]+)?)\.count")
_MIG_RESOURCE = re.compile(r"nvidia\.com/mig-([0-9]+g\.[0-9]+gb(?:\.[a-z0-9.]+)?)")
_MIG_IN_NAME = re.compile(r"-MIG-([0-9]+g\.[0-9]+gb\S*)$")
_LABEL = re.compile(
    r"^\s*(?:Labels:\s*)?([a-z0-9][\w./-]*[./][\w./-]+)\s*[=:]\s*\"?([^\"\s,]*)\"?,?\s*$", re.IGNORECASE
)


def is_nodes(value: object) -> bool:
    """A node, a list of nodes, or the labels of one."""
    if not isinstance(value, dict):
        return False
    return (
        "items" in value or value.get("kind") == "Node" or any("/" in str(key) for key in value) or "metadata" in value
    )


def read_nodes(value: Mapping[str, Any], tables: HostTables) -> list[Listing]:
    """Every node of the JSON that carries cards. Raises UnreadableError where none does."""
    items = value.get("items", [value])
    listings = []
    nodes = 0
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        nodes += 1
        if "metadata" in item or "status" in item:
            metadata, status = _mapping(item.get("metadata")), _mapping(item.get("status"))
            labels = _texts(_mapping(metadata.get("labels")))
            name = str(metadata.get("name") or "")
            capacity, free = _texts(_mapping(status.get("capacity"))), _texts(_mapping(status.get("allocatable")))
        else:
            labels, name, capacity, free = _texts(item), "", {}, {}
        found = _node(name, labels, capacity, free, tables)
        if found is not None:
            listings.append(found)
    if not listings:
        raise UnreadableError(
            f"{counted(nodes, 'node')} without a GPU; the labels of GPU feature discovery and "
            "nvidia.com/gpu in the capacity name them"
        )
    return listings


def read_describe(lines: list[str], tables: HostTables) -> list[Listing]:
    """`kubectl describe node`, of one node or several, or a block of `key=value` labels."""
    nodes: list[tuple[str, dict[str, str], dict[str, str], dict[str, str]]] = []
    part = "labels"
    name = ""
    labels: dict[str, str] = {}
    capacity: dict[str, str] = {}
    free: dict[str, str] = {}

    def done() -> None:
        if labels or capacity:
            nodes.append((name, dict(labels), dict(capacity), dict(free)))
        labels.clear()
        capacity.clear()
        free.clear()

    for line in lines:
        if line.startswith("Name:"):
            done()
            name, part = line.split(":", 1)[1].strip(), "labels"
        elif re.match(r"[A-Z][A-Za-z ]+:", line):
            title = line.split(":", 1)[0]
            part = {"Labels": "labels", "Capacity": "capacity", "Allocatable": "allocatable"}.get(title, "")
        if part == "labels" and (found := _LABEL.match(line)):
            labels[found[1]] = found[2]
        elif part in ("capacity", "allocatable") and (entry := re.match(r"\s+([\w./-]+):\s*(\S+)", line)):
            (capacity if part == "capacity" else free)[entry[1]] = entry[2]
    done()
    listings = [listing for node in nodes if (listing := _node(*node, tables)) is not None]
    if not listings:
        raise UnreadableError("labels without a GPU; nvidia.com/gpu.product and nvidia.com/gpu.count name one")
    return listings


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in values.items() if isinstance(value, str | int)}


def _node(
    name: str, labels: dict[str, str], capacity: dict[str, str], free: dict[str, str], tables: HostTables
) -> Listing | None:
    notes: list[str] = []
    product, known = _product(labels, tables)
    shared = max(1, whole(labels.get("nvidia.com/gpu.replicas", "")) or 1)
    if product.endswith("-SHARED"):
        product = product.removesuffix("-SHARED")
    offered = next((whole(capacity[key]) for key in tables.resources if key in capacity), None)
    count = next((found for key in tables.count_labels if (found := whole(labels.get(key, ""))) is not None), None)
    if count is None and offered is not None:
        count = offered // shared
    slices = _slices(labels, capacity)
    single = _MIG_IN_NAME.search(product)
    memory = _memory(labels, tables)
    instance = tables.instance(labels.get("node.kubernetes.io/instance-type", ""))
    if single:
        # One size of slice for all cards: product, count and memory are those of the slices.
        product = product[: single.start()]
        slices = (Slice(single[1], memory, count or 1),)
        count, memory = None, None
        notes.append("the labels count MIG slices, not cards")
    if not product and instance is not None:
        product, known = instance.gpu, instance.gpu
        count = count if count is not None else instance.gpus
        notes.append(f"the instance type {instance.type} names the card")
    if not product and not count and not slices:
        return None
    if not product and count is not None:
        notes.append("no label names the card")
    if shared > 1:
        strategy = labels.get("nvidia.com/gpu.sharing-strategy", "")
        notes.append(
            f"each card is shared by {shared}{f' ({strategy})' if strategy else ''}: not for tensor parallelism"
        )
    allocatable = next((whole(free[key]) for key in tables.resources if key in free), None)
    if offered is not None and allocatable is not None and allocatable < offered:
        notes.append(f"{offered - allocatable} of {offered} not allocatable: reserved, unhealthy or cordoned")
    fault = "0 MiB of memory: a fault" if memory == 0 else ""
    card = Card(product, memory or None, mig=slices or None, count=count, shared_by=shared, known_as=known, fault=fault)
    where = f"{name}: " if name else ""
    return Listing("kubernetes", (card,), name, notes=tuple(f"{where}{note}" for note in notes))


def _product(labels: dict[str, str], tables: HostTables) -> tuple[str, str]:
    for key in tables.product_labels:
        if labels.get(key):
            return labels[key], tables.names.get(labels[key].lower(), "")
    return "", ""


def _memory(labels: dict[str, str], tables: HostTables) -> int | None:
    for key, unit in tables.memory_labels.items():
        text = labels.get(key, "")
        if text:
            return mebibytes(text if text[-1:].isalpha() else f"{text}{unit}")
    return None


def _slices(labels: dict[str, str], capacity: dict[str, str]) -> tuple[Slice, ...]:
    found: dict[str, Slice] = {}
    for key, text in labels.items():
        profile = _MIG_COUNT.fullmatch(key)
        count = whole(text)
        if profile and count:
            memory = mebibytes(labels.get(f"nvidia.com/mig-{profile[1]}.memory", ""))
            found[profile[1]] = Slice(profile[1], memory, count)
    for key, text in capacity.items():
        profile = _MIG_RESOURCE.fullmatch(key)
        count = whole(text)
        if profile and count and profile[1] not in found:
            found[profile[1]] = Slice(profile[1], None, count)
    return tuple(found.values())
