"""Which lines of a start-up log hold figures, by engine and version, and how they are found fast."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, Literal

from ...value_types import dataclass

GB = 1_000_000_000
_FACTORS = {"GiB": 1 << 30, "MiB": 1 << 20, "GB": GB, "count": 1, "tokens": 1, "ratio": 1}
MOST_HITS = 5_000
"""Lines of one kind that are read: a log repeats none of them as often."""
QUOTED = 240
"""Characters of a line that are quoted."""

FigureUnit = Literal["GiB", "MiB", "GB", "count", "tokens", "ratio"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A kind of line: the engine and versions that print it, and the figure that it holds."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    term: str
    mark: str
    """Words that every such line has."""
    pattern: str
    """Regular expression: `v` is the figure, `w` is added to it; others are facts beside it."""
    unit: FigureUnit
    since: str = ""
    until: str = ""
    family: str = ""
    """`V0` or `V1` where the line tells."""
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class LogLines:
    """All kinds of lines, and where their wording is from."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    sources: Mapping[str, str]
    flags: Mapping[str, Mapping[str, str]]
    """Engine → setting → flag."""
    lines: tuple[LogLine, ...]

    def of(self, engine: str) -> tuple[LogLine, ...]:
        return tuple(line for line in self.lines if line.engine == engine)


@dataclass(frozen=True, slots=True)
class LogFigure:
    """One figure of a log, with the line that says it."""

    term: str
    value: float
    """Bytes, tokens, a count or a ratio."""
    line: str
    number: int
    """Line of the log, from 1."""
    rank: str = ""
    """Which of several workers said it; empty: the only one."""
    facts: Mapping[str, str] = ()  # type: ignore[assignment]
    kind: LogLine | None = None

    def fact(self, name: str) -> str:
        """A fact beside the figure, such as its device."""
        return dict(self.facts).get(name) or ""


_RANK = re.compile(
    r"(?:\b(?:DP|PP|TP|EP)[0-9]+\b[ _]?)+|Worker_[A-Z0-9_]+|\brank ?[0-9]+\b|VllmWorkerProcess pid=[0-9]+"
)


class LogText:
    """A log with the places of its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: list[int] | None = None

    def number_of(self, at: int) -> int:
        """The line, from 1, that a place in the text is on."""
        if self._starts is None:
            self._starts = [0, *(found.end() for found in re.finditer("\n", self.text))]
        return bisect_right(self._starts, at)

    def line_at(self, at: int) -> str:
        """The line around a place in the text, at most a few thousand characters of it."""
        start = max(self.text.rfind("\n", 0, at) + 1, at - 4000)
        end = self.text.find("\n", at)
        return self.text[start : min(len(self.text) if end < 0 else end, at + 4000)]

    def lines_with(self, mark: str) -> Iterator[tuple[int, str]]:
        """Place and text of each line that holds `mark`, from the first."""
        at = self.text.find(mark)
        hits = 0
        while at >= 0 and hits < MOST_HITS:
            yield at, self.line_at(at)
            hits += 1
            end = self.text.find("\n", at)
            at = self.text.find(mark, end) if end >= 0 else -1

    def first(self, pattern: re.Pattern[str], mark: str) -> re.Match[str] | None:
        """The first line with `mark` that the pattern reads."""
        for _, line in self.lines_with(mark):
            if found := pattern.search(line):
                return found
        return None


@lru_cache(maxsize=512)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    # Digits of other scripts are none.
    return re.compile(pattern, re.ASCII | (re.IGNORECASE if ignore_case else 0))


def figures_of(log: LogText, kinds: Sequence[LogLine]) -> list[LogFigure]:
    """Every figure of the log, in its order."""
    found: list[LogFigure] = []
    for kind in kinds:
        pattern = _compiled(kind.pattern, kind.ignore_case)
        for at, line in log.lines_with(kind.mark):
            match = pattern.search(line)
            if match is None:
                continue
            parts = match.groupdict()
            values = [plain_number(parts.get("v")), plain_number(parts.get("w")) if parts.get("w") else 0.0]
            if None in values:
                continue
            value = sum(entry or 0.0 for entry in values) * _FACTORS[kind.unit]
            if abs(value) > 1e18:
                continue
            rank = _RANK.search(line[: match.start()])
            found.append(
                LogFigure(
                    kind.term,
                    value if kind.unit == "ratio" else round(value),
                    quoted(line),
                    log.number_of(at),
                    rank[0].strip() if rank else "",
                    {key: value for key, value in parts.items() if key not in ("v", "w") and value},
                    kind,
                )
            )
    return sorted(found, key=lambda figure: figure.number)


def plain_number(text: str | None) -> float | None:
    """A figure of a log; None where it is none or beyond all measure."""
    if not text or len(text) > 20:
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def quoted(line: str) -> str:
    """A line as it is quoted: without the blanks around it, at most so long."""
    line = " ".join(line.split())
    return line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"


def shown_name(model: str) -> str:
    """A model as it is shown: a path of another machine is its last part."""
    return re.split(r"[/\\]", model.rstrip("/\\"))[-1] if model.startswith(("/", "~", ".")) or ":\\" in model else model
