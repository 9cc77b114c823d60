"""The cluster as lines: GPUs that fill, send and wait, what they hold, the links, where the time goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ....engine.cluster.grid import GpuPlace
from ....engine.cluster.layout import Layout
from ....engine.cluster.legal import divisors
from ....engine.figures.units import format_seconds
from ....engine.sections.parallelism import StageMemory
from ....report.draw import share
from ....value_types import dataclass
from .causes import STRIP, causes
from .frames import Act, Mark, TrafficFrame, drawn

Pieces = list[tuple[str, str]]
"""A line: texts with their colour variables."""

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
_LOW = 12
"""Lines below which a picture leaves out the names of links and the legend."""
_ASIDE = re.compile(r" \([^()]*\)")
_ROOMY = 14
"""Lines from which there is room for the bar of the layers."""
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
    layers: int = 0
    strip: tuple[tuple[str, float, str], ...] = ()
    """The time of one token by cause: label, seconds, tone."""

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
        low = most_lines < _LOW
        self._above = [] if low else ["links"]
        self._under_rows = ["caption"]
        if cluster.layers and most_lines > _ROOMY:
            self._under_rows.append("layers")
        if cluster.strip:
            self._under_rows += ["strip", "causes"]
        if not low or not cluster.strip:
            self._under_rows.append("legend")
        besides = len(self._above) + len(self._under_rows)
        fitting = (deep for deep in ((2,) if low else (3, 2)) if deep * len(self.rows) + besides <= most_lines)
        self.deep = next(fitting, 1)
        """Lines of a GPU: its name and what travels, how far it is, what it holds."""
        self.tall = self.deep > 1
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
                parts.append((f"{letter}{index}", ""))
        return parts or [("GPU", "")]

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
        """Links, GPUs, layers, caption, the strip of time and the legend."""
        return len(self._above) + len(self.rows) * self.deep + len(self._under_rows)

    def line(self, y: int, frame: TrafficFrame) -> Pieces:
        """Line `y` of a frame."""
        y -= len(self._above)
        if y < 0:
            return self._links(frame)
        below = y - len(self.rows) * self.deep
        if below >= 0:
            return self._under(below, frame)
        at, part = divmod(y, self.deep)
        row = self.rows[at]
        if part == 0:
            return self._row(row, frame)
        if part == 1 and self.deep == 3:
            return self._doing(row, frame)
        return self._gauges(row)

    def _under(self, below: int, frame: TrafficFrame) -> Pieces:
        """The lines below the GPUs."""
        match self._under_rows[below]:
            case "caption":
                # Where the layers have no line of their own, their number stands here.
                bare = self.cluster.layers and "layers" not in self._under_rows and 0 < frame.layer < 1
                now = f"layer {max(1, round(frame.layer * self.cluster.layers))} · " if bare else ""
                brief = _ASIDE.sub("", frame.caption)
                untimed = brief.rpartition(": ")[0] or brief
                texts = (now + frame.caption, now + brief, now + untimed, now + brief.rpartition("; ")[2])
                said = next((text for text in texts if len(text) < self.width), texts[-1])
                return [(" " + fit(said, self.width - 1), "bold")]
            case "layers":
                return self._layers(frame)
            case "strip":
                return self._strip(frame)
            case "causes":
                return trim(causes(self.cluster.strip, self.width), self.width)
            case _:
                return self._legend()

    def _layers(self, frame: TrafficFrame) -> Pieces:
        """`layer 12 of 80 ━━━━╸────`."""
        layers = self.cluster.layers
        now = max(1, round(frame.layer * layers))
        head = f" layer {now:>{len(str(layers))}} of {layers} "
        room = max(4, min(60, self.width - len(head) - 1))
        done = round(frame.layer * room)
        return [(head, "muted"), ("━" * done, "key"), ("─" * (room - done), "line")]

    def _strip(self, frame: TrafficFrame) -> Pieces:
        """The time of one token to scale, with a cursor where the picture stands."""
        total = sum(seconds for _, seconds, _ in self.cluster.strip)
        head = f" {format_seconds(total)} a token "
        room = max(8, self.width - len(head) - 1)
        cells = share(tuple(seconds for _, seconds, _ in self.cluster.strip), total, room)
        pieces: Pieces = [(head, "bold")]
        cursor = min(room - 1, int(frame.cursor * room))
        at = 0
        for glyph, count, (_, _, tone) in zip(STRIP, cells, self.cluster.strip, strict=False):
            text = glyph * count
            if at <= cursor < at + count:
                pieces += [(text[: cursor - at], tone), ("┃", "bold foreground"), (text[cursor - at + 1 :], tone)]
            else:
                pieces.append((text, tone))
            at += count
        return [piece for piece in pieces if piece[0]]

    def _doing(self, row: PictureRow, frame: TrafficFrame) -> Pieces:
        """How far each GPU is."""
        parts: Pieces = [self._head(row, True), ("│", "line")]
        for place in row.places:
            if place is None:
                parts.append((" " * self._cell, ""))
            else:
                parts += [(" ", ""), *doing(frame, place, self._cell - 2), (" ", "")]
        return parts

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
            parts += [self._travelling(frame, place), *label]
            rest = self._label - sum(len(text) for text, _ in label)
            if self.tall:
                left = self._cell - self._label - 1 + rest
                running = frame.marks[place.index].act == "reduce"
                if self.deep == 2 and left > _NARROWEST_GAUGE:
                    parts += [(" ", ""), *doing(frame, place, left - 2), (" ", "")]
                else:
                    parts.append((("─" if running else " ") * left, "tight" if running else ""))
            else:
                parts += [(" " * rest, ""), self._level(place), (" ", "")]
        return parts

    def _travelling(self, frame: TrafficFrame, place: GpuPlace) -> tuple[str, str]:
        """What stands before a GPU: in an all-reduce one ◆ that runs along the links of its group."""
        mark = frame.marks[place.index]
        if mark.act == "reduce":
            size = self.cluster.layout.tp
            here = place.shard == min(size - 1, int(frame.progress * size - 0.001))
            return ("◆", "tight") if here else ("─", "tight")
        if not self.tall and mark.act == "work" and not mark.batch:
            return _LEVELS[min(7, int(frame.progress * 7.99))], "weights"
        return mark_text(mark)

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


def doing(frame: TrafficFrame, place: GpuPlace, width: int) -> Pieces:
    """How far a GPU is, in `width` cells: a bar that fills, letters of its micro-batch, what it sends, or a bubble."""
    mark = frame.marks[place.index]
    tone = LOOK[mark.act][1]
    if mark.act == "work":
        done = max(1, round(frame.progress * width))
        glyph = chr(ord("a") + (mark.batch - 1) % 26) if mark.batch else "▇"
        return [(glyph * done, tone), ("·" * (width - done), "line")]
    if mark.act in ("send", "out", "back"):
        # Of an exchange every GPU is elsewhere: it sends to all others.
        shift = place.index * 0.37 if mark.act != "send" else 0.0
        at = int(((frame.progress + shift) % 1.0) * width) % max(1, width)
        at = width - 1 - at if mark.act == "back" else at
        return [("·" * at, "line"), (LOOK[mark.act][0], tone), ("·" * (width - at - 1), "line")]
    if mark.act == "reduce":
        return [("▇" * width, "muted")]
    if mark.act in ("deal", "done"):
        return [((LOOK[mark.act][0] * 2).center(width), tone)]
    return [(" " * width, "")]


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
