"""Stories of a visit: what a user types one after the other, and what is on screen then."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from infratui import store

SCREENS = {
    "1": "On every accelerator",
    "2": "Weights in each precision",
    "3": "Why this layout",
    "4": "What each way costs",
    "5": "Router of layer",
}
"""Digit → what only that screen says."""


@pytest.fixture
def visit(open_terminal):
    """A session that stands: what the arguments open, painted, with figures."""

    def start(*arguments: str, columns: int = 120, lines: int = 36, **options):
        terminal = open_terminal(*arguments, columns=columns, lines=lines, **options)
        terminal.until("? help")
        terminal.until("hold")
        terminal.settle()
        return terminal

    return start


def value(terminal, label: str) -> str:
    """What an input row shows; nothing where it is not on screen, or being typed into."""
    found = re.search(rf"^.?{label} +(?:◂ )?([^◂›▸│]+?) *(?:▸|│|  |$)", terminal.text, re.MULTILINE)
    return found[1] if found else ""


def test_a_visit_from_the_first_paint_to_the_end(visit) -> None:
    terminal = visit("--preset", "production")
    assert terminal.screen.display[0].startswith(" infratui  1 VRAM")
    assert value(terminal, "Users") == "50"
    answer = terminal.screen.display[1]

    terminal.send("jjj\x1b[C")
    terminal.until(lambda: value(terminal, "Users") == "64")
    terminal.until(lambda: terminal.screen.display[1] != answer)
    assert "Production*" in terminal.text

    terminal.send("j\r")
    terminal.until("Typing Context")
    terminal.send("128K\r")
    terminal.until(lambda: value(terminal, "Context") == "128K")

    terminal.send("u")
    terminal.until("undo: context")
    terminal.until(lambda: value(terminal, "Context") == "32K")

    terminal.send("q")
    assert terminal.wait() == 0
    kept = store.last_session()
    assert kept is not None
    assert (kept.users, kept.context) == (64, 32768)


@pytest.mark.long
def test_digits_show_the_five_screens_of_one_scenario(visit) -> None:
    terminal = visit("--preset", "production", "--set", "users=37", "--no-motion")
    for digit in "234512":
        # A digit on a number would open it; with alt it is a screen everywhere.
        terminal.send(f"\x1b{digit}")
        terminal.until(SCREENS[digit])
        assert "No answer" not in terminal.text
        terminal.until(lambda: value(terminal, "Users") == "37")


@pytest.mark.long
def test_what_is_changed_on_one_screen_holds_on_another(visit) -> None:
    terminal = visit("--preset", "production", "--no-motion")
    terminal.send("\x1b3")
    terminal.until(SCREENS["3"])
    terminal.send("jjj\r96\r")
    terminal.until(lambda: value(terminal, "Users") == "96")
    terminal.send("\x1b1")
    terminal.until(SCREENS["1"])
    assert value(terminal, "Users") == "96"


@pytest.mark.long
def test_resizing_through_all_sizes_and_back(visit) -> None:
    terminal = visit("--preset", "production")
    before = terminal.screen.display[:-2]
    terminal.resize(80, 24)
    terminal.until(lambda: value(terminal, "Users") == "50" and "? help" in terminal.screen.display[-1])
    terminal.resize(50, 12)
    terminal.until("infratui needs")
    terminal.resize(80, 24)
    terminal.until(lambda: value(terminal, "Users") == "50" and "? help" in terminal.screen.display[-1])
    terminal.resize(120, 36)
    terminal.until(lambda: terminal.screen.display[:-2] == before)


@pytest.mark.long
@pytest.mark.parametrize("digit", ["2", *(pytest.param(digit, marks=pytest.mark.long) for digit in "345")])
def test_every_screen_survives_resizing(visit, digit) -> None:
    terminal = visit("--preset", "team")
    terminal.send(f"\x1b{digit}")
    terminal.until(SCREENS[digit])
    for columns, lines in ((80, 24), (200, 60), (61, 16), (20, 5), (120, 36)):
        terminal.resize(columns, lines)
        terminal.settle()
    terminal.until(SCREENS[digit])
    terminal.send("q")
    assert terminal.wait() == 0


@pytest.mark.long
def test_help_and_palette_open_over_the_screen_and_leave_it_as_it_was(visit) -> None:
    terminal = visit()
    before = terminal.screen.display[:-2]
    terminal.send("?")
    terminal.until("Help: VRAM")
    terminal.send("\x1b")
    terminal.until(lambda: terminal.screen.display[:-2] == before)
    terminal.send(":")
    terminal.until("Commands")
    terminal.send("detailed")
    terminal.until(lambda: "Detailed estimator or rule of thumb" in terminal.text)
    terminal.send("\r")
    terminal.until("estimator: rule-of-thumb")
    assert "rule-of-thumb" in terminal.screen.display[0]


@pytest.mark.long
def test_a_model_is_found_by_typing(visit) -> None:
    terminal = visit()
    terminal.send("\r")
    terminal.until("filter")
    terminal.send("gpt-oss-120b")
    terminal.until(lambda: "gpt-oss-120b" in terminal.text)
    terminal.settle()
    terminal.send("\r")
    terminal.until(lambda: "gpt-oss" in value(terminal, "Model").lower())


@pytest.mark.long
def test_a_wrong_number_is_refused_and_can_be_left(visit) -> None:
    terminal = visit("--preset", "production")
    terminal.send("jjj\r-5\r")
    terminal.until("not allowed")
    terminal.send("\x1b")
    terminal.until(lambda: value(terminal, "Users") == "50")


@pytest.mark.long
def test_a_scenario_is_saved_and_opened_again(visit, tmp_path: Path) -> None:
    terminal = visit("--preset", "production")
    terminal.send("jjj\x1b[C")
    terminal.until("Production*")
    terminal.send("s")
    terminal.until("Save the scenario as")
    terminal.send("\x15" + str(tmp_path / "mine") + "\r")
    terminal.until("saved to")
    terminal.until(lambda: "Save the scenario as" not in terminal.text)
    assert store.load_scenario(tmp_path / "mine.yaml").users == 64
    terminal.send("q")
    assert terminal.wait() == 0
    again = visit("--scenario", str(tmp_path / "mine.yaml"))
    assert value(again, "Users") == "64"


@pytest.mark.long
def test_what_a_hang_up_kept_is_brought_back(visit) -> None:
    terminal = visit("--preset", "production")
    terminal.send("jjj\x1b[C")
    terminal.until("Production*")
    terminal.settle()
    terminal.hang_up()
    assert terminal.wait() == 128 + signal.SIGHUP
    glance = visit()
    glance.until("the last session is kept")
    glance.send("q")
    assert glance.wait() == 0
    again = visit()
    again.until("the last session is kept")
    assert value(again, "Users") == "50"
    again.send("R")
    again.until(lambda: value(again, "Users") == "64")
