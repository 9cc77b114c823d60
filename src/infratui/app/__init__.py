"""Everything that may import Textual: the shell, the widgets, the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..scenario import Scenario


def run(
    scenario: Scenario | None = None,
    *,
    mouse: bool = False,
    motion: bool = True,
    ascii_only: bool = False,
    screen: str | None = None,
) -> int:
    """Open the app, on a scenario or a preset, and return its exit code: 0, or 70 where an error of its own ended it.

    A signal that ends it does not return: the process exits with 128 plus its number.
    """
    import locale
    import os
    import sys

    from .terminal.ending import FAILED, Ending

    ending = Ending()
    ending.stand()
    # Textual's timer sleeps for one to two frames after each it has drawn: with its 60 a second, what follows an answer
    # would be drawn up to 33 ms after it. An idle screen has no frame at all.
    os.environ.setdefault("TEXTUAL_FPS", "250")
    _leave_out("ssl", "asyncio")
    # A thread that computes gives way to a key within a millisecond, not five.
    sys.setswitchinterval(0.001)
    from . import settings
    from .app import InfraApp
    from .terminal.driver import Terminal, TerminalDriver, drawn_on

    chosen = settings.suited(settings.load(), os.environ)
    stream = drawn_on()
    encoding = (getattr(stream, "encoding", None) or locale.getpreferredencoding(False)).lower()
    if ascii_only or "utf" not in encoding:
        chosen = chosen.with_(ascii_only=True)
    if not motion:
        chosen = chosen.with_(motion=False)
    app = InfraApp(scenario, settings=chosen, start=screen)
    ending.keep = app.session.keep
    app.ending = ending
    if stream is not None and sys.__stdin__ is not None:
        app.terminal = Terminal(stream, sys.__stdin__.fileno())
        app.driver_class = TerminalDriver
        ending.give_back = app.terminal.give_back
    try:
        app.run(mouse=mouse)
    except Exception as error:
        app.fail(error)
    if app.terminal is not None:
        app.terminal.give_back()
    ending.stand_down()
    # The status line had room for its beginning only.
    for words in filter(None, (app.session.problem, app.failure)):
        print(f"infratui: {words}", file=sys.stderr)
    return FAILED if app.failure else app.return_code or 0


def _leave_out(part: str, whole: str) -> None:
    """Import a module without a part that it can do without.

    No connection is ever made here, and what would encrypt one takes 4 MiB, and 7 ms of every start.
    """
    import importlib
    import sys

    if part not in sys.modules:
        sys.modules[part] = None  # type: ignore[assignment]
        importlib.import_module(whole)
        del sys.modules[part]
