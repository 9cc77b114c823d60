"""Measured demand as a plain value: how long prompts and answers are, how they arrive, how much of a prompt repeats.

A scenario holds one beside its typed means, and writes it into its file. Lengths are kept as quantiles, so that a
profile of ten million requests takes a few lines.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .plain_text import printable
from .value_types import dataclass

SHARES: tuple[int, ...] = (0, 1, 2, *range(5, 100, 5), 98, 99, 100)
"""Percent of the requests that are no longer than a profile's `points`."""
LONGEST = 1 << 25
"""Tokens of a prompt or an answer at most."""
MOST_SLICES = 120
"""Slices of time whose busiest minute is kept at most."""
_MOST_PEAK = 100.0
_DIGITS = 7


class ProfileError(ValueError):
    """No profile: what, and what would be right."""


@dataclass(frozen=True, slots=True)
class LengthSpread:
    """Lengths over requests, in tokens."""

    mean: float
    deviation: float
    """Standard deviation."""
    points: tuple[float, ...]
    """Lengths that `SHARES` of the requests do not exceed, shortest first."""

    @classmethod
    def constant(cls, tokens: float) -> LengthSpread:
        """All of one length."""
        return cls(tokens, 0.0, (tokens,) * len(SHARES))

    @classmethod
    def of(cls, mean: float, points: tuple[float, ...]) -> LengthSpread:
        """Of a counted mean and quantiles that are known apart from it, such as those of a histogram's buckets."""
        if points[0] == points[-1]:
            return cls(mean, 0.0, points)
        first, second = _moment(points, 1), _moment(points, 2)
        deviation = mean * math.sqrt(max(0.0, second / first**2 - 1))
        # No lengths between the ends with that mean are further apart (Bhatia and Davis).
        most = math.sqrt(max(0.0, (points[-1] - mean) * (mean - points[0])))
        return cls(mean, min(deviation, most), points)

    def at(self, percent: float) -> float:
        """The length that so many percent do not exceed; straight lines between the points."""
        place = bisect_left(SHARES, percent)
        if place <= 0 or SHARES[place] == percent:
            return self.points[place]
        low, high = SHARES[place - 1], SHARES[place]
        part = (percent - low) / (high - low)
        return self.points[place - 1] + part * (self.points[place] - self.points[place - 1])

    def below(self, tokens: float) -> float:
        """Share of the requests that are no longer."""
        place = bisect_right(self.points, tokens)
        if place in (0, len(SHARES)):
            return 0.0 if place == 0 else 1.0
        low, high = self.points[place - 1], self.points[place]
        return (SHARES[place - 1] + (tokens - low) / (high - low) * (SHARES[place] - SHARES[place - 1])) / 100


@dataclass(frozen=True, slots=True)
class InFlight:
    """Requests that are in the server at one time: one stays about as long as its answer, so long answers count more.

    All three weigh a request by its answer's tokens.
    """

    mean: float
    """Tokens of prompt and whole answer."""
    deviation: float
    decoding: float
    """Tokens held on average over the answer: the prompt and half of it."""

    @classmethod
    def independent(cls, prompts: LengthSpread, answers: LengthSpread) -> InFlight:
        """Of prompts and answers that are known apart, and taken to have nothing to do with each other."""
        if answers.mean <= 0 or answers.points[-1] <= 0:
            return cls(prompts.mean, prompts.deviation, prompts.mean)
        first, second, third = (_moment(answers.points, power) for power in (1, 2, 3))
        # The points tell the shape, the mean the scale.
        scale = answers.mean / first
        weighted = min(scale * second / first, answers.points[-1])
        alike = answers.points[0] == answers.points[-1]
        spread = 0.0 if alike else scale**2 * max(0.0, third / first - (second / first) ** 2)
        deviation = math.sqrt(prompts.deviation**2 + min(spread, (answers.points[-1] / 2) ** 2))
        return cls(prompts.mean + weighted, deviation, prompts.mean + weighted / 2)


