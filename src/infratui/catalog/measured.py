"""Benchmark rows that others published: read from the package or from a file of the same columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from ..engine.cluster.layout import Layout
from ..engine.figures.units import plain_float
from ..engine.measured.rows import MeasuredRow
from .built_in import DATA
from .calibration import Convention, calibration
from .errors import CatalogError

_AT_ONCE = re.compile(r"([1-9][0-9,]{0,9}) (?:requests|prompts) at once")
"""An offline run of so many requests, all there from the start."""
MAX_THROUGHPUT = frozenset({"max throughput", "max", "static max"})
_TOKENS_UNSTATED = 32
"""A prompt that its source calls short."""


@cache
def measured_throughput() -> tuple[MeasuredRow, ...]:
    """Every row of `measured/throughput.csv`, those that cannot be scored included (`MeasuredRow.left_out`)."""
    text = (DATA / "measured/throughput.csv").read_text("utf-8")
    return tuple(read_rows(csv.DictReader(text.splitlines()), calibration().conventions))


def read_rows(
    rows: Iterable[Mapping[str, str | None]], conventions: tuple[Convention, ...] = ()
) -> Iterator[MeasuredRow]:
    """Rows with the columns of `measured/throughput.csv`; those that only name a plan and its traffic are enough.

    Raises CatalogError in one line for a value that is none.
    """
    for number, row in enumerate(rows, start=2):
        yield measured_row({key: (value or "").strip() for key, value in row.items() if key}, number, conventions)


def measured_row(row: Mapping[str, str], number: int = 0, conventions: tuple[Convention, ...] = ()) -> MeasuredRow:
    """One row. `number` is its line, for messages."""

    def whole(name: str, default: int) -> int:
        return round(_number(row, name, float(default), number))

    tp, pp, dp = whole("tp", 0), whole("pp", 1), whole("dp", 1)
    gpus = whole("num_gpus", 0) or max(1, tp) * pp * dp
    tp = tp or max(1, gpus // (pp * dp))
    ep = whole("ep", 1)
    concurrency_text = row.get("concurrency", "").lower()
    at_once = _AT_ONCE.fullmatch(concurrency_text)
    offline = concurrency_text in MAX_THROUGHPUT or at_once is not None
    known = offline or not concurrency_text or _is_number(concurrency_text)
    share = _number(row, "length_share", 1.0, number)
    isl, osl = whole("isl", _TOKENS_UNSTATED), whole("osl", 1)
    requests = int(at_once[1].replace(",", "")) if at_once else whole("requests", 0) or None
    if offline and requests is None:
        requests = _convention(conventions, row.get("engine", "").lower(), isl, osl)
    left_out = "" if row.get("usable", "yes").lower() != "no" else row.get("reason", "") or "marked unusable"
    if not known and not left_out:
        left_out = f"concurrency {concurrency_text!r} is neither a number nor 'max throughput'"
    value = row.get("value", "")
    return MeasuredRow(
        id=row.get("id", "") or f"row {number}",
        study=row.get("study", "") or row.get("source", ""),
        source=row.get("source", ""),
        date=row.get("source_date", ""),
        engine=row.get("engine", "") or "vllm",
        version=row.get("engine_version", ""),
        model=row.get("model_id", ""),
        precision=row.get("weight_format", "") or "bf16",
        kv_precision="" if row.get("kv_dtype", "").lower() in ("", "auto") else row["kv_dtype"],
        accelerator=row.get("gpu", ""),
        layout=Layout(tp, pp, dp, ep),
        input_tokens=isl * share,
        output_tokens=max(1.0, osl * share),
        concurrency=_number(row, "concurrency", 1.0, number) if known and not offline else None,
        static=row.get("batching", "").lower() == "static" and not offline,
        lockstep=_number(row, "lockstep", 0.0, number) if row.get("lockstep") else None,
        varied=share != 1,
        poll_steps=whole("poll_steps", 1),
        requests=requests,
        max_num_seqs=whole("max_num_seqs", 0) or None,
        utilization=_number(row, "gpu_mem_util", 0.0, number) or None,
        metric=row.get("metric", ""),
        value=_number(row, "value", 0.0, number) if value else None,
        fitted=row.get("fit", "yes").lower() != "no",
        left_out=left_out,
        remark=row.get("reason", ""),
    )


def stated_row(row: Mapping[str, str], number: int) -> MeasuredRow:
    """A row of anybody's table. Raises CatalogError where it asks for speed and states no load."""
    stated = measured_row(row, number, calibration().conventions)
    load = row.get("concurrency", "").strip()
    if stated.concurrency is None and load.lower() not in MAX_THROUGHPUT and not _AT_ONCE.fullmatch(load.lower()):
        raise CatalogError(f"concurrency {load[:40]!r} is neither a number, 'max throughput' nor 'N requests at once'")
    return stated


def _convention(conventions: tuple[Convention, ...], engine: str, isl: int, osl: int) -> int | None:
    return next(
        (entry.requests for entry in conventions if (entry.engine, entry.input, entry.output) == (engine, isl, osl)),
        None,
    )


def _is_number(text: str) -> bool:
    try:
        plain_float(text)
    except ValueError:
        return False
    return True


def _number(row: Mapping[str, str], name: str, default: float, number: int) -> float:
    text = row.get(name, "").replace(",", "").replace("_", "")
    if not text:
        return default
    try:
        value = plain_float(text)
    except ValueError:
        raise CatalogError(f"line {number}: {name} = {text[:40]!r} is not a number") from None
    if not 0 <= value < 1e12:
        raise CatalogError(f"line {number}: {name} = {text[:40]!r} is out of range; write 0 to 1e12")
    return value


@cache
def measured_memory() -> tuple[Mapping[str, str], ...]:
    """Start-up logs of `measured/memory.csv`, one mapping per row; GiB per GPU, empty where a log does not say."""
    text = (DATA / "measured/memory.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))
