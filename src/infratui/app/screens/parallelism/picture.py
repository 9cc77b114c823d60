"""The cluster as lines of text: nodes of GPUs with shard, stage and replica, memory gauges and named links. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....engine.cluster.grid import GpuPlace
from ....engine.cluster.layout import Layout
from ....engine.cluster.legal import divisors
from ....engine.sections.parallelism import StageMemory
from .frames import Act, Mark, TrafficFrame, drawn

Pieces = list[tuple[str, str]]
"""A line: texts with their colour variables."""

PALETTE = ("key", "kv", "good", "tight", "weights", "foreground")
"""Colours of shards, stages and replicas, in turn; the letter and number tell them apart without."""
LOOK: dict[Act, tuple[str, str]] = {
    "idle": ("·", "line"),
    "deal": ("▼", "key"),
    "work": ("●", "weights"),
    "reduce": ("◆", "tight"),
    "send": ("▸", "key"),
    "out": ("▸", "kv"),
    "back": ("◂", "kv"),
    "done": ("✓", "good"),
}
_LEVELS = "▁▂▃▄▅▆▇█"
_TIGHT = 0.95
_MOST_IDLE = 16
_NARROWEST_GAUGE = 4
_WIDEST_ROW = 8
_EACH_WAY = " each way"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is drawn."""

    layout: Layout
    places: tuple[GpuPlace, ...]
    """All GPUs of the layout; those beyond 64 are counted, not drawn."""
    stages: tuple[StageMemory, ...]
    gpus: int
    """GPUs at hand; what the layout leaves is idle."""
    gpus_per_node: int
    inside: str = ""
    """Name and bandwidth of the link inside a node."""
    between: str = ""

    @property
    def shown(self) -> tuple[GpuPlace, ...]:
        return drawn(self.places, self.layout)

    @property
    def idle(self) -> int:
        """Idle GPUs that are drawn."""
        return max(0, min(self.gpus - self.layout.gpus, _MOST_IDLE)) if self.folded == 0 else 0

    @property
    def folded(self) -> int:
        """GPUs of the layout that are not drawn."""
        return self.layout.gpus - len(self.shown)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """GPUs of one node on one line; None: an idle one."""

    node: int
    first: bool
    places: tuple[GpuPlace | None, ...]


