"""`amd-smi` and `rocm-smi`: their tables and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..text import UnreadableError, mebibytes, whole
from .reading import Card, Listing
from .tables import HostTables

_FIRST = re.compile(r"\|\s*[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9]\s+(.+?)\s*\|", re.IGNORECASE)
_SECOND = re.compile(r"\|\s*([0-9]{1,4})\s+.*?([0-9]+)/([0-9]+)\s*([MG]i?B)\s*\|")
_GFX = re.compile(r"([0-9]{1,3})\s*%")


def read_amd_smi(lines: list[str], tables: HostTables) -> Listing:
    """The default table of `amd-smi`."""
    cards: list[Card] = []
    name = ""
    for line in lines:
        if first := _FIRST.match(line):
            name = first[1]
        elif (second := _SECOND.match(line)) and name:
            size = mebibytes(f"{second[3]}{second[4]}")
            used = mebibytes(f"{second[2]}{second[4]}")
            busy = _GFX.search(line)
            cards.append(_card(name, int(second[1]), size, used, int(busy[1]) if busy else None, tables))
            name = ""
    return Listing("amd-smi", tuple(cards))


def _card(
    name: str, index: int | None, size: int | None, used: int | None, busy: int | None, tables: HostTables
) -> Card:
    known = tables.device_numbers.get(name.lower(), "")
    fault = "0 MiB of memory: a fault" if size == 0 else ""
    sold_as = tables.names.get(known.lower(), known)
    return Card(known or name, size or None, index, used, busy, fault=fault, known_as=sold_as)


_CONCISE = re.compile(r"([0-9]{1,3})\s+[0-9]+\s+(0x[0-9a-f]{4}),\s.*?([0-9]{1,3})%\s+([0-9]{1,3})%\s*$", re.IGNORECASE)
_TOTAL = re.compile(r"GPU\[([0-9]{1,3})\]\s*:\s*VRAM Total Memory \(B\):\s*([0-9]{1,16})")
_USED = re.compile(r"GPU\[([0-9]{1,3})\]\s*:\s*VRAM Total Used Memory \(B\):\s*([0-9]{1,16})")
_SERIES = re.compile(r"GPU\[([0-9]{1,3})\]\s*:\s*Card (?:Series|series):\s*(.+?)\s*$")


def read_rocm_smi(lines: list[str], tables: HostTables) -> Listing:
    """The concise table of `rocm-smi`, or its `GPU[0] : …` lines."""
    cards: list[Card] = []
    said: dict[int, dict[str, Any]] = {}
    notes = []
    for line in lines:
        if concise := _CONCISE.match(line):
            number = concise[2].lower()
            card = _card(number, int(concise[1]), None, None, int(concise[4]), tables)
            cards.append(card)
        for pattern, key in ((_TOTAL, "memory"), (_USED, "used"), (_SERIES, "name")):
            if found := pattern.match(line):
                value = found[2] if key == "name" else int(found[2]) // 1048576
                said.setdefault(int(found[1]), {})[key] = value
    if cards and not said:
        notes.append("the table prints no memory; rocm-smi --showmeminfo vram does")
    for index, facts in sorted(said.items()):
        cards.append(_card(facts.get("name", ""), index, facts.get("memory"), facts.get("used"), None, tables))
    if said and not any(card.name for card in cards):
        notes.append("the listing names no card; rocm-smi --showproductname does")
    return Listing("rocm-smi", tuple(cards), notes=tuple(notes))


def is_rocm_json(value: object) -> bool:
    """What `rocm-smi --json` prints: `card0`, `card1` and so on."""
    return isinstance(value, dict) and any(re.fullmatch(r"card[0-9]{1,3}", str(key)) for key in value)


def read_rocm_json(value: Mapping[str, Any], tables: HostTables) -> Listing:
    """`rocm-smi --json` with whatever it was asked to show."""
    cards = []
    for key, facts in value.items():
        index = whole(str(key).removeprefix("card"))
        if not str(key).startswith("card") or index is None or not isinstance(facts, dict):
            continue
        said = {str(name).lower(): str(text) for name, text in facts.items() if isinstance(text, str | int)}
        total = whole_bytes(said.get("vram total memory (b)", ""))
        number = said.get("device id", said.get("gpu id", said.get("card model", ""))).lower()
        name = said.get("card series") or said.get("device name") or number
        busy = whole(said.get("gpu use (%)", ""))
        used = whole_bytes(said.get("vram total used memory (b)", ""))
        cards.append(_card(number if number in tables.device_numbers else name, index, total, used, busy, tables))
    if not cards:
        raise UnreadableError("JSON without a card; give what rocm-smi --json prints")
    return Listing("rocm-smi json", tuple(cards))


def whole_bytes(text: str) -> int | None:
    """A count of bytes as MiB."""
    return int(text) // 1048576 if re.fullmatch(r"[0-9]{1,16}", text.strip()) else None


def read_json(text: str) -> Any:
    """JSON of a listing. Raises UnreadableError where it ends early."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        words = str(error) if isinstance(error, ValueError) else "nested too deep"
        raise UnreadableError(f"not whole JSON ({words}); give all that the command prints") from None
