"""Five places where a line is typed, one way to type it: the same keys, pastes and ends in each."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget

from infratui.app.screen.overlays import PromptLine
from infratui.app.screens.quantization.bit_lab import BitLab
from infratui.app.screens.reference.contents import SearchLine
from infratui.app.theme import NIGHT, meanings
from infratui.app.widgets.choice import Choice
from infratui.app.widgets.line_editor import LineEditing, LineNowAndThen
from infratui.app.widgets.picker import FilteredList
from infratui.app.widgets.value_row import ValueRow
from infratui.scenario import INPUTS

WIDGETS = {
    "value row": lambda: ValueRow("users", INPUTS["users"]),
    "bit lab": BitLab,
    "picker": lambda: FilteredList((Choice("a", "a"), Choice("b", "b")), "a", "path"),
    "search line": SearchLine,
    "prompt": lambda: PromptLine(""),
}


class Typed(App[None]):
    """One widget in which a line is typed."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return meanings(NIGHT)

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.focus()


@pytest.fixture(params=list(WIDGETS))
def line(request: pytest.FixtureRequest) -> LineEditing:
    return WIDGETS[request.param]()


async def test_the_same_keys_edit(line: LineEditing) -> None:
    async with Typed(line).run_test() as pilot:
        line.begin("")
        await pilot.press(*"12.5", "left", "backspace", "home", "9", "end", "f", "ctrl+h")
        assert line.typed_text == "9125"
        await pilot.press("ctrl+w", *"a b", "ctrl+w", "ctrl+u")
        assert line.typed_text == ""


async def test_a_paste_is_text_and_nothing_else(line: LineEditing) -> None:
    async with Typed(line).run_test() as pilot:
        line.begin("")
        from textual import events

        line.post_message(events.Paste("q\x1b[31m\n7"))
        await pilot.pause()
        assert line.typed_text == "q[31m7"


async def test_keys_that_leave_the_app_are_never_text(line: LineEditing) -> None:
    line.begin("x")
    assert not line.check_consume_key("ctrl+q", None) or isinstance(line, SearchLine)
    assert {"ctrl+q", "ctrl+c", "ctrl+z", "ctrl+l"} <= set(line.PASSED)


async def test_escape_ends_what_is_typed_now_and_then(line: LineEditing) -> None:
    async with Typed(line).run_test() as pilot:
        line.begin("8")
        await pilot.press("escape")
        assert line.typing is not isinstance(line, LineNowAndThen)


async def test_function_keys_go_on_only_where_something_else_can_take_them(line: LineEditing) -> None:
    assert line.goes_on("f1") is isinstance(line, LineNowAndThen)
