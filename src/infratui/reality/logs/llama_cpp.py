"""llama.cpp and what is built on it: buffers per device, several caches, and new servers that print none of it."""

from __future__ import annotations

import re

from .flags import whole
from .lines import LogFigure, LogLines, LogText, figures_of, quoted
from .reading import LogReading, LogSettings, Pool, StartOutcome, version_range

_BUILD = re.compile(r"build(?:_info)?: *b?([0-9]{3,6})\b")
_NAME = re.compile(r"general\.name\s*(?:str\s*)?= (.+?)\s*$")
_FILE = re.compile(r"loading model '([^']+)'")
_CONTEXT = re.compile(r"(?:llama_context|llama_new_context_with_model): (n_\w+)\s*= ([0-9]+)")
_SLOTS = re.compile(r"n_slots = ([0-9]+), n_ctx_slot = ([0-9]+)")
_TYPE = re.compile(r"file type\s*= (.+?)\s*$")
_DEVICE = re.compile(r"using device \S+ \(([^()]*(?:\([^()]*\))?[^()]*)\)")
_HOST = ("CPU", "Host", "BLAS")
_STARTED = ("model loaded", "server is listening", "initializing slots", "listening on http", "all slots are idle")
_OOM = ("out of memory", "failed to allocate", "cudaMalloc failed", "unable to allocate", "ErrorOutOfDeviceMemory")
_FAILED = ("ROCm error:", "CUDA error:", "GGML_ASSERT", "terminate called", "Killed", "SIGKILL", "Segmentation fault")
QUIET = "no memory lines; run it again with -lv 4 (--log-verbosity 4)"


def read_llama_cpp(log: LogText, kinds: LogLines) -> LogReading:
    """A start-up log of llama.cpp, its server or Ollama's runner."""
    figures = figures_of(log, kinds.of("llama.cpp"))
    host = [figure for figure in figures if figure.term == "weights" and _on_host(figure)]
    figures = [
        figure for figure in figures if not (figure.term in ("weights", "activation", "kv_buffer") and _on_host(figure))
    ]
    pools, terms = _pools(figures)
    figures += terms
    figures += [LogFigure("host_weights", figure.value, figure.line, figure.number) for figure in host]
    build = log.first(_BUILD, "build")
    outcome, ending, notes = _ending(log)
    if not any(figure.term in ("weights", "pool") for figure in figures):
        notes += (QUIET,)
    device = log.first(_DEVICE, "using device")
    architecture = log.first(re.compile(r"print_info: arch\s*= (\S+)"), "print_info: arch")
    return LogReading(
        "llama.cpp",
        f"b{build[1]}" if build else "",
        version_range(figures),
        "",
        _model(log),
        _settings(log, pools),
        tuple(sorted(figures, key=lambda figure: figure.number)),
        outcome,
        ending,
        pools,
        notes,
        gpu=device[1] if device else "",
        architecture=architecture[1] if architecture else "",
    )


def _on_host(figure: LogFigure) -> bool:
    return any(word in figure.fact("device") for word in _HOST)


def _model(log: LogText) -> str:
    named = log.first(_NAME, "general.name")
    if named:
        return named[1]
    file = log.first(_FILE, "loading model '")
    return re.split(r"[/\\]", file[1])[-1].removesuffix(".gguf") if file else ""


def _settings(log: LogText, pools: tuple[Pool, ...]) -> LogSettings:
    said: dict[str, str] = {}
    for mark in ("n_ctx ", "n_seq_max ", "n_batch ", "n_ubatch "):
        found = log.first(_CONTEXT, mark)
        if found:
            said[found[1]] = found[2]
    slots = log.first(_SLOTS, "n_ctx_slot")
    kind = log.first(_TYPE, "file type")
    dtype = next((pool.dtype for pool in pools if pool.dtype), None)
    return LogSettings(
        max_model_len=whole(said.get("n_ctx")) or (whole(slots[2]) if slots else None),
        max_num_seqs=whole(said.get("n_seq_max")) or (whole(slots[1]) if slots else None),
        max_batched_tokens=whole(said.get("n_ubatch")),
        kv_dtype=dtype,
        quantization=kind[1] if kind else None,
    )


def _pools(figures: list[LogFigure]) -> tuple[tuple[Pool, ...], list[LogFigure]]:
    """The caches of the context, and what all devices hold of them together."""
    caches = [figure for figure in figures if figure.term == "pool"]
    states = [figure for figure in figures if figure.term == "state"]
    if not caches and not states:
        return (), []
    most = max((whole(figure.fact("tokens")) or 0 for figure in caches), default=0)
    pools = [
        Pool(
            "full" if (whole(figure.fact("tokens")) or 0) == most else "window",
            round(figure.value),
            whole(figure.fact("tokens")),
            figure.line,
            figure.fact("dtype"),
            whole(figure.fact("layers")),
        )
        for figure in caches
    ]
    pools += [Pool("state", round(figure.value), None, figure.line) for figure in states]
    lead = (caches or states)[0]
    terms = [LogFigure("kv_space", sum(pool.size for pool in pools), lead.line, lead.number)]
    if most:
        terms.append(LogFigure("kv_tokens", most, lead.line, lead.number))
    return tuple(pools), terms


def _ending(log: LogText) -> tuple[StartOutcome, str, tuple[str, ...]]:
    for marks, outcome in ((_OOM, StartOutcome.OOM), (_FAILED, StartOutcome.KILLED), (_STARTED, StartOutcome.STARTED)):
        for mark in marks:
            at = log.text.find(mark)
            if at >= 0:
                return outcome, quoted(log.line_at(at)), ()
    return StartOutcome.INCOMPLETE, "", ("the log simply ends: no line says that it serves",)
