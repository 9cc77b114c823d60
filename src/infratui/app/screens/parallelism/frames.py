"""What the cluster's picture plays: one decode step as frames that move; its true times stand in a strip. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from ....engine.cluster.grid import GpuPlace
from ....engine.cluster.layout import Layout
from ....engine.figures.units import format_seconds
from ....engine.speed.step_parts import StepParts
from ....value_types import dataclass

PHASE = 7
"""Frames of a phase where a step has few of them."""
TICK = 4
"""Frames of work in one tick of a pipeline, where there are many."""
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
    progress: float = 0.0
    """How far this phase is, 0 to 1: bars fill, marks travel."""
    cursor: float = 0.0
    """Where in the step's time this stands, 0 to 1."""
    layer: float = 0.0
    """How far through the layers, 0 to 1."""


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
_DOES = {
    "weights": "reading weights",
    "cache": "reading the cache",
    "arithmetic": "multiplying",
    "launches": "launching kernels",
}
"""What takes most of the time that GPUs work on their own."""


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
    return (*_dealing(play, places), *_timed(play, tuple(_step(play, places))), _done(play, places))


def _timed(play: Play, step: tuple[TrafficFrame, ...]) -> Iterator[TrafficFrame]:
    """The frames with their place in the step's time: work first in the strip, then what GPUs send each other."""
    total = max(play.tpot_s, play.parts.total_s) or 1.0
    starts, at = {}, 0.0
    lengths = {"work": play.parts.work_s, "reduce": play.parts.all_reduce_s + play.parts.context_s,
               "out": play.parts.all_to_all_s / 2,
               "back": play.parts.all_to_all_s / 2, "send": play.parts.hop_s}  # fmt: skip
    for act, seconds in lengths.items():
        starts[act], at = at, at + seconds
    acts = [_act(frame) for frame in step]
    seen = dict.fromkeys(lengths, 0)
    for number, (frame, act) in enumerate(zip(step, acts, strict=True)):
        seen[act] += 1
        share = (seen[act] - 0.5) / acts.count(act)
        cursor = (starts[act] + lengths[act] * share) / total
        yield replace(frame, cursor=cursor, layer=(number + 1) / len(step))


def _act(frame: TrafficFrame) -> Act:
    return next((mark.act for mark in frame.marks if mark.act != "idle"), "work")


def strip(play: Play) -> tuple[tuple[str, float, str], ...]:
    """The time of one token by cause, in the order of the cursor: label, seconds, tone. Its sum is the TPOT."""
    parts = play.parts
    rest = max(0.0, play.tpot_s - parts.total_s)
    causes = (
        ("weights", parts.weights_s, "weights"),
        ("cache", parts.kv_s, "kv"),
        ("arithmetic", parts.compute_s, "good"),
        ("launches", parts.launch_s, "overhead"),
        ("all-reduce", parts.all_reduce_s, "tight"),
        ("cache exchange", parts.context_s, "key"),
        ("all-to-all", parts.all_to_all_s, "tight"),
        ("hops", parts.hop_s, "key"),
        ("prompts", rest, "muted"),
    )
    return tuple(cause for cause in causes if cause[1] > 0)


def _dealing(play: Play, places: Sequence[GpuPlace]) -> Iterator[TrafficFrame]:
    """Data parallelism: requests go to the replicas in turn."""
    replicas = {place.replica for place in places}
    if len(replicas) < 2:
        return
    waves = min(4, len(replicas))
    talk = "their experts exchange tokens" if play.parts.all_to_all_s else "replicas are independent"
    caption = f"DP{play.layout.dp:,}: requests are dealt to replicas in turn; {talk}"
    for wave in range(waves):
        # The first stage takes the request in.
        marks = tuple(Mark("deal") if place.replica % waves == wave and place.stage == 0 else _IDLE for place in places)
        yield TrafficFrame(marks, caption, progress=(wave + 1) / waves)


