"""Metrics of running servers as Prometheus text: one scrape tells lengths, two tell rates as well."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from ..demand_profile import SHARES, InFlight, LengthSpread
from ..reality.text import UnreadableError
from ..value_types import dataclass
from .measured import MeasuredDemand
from .names import DemandNames

_SAMPLE = re.compile(
    r"(?P<name>[A-Za-z_:][\w:]*)(?P<labels>\{.*\})?\s+(?P<value>\S+)(?:\s+(?P<at>-?\d{1,19}))?\s*", re.ASCII
)
_BOUND = re.compile(r'(?:^|[{,])\s*le="([^"]*)"')
_ENDINGS = ("_bucket", "_sum", "_count", "_total", "_created")
_MOST_LINES = 2_000_000
_WAITING = 0.1
"""Requests that wait for each that runs from which a server is saturated."""
_LONG_WAIT_S = 1.0
"""Mean seconds in the queue from which it is."""


@dataclass(slots=True)
class Scrape:
    """One look at a server: all replicas and models summed, gauges of use at their highest."""

    values: dict[str, float] = field(default_factory=dict)
    """Name with its ending, `_total` left out → value."""
    highest: dict[str, float] = field(default_factory=dict)
    buckets: dict[str, dict[float, float]] = field(default_factory=dict)
    """Histogram → upper bound → observations up to it."""
    models: set[str] = field(default_factory=set)
    at_s: float | None = None
    written_s: float | None = None
    series: set[str] = field(default_factory=set)

    def get(self, names: Sequence[str], ending: str = "") -> float | None:
        """The value of the first name that is there."""
        return next((self.values[name + ending] for name in names if name + ending in self.values), None)


def scrapes(lines: Iterator[str], names: DemandNames, written_s: float | None) -> list[Scrape]:
    """The scrapes of a text: another begins where a series comes again."""
    found = [Scrape(written_s=written_s)]
    for number, line in enumerate(lines):
        if number >= _MOST_LINES:
            break
        if not line or line[0] == "#":
            continue
        sample = _SAMPLE.fullmatch(line)
        if sample is None or (_base(sample["name"]) not in names.known and sample["name"] not in names.known):
            continue
        value = _value(sample["value"])
        if value is None:
            continue
        key = sample["name"] + (sample["labels"] or "")
        if key in found[-1].series:
            found.append(Scrape(written_s=written_s))
        _keep(found[-1], key, sample["name"], sample["labels"] or "", value)
        if sample["at"]:
            found[-1].at_s = int(sample["at"]) / 1000
    return [entry for entry in found if entry.series]


def _base(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


def _value(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value < 1e18 else None


def _keep(scrape: Scrape, key: str, name: str, labels: str, value: float) -> None:
    scrape.series.add(key)
    if model := re.search(r'model_name="([^"]{1,200})"', labels):
        scrape.models.add(model[1])
    if name.endswith("_bucket"):
        bound = _BOUND.search(labels)
        limit = math.inf if bound is None or bound[1] in ("+Inf", "Inf") else _value(bound[1])
        if limit is not None:
            found = scrape.buckets.setdefault(_base(name), {})
            found[limit] = found.get(limit, 0.0) + value
        return
    name = name.removesuffix("_total")
    scrape.values[name] = scrape.values.get(name, 0.0) + value
    scrape.highest[name] = max(scrape.highest.get(name, 0.0), value)


def read_metrics(found: Sequence[Scrape], names: DemandNames, source: str, seconds: float | None) -> MeasuredDemand:
    """What scrapes of one server say, the first against the last. `seconds`: between them, where the user states it.

    Raises UnreadableError where no request was counted.
    """
    said: list[str] = []
    last = found[-1]
    first: Scrape | None = found[0] if len(found) > 1 else None
    engine = _engine(last, names)
    if engine is None:
        known = ", ".join(names.engines)
        raise UnreadableError(f"{source}: no metrics of prompts and answers in it; known are those of {known}")
    metrics = _Metrics(engine, names, first, last)
    if first is not None and metrics.went_back:
        said.append("counters went back between the scrapes: the server was restarted; the later one alone is read")
        first = None
        metrics = _Metrics(engine, names, None, last)
    prompts, answers = metrics.spread("input"), metrics.spread("output")
    by_length = tuple(name for name, side in (("input", prompts), ("output", answers)) if side is not None)
    requests = metrics.requests
    if prompts is None or answers is None:
        prompts, answers = prompts or metrics.mean("input"), answers or metrics.mean("output")
    if not requests or prompts is None or answers is None:
        raise UnreadableError(f"{source}: {engine} has counted no request{' between the scrapes' if first else ''}")
    said.append(
        "quantiles by straight lines within the buckets of the server's histograms"
        if by_length
        else "no histograms of lengths: means only, and every request is taken to be of that length"
    )
    if len(by_length) == 1:
        other = "answers" if "input" in by_length else "prompts"
        said.append(f"no histogram of {other}: their mean only, and all are taken to be of that length")
    time = _between(first, last, seconds, said) if first is not None else None
    if first is None:
        said.append("one scrape tells lengths, not rates: give a second one of the same server, some minutes later")
    else:
        said.append("two scrapes tell the mean rate between them, not its peaks")
    if len(last.models) > 1:
        said.append(f"{len(last.models)} models are counted together")
    said.append("prompts and answers are counted apart: taken to have nothing to do with each other")
    if twice := metrics.twice():
        said.append(f"names of two versions are there at once, each counted once: {', '.join(twice[:3])}")
    saturated = _saturation(metrics, said)
    return MeasuredDemand(
        f"prometheus {engine}", source, round(requests), time, prompts, answers,
        InFlight.independent(prompts, answers), prefix_share=metrics.prefix_share, saturated=saturated,
        by_length=by_length, notes=tuple(said),
    )  # fmt: skip


def _engine(scrape: Scrape, names: DemandNames) -> str | None:
    """The first engine whose lengths are there; of those with counts alone the first."""
    for histogram in (True, False):
        for engine in names.engines:
            found = names.of(engine, "input")
            if histogram and any(scrape.get((name,), "_count") for name in found):
                return engine
            if not histogram and scrape.get((*found, *names.of(engine, "input_total")), "") is not None:
                return engine
    for engine in names.engines:
        if any(name in scrape.buckets for name in names.of(engine, "input")):
            return engine
    return None


@dataclass(frozen=True, slots=True)
class _Metrics:
    """One engine's names over one scrape, or over what lies between two."""

    engine: str
    names: DemandNames
    first: Scrape | None
    last: Scrape

    def counted(self, concept: str, ending: str = "") -> float | None:
        """Of a counter: all since the server began, or since the first scrape."""
        named = self.names.of(self.engine, concept)
        value = self.last.get(named, ending)
        if value is None or self.first is None:
            return value
        return value - (self.first.get(named, ending) or 0.0)

    def gauge(self, concept: str) -> float | None:
        return self.last.get(self.names.of(self.engine, concept))

    @property
    def went_back(self) -> bool:
        counts = (self.counted(concept, ending) for concept in ("input", "output") for ending in ("_count", "_sum"))
        totals = (self.counted(concept) for concept in ("input_total", "output_total", "done"))
        return any(value is not None and value < 0 for value in (*counts, *totals))

    @property
    def requests(self) -> float:
        return self.counted("input", "_count") or self.counted("output", "_count") or self.counted("done") or 0.0

    def spread(self, concept: str) -> LengthSpread | None:
        """Of a histogram; None where there is none, or it has counted nothing."""
        count, total = self.counted(concept, "_count"), self.counted(concept, "_sum")
        named = next((name for name in self.names.of(self.engine, concept) if name in self.last.buckets), None)
        if not count or total is None or named is None:
            return None
        before: Mapping[float, float] = self.first.buckets.get(named, {}) if self.first is not None else {}
        buckets = [(bound, many - before.get(bound, 0.0)) for bound, many in sorted(self.last.buckets[named].items())]
        return _interpolated(buckets, total / count)

    def mean(self, concept: str) -> LengthSpread | None:
        total, done = self.counted(f"{concept}_total"), self.counted("done")
        return LengthSpread.constant(total / done) if total is not None and done else None

    @property
    def prefix_share(self) -> float | None:
        hits, asked = self.counted("cache_hits"), self.counted("cache_queries")
        if hits is None or not asked:
            hits, asked = self.counted("cached_tokens"), self.counted("input_total") or self.counted("input", "_sum")
        if hits is not None and asked:
            return min(1.0, hits / asked)
        rate = self.gauge("hit_rate")
        return None if rate is None else min(1.0, rate)

    def twice(self) -> list[str]:
        """Names that are there beside one that counts."""
        found = []
        for concept in dict.fromkeys(entry.concept for entry in self.names.metrics):
            named = self.names.of(self.engine, concept)
            there = [name for name in named if name in self.last.values or name in self.last.buckets]
            found += there[1:]
        return found


