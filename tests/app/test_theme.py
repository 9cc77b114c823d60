"""Colours can be read: contrast of every meaning in every theme; terminals with less choose less by themselves."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from infratui.app.settings import Settings, suited
from infratui.app.terminal.frame import _OWN, _PALETTE
from infratui.app.theme import NIGHT, PAPER, SHAPE, TEXT, THEMES, contrast, meanings

KNOWN = {**BUILTIN_THEMES, NIGHT.name: NIGHT, PAPER.name: PAPER}
COLOURED = [name for name in THEMES if not KNOWN[name].ansi]


@pytest.mark.parametrize("name", COLOURED)
def test_text_and_lines_stand_out_in_every_theme(name: str) -> None:
    theme = KNOWN[name]
    system = theme.to_color_system().generate()
    found = meanings(theme)
    for ground in ("background", "surface", "panel"):
        behind = Color.parse(system[ground])
        assert contrast(Color.parse(system["foreground"]), behind) >= TEXT
        for meaning, colour in found.items():
            if meaning != "cursor-back":
                least = SHAPE if meaning in ("line", "overhead") else TEXT
                assert contrast(Color.parse(colour), behind) >= least, (meaning, ground)


def test_contrast_is_that_of_the_guideline() -> None:
    assert contrast(Color.parse("white"), Color.parse("black")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("white")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("environ", "theme", "ascii_only"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, "infratui", False),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, "infratui", False),
        ({"TERM": "xterm-16color", "LANG": "C.UTF-8"}, "ansi-dark", False),
        ({"TERM": "linux", "LANG": "en_US.UTF-8"}, "ansi-dark", True),
        ({"TERM": "vt220", "LANG": "en_US.UTF-8"}, "ansi-dark", True),
        ({"TERM": "xterm-256color", "LANG": "C"}, "infratui", True),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, "infratui", True),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_ALL": "C.UTF-8"}, "infratui", False),
    ],
)
def test_a_terminal_gets_what_it_can_draw(environ: dict[str, str], theme: str, ascii_only: bool) -> None:
    found = suited(Settings(), environ)
    assert (found.theme, found.ascii_only) == (theme, ascii_only)


def test_a_theme_that_was_chosen_stays() -> None:
    assert suited(Settings(theme="nord"), {"TERM": "xterm-16color", "LANG": "C.UTF-8"}).theme == "nord"


def test_our_own_colours_are_sent_by_their_number() -> None:
    """None of them had to be moved away from its ground. The light theme has an amber, which the palette has not."""
    for colour in (NIGHT.foreground, *(value for name, value in meanings(NIGHT).items() if name != "cursor-back")):
        assert _PALETTE[Color.parse(str(colour)).rgb] >= _OWN, colour
