"""What a user feels, held without a clock: what a start loads, and what one key lays out and sends."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyte
import pytest
from textual._compositor import Compositor
from textual.css.stylesheet import Stylesheet
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from infratui.app import settings as preferences
from infratui.app.app import InfraApp
from infratui.app.screen.pace import KeyPace
from infratui.app.screens import SCREENS
from infratui.app.settings import Settings
from infratui.app.warming import parts
from infratui.app.widgets.headline import HeadlineView
from infratui.catalog.load import Catalog
from infratui.engine.deployment.site import Site
from infratui.engine.evaluate import Evaluator
from infratui.engine.figures.units import ByteUnit
from infratui.engine.sections.vram_result import VramResult
from infratui.report.vram import answer
from infratui.scenario import Scenario

Watching = AbstractAsyncContextManager["Watched"]

SIZE = (120, 36)
QUIET_S = 0.08
"""Longer than anything that a key leaves for later, on a busy machine too: work in threads is waited for."""

AT_THE_FIRST_FRAME = """
import os, sys

def seen(descriptor, data):
    if b"VRAM" in data:
        with open(os.environ["MODULES"], "w") as file:
            file.write("\\n".join(sys.modules))
        os._exit(0)
    return write(descriptor, data)

write, os.write = os.write, seen
from infratui.cli import main
main()
"""

LATER = ("pydantic", "pydantic_core", "yaml", "click", "numpy")
"""What answers a command, or reads what a user brings."""
FIGURES = "infratui.engine.figures"
"""What the frame needs of the engine: units."""


def modules_at_the_first_frame(file: Path) -> set[str]:
    """What is imported when the first text goes to the terminal, on a start without arguments."""
    pid, descriptor = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "MODULES": str(file)}
        os.execve(sys.executable, [sys.executable, "-c", AT_THE_FIRST_FRAME], environment)
    # Linux has an error for the end of a terminal.
    with suppress(OSError):
        while os.read(descriptor, 65536):
            pass
    os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return set(file.read_text().split())


def test_the_first_frame_waits_for_nothing_that_it_does_not_show(tmp_path: Path) -> None:
    preferences.keep(Settings(theme="infratui-light"))
    modules = modules_at_the_first_frame(tmp_path / "modules")
    assert "infratui.app.screens.vram.screen" in modules
    assert not {name for name in modules if name.partition(".")[0] in (*LATER, "ssl")}
    ours = {name for name in modules if name.startswith("infratui.")}
    # The frame and the inputs need neither figures nor facts: both are loaded once it can be seen.
    assert not {name for name in ours if name.startswith("infratui.engine.") and not name.startswith(FIGURES)}
    assert not {name for name in ours if "catalog.data" in name or name.endswith(("catalog.reference", "catalog.load"))}
    screens = {name.split(".")[3] for name in ours if name.startswith("infratui.app.screens.")}
    assert screens == {"vram"}


WARMED = """
import sys
from infratui.app.screens import SCREENS
from infratui.app.session import Session
from infratui.app.warming import parts
from infratui.app.widgets.headline import HeadlineView
from infratui.catalog.load import Catalog
from infratui.engine.deployment.site import Site
from infratui.engine.evaluate import Evaluator
from infratui.scenario import Scenario

for part in parts(SCREENS, Session()):
    part()
