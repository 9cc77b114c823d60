"""`nvidia-smi` in every form: the table, `-L`, `--query-gpu --format=csv`, `-q` as text, and `topo -m`."""

from __future__ import annotations

import csv
import re

from ..text import UnreadableError, mebibytes, whole
from .reading import Card, HostLink, Listing, Slice

_HEAD = re.compile(r"\|\s+([0-9]{1,4})\s\s*(.+?)\s+(?:On|Off|N/A)\s+\|\s*([0-9A-Fa-f]{4,8}:\S+|N/A|ERR!)")
_NAME_ONLY = re.compile(r"\|\s+([0-9]{1,4})\s\s*(.+?)\s*\|\s*[0-9A-Fa-f]{4,8}:\S+")
_MEMORY = re.compile(r"([0-9]+)\s*MiB\s*/\s*([0-9]+)\s*MiB")
_BUSY = re.compile(r"\|\s*([0-9]{1,3})%\s+\S")
_SLICE = re.compile(r"\|\s+([0-9]{1,4})\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)\s*\|\s*[0-9]+\s*MiB\s*/\s*([0-9]+)\s*MiB")
_PROCESS = re.compile(r"\|\s+([0-9]{1,4})\s+(?:N/A|[0-9]+)\s+(?:N/A|[0-9]+)\s+[0-9]+\s+([CGM+]{1,3})\s")
_NOTHING = "0 MiB of memory: a fault, or the card is taken over by a guest"


def read_table(lines: list[str]) -> Listing:
    """The table that `nvidia-smi` prints."""
    cards: dict[int, dict[str, object]] = {}
    slices: dict[int, list[Slice]] = {}
    part = "cards"
    at: int | None = None
    notes: list[str] = []
    for line in lines:
        if "MIG devices:" in line:
            part, at = "slices", None
        elif "Processes:" in line:
            part, at = "processes", None
        elif part == "cards":
            head = _HEAD.match(line) or _NAME_ONLY.match(line)
            if head:
                at = int(head[1])
                cards[at] = {"name": _name(head[2])}
                if "ERR!" in line:
                    cards[at]["fault"] = "reports ERR!"
            elif at is not None and line.startswith("|"):
                _second_row(cards[at], line)
        elif part == "slices":
            if found := _SLICE.match(line):
                slices.setdefault(int(found[1]), []).append(Slice("", int(found[5])))
        elif (found := _PROCESS.match(line)) and int(found[1]) in cards and "C" in found[2]:
            card = cards[int(found[1])]
            card["processes"] = int(str(card.get("processes", 0))) + 1
    built = tuple(_card(index, facts, slices.get(index)) for index, facts in sorted(cards.items()))
    if any("WDDM" in line for line in lines):
        notes.append("Windows driver model: the display may hold memory")
    return Listing("nvidia-smi", built, notes=tuple(notes))


def _name(text: str) -> str:
    return re.sub(r"\s+(?:On|Off|WDDM|TCC|N/A)$", "", " ".join(text.split()))


def _second_row(facts: dict[str, object], line: str) -> None:
    if memory := _MEMORY.search(line):
        facts["used"], facts["memory"] = int(memory[1]), int(memory[2])
        if busy := _BUSY.search(line[memory.end() :]):
            facts["busy"] = int(busy[1])
    elif "ERR!" in line and "memory" not in facts:
        facts["fault"] = "reports ERR!"
    elif "Enabled" in line and "memory" in facts:
        facts["mig"] = True


def _card(index: int, facts: dict[str, object], slices: list[Slice] | None) -> Card:
    memory = facts.get("memory")
    fault = str(facts.get("fault", ""))
    if memory == 0:
        fault = _NOTHING
    cut = tuple(slices or ()) if slices or facts.get("mig") else None
    return Card(
        str(facts["name"]),
        memory if isinstance(memory, int) and memory else None,
        index,
        _int(facts.get("used")),
        _int(facts.get("busy")),
        _int(facts.get("processes")) or 0,
        cut,
        fault,
    )


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None


_LISTED = re.compile(r"GPU ([0-9]{1,4}): (.+?) \(UUID:")
_LISTED_SLICE = re.compile(r"\s+MIG (\S+)\s+Device\s+[0-9]+:")


def read_list(lines: list[str]) -> Listing:
    """`nvidia-smi -L`: names and MIG profiles, no memory."""
    cards: list[Card] = []
    slices: dict[int, list[Slice]] = {}
    for line in lines:
        if found := _LISTED.match(line):
            cards.append(Card(found[2], index=int(found[1])))
        elif cards and (cut := _LISTED_SLICE.match(line)):
            slices.setdefault(len(cards) - 1, []).append(Slice(cut[1], None))
    built = tuple(
        Card(card.name, index=card.index, mig=tuple(slices[at]) if at in slices else None)
        for at, card in enumerate(cards)
    )
    return Listing("nvidia-smi -L", built, notes=("the list names no memory; plain nvidia-smi does",))


_QUERY = {
    "index": "index",
    "name": "name",
    "gpu_name": "name",
    "memory.total": "memory",
    "memory.used": "used",
    "utilization.gpu": "busy",
    "mig.mode.current": "mig",
    "hostname": "node",
}


