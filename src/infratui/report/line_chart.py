"""Curves in Braille dots: two by four per cell, axes with units, a rule for a limit, labels at the curves' ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from .show import Chart, Curve, Line, Rule

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille bit of each dot, by row and column."""
_RULE = _DOTS[1][0] | _DOTS[1][1]
"""Dots that carry a level rule through a cell."""
HEIGHT = 12
"""Lines of a chart where nobody says how high it is."""


def chart_lines(chart: Chart, width: int, height: int = HEIGHT) -> tuple[Line, ...]:
    """The chart as lines of toned text, `width` × `height` cells; none where there is too little room."""
    points = [point for curve in chart.curves for point in curve.points if all(map(math.isfinite, point))]
    if not points or width < 20 or height < 5:
        return ()
    levels = [rule.at for rule in chart.rules if not rule.upright]
    low_x, high_x = _range([x for x, _ in points], chart.logarithmic_x)
    high_y = max([y for _, y in points] + levels) * (1.0 if chart.logarithmic_y else 1.04)
    if chart.top is not None:
        high_y = min(high_y, chart.top)
    low_y = min(y for _, y in points if y > 0) if chart.logarithmic_y else min(0.0, *(y for _, y in points))
    if high_y <= low_y:
        high_y = low_y + 1.0
    marks = [chart.y_text(_between(low_y, high_y, share, chart.logarithmic_y)) for share in (1.0, 0.5, 0.0)]
    margin = max(len(mark) for mark in marks) + 1
    label_width = max((len(curve.label) for curve in chart.curves), default=0) + 1
    plot_w, plot_h = max(8, width - margin - 1 - label_width), height - 2 - bool(chart.y_label)
    grid = _Grid(plot_w, plot_h)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _share(x, low_x, high_x, chart.logarithmic_x) * (plot_w * 2 - 1),
            (1 - _share(y, low_y, high_y, chart.logarithmic_y)) * (plot_h * 4 - 1),
        )

    for rule in chart.rules:
        if rule.upright:
            grid.upright(place(rule.at, low_y)[0], rule)
        else:
            grid.level(place(low_x, rule.at)[1], rule)
    labels: dict[int, tuple[str, str]] = {}
    ends_at: list[tuple[float, float, Curve]] = []
    for curve in chart.curves:
        inside = [(x, y) for x, y in curve.points if math.isfinite(x) and math.isfinite(y) and y <= high_y]
        drawn = [place(x, y) for x, y in inside]
        for start, end in pairwise(drawn):
            grid.line(start, end, curve.tone)
        if drawn:
            ends_at.append((drawn[-1][1], drawn[-1][0], curve))
    # A curve that leaves the picture earlier is the steeper one: its label stands higher.
    for y_end, _, curve in sorted(ends_at, key=lambda end: end[:2]):
        _label(labels, int(y_end // 4), plot_h, curve)
    heading = f"{chart.y_label.rjust(margin)} ↑  {chart.x_label} →"
    lines: list[Line] = [((heading, "muted"),)] if chart.y_label else []
    at_mark = {0: marks[0], (plot_h - 1) // 2: marks[1], plot_h - 1: marks[2]}
    for y in range(plot_h):
        label, tone = labels.get(y, ("", ""))
        lines.append(
            (
                (at_mark.get(y, "").rjust(margin), "muted"),
                ("┤" if y in at_mark else "│", "line"),
                *grid.row(y),
                (f" {label}", tone),
            )
        )
    lines.append(((" " * margin + "└" + "─" * plot_w, "line"),))
    left, middle, right = (chart.x_text(_between(low_x, high_x, share, chart.logarithmic_x)) for share in (0.0, 0.5, 1))
    axis = left + middle.center(max(1, plot_w - 2 * max(len(left), len(right)))).rjust(plot_w - len(left) - len(right))
    axis = (axis + right)[: plot_w + 2]
    lines.append(((" " * (margin + 1) + axis, "muted"),))
    return tuple(lines)


class _Grid:
    """Cells of dots; a cell takes the colour of the curve drawn last."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.dots = [[0] * width for _ in range(height)]
        self.tones = [[""] * width for _ in range(height)]
        self.named: set[tuple[int, int]] = set()
        """Cells of a rule's label: no curve is drawn over them."""
        self.levels: set[int] = set()
        """Rows of level rules."""
        self.under: list[list[tuple[str, str]]] = [[(" ", "")] * width for _ in range(height)]

    def line(self, start: tuple[float, float], end: tuple[float, float], tone: str) -> None:
        steps = max(1, math.ceil(max(abs(end[0] - start[0]), abs(end[1] - start[1]))))
        for step in range(steps + 1):
            share = step / steps
            self.dot(round(start[0] + (end[0] - start[0]) * share), round(start[1] + (end[1] - start[1]) * share), tone)

    def dot(self, x: int, y: int, tone: str) -> None:
        column, row = x // 2, y // 4
        if 0 <= column < self.width and 0 <= row < self.height:
            self.dots[row][column] |= _DOTS[y % 4][x % 2]
            self.tones[row][column] = tone

    def level(self, y: float, rule: Rule) -> None:
        row = int(y // 4)
        if 0 <= row < self.height:
            text = f" {rule.label} "[: self.width]
            head = "─" * min(3, self.width - len(text))
            line = (head + text).ljust(self.width, "─")
            self.levels.add(row)
            for at, character in enumerate(line):
                crossed = character == "─" and self.under[row][at][0] == "┆"
                self.under[row][at] = ("┼" if crossed else character, rule.tone)
            self.named.update((row, at) for at in range(len(head), len(head + text)))

    def upright(self, x: float, rule: Rule) -> None:
        column = int(x // 2)
        if 0 <= column < self.width:
            for row in range(self.height):
                under, tone = self.under[row][column]
                self.under[row][column] = ("┼", tone) if under == "─" else ("┆", rule.tone)
            for at, character in enumerate(f" {rule.label}"):
                if column + 1 + at < self.width:
                    self.under[0][column + 1 + at] = (character, rule.tone)

    def row(self, y: int) -> Line:
        parts: list[tuple[str, str]] = []
        columns = zip(self.dots[y], self.tones[y], self.under[y], strict=True)
        for x, (dots, tone, (under, under_tone)) in enumerate(columns):
            # A level rule goes on through the curves that cross it.
            dots = dots | _RULE if dots and y in self.levels else dots
            cell = (chr(0x2800 + dots), tone) if dots and (y, x) not in self.named else (under, under_tone)
            if parts and parts[-1][1] == cell[1]:
                parts[-1] = (parts[-1][0] + cell[0], cell[1])
            else:
                parts.append(cell)
        return tuple(parts)


def _label(labels: dict[int, tuple[str, str]], row: int, height: int, curve: Curve) -> None:
    """Put a label at the row of its curve's end, or the nearest free one."""
    row = max(0, min(height - 1, row))
    for away in range(height):
        for at in (row - away, row + away):
            if 0 <= at < height and at not in labels:
                labels[at] = (curve.label, curve.tone)
                return


def _range(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if logarithmic:
        low = max(low, 1e-12)
    return low, high if high > low else low + 1.0


def _share(value: float, low: float, high: float, logarithmic: bool) -> float:
    if logarithmic:
        value, low, high = math.log(max(value, 1e-12)), math.log(low), math.log(high)
    return max(0.0, min(1.0, (value - low) / (high - low)))


def _between(low: float, high: float, share: float, logarithmic: bool) -> float:
    if logarithmic:
        return math.exp(math.log(low) + (math.log(high) - math.log(low)) * share)
    return low + (high - low) * share
