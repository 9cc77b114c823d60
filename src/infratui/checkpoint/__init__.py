"""Any checkpoint on disk, read from its headers alone: architecture, precision by part, stored bytes.

Names are resolved on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import CheckpointError
    from .reader import Checkpoint, read
    from .tensors import PartTensors, TensorFacts
    from .text import safe_text

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "PartTensors",
    "TensorFacts",
    "read",
    "safe_text",
]

_HOME = {
    "Checkpoint": "reader",
    "read": "reader",
    "CheckpointError": "errors",
    "PartTensors": "tensors",
    "TensorFacts": "tensors",
    "safe_text": "text",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