def _moment(points: Sequence[float], power: int) -> float:
    """Mean of a power of the length, from the points: the integral of straight lines between them."""
    total = 0.0
    for at in range(1, len(SHARES)):
        low, high, width = points[at - 1], points[at], SHARES[at] - SHARES[at - 1]
        total += width * math.fsum(low**part * high ** (power - part) for part in range(power + 1)) / (power + 1)
    return total / 100


@dataclass(frozen=True, slots=True)
class DemandProfile:
    """What was measured of a service's demand."""

    source: str
    """The file or server that it was read from."""
    input: LengthSpread
    output: LengthSpread
    in_flight: InFlight
    requests: int = 0
    """How many were counted; 0: not known."""
    requests_per_s: float | None = None
    peak_60s: float | None = None
    """The busiest minute over the mean; None: arrivals are not known."""
    peak_10s: float | None = None
    prefix_share: float | None = None
    """Share of the prompt tokens that an endless prefix cache would hold already; None: not known."""
    arrivals: tuple[float, ...] = ()
    """The busiest minute over the mean, in slices of equal length from first to last request."""

    def __str__(self) -> str:
        peak = "" if self.peak_60s is None else f" ×{self.peak_60s:.1f}"
        return f"{self.source}: {self.input.mean:,.0f} → {self.output.mean:,.0f}{peak}"

    def in_place(self, window: str = "60s") -> dict[str, object]:
        """Scenario fields that the profile takes the place of, with their measured values."""
        found: dict[str, object] = {
            "input_tokens": max(0, round(self.input.mean)),
            "output_tokens": max(1, round(self.output.mean)),
        }
        peak = self.peak_10s if window == "10s" else self.peak_60s
        if peak is not None:
            found["peak_factor"] = min(_MOST_PEAK, max(1.0, peak))
        if self.prefix_share is not None:
            found["prefix_hit"] = 100 * self.prefix_share
        return found

    def mapping(self) -> dict[str, Any]:
        """Plain values, as a scenario file has them; what is not known is left out."""
        spread = {
            name: {"mean": entry.mean, "deviation": entry.deviation, "points": list(entry.points)}
            for name, entry in (("input", self.input), ("output", self.output))
        }
        held = self.in_flight
        values: dict[str, Any] = {
            "source": self.source,
            "requests": self.requests,
            "requests_per_s": self.requests_per_s,
            "peak_60s": self.peak_60s,
            "peak_10s": self.peak_10s,
            "prefix_share": self.prefix_share,
            **spread,
            "in_flight": {"mean": held.mean, "deviation": held.deviation, "decoding": held.decoding},
            "arrivals": list(self.arrivals),
        }
        return {key: value for key, value in values.items() if value is not None and (value or key != "arrivals")}


def rounded(profile: DemandProfile) -> DemandProfile:
    """The profile in figures that a file shows: seven digits."""

    def short(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.{_DIGITS}g}")
        if isinstance(value, tuple):
            return tuple(short(entry) for entry in value)
        if isinstance(value, LengthSpread):
            return LengthSpread(short(value.mean), short(value.deviation), short(value.points))
        if isinstance(value, InFlight):
            return InFlight(short(value.mean), short(value.deviation), short(value.decoding))
        return value

    return replace(profile, **{name: short(getattr(profile, name)) for name in profile.__dataclass_fields__})


# Reading


def profile_from(value: object) -> DemandProfile | None:
    """A profile of what a scenario file has, or None for none. Raises ProfileError: what would be right."""
    if value is None or isinstance(value, DemandProfile):
        return value
    if isinstance(value, str):
        if value.strip().lower() in ("", "none"):
            return None
        raise ProfileError("write `none`, or let `infratui demand FILE --apply SCENARIO` write a profile")
    if not isinstance(value, Mapping):
        raise ProfileError("write `key: value` lines below it, as `infratui demand FILE --apply SCENARIO` does")
    return _profile(value)


_KEYS = (
    "source", "requests", "requests_per_s", "peak_60s", "peak_10s", "prefix_share", "input", "output", "in_flight",
    "arrivals",
)  # fmt: skip


