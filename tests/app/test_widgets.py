"""The reusable widgets by themselves: bars to scale, charts that fit, a line being typed, steps within range."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

import infratui
from infratui.app.terminal.ascii import to_ascii
from infratui.app.widgets.derivation_view import step_content
from infratui.app.widgets.line_editor import MAX_LENGTH, LineEditor
from infratui.app.widgets.value_row import ValueRow
from infratui.engine.figures.derivation import Formula, Unit
from infratui.engine.figures.units import ByteUnit
from infratui.inputs import Kind
from infratui.report.draw import lying, share, standing
from infratui.report.line_chart import chart_lines
from infratui.report.math import Branch
from infratui.report.show import Chart, Curve, Rule
from infratui.scenario import INPUTS, bounds

amounts = st.floats(0, 1e15, allow_nan=False)


@given(st.lists(amounts, min_size=1, max_size=6).filter(lambda values: sum(values) > 0), st.integers(20, 200))
def test_segments_of_a_bar_fill_it_and_none_is_lost(values, width) -> None:
    cells = share(values, sum(values), width)
    assert sum(cells) == width
    assert all(count > 0 for count, value in zip(cells, values, strict=True) if value > 0)


@given(st.floats(0, 1), st.integers(1, 80))
def test_bars_stay_in_their_room(share_of_top, width) -> None:
    assert len(lying(share_of_top, width)) <= width
    assert len(standing(share_of_top, width)) == width


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e15)), max_size=8),
    st.integers(1, 120),
    st.integers(1, 30),
    st.booleans(),
)
def test_a_chart_fits_its_region(points, width, height, logarithmic) -> None:
    chart = Chart(
        (Curve("128K", tuple(sorted(points))),), (Rule("node", 5e5),), "users", "GB", logarithmic_x=logarithmic
    )
    lines = ["".join(text for text, _ in line) for line in chart_lines(chart, width, height)]
    assert len(lines) <= max(height, 1)
    assert all(len(line) <= width + 8 for line in lines)


def test_a_chart_names_its_curves_and_its_limit() -> None:
    chart = Chart(
        (Curve("8K", ((1, 10), (9, 20))), Curve("32K", ((1, 10), (9, 80)))), (Rule("8 × H100", 60),), "users", "GB"
    )
    text = "".join(text for line in chart_lines(chart, 80, 12) for text, _ in line)
    assert all(label in text for label in ("8K", "32K", "8 × H100", "GB", "users"))


@given(
    st.lists(
        st.sampled_from(["left", "right", "home", "end", "backspace", "delete", "ctrl+u", "ctrl+w", "a", "é", " "])
    )
)
def test_the_cursor_never_leaves_the_line(keys) -> None:
    editor = LineEditor.over("seed text")
    for key in keys:
        editor.key(key, key if len(key) == 1 else None)
        assert 0 <= editor.cursor <= len(editor.text) <= MAX_LENGTH


def test_pasted_controls_are_dropped() -> None:
    editor = LineEditor()
    editor.insert("a\x1b[31mb\n\tc")
    assert editor.text == "a[31mbc"


@pytest.mark.parametrize(
    "field",
    [name for name, spec in INPUTS.items() if spec.kind in (Kind.COUNT, Kind.TOKENS, Kind.NUMBER, Kind.PERCENT)],
)
@pytest.mark.parametrize("direction", [1, -1])
def test_steps_move_and_stay_in_range(field, direction) -> None:
    low, high = bounds(field)
    row = ValueRow(field, INPUTS[field], low=low, high=high)
    steps = INPUTS[field].steps or (1.0,)
    value = steps[len(steps) // 2]
    for _ in range(40):
        following = row._stepped(value, direction)
        assert low <= following <= high
        assert (following - value) * direction >= 0
        value = following


@given(st.integers(30, 140), st.integers(0, 10**15), st.integers(0, 12))
def test_math_fits_the_width(width, value, depth) -> None:
    formula = Formula(
        "weights_of_the_stage",
        "ceil(parameters * bits / 8) + embedding * bits / 8 - 0 * parameters",
        Unit.BYTES,
        term="weights",
    )
    step = formula.step(parameters=value, bits=4.25, embedding=value, source="a published table, " * 4)
    assert all(len(line) <= width for line in step_content(Branch(step, depth), width, ByteUnit.GIB))


@given(st.text())
def test_ascii_keeps_the_length_and_holds_only_ascii(text) -> None:
    plain = to_ascii(text)
    assert plain.isascii()
    assert len(plain) == len(text)


def test_what_the_program_itself_writes_never_becomes_a_question_mark() -> None:
    source = Path(infratui.__file__).parent
    drawn = {letter for file in source.rglob("*.py") for letter in file.read_text("utf-8") if not letter.isascii()}
    assert {letter for letter in drawn if to_ascii(letter) == "?"} == set()


def test_the_five_meanings_have_glyphs_in_ascii_too() -> None:
    assert to_ascii("◂ ▸ ▌ █▓▒░ ✓ ! ✗ ±") == "< > > #=+- + ! x ~"


def test_content_of_data_is_never_markup() -> None:
    assert Content("[bold]x").plain == "[bold]x"
