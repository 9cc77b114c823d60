"""Traces of requests: CSV and JSON of any tool that writes prompt and answer tokens, told apart by their columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import chain, islice
from typing import Any

from ..plain_text import printable
from ..reality.text import UnreadableError
from ..value_types import dataclass
from .measured import MeasuredDemand, Tally
from .names import DemandNames, folded
from .prefixes import Prefixes
from .times import seconds_of, unit_of

_LOOKED_AT = 50
"""Lines without a request after which a text is no trace."""
MOST_JSON = 200_000_000
"""Characters of JSON that is one value rather than one per line."""
_SMALL = 1e11
"""Times below it are in the unit of their column."""
_SEPARATORS = ",;\t|"


@dataclass(slots=True)
class _Reader:
    """What one trace has come to."""

    names: DemandNames
    source: str
    tally: Tally = field(default_factory=Tally)
    prefixes: Prefixes = field(default_factory=Prefixes)
    cached: int = 0
    asked: int = 0
    """Prompt tokens of rows that say how many were cached."""
    delayed: int = 0
    """Requests that follow an earlier one, with no time of their own."""
    sessions: set[str] = field(default_factory=set)
    nested: int = 0
    last: dict[str, float] = field(default_factory=dict)
    """Session → arrival of its last request."""

    def row(self, values: Mapping[str, Any], unit_s: float, scope: str = "") -> None:
        """One request, by role. `scope`: of hashes that hold within a session only."""
        prompt, answer = _tokens(values.get("input")), _tokens(values.get("output"))
        if prompt is None or answer is None:
            self.tally.odd += 1
            return
        session = str(values.get("session") or "")[:200]
        at = seconds_of(values["time"], unit_s) if values.get("time") not in (None, "") else None
        if at is None and session in self.last and (delay := seconds_of(values.get("delay"), 1e-3)) is not None:
            at = self.last[session] + max(0.0, delay)
            self.delayed += 1
        if not self.tally.add(prompt, answer, at):
            return
        if session and len(self.last) < 1_000_000:
            self.sessions.add(session)
            if at is not None:
                self.last[session] = at
        hashes = values.get("hashes")
        if isinstance(hashes, list) and all(isinstance(entry, int | str) for entry in hashes):
            self.prefixes.add([f"{scope}/{entry}" for entry in hashes] if scope else hashes, prompt)
        cached = _tokens(values.get("cached"))
        if cached is not None:
            self.asked += prompt
            self.cached += min(cached, prompt)

    def measured(self, format: str) -> MeasuredDemand:
        """Everything, with what is to be said of it."""
        said = []
        share = self.prefixes.share
        if self.prefixes.prompts:
            block = self.prefixes.block
            if block is None:
                said.append("the numbers of hashes go with no size of blocks: prefix share not known")
            else:
                said.append(f"prefix share of an endless cache, in blocks of {block:,} tokens")
            if self.prefixes.full:
                said.append("hashes beyond five million are not kept: the prefix share may be higher")
        elif self.asked:
            share = self.cached / self.asked
            said.append("prefix share as the server found it in its cache")
        if self.delayed:
            said.append(f"{self.delayed:,} turns follow an earlier one: arrivals leave out how long that one took")
        if len(self.sessions) > 1:
            said.append(f"{len(self.sessions):,} sessions")
        return self.tally.measured(format, self.source, prefix_share=share, notes=tuple(said))


def _tokens(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        if not value.isascii() or not 0 < len(value) <= 18:
            return None
        if value.isdigit():
            return int(value)
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else None
    return value if isinstance(value, int) and abs(value) < 1 << 62 else None


# CSV


def read_csv(lines: Iterator[str], names: DemandNames, source: str) -> MeasuredDemand:
    """A table with a line of column names. Raises UnreadableError."""
    head = list(islice(lines, 1))
    while head and not head[0].strip():
        head = list(islice(lines, 1))
    if not head:
        raise UnreadableError(f"{source}: is empty; give a trace, or metrics of a server")
    separator = max(_SEPARATORS, key=head[0].count)
    try:
        columns = next(csv.reader(head, delimiter=separator))
    except (csv.Error, StopIteration):
        columns = []
    roles, times = _roles(columns, names)
    if "input" not in roles or "output" not in roles:
        raise UnreadableError(f"{source}: {_no_columns(columns)}")
    reader = _Reader(names, source)
    if "delay" not in roles:
        # What a session is good for is to place turns that have no time of their own.
        roles.pop("session", None)
    places = sorted(roles.items())
    unit = unit_of(columns[roles["time"]]) if times else 1.0
    plain = _plain_rows(roles, unit, reader.tally)
    rows = csv.reader(lines, delimiter=separator)
    while not reader.tally.full:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error:
            reader.tally.odd += 1
            continue
        if not row or plain(row):
            continue
        reader.row({role: row[place] for role, place in places if place < len(row)}, unit)
        if not reader.tally.count and reader.tally.odd > _LOOKED_AT:
            break
    return reader.measured(_csv_format(columns))


def _plain_rows(roles: Mapping[str, int], unit_s: float, tally: Tally) -> Callable[[Sequence[str]], bool]:
    """Counts a row of plain numbers, as nearly all are, three times as fast; False: it is to be looked at closely."""
    if {"cached", "delay"} & roles.keys():
        return lambda row: False
    prompt, answer, time = roles["input"], roles["output"], roles.get("time")
    add = tally.add

    def plain(row: Sequence[str]) -> bool:
        try:
            if time is None:
                add(int(row[prompt]), int(row[answer]), None)
                return True
            text = row[time]
            # A date begins with its year and a dash.
            at = seconds_of(text) if text[4:5] == "-" else float(text) * unit_s
            if at is None or not 0 <= at < _SMALL * unit_s:
                return False
            add(int(row[prompt]), int(row[answer]), at)
        except (ValueError, IndexError):
            return False
        return True

    return plain


def _no_columns(columns: Iterable[str]) -> str:
    seen = ", ".join(printable(column, 24) for column in islice(columns, 6))
    return f"no columns of prompt and answer tokens among {seen or 'none'}; name them input_tokens and output_tokens"


def _roles(columns: Iterable[str], names: DemandNames) -> tuple[dict[str, int], bool]:
    """Role → place of the first column that has it, and whether arrivals are among them."""
    found: dict[str, int] = {}
    for place, column in enumerate(columns):
        role = names.roles.get(folded(column.split("(")[0]))
        if role is not None and role != "hashes":
            found.setdefault(role, place)
    return found, "time" in found


def _csv_format(columns: Iterable[str]) -> str:
    known = {folded(column) for column in columns}
    if {"contexttokens", "generatedtokens"} <= known:
        return "azure"
    return "burstgpt" if {"requesttokens", "responsetokens", "logtype"} <= known else "csv"


# JSON


def read_json_lines(lines: Iterator[str], names: DemandNames, source: str) -> MeasuredDemand:
    """One request, or one session of them, per line. Raises UnreadableError."""
    reader = _Reader(names, source)
    kind = ""
    for number, line in enumerate(lines):
        if reader.tally.full:
            break
        if not line.strip():
            continue
        value = _parsed(line)
        if not isinstance(value, dict):
            reader.tally.odd += 1
        else:
            kind = kind or _json_format(value)
            _take(reader, value, kind)
        if not reader.tally.count and number > _LOOKED_AT:
            break
    if not kind:
        raise UnreadableError(f"{source}: no line is a JSON object; write one per request")
    return reader.measured(kind)


def read_json(lines: Iterator[str], names: DemandNames, source: str) -> MeasuredDemand:
    """One JSON value: a list of requests, or an object that holds one. Raises UnreadableError."""
    parts: list[str] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > MOST_JSON:
            raise UnreadableError(f"{source}: one JSON value of over {MOST_JSON:,} characters; write one per line")
        parts.append(line)
    value = _parsed("\n".join(parts))
    if value is None:
        raise UnreadableError(f"{source}: is no whole JSON; write one object per line")
    reader = _Reader(names, source)
    entries = value if isinstance(value, list) else [value]
    objects = [entry for entry in entries if isinstance(entry, dict)]
    if not objects:
        raise UnreadableError(f"{source}: holds no JSON objects; write one per request")
    kind = _json_format(objects[0])
    for entry in objects:
        if not reader.tally.full:
            _take(reader, entry, kind)
    return reader.measured(kind)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _json_format(value: Mapping[str, Any]) -> str:
    if isinstance(value.get("requests"), list):
        return "sessions"
    if "hash_ids" in value and ("chat_id" in value or "session_id" in value):
        return "sessions"
    return "mooncake" if "hash_ids" in value and "input_length" in value else "json"


_MILLISECONDS = "mooncake"


def _take(reader: _Reader, value: Mapping[str, Any], kind: str) -> None:
    inner = value.get("requests")
    if not isinstance(inner, list):
        # Mooncake's own and Dynamo's rows count milliseconds, Qwen's chats seconds.
        unit = 1e-3 if kind == _MILLISECONDS or (kind == "sessions" and "chat_id" not in value) else 0.0
        reader.row(*_by_role(value, reader.names, unit))
        return
    size = value.get("block_size")
    if isinstance(size, int) and not isinstance(size, bool):
        reader.prefixes.state(size)
    reader.nested += 1
    session = str(value.get("id") or value.get("session_id") or reader.nested)[:200]
    local = value.get("hash_id_scope") == "local"
    for entry in inner:
        if isinstance(entry, dict):
            values, unit = _by_role(entry, reader.names, 0.0)
            # Times within a session tell nothing of when it came.
            values = {**values, "session": session, "time": None, "delay": None}
            reader.row(values, unit, session if local else "")


def _by_role(value: Mapping[str, Any], names: DemandNames, unit_s: float) -> tuple[dict[str, Any], float]:
    """Values by role, an inner object such as `usage` among them; `unit_s` 0: as the name of the time states it."""
    found: dict[str, Any] = {}
    unit = unit_s or 1.0
    inner = chain.from_iterable(entry.items() for entry in value.values() if isinstance(entry, dict))
    for key, entry in chain(value.items(), inner):
        role = names.roles.get(folded(key))
        if role is None or role in found or entry is None:
            continue
        found[role] = entry
        if role == "time" and not unit_s:
            unit = unit_of(key)
    return found, unit
