"""One deployment per row of text: memory estimated from the columns that start-up logs are recorded in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ...value_types import dataclass
from ..cluster.fabric import Fabric
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..cluster.legal import refusals
from ..facts import Facts, UnknownFactError
from ..figures.reason import Reason
from ..figures.units import GIB, plain_float
from ..memory.kv_cache import KvGeometry, Sequences
from ..memory.plan import Deployment, plan_memory
from ..memory.runtime import RuntimeConstants, RuntimeTable, UnknownEngineError
from ..memory.startup import CacheMode, predict_startup
from ..memory.weights import StageWeights, draft_bytes
from ..model.architecture import Model, Part
from ..model.precision import Precision
from .format_names import named_format

MEMORY_COLUMNS = (
    "est_weights_gib_per_gpu",
    "est_activation_gib",
    "est_non_torch_gib",
    "est_cudagraph_gib",
    "est_kv_cache_gib_per_gpu",
    "est_kv_bytes_per_token_per_gpu",
    "est_kv_tokens",
    "est_max_concurrency",
    "est_band_pct",
    "est_note",
    "est_error",
)
"""What `estimate_memory` adds to a row."""

_LIMITS = {"tp": 1024, "pp": 1024, "ep": 1024, "dp": 4096}
_LONGEST = 16_777_216
_MOST_SEQS = 1_048_576
_HOST_EMBEDDING = ("llama.cpp", "ollama")
"""Engines that leave the token embedding in host memory."""


class RowError(ValueError):
    """A row that cannot be answered: which column, what, what would be right."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A deployment as a row states it; 0 and empty: not stated."""

    model: Model
    precision: Precision
    kv_precision: Precision
    layout: Layout
    engine: str
    engine_version: str
    accelerator: Accelerator | None
    utilization: float
    max_model_len: int
    max_num_seqs: int
    max_batched_tokens: int
    hybrid_cache: CacheMode | None
    """How states are kept beside prefix caching; None: as the engine's version does."""
    draft_tokens: int
    kv_cache_gib: float | None
    """Measured KV space per GPU, where the row carries it."""
    trouble: str
    """Why part of the row cannot be answered."""


def read_row(row: Mapping[str, str], facts: Facts) -> LogRow:
    """The deployment that a row states. Raises RowError or UnknownFactError in one line."""
    model = facts.model(_text(row, "model_id") or _missing("model_id"))
    accelerator, trouble = _accelerator(row, facts)
    return LogRow(
        model=model,
        precision=weight_precision(_text(row, "weight_format"), model, facts),
        kv_precision=cache_precision(_text(row, "kv_dtype"), facts),
        layout=Layout(*(_count(row, name, _LIMITS[name]) or 1 for name in ("tp", "pp", "dp", "ep"))),
        engine=_engine(_text(row, "engine")),
        engine_version=_text(row, "engine_version"),
        accelerator=accelerator,
        utilization=_share(row, "gpu_mem_util"),
        max_model_len=_count(row, "max_model_len", _LONGEST),
        max_num_seqs=_count(row, "max_num_seqs", _MOST_SEQS),
        max_batched_tokens=_count(row, "max_num_batched_tokens", _LONGEST),
        hybrid_cache=_cache_mode(row),
        draft_tokens=_count(row, "draft_tokens", 64),
        kv_cache_gib=_number(row, "kv_cache_gib_per_gpu"),
        trouble=trouble,
    )


def estimate_memory(
    row: Mapping[str, str], facts: Facts, *, given_kv: bool = False, say: Callable[[Reason], str] = str
) -> dict[str, str]:
    """The estimated columns of one row, as text.

    `est_error` says why nothing is answered, `est_note` what is missing of an answer and how a name was read.

    `given_kv`: tokens and concurrency from the row's own `kv_cache_gib_per_gpu`. `say`: words for a refused layout.
    """
    found = dict.fromkeys(MEMORY_COLUMNS, "")
    try:
        stated = read_row(row, facts)
        _check_gpus(row, stated.layout)
        illegal = refusals(stated.model, stated.precision, stated.layout, Fabric(gpus_per_node=_LIMITS["tp"]))
        if illegal:
            raise RowError(say(illegal[0]))
        _fill(found, stated, facts.runtime(), given_kv)
        found["est_note"] = "; ".join(part for part in (_read_as(row, stated.model), found["est_note"]) if part)
    except (RowError, UnknownFactError, ValueError) as problem:
        found["est_error"] = str(problem)
    return found