def _done(play: Play, places: Sequence[GpuPlace]) -> TrafficFrame:
    last = play.layout.pp - 1
    marks = tuple(Mark("done") if place.stage == last else _IDLE for place in places)
    each = f": {1 / play.tpot_s:,.3g} tokens/s each" if play.tpot_s > 0 else ""
    return TrafficFrame(
        marks, f"{format_seconds(play.tpot_s)} in all: every sequence has its next token{each}", "", 0.0, 1.0, 1.0, 1.0
    )


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
    for tick in range(ticks):
        at = {stage: (tick - stage) % pp for stage in range(pp)}
        for part in parts:
            many = ticks > TICK
            count = PHASE if ticks == 1 else TICK - many if part.act == "work" else 2 - many
            marks = tuple(_mark(part.act, at[place.stage], micro, pp) for place in places)
            for number in range(count):
                yield TrafficFrame(marks, part.caption, part.link, part.seconds, (number + 1) / count)


def _mark(act: Act, batch: int, micro: int, pp: int) -> Mark:
    if batch >= micro:
        return _IDLE
    return Mark(act, batch + 1 if pp > 1 else 0)


def _parts(play: Play, micro: int) -> list[_Part]:
    """The parts of a tick in order: attention, its all-reduce, the MLP or the experts, the hop to the next stage."""
    layout, parts, words = play.layout, play.parts, play.words
    found: list[_Part] = []
    working = f"at work, mostly {_working(play, micro)}: {_time(parts.work_s, play)}"
    # Two pulses per tick stand for the two collectives of every layer.
    pulses = 2 if parts.all_reduce_s or parts.all_to_all_s else 1
    for pulse in range(pulses):
        if pulse and parts.all_to_all_s:
            link, over = _over(play, layout.ep * layout.pp)
            time = f"EP{layout.ep} all-to-all over {over}, {_time(parts.all_to_all_s, play)}:"
            found.append(_Part("out", parts.all_to_all_s / 2, f"{time} tokens to their {words.experts} experts", link))
            found.append(_Part("work", parts.work_s / pulses, working))
            found.append(_Part("back", parts.all_to_all_s / 2, f"{time} results back", link))
            continue
        found.append(_Part("work", parts.work_s / pulses, working))
        if parts.context_s and not pulse:
            link, over = _over(play, layout.dcp)
            time = _time(parts.context_s, play)
            caption = f"DCP{layout.dcp} over {over}, {time}: queries to all, outputs of each share of the cache back"
            found.append(_Part("reduce", parts.context_s, caption, link))
        if parts.all_reduce_s:
            link, over = _over(play, layout.tp)
            after = "the MLP" if pulse else "attention"
            caption = f"TP{layout.tp} all-reduce after {after}, over {over}: {_time(parts.all_reduce_s, play)}"
            halves = 1 if parts.all_to_all_s else pulses
            found.append(_Part("reduce", parts.all_reduce_s / halves, caption, link))
    if layout.pp > 1:
        link, over = _over(play, layout.gpus_per_replica)
        caption = f"hidden states go to the next stage over {over}: {_time(parts.hop_s, play)}"
        found.append(_Part("send", parts.hop_s, caption, link))
    return found


def _over(play: Play, span: int) -> tuple[Literal["node", "nodes"], str]:
    """The link that a group of `span` neighbours talks over, and its name."""
    return ("node", play.words.inside) if span <= play.gpus_per_node else ("nodes", play.words.between)


def _time(seconds: float, play: Play) -> str:
    """`43.4 of 48.1 ms`, of the time per token; both units where they differ."""
    part, whole = format_seconds(seconds), format_seconds(max(play.tpot_s, play.parts.total_s))
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
    most = _DOES[max(pieces, key=lambda name: pieces[name])]
    if layout.pp > 1 and micro < layout.pp:
        batches = "1 micro-batch" if micro == 1 else f"{micro} micro-batches"
        return f"{most}; {batches} in {layout.pp} stages: {1 - micro / layout.pp:.0%} bubble"
    if layout.pp > 1:
        return f"{most}; {layout.pp} micro-batches walk {layout.pp} stages, no bubble"
    if parts.all_to_all_s:
        return f"{most} (own users and experts per GPU)"
    if layout.tp > 1:
        return f"{most} (1/{layout.tp} of each layer per GPU)"
    return f"{most} (the whole model per GPU)"