def read_csv(lines: list[str]) -> Listing:
    """`nvidia-smi --query-gpu=… --format=csv`, with its header."""
    rows = list(csv.reader([line for line in lines if line.strip()], skipinitialspace=True))
    if not rows:
        raise UnreadableError("an empty query; run nvidia-smi --query-gpu=index,name,memory.total --format=csv")
    head = [cell.strip().lower() for cell in rows[0]]
    columns = {_QUERY[key.split(" [")[0]]: (at, key) for at, key in enumerate(head) if key.split(" [")[0] in _QUERY}
    if "name" not in columns:
        raise UnreadableError("the query has no column name; ask for --query-gpu=index,name,memory.total")
    cards = []
    for number, row in enumerate(rows[1:]):
        if len(row) != len(head):
            continue

        def cell(key: str, row: list[str] = row) -> str:
            return row[columns[key][0]].strip() if key in columns else ""

        memory = mebibytes(cell("memory"))
        index = whole(cell("index"))
        cards.append(
            Card(
                cell("name"),
                memory or None,
                number if index is None else index,
                mebibytes(cell("used")),
                whole(cell("busy").rstrip("% ")),
                mig=() if cell("mig") == "Enabled" else None,
                fault=_NOTHING if memory == 0 else "reports an error" if "Unknown Error" in cell("memory") else "",
            )
        )
    return Listing("nvidia-smi csv", tuple(cards))


_KEY = re.compile(r"( *)([^:]+?)\s*(?::\s?(.*))?$")


def read_query_text(lines: list[str]) -> Listing:
    """`nvidia-smi -q`: indented `key : value` lines, one block per card."""
    cards: list[dict[str, str]] = []
    stack: list[tuple[int, str]] = []
    slices: dict[int, list[Slice]] = {}
    for line in lines:
        if re.match(r"GPU [0-9A-Fa-f]{4,8}:", line):
            cards.append({})
            stack = []
            continue
        found = _KEY.match(line)
        if not cards or not found or not line.strip():
            continue
        depth, key, value = len(found[1]), found[2].strip(), found[3]
        while stack and stack[-1][0] >= depth:
            stack.pop()
        if value is None:
            stack.append((depth, key))
            continue
        path = "/".join([name for _, name in stack] + [key])
        if "MIG Devices" in path or "MIG Device" in path:
            if path.endswith("FB Memory Usage/Total"):
                slices.setdefault(len(cards) - 1, []).append(Slice("", mebibytes(value)))
            continue
        cards[-1].setdefault(path, value.strip())
    built = []
    for at, facts in enumerate(cards):
        memory = mebibytes(facts.get("FB Memory Usage/Total", ""))
        cut = facts.get("MIG Mode/Current") == "Enabled"
        built.append(
            Card(
                facts.get("Product Name", ""),
                memory or None,
                at,
                mebibytes(facts.get("FB Memory Usage/Used", "")),
                whole(facts.get("Utilization/Gpu", facts.get("Utilization/GPU", "")).rstrip("% ")),
                mig=tuple(slices.get(at, ())) if cut or at in slices else None,
                fault=_NOTHING if memory == 0 else "",
            )
        )
    driver = [facts.get("Driver Model/Current") for facts in cards]
    notes = ("Windows driver model: the display may hold memory",) if "WDDM" in driver else ()
    return Listing("nvidia-smi -q", tuple(built), notes=notes)


_PLACE = re.compile(r"(GPU|NIC)([0-9]{1,4})")


def is_topology(line: str) -> bool:
    """The head of the matrix of `nvidia-smi topo -m`."""
    words = line.split()
    return len(words) >= 2 and words[0] == "GPU0" and ("CPU" in words or words[1].startswith(("GPU", "NIC", "mlx")))


def read_topology(lines: list[str]) -> Listing:
    """`nvidia-smi topo -m`: which link joins which cards. Columns are told by order: its tabs do not line up."""
    head: list[str] = []
    links: dict[str, list[tuple[int, int]]] = {}
    sockets: set[str] = set()
    gpus = nics = 0
    for line in lines:
        words = line.split()
        if not head:
            if is_topology(line):
                head = [word for word in words if _PLACE.fullmatch(word) or word.startswith("mlx")]
                nics = sum(not word.startswith("GPU") for word in head)
            continue
        if not words:
            continue
        place = _PLACE.fullmatch(words[0])
        if not place:
            if gpus:
                break
            continue
        if place[1] == "NIC" or len(words) < len(head) + 1:
            continue
        gpus += 1
        sockets.update(words[len(head) + 2 : len(head) + 3])
        for column, word in zip(head, words[1:], strict=False):
            other = _PLACE.fullmatch(column)
            if (
                other
                and other[1] == "GPU"
                and int(other[2]) > int(place[2])
                and re.fullmatch(r"[A-Z]{2,4}[0-9]*", word)
            ):
                links.setdefault(word, []).append((int(place[2]), int(other[2])))
    every = gpus * (gpus - 1) // 2
    built = tuple(
        HostLink("", kind, tuple(pairs), len(pairs) == every)
        for kind, pairs in sorted(links.items(), key=lambda entry: (not entry[0].startswith("NV"), entry[0]))
    )
    notes = [f"{nics} network ports"] if nics else []
    if len(sockets) > 1:
        notes.append(f"on {len(sockets)} sockets")
    if gpus and not any(link.kind.startswith("NV") for link in built):
        notes.append("no NVLink between the cards")
    if not gpus:
        raise UnreadableError("a topology without a row of a GPU; give the whole of nvidia-smi topo -m")
    return Listing("nvidia-smi topo", (Card("", count=gpus),), links=built, notes=tuple(notes))