def _interpolated(buckets: Sequence[tuple[float, float]], mean: float) -> LengthSpread | None:
    """Quantiles by straight lines within buckets, the last finite bound for what lies beyond."""
    total = buckets[-1][1] if buckets else 0.0
    if total <= 0:
        return None
    points: list[float] = []
    for share in SHARES:
        rank, low, below = share / 100 * total, 0.0, 0.0
        value = low
        for bound, many in buckets:
            many = max(many, below)
            if many > below and (many >= rank):
                value = low if math.isinf(bound) else low + (bound - low) * max(0.0, rank - below) / (many - below)
                break
            if not math.isinf(bound):
                low = bound
            below = many
        else:
            value = low
        points.append(max(value, points[-1] if points else 0.0))
    # The mean is counted, not interpolated: what lies beyond the last bound shows in it alone.
    points[0], points[-1] = min(points[0], mean), max(points[-1], mean)
    return LengthSpread.of(mean, tuple(points))


def _between(first: Scrape, last: Scrape, stated: float | None, said: list[str]) -> float | None:
    """Seconds between two scrapes, and where they are known from."""
    if stated:
        return stated
    for name, old, new in (
        ("their own timestamps", first.at_s, last.at_s),
        ("the files' times", first.written_s, last.written_s),
    ):
        if old is not None and new is not None and new > old:
            said.append(f"{new - old:,.0f} seconds lie between the scrapes, by {name}")
            return new - old
    said.append("how long the scrapes lie apart is not known: no rate; state it with --seconds")
    return None


def _saturation(metrics: _Metrics, said: list[str]) -> bool | None:
    """Whether requests queue: a server may be full at any share of its cache."""
    waiting, running = metrics.gauge("waiting"), metrics.gauge("running")
    count, total = metrics.counted("queue_time", "_count"), metrics.counted("queue_time", "_sum")
    wait_s = total / count if count and total is not None else None
    if waiting is None and wait_s is None:
        return None
    use = next((metrics.last.highest[name] for name in metrics.names.of(metrics.engine, "kv_use")
                if name in metrics.last.highest), None)  # fmt: skip
    cache = "" if use is None else f", at {use if use <= 1 else use / 100:.0%} of the cache"
    queued = waiting is not None and waiting >= max(1.0, _WAITING * (running or 0.0))
    if queued:
        said.append(f"saturated: {waiting:,.0f} requests wait for a place beside {running or 0:,.0f} that run{cache}")
    elif wait_s is not None and wait_s >= _LONG_WAIT_S:
        said.append(f"saturated: a request waits {wait_s:,.1f} s for a place in the mean{cache}")
        queued = True
    if queued:
        said.append("a saturated server completes less than is asked of it: the demand is higher than its rate")
    return queued
