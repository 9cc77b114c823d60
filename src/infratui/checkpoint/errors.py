"""The one exception of this package."""

from __future__ import annotations

from .text import safe_text


class CheckpointError(ValueError):
    """A checkpoint that cannot be read: one line that says what, where and what would be right."""

    def __init__(self, message: str) -> None:
        super().__init__(safe_text(message, limit=400))
