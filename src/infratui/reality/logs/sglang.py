"""SGLang: its server arguments, weights per model, one pool per kind of layer, graphs and what is left."""

from __future__ import annotations

import re

from .flags import share, stated, switch, whole
from .lines import LogFigure, LogLines, LogText, figures_of, quoted, shown_name
from .reading import LogReading, LogSettings, Pool, StartOutcome, version_range

_VERSION = re.compile(r"(?:sglang|SGLang)(?: version|_version|\.version|==)[ =:']*v?([0-9]+\.[0-9]+[\w.+-]*)")
_STARTED = ("The server is fired up", "max_total_num_tokens=", "Application startup complete")
_REFUSED = ("Not enough memory", "The memory capacity is unbalanced", "Please try to increase --mem-fraction-static")
_OOM = ("out of memory. Tried to allocate", "OutOfMemoryError", "Capture cuda graph failed", "out of memory")
_KILLED = ("Killed", "SIGKILL", "exit code 137", "OOMKilled", "exitcode: -9", "SIGQUIT received")


def read_sglang(log: LogText, kinds: LogLines) -> LogReading:
    """A start-up log of SGLang."""
    figures = figures_of(log, kinds.of("sglang"))
    given = _arguments(log)
    version = log.first(_VERSION, "ersion") or log.first(_VERSION, "sglang==")
    pools, lines = _pools(figures)
    figures = [*figures, *lines]
    outcome, ending, notes = _ending(log)
    loaded = log.first(re.compile(r"Load weight end\..*?type=(\w+)"), "Load weight end.")
    ranks = {figure.rank for figure in figures if figure.rank}
    return LogReading(
        "sglang",
        version[1] if version else "",
        version_range(figures),
        "",
        shown_name(stated(given, "model_path") or ""),
        _settings(given, pools, ranks),
        tuple(sorted(figures, key=lambda figure: figure.number)),
        outcome,
        ending,
        pools,
        notes,
        architecture=loaded[1] if loaded else "",
    )


def _arguments(log: LogText) -> str:
    for mark in ("server_args=ServerArgs(", "ServerArgs(", "server_args="):
        at = log.text.find(mark)
        if at >= 0:
            end = log.text.find("\n", at)
            return log.text[at : min(len(log.text) if end < 0 else end, at + 60_000)]
    return ""


def _settings(given: str, pools: tuple[Pool, ...], ranks: set[str]) -> LogSettings:
    kv = stated(given, "kv_cache_dtype")
    printed = next((pool.dtype.removeprefix("torch.") for pool in pools if pool.dtype), None)
    # A tensor-parallel size that no argument states still shows in who writes.
    tensor, data, experts = (_most(ranks, kind) for kind in ("TP", "DP", "EP"))
    eager = switch(stated(given, "disable_cuda_graph"))
    caching = switch(stated(given, "disable_radix_cache"))
    return LogSettings(
        tp=whole(stated(given, "tp_size")) or tensor,
        pp=whole(stated(given, "pp_size")),
        dcp=whole(stated(given, "dcp_size")),
        dp=whole(stated(given, "dp_size")) or data,
        ep=whole(stated(given, "ep_size")) or experts,
        utilization=share(stated(given, "mem_fraction_static")),
        max_model_len=whole(stated(given, "context_length")),
        max_num_seqs=whole(stated(given, "max_running_requests")),
        max_batched_tokens=whole(stated(given, "chunked_prefill_size")) or whole(stated(given, "max_prefill_tokens")),
        kv_dtype=kv if kv not in (None, "auto") else printed or kv,
        dtype=stated(given, "dtype"),
        quantization=stated(given, "quantization"),
        eager=eager,
        prefix_caching=None if caching is None else not caching,
        draft_tokens=whole(stated(given, "speculative_num_draft_tokens")),
        draft_model=stated(given, "speculative_draft_model_path"),
        block_tokens=whole(stated(given, "page_size")),
    )


def _most(ranks: set[str], kind: str) -> int | None:
    """Ranks of a kind, by the highest that writes."""
    found = [int(match[1]) for rank in ranks if (match := re.search(rf"{kind}([0-9]{{1,4}})", rank))]
    return max(found) + 1 if found else None


def _pools(figures: list[LogFigure]) -> tuple[tuple[Pool, ...], list[LogFigure]]:
    """The pools of the rank that holds least, and the terms that follow from them.

    What a rank allocates before its first `Memory pool end` serves the model; what follows, the draft model.
    """
    by_rank: dict[str, list[LogFigure]] = {}
    for figure in figures:
        if figure.term in ("pool", "state", "pool_end", "full_tokens"):
            by_rank.setdefault(figure.rank, []).append(figure)
    found: list[tuple[int, tuple[Pool, ...], LogFigure]] = []
    for entries in by_rank.values():
        ends = [entry.number for entry in entries if entry.term == "pool_end"]
        first_end = ends[0] if ends else max(entry.number for entry in entries) + 1
        own = [entry for entry in entries if entry.term == "pool" and entry.number < first_end]
        later = [entry for entry in entries if entry.term == "pool" and entry.number > first_end]
        states = [entry for entry in entries if entry.term == "state"]
        if not own:
            continue
        full = max(own, key=lambda entry: _tokens(entry) or 0)
        built = [_pool("full" if entry is full else "window", entry) for entry in own]
        built += [_pool("draft", entry) for entry in later] + [_pool("state", entry) for entry in states]
        found.append((_tokens(full) or 0, tuple(built), full))
    if not found:
        return (), []
    _, pools, full = min(found, key=lambda entry: entry[0])
    space = sum(pool.size for pool in pools)
    terms = [LogFigure("kv_space", space, full.line, full.number, full.rank, kind=full.kind)]
    if not any(figure.term == "kv_tokens" for figure in figures) and _tokens(full):
        terms.append(LogFigure("kv_tokens", _tokens(full) or 0, full.line, full.number, full.rank, kind=full.kind))
    return pools, terms


def _tokens(figure: LogFigure) -> int | None:
    return whole(figure.fact("tokens"))


def _pool(kind: str, figure: LogFigure) -> Pool:
    return Pool(kind, round(figure.value), _tokens(figure), figure.line, figure.fact("dtype"))


def _ending(log: LogText) -> tuple[StartOutcome, str, tuple[str, ...]]:
    serving = log.text.find("The server is fired up")
    for marks, outcome in ((_REFUSED, StartOutcome.REFUSED), (_OOM, StartOutcome.OOM)):
        for mark in marks:
            at = log.text.find(mark)
            if at >= 0 and (serving < 0 or at < serving):
                return outcome, quoted(log.line_at(at)), ()
    for mark in _STARTED:
        at = log.text.find(mark)
        if at >= 0:
            return StartOutcome.STARTED, quoted(log.line_at(at)), ()
    for mark in _KILLED:
        at = log.text.find(mark)
        if at >= 0:
            return StartOutcome.KILLED, quoted(log.line_at(at)), ()
    return StartOutcome.INCOMPLETE, "", ("the log simply ends: no line says that it serves",)
