"""The launch flags of serving engines, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ..launching.flags import EngineFlags
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@cache
def launch_flags() -> Mapping[str, EngineFlags]:
    """Engine → its flags."""
    rows = read_built_in(DATA / "launch_flags.yaml")
    return {row["engine"]: construct(EngineFlags, row) for row in rows}
