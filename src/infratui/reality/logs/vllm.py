"""vLLM: V0 and V1, CUDA, ROCm and CPU workers; starts, refusals and what ends without a word."""

from __future__ import annotations

import re

from .flags import command_flag, share, stated, switch, whole
from .lines import LogLines, LogText, figures_of, quoted, shown_name
from .reading import LogReading, LogSettings, StartOutcome, version_range

_VERSION = re.compile(r"(?:vLLM API server version |LLM engine \(v| version )v?([0-9]+\.[0-9]+[\w.+-]*)")
_BATCHED = re.compile(r"max_num_batched_tokens[= ](?:is set to |to |from [0-9]+ to )?([0-9]+)")
_RAISED = re.compile(
    r"(?:Raising|raised|adjust\w*|Setting|Overriding) (?:the )?`?max_num_batched_tokens`?.*?to ([0-9]+)", re.I
)
_SCHEDULED = re.compile(r"max_num_scheduled_tokens is set to ([0-9]+)")
_LENGTH = re.compile(r"Using max model len ([0-9]+)")
_ROCM = re.compile(r"platform rocm|HIP out of memory|rocm\.py:|ROCM_ATTN|_rocm_")
_STARTED = ("Application startup complete", "init engine (profile", "Starting vLLM API server", "Uvicorn running on")
_REFUSED = (
    "To serve at least one request",
    "is larger than the available KV cache memory",
    "No available memory for the cache blocks",
    "Free memory on device",
    "is larger than the maximum number of tokens that can be stored in KV cache",
)
_OOM = ("out of memory. Tried to allocate", "OutOfMemoryError", "CUDA out of memory", "HIP out of memory")
_KILLED = ("Killed", "SIGKILL", "exit code 137", "exitcode: -9", "OOMKilled", "oom-kill", "died with signal 9")
_FAILED = ("EngineCore failed to start", "Engine core initialization failed", "WorkerProc failed to start")


def read_vllm(log: LogText, kinds: LogLines) -> LogReading:
    """A start-up log of vLLM."""
    figures = tuple(figures_of(log, kinds.of("vllm")))
    given = next((line for _, line in log.lines_with("non-default args:")), "")
    config = next((line for _, line in log.lines_with("LLM engine (v")), "")
    spread = next((line for _, line in log.lines_with("args: Namespace(")), "")
    version = log.first(_VERSION, "LLM engine (v") or log.first(_VERSION, "ersion ")
    settings = _settings(log, given or spread, config)
    said = " ".join((config, given, spread))
    model = stated(config, "model") or stated(given, "model") or stated(given, "model_tag") or stated(spread, "model")
    if not model:
        named = log.first(re.compile(r"Starting to load model (\S+?)(?:\.\.\.)?$"), "Starting to load model")
        model = named[1] if named else command_flag(said, "--model") or ""
    outcome, ending, notes = _ending(log, {figure.term for figure in figures})
    if "cpu_worker" in log.text and any(figure.line.find("GPU KV cache") >= 0 for figure in figures):
        notes += ("a CPU worker: versions before 0.30 say GPU in its lines too",)
    family = next((figure.kind.family for figure in figures if figure.kind and figure.kind.family), "")
    vendor = "AMD" if _ROCM.search(log.text[:200_000]) else "NVIDIA"
    architecture = log.first(re.compile(r"Resolved architecture: (\w+)"), "Resolved architecture")
    return LogReading(
        "vllm",
        version[1] if version else "",
        version_range(figures),
        "V1" if "V1 LLM engine" in log.text else family,
        shown_name(model),
        settings,
        figures,
        outcome,
        ending,
        notes=notes,
        architecture=architecture[1] if architecture else "",
        vendor=vendor,
    )