class Picture:
    """A cluster laid out for a width: which GPU stands where, in compact or tall cells."""

    def __init__(self, cluster: Cluster, width: int, most_lines: int) -> None:
        self.cluster = cluster
        self.width = width
        self.shown = cluster.shown
        layout = cluster.layout
        self._experts = layout.ep > layout.tp
        self._label = self._label_width()
        nodes = 1 + max((place.node for place in self.shown), default=0)
        self._margin = len(str(nodes)) + 3
        # A mark and a gap stand beside the label; compact cells carry a gauge of one character as well.
        room = width - self._margin
        if self._experts and layout.tp > 1 and room // _WIDEST_ROW < self._label + 3:
            self._experts = False
            self._label = self._label_width()
        self._cell = self._label + 3
        fits = min(_WIDEST_ROW, cluster.gpus_per_node, room // self._cell)
        # Rows of a node are alike: 4 and 4 rather than 7 and 1.
        self.per_row = max((count for count in divisors(cluster.gpus_per_node) if count <= fits), default=1)
        self.rows = tuple(self._rows())
        self.tall = 2 * len(self.rows) + 3 <= most_lines
        if self.tall:
            self._cell = max(_NARROWEST_GAUGE + 2, min(12, room // self.per_row))

    def _label_width(self) -> int:
        return max((len(self._text(place)) for place in self.shown), default=3)

    def _text(self, place: GpuPlace) -> str:
        return "".join(text for text, _ in self.label(place))

    def label(self, place: GpuPlace) -> Pieces:
        """Replica, stage, shard and experts of a GPU, as far as the layout has them."""
        layout = self.cluster.layout
        parts: Pieces = []
        for letter, index, there in (
            ("R", place.replica, layout.dp > 1),
            ("S", place.stage, layout.pp > 1),
            ("T", place.shard, layout.tp > 1),
            ("E", place.expert_rank or 0, self._experts and place.expert_rank is not None),
        ):
            if there:
                parts.append((f"{letter}{index}", PALETTE[index % len(PALETTE)]))
        return parts or [("GPU", PALETTE[0])]

    def _rows(self) -> Iterator[PictureRow]:
        cells: list[tuple[int, GpuPlace | None]] = [(place.node, place) for place in self.shown]
        size = self.cluster.gpus_per_node
        first_idle = len(self.shown)
        cells += [((first_idle + at) // size, None) for at in range(self.cluster.idle)]
        start = 0
        last_node = -1
        while start < len(cells):
            node = cells[start][0]
            end = start
            while end < len(cells) and end - start < self.per_row and cells[end][0] == node:
                end += 1
            yield PictureRow(node, node != last_node, tuple(place for _, place in cells[start:end]))
            last_node, start = node, end

    @property
    def lines(self) -> int:
        """Links, GPUs, caption and legend."""
        return 3 + len(self.rows) * (2 if self.tall else 1)

    def line(self, y: int, frame: TrafficFrame) -> Pieces:
        """Line `y` of a frame."""
        if y == 0:
            return self._links(frame)
        if y == self.lines - 2:
            return [(" " + fit(frame.caption, self.width - 1), "")]
        if y == self.lines - 1:
            return self._legend()
        at, gauge = divmod(y - 1, 2) if self.tall else (y - 1, 0)
        row = self.rows[at]
        if gauge:
            return self._gauges(row)
        return self._row(row, frame)

    def _links(self, frame: TrafficFrame) -> Pieces:
        cluster = self.cluster
        entries = [("node", "in a node", cluster.inside)]
        if cluster.folded or (self.rows and self.rows[-1].node):
            entries.append(("nodes", "between", cluster.between))
        parts: Pieces = []
        for reach, where, name in entries:
            lit = frame.link == reach
            parts.append((" ◆ " if lit else " ─ ", "tight" if lit else "line"))
            parts.append((f"{where} {name} ", "tight" if lit else "muted"))
        if sum(len(text) for text, _ in parts) + len(_EACH_WAY) <= self.width:
            parts.append((_EACH_WAY, "muted"))
        return trim(parts, self.width)

    def _legend(self) -> Pieces:
        layout, cluster = self.cluster.layout, self.cluster
        letters = [
            word
            for word, there in (
                ("R replica", layout.dp > 1), ("S stage", layout.pp > 1), ("T shard", layout.tp > 1),
                ("E experts", self._experts),
            )
            if there
        ]  # fmt: skip
        parts: Pieces = [(" ", "")]
        if cluster.folded:
            replicas = cluster.folded // layout.gpus_per_replica
            what = f"{replicas:,} more replicas" if replicas else f"{cluster.folded:,} more GPUs"
            parts.append((f"+ {what} like these, {layout.gpus:,} GPUs in all  ", "key"))
        if letters:
            parts.append((", ".join(letters) + "  ", "muted"))
        if self.tall:
            parts += [
                ("█", "weights"), (" weights ", "muted"), ("▓", "kv"), (" cache ", "muted"),
                ("░", "overhead"), (" runtime ", "muted"), ("·", "line"), (" free", "muted"),
            ]  # fmt: skip
        else:
            parts.append(("▁…█ memory in use", "muted"))
        return trim(parts, self.width)

    def _head(self, row: PictureRow, gauge: bool) -> tuple[str, str]:
        name = f"n{row.node + 1}" if row.first and not gauge else ""
        return f" {name:<{self._margin - 2}}", "muted"

    def _row(self, row: PictureRow, frame: TrafficFrame) -> Pieces:
        parts: Pieces = [self._head(row, False), ("│", "line")]
        for place in row.places:
            if place is None:
                parts.append((" idle".ljust(self._cell)[: self._cell], "muted"))
                continue
            label = self.label(place)
            parts += [mark_text(frame.marks[place.index]), *label]
            rest = self._label - sum(len(text) for text, _ in label)
            if self.tall:
                parts.append((" " * (self._cell - self._label - 1 + rest), ""))
            else:
                parts += [(" " * rest, ""), self._level(place), (" ", "")]
        return parts

    def _level(self, place: GpuPlace) -> tuple[str, str]:
        used = self.cluster.stages[place.stage].used
        if used > 1:
            return "!", "bad"
        return _LEVELS[min(7, int(used * 8))], "tight" if used > _TIGHT else "good"

    def _gauges(self, row: PictureRow) -> Pieces:
        parts: Pieces = [self._head(row, True), ("│", "line")]
        width = self._cell - 2
        for place in row.places:
            if place is None:
                parts.append((" " * self._cell, ""))
                continue
            parts += [(" ", ""), *gauge(self.cluster.stages[place.stage], width), (" ", "")]
        return parts


def mark_text(mark: Mark) -> tuple[str, str]:
    """Glyph and colour of what a GPU does; a micro-batch at work shows its letter."""
    glyph, tone = LOOK[mark.act]
    if mark.act == "work" and mark.batch:
        return chr(ord("a") + (mark.batch - 1) % 26), tone
    return glyph, tone


def gauge(stage: StageMemory, width: int) -> Pieces:
    """Weights, cache, runtime and what is free of one GPU; what overflows ends in `!`."""
    scale = max(stage.requested, stage.weights + stage.kv + stage.runtime)
    parts: Pieces = []
    left = width
    for amount, glyph, tone in (
        (stage.weights, "█", "weights"), (stage.kv, "▓", "kv"), (stage.runtime, "░", "overhead")
    ):  # fmt: skip
        cells = min(left, max(1 if amount else 0, round(amount / scale * width)))
        parts.append((glyph * cells, tone))
        left -= cells
    parts.append(("·" * left, "line"))
    if stage.used > 1:
        *rest, last = [piece for piece in parts if piece[0]]
        parts = [*rest, (last[0][:-1], last[1]), ("!", "bad")]
    return parts


def fit(text: str, width: int) -> str:
    """The text, cut with an ellipsis where it is too long."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def trim(parts: Sequence[tuple[str, str]], width: int) -> Pieces:
    """As many pieces as fit; the last one is cut."""
    found: Pieces = []
    left = width
    for text, tone in parts:
        if left <= 0:
            break
        found.append((fit(text, left), tone))
        left -= len(text)
    return found
