"""How the user likes to see things: unit of bytes, motion, ASCII, theme; kept between sessions."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path

from ..catalog.yaml_io import parse, read_text
from ..engine.figures.units import ByteUnit
from ..scenario import ScenarioError
from ..store import state_directory, write_text
from ..value_types import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Preferences; none of them changes a result."""

    bytes_as: ByteUnit = ByteUnit.GB
    motion: bool = True
    ascii_only: bool = False
    theme: str = "infratui"
    welcomed: bool = True
    """The first start has asked what one wants to know."""

    def with_(self, **changes: object) -> Settings:
        """A copy with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


def path() -> Path:
    """Where they are kept."""
    return state_directory() / "settings.yaml"


def load() -> Settings:
    """The kept settings; what cannot be read counts as not set. The environment has the last word on motion."""
    settings = Settings(welcomed=path().exists())
    try:
        content = _content(path()) if path().is_file() else {}
    except (ScenarioError, OSError):
        content = {}
    known = {field.name: field for field in fields(Settings)}
    for key, value in content.items() if isinstance(content, dict) else ():
        if key == "bytes_as" and value in tuple(ByteUnit):
            settings = settings.with_(bytes_as=ByteUnit(value))
        elif key in known and key != "bytes_as" and isinstance(value, type(getattr(settings, key))):
            settings = settings.with_(**{key: value})
    if os.environ.get("TEXTUAL_ANIMATIONS", "").lower() == "none":
        settings = settings.with_(motion=False)
    return settings


_AS_KEPT = re.compile(r"([a-z_]+): ([A-Za-z][A-Za-z-]*)")
_BOOLEANS = {"true": True, "false": False}
_YAML_MEANS = {"true", "false", "yes", "no", "on", "off", "null"}
"""Words that may stand for something else in YAML, however they are written."""


def _content(file: Path) -> object:
    """What a file holds. Lines as `keep` writes them need no YAML, which takes a tenth of a start to load."""
    text = read_text(file, error=ScenarioError)
    found: dict[str, object] = {}
    for line in text.splitlines():
        entry = _AS_KEPT.fullmatch(line)
        if entry is None or (entry[2].lower() in _YAML_MEANS and entry[2] not in _BOOLEANS):
            return parse(text, name=str(file), error=ScenarioError)
        found[entry[1]] = _BOOLEANS.get(entry[2], entry[2])
    return found


def suited(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """What a terminal asks for: the colours of its own palette where it has 16, ASCII where it draws nothing else."""
    term = environ.get("TERM", "")
    deep = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "256" in term or "direct" in term
    named = term.startswith(("linux", "vt", "ansi")) or "16color" in term or term in ("xterm", "screen", "dumb")
    if named and not deep and settings.theme == Settings().theme:
        settings = settings.with_(theme="ansi-dark")
    # Python sets LC_CTYPE to C.UTF-8 by itself where the locale is C: what the user said is in LANG then.
    kind = environ.get("LC_CTYPE", "")
    kind = "" if kind in ("C.UTF-8", "C.utf8", "UTF-8") and environ.get("LANG") in ("C", "POSIX") else kind
    language = environ.get("LC_ALL") or kind or environ.get("LANG") or ""
    if term.startswith(("linux", "vt")) or language in ("C", "POSIX"):
        settings = settings.with_(ascii_only=True)
    return settings


def keep(settings: Settings) -> None:
    """Keep the settings. Raises ScenarioError in one line where that is not possible."""
    values = {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in asdict(settings).items()
    }
    write_text(path(), "".join(f"{key}: {value}\n" for key, value in values.items()))
