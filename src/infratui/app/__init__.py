"""Everything that may import Textual: the shell, the widgets, the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..catalog.load import Catalog
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

    chosen = settings.load()
    encoding = (getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)).lower()
    if ascii_only or "utf" not in encoding:
        chosen = chosen.with_(ascii_only=True)
    if not motion:
        chosen = chosen.with_(motion=False)
    given = deployment is not None and bool(deployment.given)
    facts, problem = _facts()
    app = InfraApp(
        deployment.scenario() if deployment and given else None,
        facts=facts,
        settings=chosen,
        start=screen,
    )
    app.problem = problem
    app.run(mouse=mouse)
    if problem:
        # The status line had room for its beginning only.
        print(f"infratui: {problem}", file=sys.stderr)
    return app.return_code or 0


def _facts() -> tuple[Catalog, str]:
    """The catalog; where one of the user's files is broken, the built-in facts and what is wrong."""
    from pathlib import Path

    from ..catalog.errors import CatalogError
    from ..catalog.load import Catalog, default_catalog

    try:
        return default_catalog().check(), ""
    except CatalogError as error:
        text = str(error).replace(str(Path.home()), "~")
        return Catalog(), f"{text}; your own facts are left out"