def _fill(found: dict[str, str], row: LogRow, table: RuntimeTable, given_kv: bool) -> None:
    constants, trouble = _constants(row, table)
    deployment = Deployment(
        model=row.model,
        precision=row.precision,
        kv_precision=row.kv_precision,
        constants=constants,
        utilization=row.utilization or constants.utilization,
        max_batched_tokens=row.max_batched_tokens,
        max_num_seqs=row.max_num_seqs,
        # Of an engine without constants it is not known that windows stop growing.
        windowed=not trouble,
    )
    length = row.max_model_len or row.model.max_context
    stages = deployment.weights(row.layout).stages
    fullest = max(range(len(stages)), key=lambda stage: stages[stage].total)
    geometry = deployment.geometry(row.layout)[fullest]
    drafts = draft_bytes(row.model, row.layout.tp) if row.draft_tokens else 0
    found["est_weights_gib_per_gpu"] = _gib(_on_gpu(stages[fullest], row.engine) + drafts)
    found["est_kv_bytes_per_token_per_gpu"] = f"{geometry.bytes_per_token:.0f}"
    space: int | None = None
    batched = row.max_batched_tokens or constants.batch[-1].max_batched_tokens
    if row.accelerator is not None and not trouble:
        plan = plan_memory(deployment, row.accelerator, row.layout, Sequences(1, length), table)
        batched = deployment.batch(row.accelerator).max_batched_tokens
        space = max(0, plan.kv_space - drafts)
        found["est_activation_gib"] = _gib(plan.runtime.activation)
        found["est_non_torch_gib"] = _gib(plan.runtime.non_torch)
        found["est_cudagraph_gib"] = _gib(plan.runtime.graphs)
        found["est_kv_cache_gib_per_gpu"] = _gib(space)
        found["est_band_pct"] = "" if constants.kv_space_band_pct is None else f"{constants.kv_space_band_pct:g}"
        if not space:
            trouble = f"weights and runtime exceed the requested memory of {row.accelerator.name}"
    if given_kv and row.kv_cache_gib is not None:
        space = round(row.kv_cache_gib * GIB)
    if space:
        mode = row.hybrid_cache or constants.hybrid_cache
        verified = (row.draft_tokens, 1 if row.draft_tokens else 0)
        tokens, concurrency = capacity(geometry, space, length, batched, constants, row.engine, mode, verified)
        found["est_kv_tokens"] = str(tokens)
        found["est_max_concurrency"] = f"{concurrency:.2f}"
    found["est_note"] = "; ".join(part for part in (row.trouble, trouble) if part)


def _check_gpus(row: Mapping[str, str], layout: Layout) -> None:
    """Raises RowError where a row's number of GPUs is not that of its layout."""
    stated = _count(row, "num_gpus", _LIMITS["dp"])
    if stated and _text(row, "tp") and stated != layout.gpus:
        sizes = f"tp {layout.tp} × pp {layout.pp} × dp {layout.dp}"
        raise RowError(f"num_gpus: {stated} is not {sizes} = {layout.gpus}; correct one, or leave num_gpus empty")


def _read_as(row: Mapping[str, str], model: Model) -> str:
    """`read as gemma-3-27b`, where a name is not the catalog's own."""
    name = _text(row, "model_id")
    return "" if name.lower() in (model.id.lower(), model.hf_id.lower()) else f"read as {model.id}"


def capacity(
    geometry: KvGeometry,
    space: int,
    length: int,
    batched: int,
    constants: RuntimeConstants,
    engine: str,
    cache_mode: CacheMode = "none",
    drafts: tuple[int, int] = (0, 0),
) -> tuple[int, float]:
    """Tokens as the engine would print them, and sequences of `length`, that `space` bytes of one GPU hold.

    `drafts`: tokens that a step verifies beyond one, and layers of the draft.
    """
    if engine == "vllm":
        lines = predict_startup(
            geometry,
            space,
            length,
            batched,
            block_tokens=constants.block_tokens,
            printed_by_groups=constants.prints_groups,
            merged=constants.merged_line,
            cache_mode=cache_mode,
            draft_tokens=drafts[0],
            draft_layers=drafts[1],
        )
        return lines.kv_tokens, lines.concurrency
    concurrency = max(0, space) / max(1, geometry.sequence_bytes(length))
    if geometry.windows or not geometry.growing:
        return int(concurrency * length), concurrency
    block = constants.block_tokens
    return int(space / (geometry.growing * block)) * block, concurrency


