"""What the cluster's picture plays: one decode step as frames, timed by the predicted seconds of its parts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ....engine.cluster.grid import GpuPlace
from ....engine.cluster.layout import Layout
from ....engine.figures.units import format_seconds
from ....engine.speed.step_parts import StepParts

FRAMES = 24
"""Frames of a cycle, about: parts of a step take as many of them as their share of its time, each at least one."""
MOST_TICKS = 6
"""Stage times that a cycle shows; deeper pipelines show as many."""
MOST_DRAWN = 64
"""GPUs that are drawn; further replicas are counted."""

Act = Literal["idle", "deal", "work", "reduce", "send", "out", "back", "done"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What one GPU does in a frame."""

    act: Act
    batch: int = 0
    """Micro-batch in a pipeline, from 1; 0: there is only one."""


@dataclass(frozen=True, slots=True)
class TrafficFrame:
    """One picture: a mark per drawn GPU, the link that is busy, and a line that explains it."""

    marks: tuple[Mark, ...]
    caption: str
    link: Literal["", "node", "nodes"] = ""
    step_s: float = 0.0
    """Seconds of a step that this part of it takes in all."""


@dataclass(frozen=True, slots=True)
class Words:
    """Names that captions use."""

    inside: str = "the node's link"
    between: str = "the network"
    experts: int = 0
    """Experts that a token goes to."""


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: a layout, the predicted parts of its step, and sequences per replica."""

    layout: Layout
    parts: StepParts
    batch: float
    tpot_s: float
    gpus_per_node: int
    words: Words = Words()


_IDLE = Mark("idle")


def drawn(places: Sequence[GpuPlace], layout: Layout) -> tuple[GpuPlace, ...]:
    """The GPUs that are drawn: whole replicas, as many as 64 GPUs hold; the first 64 of a larger one."""
    if layout.gpus <= MOST_DRAWN:
        return tuple(places)
    whole = MOST_DRAWN // layout.gpus_per_replica * layout.gpus_per_replica
    return tuple(places[: whole or MOST_DRAWN])


def still(places: Sequence[GpuPlace], caption: str) -> TrafficFrame:
    """A picture in which nothing happens."""
    return TrafficFrame((_IDLE,) * len(places), caption)


def frames(play: Play, places: Sequence[GpuPlace]) -> tuple[TrafficFrame, ...]:
    """One cycle: requests are dealt, the step runs stage by stage, every sequence gets its token."""
    return (*_dealing(play, places), *_step(play, places), _done(play, places))


def _dealing(play: Play, places: Sequence[GpuPlace]) -> Iterator[TrafficFrame]:
    """Data parallelism: requests go to the replicas in turn."""
    replicas = {place.replica for place in places}
    if len(replicas) < 2:
        return
    waves = min(4, len(replicas))
    talk = "their experts exchange tokens" if play.parts.all_to_all_s else "replicas never talk"
    caption = f"DP{play.layout.dp:,}: requests are dealt to replicas in turn; {talk}"
    for wave in range(waves):
        # The first stage takes the request in.
        marks = tuple(Mark("deal") if place.replica % waves == wave and place.stage == 0 else _IDLE for place in places)
        yield TrafficFrame(marks, caption)


def _done(play: Play, places: Sequence[GpuPlace]) -> TrafficFrame:
    last = play.layout.pp - 1
    marks = tuple(Mark("done") if place.stage == last else _IDLE for place in places)
    each = f": {1 / play.tpot_s:,.3g} tokens/s each" if play.tpot_s > 0 else ""
    return TrafficFrame(marks, f"{format_seconds(play.tpot_s)} later every sequence has its next token{each}")


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of one tick: what busy GPUs do, and for how long."""

    act: Act
    seconds: float
    caption: str
    link: Literal["", "node", "nodes"] = ""


