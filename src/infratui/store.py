"""Presets and scenario files: read, saved atomically, and the last session kept and brought back."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from .catalog.built_in import PRESETS
from .catalog.yaml_io import line_of, printable, read, read_built_in, read_text
from .demand_profile import DemandProfile
from .file_writing import write_whole
from .policy import PREFIX
from .scenario import Scenario, ScenarioError, parse
from .value_types import dataclass

SCHEMA = 1
"""Version of the scenario file that this program writes."""
_PLAIN = r"[A-Za-z][\w./+-]*( [\w./+-]+)*"
_WORDS = {"true", "false", "null", "yes", "no", "on", "off"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A scenario file offered by name."""

    id: str
    title: str
    about: str
    path: Path
    own: bool = False
    """The user's own rather than one that ships with the program."""


# Where things are


def config_directory() -> Path:
    """`~/.config/infratui` under XDG."""
    from platformdirs import user_config_path

    return user_config_path("infratui")


def state_directory() -> Path:
    """`~/.local/state/infratui` under XDG."""
    from platformdirs import user_state_path

    return user_state_path("infratui")


def scenario_directory() -> Path:
    """Where scenarios are saved unless a path is given."""
    return config_directory() / "scenarios"


def preset_directories() -> tuple[tuple[Path, bool], ...]:
    """Folders of presets, and whether each is the user's own: a preset of theirs replaces one of the same name."""
    return ((PRESETS, False), (config_directory() / "presets", True))


# Presets


def presets() -> tuple[Preset, ...]:
    """All presets in the order of their files' `order`. Files of the user that cannot be read are left out."""
    found: dict[str, tuple[float, Preset]] = {}
    for folder, own in preset_directories():
        for path in _yaml_files(folder):
            try:
                content = _mapping(path)
            except ScenarioError:
                if own:
                    continue
                raise
            order = content.get("order")
            rank = float(order) if isinstance(order, int | float) else 100.0
            title = str(content.get("name", path.stem))
            found[path.stem] = (rank, Preset(path.stem, title, str(content.get("about", "")), path, own))
    return tuple(preset for _, preset in sorted(found.values(), key=lambda entry: (entry[0], entry[1].id)))


def load_preset(name: str) -> Scenario:
    """A preset by its id or title. Raises ScenarioError with the names there are."""
    wanted = name.strip().casefold()
    known = presets()
    for preset in known:
        if wanted in (preset.id.casefold(), preset.title.casefold()):
            return load_scenario(preset.path)
    names = ", ".join(preset.id for preset in known)
    raise ScenarioError(f"no preset {printable(name, 40)!r}; there are {names}")


def named_scenario(name: str) -> Scenario:
    """A scenario file by its path, or a preset by its name. Raises ScenarioError, OSError where it cannot be read."""
    path = expanded(Path(name))
    if path.suffix in (".yaml", ".yml") or path.exists():
        return load_scenario(path)
    return load_preset(name)


# Scenario files


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError in one line: file, line, key, and what would be right."""
    path = expanded(path)
    content = _mapping(path)
    values = {key: value for key, value in content.items() if key not in ("schema", "about", "order")}
    try:
        return parse(values)
    except ScenarioError as error:
        key = re.match(r"(?:unknown key ')?([\w.]+)", str(error))
        at = _line(path, key[1]) if key else 1
        raise ScenarioError(f"{printable(str(path))}:{at}: {error}") from None


def place_of(path: Path, key: str) -> str:
    """`file:line` of a key of a scenario file; nothing where the file does not set it."""
    path = expanded(path)
    held: object = _mapping(path)
    for part in _parts(key):
        if not isinstance(held, Mapping) or part not in held:
            return ""
        held = held[part]
    return f"{printable(str(path))}:{_line(path, key)}"


def save_scenario(scenario: Scenario, path: Path) -> None:
    """Write a scenario file in one piece: the old file stays whole until the new one is. Raises ScenarioError."""
    write_text(path, dump(scenario))


def dump(scenario: Scenario) -> str:
    """A scenario as a person would write it: the version, the name, and what differs from the defaults; its policy."""
    values: dict[str, object] = {"schema": SCHEMA, "name": scenario.name, **scenario.changed()}
    limits = scenario.policy.stated()
    written = [f"{key}: {_plain(value)}\n".replace(": \n", ":\n") for key, value in values.items()]
    written += ["policy:\n"] if limits else []
    written += [f"  {key}: {_plain(value)}\n" for key, value in limits.items()]
    return "".join(written)


def write_text(path: Path, text: str) -> None:
    """Write a file in one piece, its folders too; the program's own state is the user's alone.

    Raises ScenarioError in one line.
    """
    path = expanded(path)
    try:
        write_whole(path, text, private=state_directory() in path.parents)
    except (OSError, ValueError) as error:
        # A name with a null byte is a ValueError.
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"{printable(str(path))}: cannot be written: {reason}; choose another folder") from None


def expanded(path: Path) -> Path:
    """The path with `~` spelled out, where there is such a home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def file_for(name: str) -> Path:
    """Where a typed name is saved: a path as it is, a bare name in the scenario folder. Raises ScenarioError."""
    path = expanded(Path(name))
    if not path.name or "\0" in name:
        raise ScenarioError(f"{printable(name, 60)}: no file name; type one, such as my-plan")
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(path.name + ".yaml")
    return path if len(path.parts) > 1 else scenario_directory() / path


