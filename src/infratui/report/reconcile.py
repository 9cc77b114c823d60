"""A start-up log beside its prediction, in words: terms, attribution, and ways out of a failed start."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import ByteUnit, format_bytes
from .show import Answer, Bar, Bars, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..reality.comparison import Cause, ComparedTerm, Reconciliation
    from ..reality.remedies import Remedy

_NAMES = {
    "weights": "weights",
    "draft_weights": "draft weights",
    "host_weights": "weights in host memory",
    "activation": "activation",
    "non_torch": "non-torch",
    "graphs": "CUDA graphs",
    "graphs_estimated": "CUDA graphs, estimated",
    "visible": "visible memory",
    "requested": "requested memory",
    "kv_space": "KV space",
    "kv_tokens": "KV tokens",
    "concurrency": "concurrency",
    "kv_needed": "KV needed for one request",
    "longest": "longest request that fits",
    "available_end": "left at the end",
    "host_kv": "KV in host memory",
    "projected": "projected by the engine",
    "checkpoint": "checkpoint",
}
_ENGINES = {"vllm": "vLLM", "sglang": "SGLang", "tensorrt-llm": "TensorRT-LLM", "llama.cpp": "llama.cpp"}
_OUTCOMES = {
    "started": "started",
    "refused": "refused to start",
    "oom": "ran out of memory",
    "killed": "was ended before it served",
    "incomplete": "is not finished in this log",
}
_COLUMNS = (
    Column("term", "left"),
    Column("predicted"),
    Column("measured"),
    Column("gap"),
    Column("the log's line", "left", flex=True, keep=1, sortable=False),
)


def answer(found: Reconciliation, bytes_as: ByteUnit = ByteUnit.GIB) -> Answer:
    """How the start ended, and how near the prediction is."""
    reading = found.reading
    engine = " ".join(part for part in (_ENGINES[reading.engine], version(found)) if part)
    tone = {"started": "good", "incomplete": "tight"}.get(reading.outcome.value, "bad")
    if tone == "good" and not found.within_band:
        tone = "tight"
    model = reading.model or "a model that it does not name"
    text = f"{engine} {_OUTCOMES[reading.outcome.value]}: {model}{_read_as(found)}"
    return Answer(text, _headline(found), tone, (Says("", attribution(found, bytes_as), muted=True),))


def version(found: Reconciliation) -> str:
    """The engine's version, or the versions that print such lines."""
    reading = found.reading
    first, last = reading.version_range
    span = (
        f"{first} to {last}"
        if first and last
        else f"{first} or later"
        if first
        else f"{last} or earlier"
        if last
        else ""
    )
    said = reading.engine_version or (f"(by its lines {span})" if span else "")
    return f"{said} {reading.family}".strip() if reading.family == "V0" or not reading.engine_version else said


def _read_as(found: Reconciliation) -> str:
    identity = found.predicted.identity
    if identity is None:
        return "; not in the catalog: figures stand without a prediction, --model names its config or a relative"
    how = " by its size" if identity.by_size else ""
    return f", read as {identity.model.id} {identity.precision.id}{how}"


def _headline(found: Reconciliation) -> str:
    tokens = next((entry for entry in found.terms if entry.term == "kv_tokens"), None)
    if tokens is None or not tokens.predicted or tokens.measured is None:
        return ""
    return f"KV tokens {tokens.measured / tokens.predicted - 1:+.1%}"


def attribution(found: Reconciliation, bytes_as: ByteUnit = ByteUnit.GIB) -> str:
    """One sentence: what the largest gaps come from, and what stays."""
    reading = found.reading
    said = [_cause(cause, bytes_as) for cause in found.causes[:3]]
    if found.shortfall:
        said.insert(0, f"{format_bytes(found.shortfall, bytes_as)} short")
    if reading.ending and reading.outcome.value in ("oom", "killed"):
        said.append(f"it ended with: {reading.ending[:120]}")
    said += list(reading.notes)
    rest = found.unexplained
    if rest is not None:
        share = found.unexplained_share
        part = f", {share:.1%} of visible memory" if share is not None else ""
        said.append(f"unexplained: {format_bytes(rest, bytes_as)}{part}")
    visible = found.visible
    if visible is not None and visible.basis == "like":
        said.append(f"the log does not name the card; its size is that of {visible.card}")
    elif visible is not None and visible.basis == "solved":
        said.append("the log does not print visible memory: it is solved from the other figures; --gpu names the card")
    if found.profile:
        said.append(f"predicted with the host profile {found.profile}")
    return "; ".join(said) or "every term is as predicted"


def _cause(cause: Cause, bytes_as: ByteUnit) -> str:
    size = format_bytes(abs(cause.bytes), bytes_as)
    facts = cause.facts
    more = "more" if cause.bytes > 0 else "less"
    match cause.kind:
        case "batch" if facts["said"] != facts["assumed"]:
            return f"{size}: batch {facts['assumed']:,} assumed, the log says {facts['said']:,}"
        case "batch":
            return f"{size}: {facts['assumed_seqs']:,} sequences assumed, the log says {facts['said_seqs']:,}"
        case "draft":
            return f"{size}: the draft model {facts['model'] or ''}".rstrip()
        case "layers":
            return (
                f"{size}: the cache of {facts['said']} layers at {facts['per_token']:,} B per token, where the model "
                f"has {facts['model']}"
            )
        case "share":
            return f"{size}: a share of {facts['said']:g} of what is free, where {facts['assumed']:g} is the default"
        case _:
            return f"{size}: {_NAMES[cause.kind]} {more} than predicted"


