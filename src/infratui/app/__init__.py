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
    # A repaint waits for the next frame: at 120 a second it waits half as long, and an idle screen has none.
    os.environ.setdefault("TEXTUAL_FPS", "120")
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
