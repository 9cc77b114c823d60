"""Short names of things, made in one place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.cluster.hardware import Accelerator


def short_name(accelerator: Accelerator) -> str:
    """An accelerator's name without its maker: `H100 SXM`."""
    return accelerator.name.removeprefix(accelerator.vendor).strip() or accelerator.name


_SPARED = (
    r" Instruct\b",
    r" \([^)]*\)$",
    r" v\d+(\.\d+)*$",
    r"-A\d+B$",
    r" \d\d-20\d\d\b",
    r" Blackwell\b(?= )",
    r"(?<=\w) \d+(\.\d+)?B(-\d+E)?$",
    r"^Llama-\d\.\d (?=\w)",
)
"""What a name of a model or accelerator can do without where there is little room: each is tried in turn."""


def fitting(name: str, room: int) -> str:
    """A name in `room` cells: whole, else without what it can do without, else cut."""
    for spared in _SPARED:
        if len(name) <= room:
            return name
        name = re.sub(spared, "", name)
    return name if len(name) <= room else f"{name[: max(0, room - 1)]}…"