def page(found: Reconciliation, bytes_as: ByteUnit = ByteUnit.GIB) -> tuple[Block, ...]:
    """Terms side by side, a bar for each gap, ways out, and the settings that were used."""
    blocks: list[Block] = [
        Table("terms", "Predicted and measured, one GPU", _COLUMNS, rows(found, bytes_as)),
        gaps(found, bytes_as),
    ]
    if found.remedies:
        ways = tuple(Says(f"{at}", _remedy(way, bytes_as), way.flag) for at, way in enumerate(found.remedies, 1))
        blocks.append(Prose("remedies", "Cheapest ways out", ways))
    if found.reading.pools:
        pools = tuple(
            Says(pool.kind, f"{pool.tokens or 0:,} tokens" if pool.tokens else "", format_bytes(pool.size, bytes_as))
            for pool in found.reading.pools
        )
        blocks.append(Prose("pools", "Caches", pools))
    stated = settings(found)
    if stated:
        blocks.append(
            Prose("settings", "LogSettings of the log", tuple(Says(key, str(value)) for key, value in stated.items()))
        )
    return tuple(blocks)


def rows(found: Reconciliation, bytes_as: ByteUnit) -> tuple[Row, ...]:
    """One row per term."""
    built = []
    for entry in found.terms:
        gap = entry.gap
        off = gap is not None and entry.predicted and abs(gap) > 0.1 * abs(entry.predicted)
        cells = (
            Cell(_NAMES[entry.term]),
            Cell(_amount(entry, entry.predicted, bytes_as), "", entry.predicted),
            Cell(_amount(entry, entry.measured, bytes_as), "bad" if entry.implausible else "", entry.measured),
            Cell("–" if gap is None else _signed(entry, gap, bytes_as), "tight" if off else "muted", gap),
            Cell(entry.line or "–", "muted"),
        )
        detail = "this cannot be the model's: not saved" if entry.implausible else entry.line
        built.append(Row(entry.term, cells, detail=detail))
    return tuple(built)


def _amount(entry: ComparedTerm, value: float | None, bytes_as: ByteUnit) -> str:
    if value is None:
        return "–"
    if entry.unit == "bytes":
        return format_bytes(value, bytes_as)
    return f"{value:,.0f}" if entry.unit == "tokens" else f"{value:.2f}x"


def _signed(entry: ComparedTerm, gap: float, bytes_as: ByteUnit) -> str:
    sign = "+" if gap >= 0 else "−"
    return f"{sign}{_amount(entry, abs(gap), bytes_as)}"


def gaps(found: Reconciliation, bytes_as: ByteUnit) -> Bars:
    """A bar for each gap in bytes."""
    bars = [
        Bar(
            _NAMES[entry.term],
            abs(entry.gap),
            _signed(entry, entry.gap, bytes_as),
            "kv" if "kv" in entry.term else "weights",
        )
        for entry in found.terms
        if entry.gap is not None and entry.unit == "bytes"
    ]
    return Bars("gaps", "Measured less predicted", tuple(bars))


def _remedy(way: Remedy, bytes_as: ByteUnit) -> str:
    gains = f" ({format_bytes(way.gains, bytes_as)})" if way.gains else ""
    match way.kind:
        case "utilization":
            return f"another share of memory{gains}"
        case "eager":
            return f"no CUDA graphs, slower decoding{gains}"
        case "fp8_kv":
            return f"an 8-bit cache{gains}"
        case "max_model_len":
            return f"shorter requests{gains}"
        case "batch":
            return f"smaller prefill steps{gains}"
        case "tp":
            return f"weights over {way.value:.0f} GPUs{gains}"
        case "offload":
            return f"part of the weights in host memory, much slower{gains}"
        case "host_memory":
            return "free memory of the host: it had less than the checkpoint is large"
        case _:
            return f"a checkpoint of half the bits, such as INT4{gains}"


def settings(found: Reconciliation) -> dict[str, Any]:
    """What the log states, by the names all engines share."""
    stated = found.reading.settings
    pairs = ((field.name, getattr(stated, field.name)) for field in fields(stated))
    return {name: value for name, value in pairs if value is not None}


def data(found: Reconciliation) -> dict[str, Any]:
    """The comparison as plain values; keys are part of the schema."""
    reading, identity = found.reading, found.predicted.identity
    return {
        "engine": reading.engine,
        "engine_version": reading.engine_version,
        "engine_versions": reading.version_range,
        "engine_family": reading.family,
        "model": reading.model,
        "read_as": None if identity is None else identity.model.id,
        "precision": None if identity is None else identity.precision.id,
        "by_size": identity is not None and identity.by_size,
        "outcome": reading.outcome,
        "gpu": reading.gpu,
        "visible_bytes": found.visible.bytes if found.visible else None,
        "visible_basis": found.visible.basis if found.visible else None,
        "flags": settings(found),
        "terms": [
            {
                "term": entry.term,
                "predicted": entry.predicted,
                "measured": entry.measured,
                "unit": entry.unit,
                "line": entry.line,
            }
            for entry in found.terms
        ],
        "pools": reading.pools,
        "unexplained_bytes": found.unexplained,
        "within_band": found.within_band,
        "attribution": attribution(found),
        "shortfall_bytes": found.shortfall,
        "remedies": [
            {"kind": way.kind, "flag": way.flag, "gains_bytes": way.gains, "text": _remedy(way, ByteUnit.GIB)}
            for way in found.remedies
        ],
        "notes": reading.notes,
    }
