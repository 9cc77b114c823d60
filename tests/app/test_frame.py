"""Sending only what changed must leave the terminal as if everything had been sent."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from infratui.app.terminal.frame import _PALETTE, Frame

WIDTH, HEIGHT = 12, 3
CONSOLE = Console(color_system="truecolor", force_terminal=True)
STYLES = [
    None,
    Style.parse("bold"),
    Style.parse("red"),
    Style.parse("bold blue on #102030"),
    Style.parse("reverse dim green"),
    Style.parse("italic underline on white"),
]

cells = st.tuples(st.sampled_from("ab█▌ ·"), st.integers(0, len(STYLES) - 1))
lines = st.lists(cells, min_size=WIDTH, max_size=WIDTH)
frames = st.lists(lines, min_size=HEIGHT, max_size=HEIGHT)


def strip(line) -> Strip:
    return Strip([Segment(character, STYLES[style]) for character, style in line])


def whole(frame) -> LayoutUpdate:
    return LayoutUpdate([[strip(line)] for line in frame], Region(0, 0, WIDTH, HEIGHT))


def look(screen: pyte.Screen) -> list[list[tuple]]:
    return [[seen(screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def seen(cell) -> tuple:
    """What is seen of a cell: of a blank its ground, and its ink only where it is underlined or reversed."""
    if cell.data == " " and not cell.underscore and not cell.reverse:
        return (" ", cell.bg)
    return (cell.data, cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.reverse)


def fresh(frame) -> list[list[tuple]]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(Frame().difference(whole(frame), (WIDTH, HEIGHT), CONSOLE))
    return look(screen)


@settings(max_examples=60, deadline=None)
@given(st.lists(frames, min_size=2, max_size=4))
def test_whole_frames_one_after_the_other(story) -> None:
    kept, screen = Frame(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    for frame in story:
        stream.feed(kept.difference(whole(frame), (WIDTH, HEIGHT), CONSOLE))
    assert look(screen) == fresh(story[-1])


@settings(max_examples=60, deadline=None)
@given(frames, lines, st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1))
def test_a_part_of_a_line(frame, line, y, left) -> None:
    kept, screen = Frame(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed(kept.difference(whole(frame), (WIDTH, HEIGHT), CONSOLE))
    chops = [{0: None, left: None} for _ in range(HEIGHT)]
    chops[y][left] = strip(line[left:])
    ends = [[left, WIDTH] if left else [WIDTH] for _ in range(HEIGHT)]
    stream.feed(kept.difference(ChopsUpdate(chops, [(y, left, WIDTH)], ends), (WIDTH, HEIGHT), CONSOLE))
    after = [list(row) for row in frame]
    after[y][left:] = line[left:]
    assert look(screen) == fresh(after)


def test_nothing_new_sends_nothing() -> None:
    kept = Frame()
    frame = [[("a", 1)] * WIDTH] * HEIGHT
    assert kept.difference(whole(frame), (WIDTH, HEIGHT), CONSOLE)
    assert kept.difference(whole(frame), (WIDTH, HEIGHT), CONSOLE) == ""


def test_wide_characters_are_sent_whole_and_again() -> None:
    kept = Frame()
    update = LayoutUpdate([[Strip([Segment("模型" + " " * 8, STYLES[1])])]] * HEIGHT, Region(0, 0, WIDTH, HEIGHT))
    first = kept.difference(update, (WIDTH, HEIGHT), CONSOLE)
    assert kept.difference(update, (WIDTH, HEIGHT), CONSOLE) == first


def test_another_size_sends_everything() -> None:
    kept = Frame()
    frame = [[("a", 1)] * WIDTH] * HEIGHT
    kept.difference(whole(frame), (WIDTH, HEIGHT), CONSOLE)
    assert kept.difference(whole(frame), (WIDTH, HEIGHT + 1), CONSOLE)


def test_lines_that_come_in_parts_are_known_afterwards() -> None:
    kept = Frame()
    frame = [[("a", 1)] * WIDTH] * HEIGHT
    chops = [{0: strip(line[:5]), 5: strip(line[5:])} for line in frame]
    spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
    assert kept.difference(ChopsUpdate(chops, spans, [[5, WIDTH]] * HEIGHT), (WIDTH, HEIGHT), CONSOLE)
    assert kept.difference(whole(frame), (WIDTH, HEIGHT), CONSOLE) == ""


@pytest.mark.parametrize(
    ("colour", "codes"),
    [
        ("#8787ff", "38;5;105"),
        ("#9e9e9e", "38;5;247"),
        ("#8787fe", "38;2;135;135;254"),
        # Some people's terminals have colours of their own there.
        ("#000000", "38;2;0;0;0"),
        ("#0000ff", "38;2;0;0;255"),
    ],
)
def test_a_colour_of_the_shared_palette_is_sent_by_its_number(colour: str, codes: str) -> None:
    line = Strip([Segment("a" * WIDTH, Style.parse(colour))])
    update = LayoutUpdate([[line]], Region(0, 0, WIDTH, 1))
    assert f"\x1b[{codes}m" in Frame().difference(update, (WIDTH, HEIGHT), CONSOLE)


def test_terminals_agree_on_the_palette() -> None:
    for colour, number in _PALETTE.items():
        assert Color.parse(f"color({number})").get_truecolor() == colour
