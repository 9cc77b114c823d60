"""Settings come back as they were kept, and as anybody may have written them."""

from __future__ import annotations

import pytest

from infratui.app import settings as preferences
from infratui.app.settings import Settings
from infratui.engine.figures.units import ByteUnit


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(bytes_as=ByteUnit.GIB, motion=False, ascii_only=True, theme="ansi-dark", welcomed=False)],
    ids=["usual", "other"],
)
def test_what_is_kept_comes_back(settings: Settings) -> None:
    preferences.keep(settings)
    assert preferences.load() == settings


@pytest.mark.parametrize(
    ("text", "motion", "theme"),
    [
        ("motion: FALSE\ntheme: nord\n", False, "nord"),
        ("# mine\nmotion: False\n\ntheme: 'nord'\n", False, "nord"),
        ("{motion: false, theme: nord}\n", False, "nord"),
        ("motion: maybe\ntheme: null\n", True, "infratui"),
        ("theme: [\n", True, "infratui"),
    ],
    ids=["yaml words", "comments and quotes", "in one line", "of the wrong kind", "broken"],
)
def test_what_somebody_wrote_is_read_as_yaml(text: str, motion: bool, theme: str) -> None:
    preferences.path().parent.mkdir(parents=True, exist_ok=True)
    preferences.path().write_text(text)
    found = preferences.load()
    assert (found.motion, found.theme) == (motion, theme)
