"""Name and first line of every built-in term: what a hint says, without the schema of the whole glossary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from .built_in import DATA
from .yaml_io import read_built_in


@cache
def term_lines() -> Mapping[str, tuple[str, str]]:
    """Term id → its name and its short line."""
    return {entry["id"]: (entry["name"], entry["short"]) for entry in read_built_in(DATA / "glossary.yaml")}
