"""What a start-up log says: engine, version, model, settings, figures and how the start ended."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ...value_types import dataclass
from .lines import LogFigure


class StartOutcome(StrEnum):
    """How a start ended."""

    STARTED = "started"
    REFUSED = "refused"
    OOM = "oom"
    KILLED = "killed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The settings that a log states, under the names all engines share; None: it does not."""

    tp: int | None = None
    pp: int | None = None
    dp: int | None = None
    ep: int | None = None
    dcp: int | None = None
    utilization: float | None = None
    """Share as the engine means it."""
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_batched_tokens: int | None = None
    kv_dtype: str | None = None
    dtype: str | None = None
    quantization: str | None = None
    eager: bool | None = None
    """No CUDA graphs."""
    prefix_caching: bool | None = None
    draft_tokens: int | None = None
    draft_model: str | None = None
    block_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """One cache that an engine allocates beside others. Bytes are of the GPU that holds most of it."""

    kind: str
    """`full`, `window`, `draft` or `state`."""
    size: int
    tokens: int | None
    line: str
    dtype: str = ""
    layers: int | None = None


@dataclass(frozen=True, slots=True)
class LogReading:
    """A start-up log, read."""

    engine: str
    engine_version: str
    """Empty: not printed."""
    version_range: tuple[str, str]
    """Versions that print such lines, first and last; either may be empty."""
    family: str
    """`V0` or `V1` of vLLM."""
    model: str
    """As the log names it; empty: it does not."""
    settings: LogSettings
    figures: tuple[LogFigure, ...]
    outcome: StartOutcome
    ending: str
    """The line that tells how it ended; empty: the log simply ends."""
    pools: tuple[Pool, ...] = ()
    notes: tuple[str, ...] = ()
    gpu: str = ""
    """Name of the card where the log has it."""
    architecture: str = ""
    vendor: str = "NVIDIA"
    """Whose cards, as far as the log tells."""

    def all(self, term: str) -> tuple[LogFigure, ...]:
        """Every figure of a term, in the log's order."""
        return tuple(figure for figure in self.figures if figure.term == term)

    def last(self, term: str) -> LogFigure | None:
        return next((figure for figure in reversed(self.figures) if figure.term == term), None)

    def first(self, term: str) -> LogFigure | None:
        return next((figure for figure in self.figures if figure.term == term), None)

    def smallest(self, term: str) -> LogFigure | None:
        """The least of what several ranks say."""
        return min(self.all(term), key=lambda figure: figure.value, default=None)

    def firsts(self, term: str) -> tuple[LogFigure, ...]:
        """The first figure of each rank: what SGLang says of the model, before its draft."""
        found: dict[str, LogFigure] = {}
        for figure in self.all(term):
            found.setdefault(figure.rank, figure)
        return tuple(found.values())

    def largest(self, term: str) -> LogFigure | None:
        return max(self.all(term), key=lambda figure: figure.value, default=None)


def version_range(figures: Iterable[LogFigure]) -> tuple[str, str]:
    """The versions that print all of these lines; where they contradict each other, what the last one says."""
    from ...engine.memory.runtime import version_key

    first = last = ""
    for figure in figures:
        kind = figure.kind
        if kind is None:
            continue
        if kind.since and version_key(kind.since) > version_key(first):
            first = kind.since
        if kind.until and (not last or version_key(kind.until) < version_key(last)):
            last = kind.until
    return (first, last) if not last or version_key(first) <= version_key(last) else (first, "")
