"""TensorRT-LLM: the engine of C++ and the PyTorch backend, which allocates its cache twice."""

from __future__ import annotations

import re

from .flags import command_flag, share, stated, whole
from .lines import LogLines, LogText, figures_of, quoted, shown_name
from .reading import LogReading, LogSettings, StartOutcome, version_range

_VERSION = re.compile(r"TensorRT-LLM [Vv]ersion:\s*v?([0-9]+\.[0-9]+[\w.+-]*)")
_MODEL = re.compile(r"^\s*Model:\s+(\S+)\s*$")
_LIMITS = re.compile(r"max_seq_len=([0-9]+), max_num_requests=[0-9]+, max_num_tokens=([0-9]+), max_batch_size=([0-9]+)")
_FRACTION = re.compile(r"free_gpu_memory_fraction(?:'|\")?(?:=|: ?| and max_tokens are set \(to )([0-9.]+)", re.ASCII)
_TABLE = re.compile(r"^\s*(KV Cache Dtype|Dtype|Quantization|TP Size|PP Size|Max Runtime Batch Size):\s+(\S+)")
_STARTED = ("Executor instance created", "Application startup complete", "Uvicorn running on", "Engine version")
_OOM = ("out of memory", "OutOfMemory", "cudaErrorMemoryAllocation")
_REFUSED = ("Insufficient memory", "not enough memory", "No enough memory", "is larger than max_tokens")
_KILLED = ("Killed", "SIGKILL", "exit code 137", "OOMKilled", "signal 9")


def read_tensorrt_llm(log: LogText, kinds: LogLines) -> LogReading:
    """A start-up log of TensorRT-LLM."""
    figures = tuple(figures_of(log, kinds.of("tensorrt-llm")))
    version = log.first(_VERSION, "TensorRT-LLM ")
    named = log.first(_MODEL, "Model:")
    given = " ".join(line for _, line in list(log.lines_with("trtllm-serve"))[:3])
    args = next((line for _, line in log.lines_with("LlmArgs(")), "")
    command = re.search(r"trtllm-serve (?:serve )?(?!-)(\S+)", given)
    model = (named[1] if named else "") or stated(args, "model") or (command[1] if command else "")
    outcome, ending, notes = _ending(log)
    kv_lines = [figure for figure in figures if figure.term == "kv_space"]
    if len(kv_lines) > 1:
        notes += ("the cache is allocated twice: a dry run first; the last line counts",)
    elif len(kv_lines) == 1 and "max_tokens are set" in log.text:
        notes += ("only one allocation is logged, of the dry run: the cache that serves comes later",)
    return LogReading(
        "tensorrt-llm",
        version[1] if version else "",
        version_range(figures),
        "",
        shown_name(model),
        _settings(log, given, args),
        figures,
        outcome,
        ending,
        notes=notes,
    )


def _settings(log: LogText, given: str, args: str) -> LogSettings:
    limits = log.first(_LIMITS, "max_seq_len=")
    fraction = log.first(_FRACTION, "free_gpu_memory_fraction")
    table: dict[str, str] = {}
    for mark in ("KV Cache Dtype:", "Dtype:", "Quantization:", "TP Size:", "PP Size:", "Max Runtime Batch Size:"):
        found = log.first(_TABLE, mark)
        if found:
            table[found[1]] = found[2]
    block = log.first(re.compile(r"(?:tokens per block: |tokens per block=)([0-9]+)"), "tokens per block")
    return LogSettings(
        tp=whole(table.get("TP Size"))
        or whole(command_flag(given, "--tp_size"))
        or whole(stated(args, "tensor_parallel_size")),
        pp=whole(table.get("PP Size")) or whole(command_flag(given, "--pp_size")),
        ep=whole(command_flag(given, "--ep_size")),
        utilization=share(fraction[1].rstrip(".")) if fraction else None,
        max_model_len=whole(limits[1]) if limits else None,
        max_num_seqs=whole(limits[3]) if limits else whole(table.get("Max Runtime Batch Size")),
        max_batched_tokens=whole(limits[2]) if limits else None,
        kv_dtype=(table.get("KV Cache Dtype") or "").lower() or None,
        dtype=table.get("Dtype"),
        quantization=(table.get("Quantization") or "").lower() or None,
        block_tokens=whole(block[1]) if block else None,
    )


def _ending(log: LogText) -> tuple[StartOutcome, str, tuple[str, ...]]:
    for marks, outcome in (
        (_REFUSED, StartOutcome.REFUSED),
        (_OOM, StartOutcome.OOM),
        (_STARTED, StartOutcome.STARTED),
        (_KILLED, StartOutcome.KILLED),
    ):
        for mark in marks:
            at = log.text.find(mark)
            if at >= 0:
                return outcome, quoted(log.line_at(at)), ()
    return StartOutcome.INCOMPLETE, "", ("the log simply ends: no line says that it serves",)
