"""Where the facts lie that ship with the program: files of YAML, CSV and text under `data/`."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
"""The folder of the built-in facts."""