def _step(play: Play, places: Sequence[GpuPlace]) -> Iterator[TrafficFrame]:
    """The step: as many ticks as stages, in each of which every stage works on the micro-batch that has reached it."""
    pp = play.layout.pp
    ticks = min(pp, MOST_TICKS)
    micro = max(1, min(pp, int(play.batch)))
    parts = _parts(play, micro)
    counts = share_frames([part.seconds for part in parts], max(len(parts), FRAMES // ticks))
    for tick in range(ticks):
        at = {stage: (tick - stage) % pp for stage in range(pp)}
        for part, count in zip(parts, counts, strict=True):
            marks = tuple(_mark(part.act, at[place.stage], micro, pp) for place in places)
            yield from (TrafficFrame(marks, part.caption, part.link, part.seconds) for _ in range(count))


def _mark(act: Act, batch: int, micro: int, pp: int) -> Mark:
    if batch >= micro:
        return _IDLE
    return Mark(act, batch + 1 if pp > 1 else 0)


def _parts(play: Play, micro: int) -> list[_Part]:
    """The parts of a tick in order: attention, its all-reduce, the MLP or the experts, the hop to the next stage."""
    layout, parts, words = play.layout, play.parts, play.words
    found: list[_Part] = []
    working = f"{_time(parts.work_s, parts)}: {_working(play, micro)}"
    # Two pulses per tick stand for the two collectives of every layer.
    pulses = 2 if parts.all_reduce_s or parts.all_to_all_s else 1
    for pulse in range(pulses):
        if pulse and parts.all_to_all_s:
            link, over = _over(play, layout.ep * layout.pp)
            time = f"{_time(parts.all_to_all_s, parts)}: EP{layout.ep} all-to-all over {over},"
            found.append(_Part("out", parts.all_to_all_s / 2, f"{time} tokens to their {words.experts} experts", link))
            found.append(_Part("work", parts.work_s / pulses, working))
            found.append(_Part("back", parts.all_to_all_s / 2, f"{time} results back", link))
            continue
        found.append(_Part("work", parts.work_s / pulses, working))
        if parts.all_reduce_s:
            link, over = _over(play, layout.tp)
            after = "the MLP" if pulse else "attention"
            caption = (
                f"{_time(parts.all_reduce_s, parts)}: TP{layout.tp} all-reduce after {after} of a layer over {over}"
            )
            halves = 1 if parts.all_to_all_s else pulses
            found.append(_Part("reduce", parts.all_reduce_s / halves, caption, link))
    if layout.pp > 1:
        link, over = _over(play, layout.gpus_per_replica)
        caption = f"{_time(parts.hop_s, parts)}: hidden states go to the next stage over {over}"
        found.append(_Part("send", parts.hop_s, caption, link))
    return found


def _over(play: Play, span: int) -> tuple[Literal["node", "nodes"], str]:
    """The link that a group of `span` neighbours talks over, and its name."""
    return ("node", play.words.inside) if span <= play.gpus_per_node else ("nodes", play.words.between)


def _time(seconds: float, parts: StepParts) -> str:
    """`43.4 of 48.1 ms`; both units where they differ."""
    part, whole = format_seconds(seconds), format_seconds(parts.total_s)
    number, unit = part.split(" ")
    return f"{number} of {whole}" if whole.endswith(f" {unit}") else f"{part} of {whole}"


def _working(play: Play, micro: int) -> str:
    """What takes most of the time that GPUs work on their own, and who works."""
    parts, layout = play.parts, play.layout
    pieces = {
        "weights": parts.weights_s,
        "cache": parts.kv_s,
        "arithmetic": parts.compute_s,
        "launches": parts.launch_s,
    }
    most = f"mostly {max(pieces, key=lambda name: pieces[name])}"
    if layout.pp > 1 and micro < layout.pp:
        batches = "1 micro-batch" if micro == 1 else f"{micro} micro-batches"
        return f"{most}; {batches} in {layout.pp} stages: {1 - micro / layout.pp:.0%} bubble"
    if layout.pp > 1:
        return f"{most}; {layout.pp} micro-batches walk {layout.pp} stages, no bubble"
    if parts.all_to_all_s:
        return f"{most}; each GPU has its own users and experts"
    if layout.tp > 1:
        return f"{most}; each GPU has 1/{layout.tp} of every layer"
    return f"{most}; each GPU has the whole model"


def share_frames(seconds: Sequence[float], count: int) -> tuple[int, ...]:
    """Frames for each part: in proportion to its seconds, at least one, about `count` in all; equal parts get equal.

    >>> share_frames([9.0, 1.0], 10)
    (9, 1)
    """
    total = sum(seconds)
    return tuple(max(1, int(value / total * count)) if total > 0 else 1 for value in seconds)
