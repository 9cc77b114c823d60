"""What a reader found: lengths, arrivals, repetition, saturation; a profile for a scenario is made of it."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import field

from ..demand_profile import LONGEST, MOST_SLICES, SHARES, DemandProfile, InFlight, LengthSpread, rounded
from ..reality.text import UnreadableError
from ..value_types import dataclass

MOST_REQUESTS = 10_000_000
"""Requests that are read at most: eighty megabytes of arrivals."""
WINDOWS_S = (60, 10)
_SHORT_S = 120.0
"""Below two minutes a mean over the trace says little about its peak."""


@dataclass(frozen=True, slots=True)
class MeasuredDemand:
    """One reading. Token counts are per request, None where nothing is known."""

    format: str
    source: str
    requests: int
    seconds: float | None
    """From first to last request, or between two scrapes."""
    input: LengthSpread
    output: LengthSpread
    in_flight: InFlight
    peak_60s: float | None = None
    peak_10s: float | None = None
    prefix_share: float | None = None
    saturated: bool | None = None
    """Requests wait for a place; None: the source does not say."""
    arrivals: tuple[float, ...] = ()
    by_length: tuple[str, ...] = ("input", "output")
    """Sides of which quantiles are known, not only the mean."""
    notes: tuple[str, ...] = ()

    @property
    def requests_per_s(self) -> float | None:
        """Mean rate; None: no time is known."""
        return self.requests / self.seconds if self.seconds else None

    @property
    def profile(self) -> DemandProfile:
        """What a scenario keeps of it."""
        return rounded(
            DemandProfile(
                source=self.source,
                input=self.input,
                output=self.output,
                in_flight=self.in_flight,
                requests=self.requests,
                requests_per_s=self.requests_per_s,
                peak_60s=self.peak_60s,
                peak_10s=self.peak_10s,
                prefix_share=self.prefix_share,
                arrivals=self.arrivals,
            )
        )


@dataclass(slots=True)
class Tally:
    """Requests, one by one: memory grows with their number by eight bytes, and with lengths that differ."""

    inputs: Counter[int] = field(default_factory=Counter)
    outputs: Counter[int] = field(default_factory=Counter)
    times: array[float] = field(default_factory=lambda: array("d"))
    count: int = 0
    untimed: int = 0
    empty: int = 0
    """Without an answer: they failed."""
    odd: int = 0
    """Rows that are none."""
    in_order: bool = True
    # Sums over requests, weighted by the tokens of the answer.
    weight: int = 0
    whole: int = 0
    square: int = 0
    half: float = 0.0

    @property
    def full(self) -> bool:
        return self.count >= MOST_REQUESTS

    def add(self, prompt: int, answer: int, at: float | None) -> bool:
        """Count one request. False where it is none."""
        if not (0 <= prompt <= LONGEST and 0 <= answer <= LONGEST):
            self.odd += 1
            return False
        if answer == 0:
            self.empty += 1
            return False
        self.count += 1
        self.inputs[prompt] += 1
        self.outputs[answer] += 1
        total = prompt + answer
        self.weight += answer
        self.whole += answer * total
        self.square += answer * total * total
        self.half += answer * (prompt + answer / 2)
        if at is None:
            self.untimed += 1
        else:
            if self.times and at < self.times[-1]:
                self.in_order = False
            self.times.append(at)
        return True

    def measured(
        self, format: str, source: str, *, prefix_share: float | None = None, notes: tuple[str, ...] = ()
    ) -> MeasuredDemand:
        """What all of them come to. Raises UnreadableError where there were none."""
        if not self.count:
            why = f"; {self.empty:,} have no answer" if self.empty else f"; {self.odd:,} rows hold no token counts"
            raise UnreadableError(f"{source}: no request with a prompt and an answer was found{why}")
        said = list(notes)
        times = self.times if not self.untimed else array("d")
        if not self.in_order:
            times = array("d", sorted(times))
        if not times:
            said.append("no arrival times: no rate and no peak")
        seconds = times[-1] - times[0] if len(times) > 1 else None
        if seconds is not None and not 0 < seconds < math.inf:
            said.append("all requests arrive at one moment: no rate and no peak")
            seconds = None
        elif seconds is not None and seconds < _SHORT_S:
            said.append(f"{seconds:.0f} seconds are short: peaks of a whole day lie higher")
        if self.empty:
            said.append(f"{self.empty:,} requests without an answer are left out")
        if self.odd:
            said.append(f"{self.odd:,} rows without token counts are left out")
        if self.full:
            said.append(f"the first {MOST_REQUESTS:,} requests were read")
        peaks = [peak_factor(times, seconds, window) for window in WINDOWS_S] if seconds else [None, None]
        mean = self.whole / self.weight
        return MeasuredDemand(
            format,
            source,
            self.count,
            seconds,
            spread_of(self.inputs),
            spread_of(self.outputs),
            InFlight(mean, math.sqrt(max(0.0, self.square / self.weight - mean**2)), self.half / self.weight),
            peaks[0],
            peaks[1],
            prefix_share,
            None,
            slices(times, seconds) if seconds else (),
            notes=tuple(said),
        )


def spread_of(lengths: Mapping[int, int]) -> LengthSpread:
    """Mean, deviation and quantiles of counted lengths: straight lines between the ordered requests."""
    count = sum(lengths.values())
    mean = sum(length * many for length, many in lengths.items()) / count
    square = sum(length * length * many for length, many in lengths.items()) / count
    order = sorted(lengths.items())
    points = []
    reached, place = 0, 0
    for share in SHARES:
        rank = share / 100 * (count - 1)
        while reached + order[place][1] <= math.floor(rank):
            reached += order[place][1]
            place += 1
        low = order[place][0]
        beyond = math.floor(rank) + 1 < reached + order[place][1] or place + 1 == len(order)
        high = low if beyond else order[place + 1][0]
        points.append(low + (rank - math.floor(rank)) * (high - low))
    return LengthSpread(mean, math.sqrt(max(0.0, square - mean * mean)), tuple(points))


def peak_factor(times: array[float], seconds: float, window: int) -> float | None:
    """The busiest window over the mean: windows side by side from the first request. None: shorter than one."""
    if seconds < window:
        return None
    start = times[0]
    busiest = max(Counter(int((at - start) // window) for at in times).values())
    # The mean may lie above the busiest window by the requests at both ends.
    return max(1.0, busiest / window / (len(times) / seconds))


def slices(times: array[float], seconds: float) -> tuple[float, ...]:
    """The busiest minute over the mean in each of up to 120 slices, from first to last request."""
    window = 60.0 if seconds >= MOST_SLICES else seconds / MOST_SLICES * 2
    start, mean = times[0], len(times) / seconds
    windows = max(1, math.ceil(seconds / window))
    each = -(-windows // MOST_SLICES)
    counted = Counter(min(windows - 1, int((at - start) // window)) for at in times)
    busiest = [0] * -(-windows // each)
    for place, many in counted.items():
        busiest[place // each] = max(busiest[place // each], many)
    return tuple(many / window / mean for many in busiest)
