"""Everything that may import Textual: the shell, the widgets, the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cli.common import Deployment


def run(
    deployment: Deployment | None = None,
    *,
    mouse: bool = False,
    motion: bool = True,
    ascii_only: bool = False,
    screen: str | None = None,
) -> int:
    """Open the app and return its exit code: 0, or 128 plus the signal that ended it."""
    import locale
    import os
    import sys

    # A repaint waits for the next frame: at 120 a second it waits half as long, and an idle screen has none.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from . import settings
    from .app import InfraApp
    from .terminal.driver import TerminalDriver, drawn_on

    chosen = settings.load()
    encoding = (getattr(drawn_on(), "encoding", None) or locale.getpreferredencoding(False)).lower()
    if ascii_only or "utf" not in encoding:
        chosen = chosen.with_(ascii_only=True)
    if not motion:
        chosen = chosen.with_(motion=False)
    given = deployment is not None and bool(deployment.given)
    app = InfraApp(
        deployment.scenario() if deployment and given else None,
        settings=chosen,
        start=screen,
    )
    app.driver_class = TerminalDriver
    app.run(mouse=mouse)
    if app.problem:
        # The status line had room for its beginning only.
        print(f"infratui: {app.problem}", file=sys.stderr)
    return app.return_code or 0