def _profile(content: Mapping[Any, Any]) -> DemandProfile:
    _known(content, _KEYS, "")
    prompts, answers = _spread(content, "input"), _spread(content, "output")
    if prompts is None or answers is None:
        raise ProfileError("input and output are needed; write `input: {mean: 2048}`")
    arrivals = content.get("arrivals", ())
    if not isinstance(arrivals, Sequence) or isinstance(arrivals, str) or len(arrivals) > MOST_SLICES:
        raise ProfileError(f"arrivals: write a list of at most {MOST_SLICES} numbers")
    requests = _number(content, "requests", 0, 1e15)
    return DemandProfile(
        source=printable(str(content.get("source", "by hand")), 80),
        input=prompts,
        output=answers,
        in_flight=_in_flight(content, prompts, answers),
        requests=int(requests or 0),
        requests_per_s=_number(content, "requests_per_s", 0, 1e9),
        peak_60s=_number(content, "peak_60s", 1, 1e9),
        peak_10s=_number(content, "peak_10s", 1, 1e9),
        prefix_share=_number(content, "prefix_share", 0, 1),
        arrivals=tuple(_figure(entry, "arrivals", 0, 1e9) for entry in arrivals),
    )


def _known(content: Mapping[Any, Any], keys: Sequence[str], where: str) -> None:
    for key in content:
        if key not in keys:
            raise ProfileError(f"{where}unknown key {printable(str(key), 40)!r}; there are {', '.join(keys)}")


def _spread(content: Mapping[Any, Any], name: str) -> LengthSpread | None:
    entry = content.get(name)
    if entry is None:
        return None
    if not isinstance(entry, Mapping):
        return LengthSpread.constant(_figure(entry, name, 0, LONGEST))
    _known(entry, ("mean", "deviation", "points"), f"{name}: ")
    mean = _number(entry, "mean", 0, LONGEST, f"{name}.")
    points = entry.get("points")
    if mean is None:
        raise ProfileError(f"{name}: its mean is needed")
    if points is None:
        return LengthSpread.constant(mean)
    if not isinstance(points, Sequence) or isinstance(points, str) or len(points) != len(SHARES):
        raise ProfileError(f"{name}.points: write {len(SHARES)} lengths, at {', '.join(map(str, SHARES[:4]))} … 100 %")
    found = tuple(_figure(point, f"{name}.points", 0, LONGEST) for point in points)
    if any(high < low for low, high in pairwise(found)):
        raise ProfileError(f"{name}.points: write the shortest first")
    if not found[0] * (1 - 1e-6) <= mean <= found[-1] * (1 + 1e-6):
        raise ProfileError(f"{name}.mean: {mean:g} lies outside its points")
    deviation = _number(entry, "deviation", 0, LONGEST, f"{name}.")
    spread = LengthSpread.of(mean, found)
    return spread if deviation is None else replace(spread, deviation=deviation)


def _in_flight(content: Mapping[Any, Any], prompts: LengthSpread, answers: LengthSpread) -> InFlight:
    entry = content.get("in_flight")
    if entry is None:
        return InFlight.independent(prompts, answers)
    if not isinstance(entry, Mapping):
        raise ProfileError("in_flight: write mean, deviation and decoding")
    _known(entry, ("mean", "deviation", "decoding"), "in_flight: ")
    found = [_number(entry, key, 0, 2 * LONGEST, "in_flight.") for key in ("mean", "decoding")]
    mean, decoding = found
    if mean is None or decoding is None or decoding > mean:
        raise ProfileError("in_flight: write mean, deviation and decoding, which is no more than the mean")
    return InFlight(mean, _number(entry, "deviation", 0, 2 * LONGEST, "in_flight.") or 0.0, decoding)


def _number(content: Mapping[Any, Any], key: str, low: float, high: float, where: str = "") -> float | None:
    value = content.get(key)
    return None if value is None else _figure(value, f"{where}{key}", low, high)


def _figure(value: object, name: str, low: float, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ProfileError(f"{name}: {printable(repr(value), 40)} is no number from {low:g} to {high:g}")
    return float(value)