def find_scenario(name: str) -> Path:
    """The file that a typed name stands for, with or without its ending. Raises ScenarioError."""
    path = expanded(Path(name))
    try:
        return path if path.is_file() else file_for(name)
    except (OSError, ValueError):
        return file_for(name)


def saved_scenarios() -> tuple[Path, ...]:
    """The user's saved scenarios, newest first."""
    return tuple(sorted(_yaml_files(scenario_directory()), key=_age))


# The last session


KEPT_SESSIONS = 8
"""Sessions that are kept, the newest."""


def session_directory() -> Path:
    """Where sessions are kept that were left."""
    return state_directory() / "sessions"


@cache
def _session_name() -> str:
    # Two that run at the same time do not overwrite each other's, nor does a number that comes again.
    return f"{int(time.time()):x}-{os.getpid():x}.yaml"


def session_path() -> Path:
    """Where this process keeps its session."""
    return session_directory() / _session_name()


def kept_sessions() -> tuple[Path, ...]:
    """The sessions that are kept, those that ended last first."""
    return tuple(sorted((*_yaml_files(session_directory()), *_yaml_files(state_directory(), "last-session")), key=_age))


def session_names() -> tuple[tuple[Path, str], ...]:
    """The kept sessions that can be read, with the names of their scenarios."""
    found = []
    for path in kept_sessions():
        with contextlib.suppress(ScenarioError, OSError):
            found.append((path, load_scenario(path).name))
    return tuple(found)


def keep_session(scenario: Scenario) -> str:
    """Keep the scenario for the next start. Returns why it could not be kept, or nothing."""
    try:
        save_scenario(scenario, session_path())
    except ScenarioError as error:
        return str(error)
    for path in kept_sessions()[KEPT_SESSIONS:]:
        with contextlib.suppress(OSError):
            path.unlink()
    return ""


def last_session() -> Scenario | None:
    """The scenario of the session that ended last, of those that can be read."""
    for path in kept_sessions():
        try:
            return load_scenario(path)
        except (ScenarioError, OSError):
            continue
    return None


# Inside


def _yaml_files(folder: Path, stem: str = "") -> list[Path]:
    """The YAML files of a folder; with `stem`, those of that name."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    except OSError:
        return []
    return [path for path in found if not stem or path.stem == stem]


def _age(path: Path) -> float:
    """Sorts what was written last first."""
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _mapping(path: Path) -> Mapping[str, object]:
    return _cached(path, _stamp(path))


def _stamp(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@lru_cache(maxsize=64)
def _cached(path: Path, stamp: float) -> Mapping[str, object]:
    content = read_built_in(path, error=ScenarioError) if path.parent == PRESETS else read(path, error=ScenarioError)
    name = printable(str(path))
    if not isinstance(content, dict):
        raise ScenarioError(f"{name}:1: not a scenario; write `key: value` lines, such as `users: 50`")
    schema = content.get("schema", SCHEMA)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise ScenarioError(
            f"{name}:{_line(path, 'schema')}: schema: {printable(repr(schema), 40)} is no version; write "
            f"`schema: {SCHEMA}`"
        )
    if schema > SCHEMA:
        raise ScenarioError(
            f"{name}:{_line(path, 'schema')}: written by a newer infratui (schema {schema}; this one reads up "
            f"to {SCHEMA}); update infratui"
        )
    return content


def line_of_key(path: Path, key: str) -> int:
    """The line of a key of a scenario file, such as `users` or `policy.fits`; else that of the nearest above it."""
    return _line(expanded(path), key)


def _line(path: Path, key: str) -> int:
    return line_of(read_text(path, error=ScenarioError), _parts(key))


def _parts(key: str) -> tuple[str, ...]:
    """Where a key stands in the file."""
    return ("policy", key[len(PREFIX) :]) if key.startswith(PREFIX) else (key,)


def _plain(value: object) -> str:
    """A value as YAML that reads back the same."""
    if isinstance(value, DemandProfile):
        return "".join(f"\n  {key}: {_plain(entry)}" for key, entry in value.mapping().items())
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_plain(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 100_000 else str(value)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value)
    if re.fullmatch(_PLAIN, text) and text.casefold() not in _WORDS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped) + '"'
