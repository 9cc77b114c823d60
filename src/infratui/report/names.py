"""Short names of things, made in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.cluster.hardware import Accelerator


def short_name(accelerator: Accelerator) -> str:
    """An accelerator's name without its maker: `H100 SXM`."""
    return accelerator.name.removeprefix(accelerator.vendor).strip() or accelerator.name
