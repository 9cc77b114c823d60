"""Results as JSON: dataclasses become objects, in the order of their fields."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ..engine.figures.derivation import Derivation
from ..engine.figures.reason import Reason
from ..plain_text import CONTROL
from .reasons import reason_text

SCHEMA = 1
"""Version of the JSON that every command prints, its first key: keys are added within a version, never changed."""


def plain(value: object, *, explain: bool = True) -> Any:
    """A value made of dicts, lists, numbers and strings. Derivations become lists of steps, or are left out.

    Reasons become words.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Reason):
        return reason_text(value)
    if isinstance(value, Derivation):
        return {"title": value.title, "steps": [plain(step) for step in value.steps]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: plain(entry, explain=explain) for name, entry in fields if explain or not _is_derivation(entry)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(entry, explain=explain) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry, explain=explain) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _is_derivation(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(entry, Derivation) for entry in value)
    return isinstance(value, Derivation)


def dumps(value: object, *, explain: bool = True) -> str:
    """Indented JSON. What would steer a terminal is escaped, so that no name is changed."""
    text = json.dumps(plain(value, explain=explain), indent=2, ensure_ascii=False)
    return re.sub(CONTROL, lambda found: f"\\u{ord(found[0]):04x}", text)