print(*sys.modules)
"""


def test_no_screen_loads_what_reads_the_files_of_users() -> None:
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert {"infratui.engine.sections.moe", "infratui.engine.sections.cost"} <= modules
    assert not {name for name in modules if name.partition(".")[0] in LATER}


def test_a_changed_value_plans_each_card_once(shared_catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[object] = []
    plan = Site.plan

    def counted(self: Site, *arguments: object, **options: object) -> object:
        planned.append(self.accelerator)
        return plan(self, *arguments, **options)  # type: ignore[arg-type]

    evaluator = Evaluator(shared_catalog)
    _ = evaluator(Scenario()).vram
    monkeypatch.setattr(Site, "plan", counted)
    rows = evaluator(Scenario(users=23)).vram.rows
    # The layouts that a search looks at need no plan; those of the own card are predicted as well.
    assert len(planned) <= len(rows) + 12


@dataclass
class Sent:
    """What keys did: passes of the layout, widgets that were styled, and the sizes in bytes of what was written."""

    layouts: int
    styled: int
    writes: list[int]


class Watched:
    """An app whose driver is asked to draw, and remembers what it was asked to."""

    def __init__(
        self, app: InfraApp, pilot: Pilot[int], written: list[str], layouts: list[None], styled: list[None]
    ) -> None:
        self.app, self.pilot, self._written, self._layouts, self._styled = app, pilot, written, layouts, styled
        self._terminal = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self._terminal)

    @property
    def users(self) -> int:
        return self.app.scenario.users

    async def settle(self) -> None:
        """Wait until nothing more is written."""
        before = -1
        while before != len(self._written):
            before = len(self._written)
            await self.app.workers.wait_for_complete()
            await asyncio.sleep(QUIET_S)

    async def sent(self, *keys: str, idle_s: float = 0.0) -> Sent:
        """What keys lead to, up to quiet and for a while longer."""
        self.seen()
        self._layouts.clear()
        self._styled.clear()
        await self.pilot.press(*keys)
        await asyncio.sleep(idle_s)
        await self.settle()
        return Sent(len(self._layouts), len(self._styled), [len(text.encode()) for text in self._written if text])

    def seen(self) -> list[str]:
        """The lines of the terminal, after all that was written to it."""
        self._stream.feed("".join(self._written))
        self._written.clear()
        return self._terminal.display


@pytest.fixture
def watch(make_app: Callable[..., InfraApp], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watching]:
    """Open the app, its row of users focused, in a terminal of `SIZE` with all colours."""
    written: list[str] = []
    layouts: list[None] = []
    styled: list[None] = []
    reflow, apply = Compositor.reflow, Stylesheet.apply

    def counted(self: Compositor, *arguments: object) -> object:
        layouts.append(None)
        return reflow(self, *arguments)  # type: ignore[arg-type]

    def applied(self: Stylesheet, *arguments: object, **options: object) -> None:
        styled.append(None)
        apply(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Compositor, "reflow", counted)
    monkeypatch.setattr(Stylesheet, "apply", applied)
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, text: written.append(text))
    # To an app without a screen nothing is written at all.
    monkeypatch.setattr(HeadlessDriver, "is_headless", False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Watched]:
        app = make_app(motion=False)
        async with app.run_test(size=SIZE) as pilot:
            watched = Watched(app, pilot, written, layouts, styled)
            await watched.settle()
            # The frame, then the answer: no line of either is sent twice.
            assert sum(len(text.encode()) for text in written) <= 14_000
            app.screen.query_one("#row-users").focus()
            await watched.settle()
            yield watched

    return opened


async def test_a_key_lays_out_little_and_sends_what_it_changes(
    watch: Callable[..., Watching], shown: Callable[[InfraApp], str]
) -> None:
    async with watch() as app:
        # Two rows and the hint.
        move = await app.sent("down")
        assert (move.layouts, len(move.writes)) == (0, 1)
        assert sum(move.writes) <= 320
        assert move.styled == 0
        await app.sent("up")
        value = await app.sent("left")
        assert app.users < 50
        # Row, answer and bar at once; table and curves afterwards.
        assert value.layouts <= 1
        assert value.styled == 0
        assert value.writes[0] <= 400
        assert len(value.writes) <= 4
        assert sum(value.writes) <= 3_000
        assert app.seen() == [line.ljust(SIZE[0]) for line in shown(app.app).split("\n")]


async def test_a_held_key_ends_with_the_answer_to_where_it_ended(
    watch: Callable[..., Watching], shown: Callable[[InfraApp], str]
) -> None:
    """Whatever was computed on the way and came late, or never was."""
    async with watch() as app:
        presented: list[int] = []
        present = app.app.screen._present

        def noted(result: VramResult | None, error: object) -> None:
            presented.append(result.load.users if result else 0)
            present(result, error)

        app.app.screen._present = noted  # type: ignore[method-assign]
        before = app.users
        await app.sent(*["left"] * 9)
        assert app.users < before
        assert presented == sorted(presented, reverse=True)
        assert presented[-1] == app.users
        assert app.app.screen.query_one(HeadlineView).answer == answer(app.app.evaluation.vram, ByteUnit.GB)
        assert app.seen() == [line.ljust(SIZE[0]) for line in shown(app.app).split("\n")]


async def test_an_idle_screen_sends_nothing(watch: Callable[..., Watching]) -> None:
    async with watch() as app:
        assert app.seen()
        assert await app.sent(idle_s=1.0) == Sent(0, 0, [])


async def test_a_screen_is_sent_once(watch: Callable[..., Watching]) -> None:
    async with watch() as app:
        for part in parts(SCREENS[1:2], app.app.session):
            part()
        # What is known already is laid out with its answer.
        first = await app.sent("alt+2")
        assert app.app.current_mode == "quantization"
        assert len([size for size in first.writes if size > 1_000]) == 1
        assert sum(first.writes) <= 7_000
        # Each widget gets its styles when it is mounted, and no second time.
        assert first.styled <= 1.2 * len(app.app.screen.query("*"))
        again = await app.sent("alt+1")
        assert app.app.current_mode == "vram"
        assert again.layouts <= 1
        assert again.styled == 0
        assert len(again.writes) <= 2
        assert sum(again.writes) <= 7_000


class TestPace:
    """One change is computed at once, a held key when it rests, and now and then while it does not."""

    def test_a_held_key_waits_for_its_rest_until_it_has_waited_too_long(self) -> None:
        now = 0.0
        pace = KeyPace(lambda: now)
        pace.changed()
        assert pace.rest < 1 / 30
        assert not pace.overdue
        for _ in range(7):
            now += 1 / 30
            pace.changed()
            assert pace.rest > 1 / 30
        assert not pace.overdue
        now += 1 / 30
        assert pace.overdue
        pace.shown()
        assert not pace.overdue

    def test_what_takes_long_leaves_a_held_key_its_time(self) -> None:
        now = 0.0
        pace = KeyPace(lambda: now)
        led = 0
        for _ in range(30):
            pace.changed()
            if pace.leads:
                led += 1
                with pace.leading():
                    now += 0.1
            now += 1 / 30
        assert led * 0.1 <= now * 0.4
        with pace.catching_up():
            now += 0.5
        pace.shown()
        pace.changed()
        now += 1 / 30
        pace.changed()
        now += 3.0
        assert not pace.overdue
        now += 4.0
        assert pace.overdue

    def test_keys_that_waited_for_an_answer_are_held_ones(self) -> None:
        now = 0.0
        pace = KeyPace(lambda: now)
        led = 0
        for _ in range(12):
            pace.changed()
            if pace.leads:
                led += 1
                with pace.leading():
                    now += 0.3
        # The second one at most would be taken for another single key.
        assert led <= 2

    def test_what_is_slow_is_never_computed_in_the_way_of_single_keys(self) -> None:
        now = 0.0
        pace = KeyPace(lambda: now)
        for _ in range(5):
            pace.changed()
            now += 0.4
            assert not pace.overdue

    def test_single_changes_wait_for_a_frame_at_most(self) -> None:
        now = 0.0
        pace = KeyPace(lambda: now)
        for _ in range(3):
            pace.changed()
            assert pace.leads
            assert pace.rest < 1 / 30
            pace.shown()
            now += 0.5
