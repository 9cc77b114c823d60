"""The door: sources in, one reading out; what they are is told by their content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from ..reality.text import UnreadableError
from .measured import MeasuredDemand
from .names import DemandNames
from .prometheus import Scrape, read_metrics, scrapes
from .stream import DemandSource, lines
from .traces import read_csv, read_json, read_json_lines

_AHEAD = 60
"""Lines that are looked at before a reader is chosen."""
_METRIC = re.compile(r"[A-Za-z_:][\w:]*(\{.*\})?\s+[-+]?(\d|Inf|NaN)\S*(\s+-?\d+)?\s*", re.ASCII)


def read_demand(sources: Sequence[DemandSource], names: DemandNames, seconds: float | None = None) -> MeasuredDemand:
    """What the sources say together: one trace, or scrapes of one server in their order.

    Raises UnreadableError in one line.
    """
    if not sources:
        raise UnreadableError("no file; give a trace, or what a server's /metrics prints")
    found: list[Scrape] = []
    for source in sources:
        text, kind = _told(source)
        if kind != "metrics":
            if len(sources) > 1:
                raise UnreadableError(f"{source.name}: is no Prometheus text; two files are two scrapes of a server")
            return _trace(text, kind, names, source.name)
        found += scrapes(text, names, source.written_s)
    name = sources[-1].name
    if not found:
        raise UnreadableError(f"{name}: no metric of a serving engine in it; known are {', '.join(names.engines)}")
    return read_metrics(found, names, name, seconds)


def _trace(text: Iterator[str], kind: str, names: DemandNames, source: str) -> MeasuredDemand:
    if kind == "json lines":
        return read_json_lines(text, names, source)
    return read_json(text, names, source) if kind == "json" else read_csv(text, names, source)


def _told(source: DemandSource) -> tuple[Iterator[str], str]:
    """The lines, and what they are: `metrics`, `json lines`, `json` or `csv`."""
    text = lines(source)
    head = list(islice(text, _AHEAD))
    whole = chain(head, text)
    filled = [line for line in head if line.strip()]
    if not filled:
        raise UnreadableError(f"{source.name}: is empty; give a trace, or what a server's /metrics prints")
    first = filled[0].lstrip()
    if first.startswith("["):
        return whole, "json"
    if first.startswith("{"):
        return whole, "json lines" if first.rstrip().endswith("}") else "json"
    if first.startswith(("# HELP", "# TYPE")) or sum(map(_is_metric, filled)) * 2 > len(filled):
        return whole, "metrics"
    return whole, "csv"


def _is_metric(line: str) -> bool:
    return line.startswith(("# HELP", "# TYPE")) or _METRIC.fullmatch(line) is not None