def _settings(log: LogText, given: str, config: str) -> LogSettings:
    # The configuration states a value where the arguments may say nothing; the arguments are what was asked for.
    def said(key: str, other: str = "") -> str | None:
        return stated(given, key) or (stated(config, other or key))

    batched: int | None = None
    for _, line in log.lines_with("max_num_batched_tokens"):
        found = _RAISED.search(line) or _BATCHED.search(line)
        if found and "Consider increasing" not in line:
            batched = whole(found[1]) or batched
    scheduled = log.first(_SCHEDULED, "max_num_scheduled_tokens")
    length = log.first(_LENGTH, "Using max model len")
    served = log.first(re.compile(r"Maximum concurrency for ([\d,]+) tokens", re.ASCII), "Maximum concurrency for")
    printed = log.first(re.compile(r"x gpu_memory_utilization \(([\d.]+)\)", re.ASCII), "x gpu_memory_utilization")
    profiled = log.first(
        re.compile(r"current --gpu-memory-utilization=([\d.]+)", re.ASCII), "--gpu-memory-utilization="
    )
    utilization = share(stated(given, "gpu_memory_utilization"))
    if utilization is None:
        utilization = share(printed[1]) if printed else share(profiled[1]) if profiled else None
    drafted = re.search(r"num_(?:speculative|spec)_tokens['\"]?[=:] ?([0-9]+)", f"{given} {config}", re.ASCII)
    draft = re.search(
        r"(?:SpeculativeConfig\(|speculative_config['\"]: ?\{)[^)}]*?model['\"]?[=:] ?'([^']+)'", f"{config} {given}"
    )
    model = stated(config, "model") or stated(given, "model")
    asked = whole(stated(given, "max_num_batched_tokens"))
    if batched is None and scheduled is not None and drafted is not None:
        # Slots for draft tokens are taken off what one step may hold.
        batched = asked or whole(scheduled[1])
    return LogSettings(
        tp=whole(said("tensor_parallel_size")),
        pp=whole(said("pipeline_parallel_size")),
        dcp=whole(said("decode_context_parallel_size")),
        dp=whole(said("data_parallel_size")),
        utilization=utilization,
        max_model_len=whole(length[1])
        if length
        else whole(said("max_model_len", "max_seq_len")) or (whole(served[1].replace(",", "")) if served else None),
        max_num_seqs=whole(said("max_num_seqs")),
        max_batched_tokens=batched or asked,
        kv_dtype=said("kv_cache_dtype"),
        dtype=(stated(config, "dtype") or said("dtype") or "").removeprefix("torch.") or None,
        quantization=said("quantization"),
        eager=switch(said("enforce_eager")),
        prefix_caching=switch(said("enable_prefix_caching")),
        draft_tokens=whole(drafted[1]) if drafted else None,
        draft_model=draft[1] if draft and draft[1] != model else None,
        block_tokens=whole(said("block_size")),
    )


def _ending(log: LogText, terms: set[str]) -> tuple[StartOutcome, str, tuple[str, ...]]:
    for marks, outcome in ((_REFUSED, StartOutcome.REFUSED), (_OOM, StartOutcome.OOM)):
        for mark in marks:
            for _, line in log.lines_with(mark):
                if mark == "Free memory on device" and "less than desired" not in line:
                    continue
                # A worker that ran out of memory while serving had started before.
                if outcome is StartOutcome.OOM and "Application startup complete" in log.text[: log.text.find(mark)]:
                    continue
                return outcome, quoted(line), ()
    for mark in _STARTED:
        for _, line in log.lines_with(mark):
            return StartOutcome.STARTED, quoted(line), ()
    for mark in (*_KILLED, *_FAILED):
        for _, line in log.lines_with(mark):
            return StartOutcome.KILLED, quoted(line), ()
    if "weights" in terms and not terms & {"kv_space", "kv_tokens"} and _starved(log):
        return StartOutcome.KILLED, "", ("the log simply ends: no KV line was reached", _host_words(log))
    reached = "no KV line was reached" if not terms & {"kv_space", "kv_tokens"} else "no line says that it serves"
    return StartOutcome.INCOMPLETE, "", (f"the log simply ends: {reached}",)


_HOST = re.compile(r"Checkpoint size: ([\d.]+) GiB\. Available RAM: ([\d.]+) GiB", re.ASCII)


def _host_words(log: LogText) -> str:
    found = log.first(_HOST, "Available RAM:")
    return f"the host had {found[2]} GiB free for a checkpoint of {found[1]} GiB" if found else ""


def _starved(log: LogText) -> bool:
    """The host had less memory free than the checkpoint is large, and CPU and GPU share it or it is read through it."""
    found = log.first(_HOST, "Available RAM:")
    try:
        return found is not None and float(found[2]) < float(found[1])
    except ValueError:
        return False
