"""One entry of a list to choose from."""

from __future__ import annotations

from ...value_types import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What is taken, what it is called, and what helps to choose it."""

    value: str
    label: str
    detail: str = ""
    own: bool = False
    """The user's own entry, marked on screen."""
