"""Where the files lie that ship with the program: facts under `data/`, presets beside the package or in it."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
"""The folder of the built-in facts."""
_PACKAGE = Path(__file__).parents[1]
PRESETS = _PACKAGE / "presets" if (_PACKAGE / "presets").is_dir() else _PACKAGE.parents[1] / "presets"
"""The folder of the presets: a wheel has them in the package, a checkout at its top."""