def _constants(row: LogRow, table: RuntimeTable) -> tuple[RuntimeConstants, str]:
    try:
        return table.of(row.engine, row.engine_version), ""
    except UnknownEngineError as problem:
        # Weights and bytes per token do not depend on the engine's memory management.
        return replace(table.of("vllm"), absorbed_copies="", position_bytes=0), str(problem)


def _on_gpu(stage: StageWeights, engine: str) -> int:
    host = stage.of(Part.EMBEDDING) if engine in _HOST_EMBEDDING and stage.of(Part.HEAD) else 0
    return stage.total - host


def weight_precision(text: str, model: Model, facts: Facts) -> Precision:
    """The precision that a row's words mean for this model; empty: as released. Raises RowError."""
    words = text.lower()
    name = re.sub(r"\(.*?\)|^gguf\b", "", words).strip().replace(" ", "-")
    if not name:
        return facts.precision(model.weight_precision)
    if "gguf" in words:
        return facts.precision(name)
    return facts.precision(named_format(words, model) or name)


def cache_precision(text: str, facts: Facts) -> Precision:
    """The KV precision that a row's words mean; empty and `auto`: 16 bit."""
    words = text.lower()
    if words in ("", "auto", "bf16", "bfloat16", "fp16", "f16", "float16", "half"):
        return facts.precision("bf16")
    if words.startswith("fp8"):
        return facts.precision("fp8-e5m2" if "e5m2" in words else "fp8")
    if words == "int8":
        return facts.precision("int8-kv")
    return facts.precision(words)


def _accelerator(row: Mapping[str, str], facts: Facts) -> tuple[Accelerator | None, str]:
    name = _text(row, "gpu")
    if not name:
        return None, "gpu is not stated: no KV space"
    try:
        return facts.accelerator(name), ""
    except UnknownFactError as problem:
        return None, f"{problem}: no KV space"


def _engine(text: str) -> str:
    words = text.lower()
    for mark, engine in (
        ("llama.cpp", "llama.cpp"),
        ("ollama", "ollama"),
        ("sglang", "sglang"),
        ("tensorrt", "tensorrt-llm"),
        ("trt", "tensorrt-llm"),
        ("vllm", "vllm"),
    ):
        if mark in words:
            return engine
    return words or "vllm"


def _text(row: Mapping[str, str], name: str) -> str:
    return (row.get(name) or "").strip()


def _missing(name: str) -> str:
    raise RowError(f"{name} is empty; name a model, such as meta-llama/Llama-3.1-8B-Instruct")


def _number(row: Mapping[str, str], name: str) -> float | None:
    text = _text(row, name)
    if not text:
        return None
    try:
        value = plain_float(text.replace(",", ""))
    except ValueError:
        raise RowError(f"{name}: {text[:40]!r} is not a number; write one, or leave it empty") from None
    if not -1e12 < value < 1e12:
        raise RowError(f"{name}: {text[:40]!r} is out of range")
    return value


def _count(row: Mapping[str, str], name: str, most: int) -> int:
    value = _number(row, name)
    if value is None:
        return 0
    if value != int(value) or not 1 <= value <= most:
        raise RowError(f"{name}: {_text(row, name)[:40]!r} is not a whole number from 1 to {most:,}")
    return int(value)


def _cache_mode(row: Mapping[str, str]) -> CacheMode | None:
    match _text(row, "hybrid_cache").lower():
        case "":
            return None
        case "none":
            return "none"
        case "align":
            return "align"
        case "all":
            return "all"
        case other:
            raise RowError(f"hybrid_cache: {other[:40]!r} is not known; write none, align or all")


def _share(row: Mapping[str, str], name: str) -> float:
    value = _number(row, name)
    if value is None:
        return 0.0
    if not 0 < value <= 1:
        raise RowError(f"{name}: {_text(row, name)[:40]!r} is not a share above 0 and up to 1, such as 0.9")
    return value


def _gib(count: int) -> str:
    return f"{count / GIB:.4f}"
