"""Errors that nobody foresaw: one line on the screen, the whole in a log that stays small, and the app lives on."""

from __future__ import annotations

import stat

import pytest

from infratui import mishaps
from infratui.app.screens.vram.screen import VramScreen
from infratui.app.widgets.headline import HeadlineView


def broken(*_: object) -> object:
    raise StopIteration


@pytest.mark.parametrize("part", ["section", "show"])
async def test_a_section_that_raises_is_one_line_and_the_app_lives_on(
    make_app, monkeypatch, mishaps_expected, part
) -> None:
    monkeypatch.setattr(VramScreen, part, broken)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        answer = app.screen.query_one(HeadlineView).answer
        assert answer.text == "No answer: StopIteration"
        assert "see ~/.local/state/infratui/errors.log" in answer.detail
        await pilot.press("4")
        await pilot.pause()
        assert app.current_mode == "cost"
        assert app.screen.query_one(HeadlineView).answer.figure != "No answer"
    log = mishaps.path()
    assert "Traceback" in log.read_text()
    assert "in broken" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


async def test_a_refusal_is_said_in_its_own_words(make_app, monkeypatch) -> None:
    def refuse(*_: object) -> object:
        raise ValueError("3 GPUs do not divide 64 heads; take 4")

    monkeypatch.setattr(VramScreen, "section", refuse)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        answer = app.screen.query_one(HeadlineView).answer
        assert answer.text == "No answer: 3 GPUs do not divide 64 heads; take 4"
        assert "errors.log" not in answer.detail


async def test_a_key_that_fails_does_not_take_the_app_with_it(make_app, monkeypatch, mishaps_expected, shown) -> None:
    def lost(*_: object) -> str:
        raise KeyError("words")

    monkeypatch.setattr(VramScreen, "summary", lost)
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert "copy summary: KeyError: 'words'; see ~/.local/state/infratui/errors.log" in shown(app)


def test_the_log_stays_small_and_keeps_the_newest(mishaps_expected) -> None:
    for number in range(80):
        mishaps._seen.clear()
        try:
            raise KeyError("x" * 10_000 + str(number))
        except KeyError as error:
            mishaps.told(error, "a test")
    log = mishaps.path().read_text()
    assert len(log) <= mishaps.LARGEST
    assert log.startswith("=== ")
    assert "x79" in log
    assert stat.S_IMODE(mishaps.path().stat().st_mode) == 0o600


def test_the_same_error_is_kept_once(mishaps_expected) -> None:
    for _ in range(3):
        try:
            broken()
        except StopIteration as error:
            mishaps.told(error, "a test")
    assert mishaps.path().read_text().count("=== ") == 1


def test_a_log_that_cannot_be_written_is_said(monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    assert str(mishaps.told(KeyError("x"), "a test")).startswith("KeyError: 'x'; no log: /dev/null")
