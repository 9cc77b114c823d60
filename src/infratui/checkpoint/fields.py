"""Typed access to a JSON object of unknown origin: every value is checked, every complaint names file and key."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..value_types import dataclass
from .errors import CheckpointError

CONFIG_LIMIT = 10 * 1024 * 1024
"""Bytes of the largest configuration file that is read."""

MOST_VALUES = 1_000_000
"""Values of one JSON file; an index of the largest checkpoints names a few hundred thousand tensors."""

LAYERS = 1_000
HEADS = 2**16
WIDTH = 2**24
VOCABULARY = 2**27
TOKENS = 2**40
"""Upper bounds far above any model, so that a lying header is caught before it is multiplied out."""

_REQUIRED = object()


def read_bytes(path: Path, limit: int) -> bytes:
    """The whole file, if it is a regular file of at most `limit` bytes. Raises CheckpointError."""
    with open_file(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise CheckpointError(f"{path.name}: larger than {limit // 2**20} MiB; a configuration file is a few kilobytes")
    return data


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raises CheckpointError for anything else, such as a pipe that never ends."""
    try:
        # Opening a pipe would wait for its writer; what was opened is asked what it is, not what was named.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise CheckpointError(
                f"{path}: not a regular file; give a checkpoint folder, config.json, .safetensors or .gguf"
            )
        return open(descriptor, "rb")
    except (OSError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise CheckpointError(f"{path}: cannot be read ({reason}); check the path and its permissions") from None


def is_there(path: Path) -> bool:
    """Whether there is such a file. Raises CheckpointError for a pipe, a device or a folder of that name."""
    if path.is_file():
        return True
    if path.exists():
        raise CheckpointError(f"{path}: not a regular file; a checkpoint's files are")
    return False


def parse_object(data: bytes, where: str) -> dict[str, Any]:
    """Decode one JSON object. Raises CheckpointError for anything else, for doubled keys and for bottomless nesting."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    raise CheckpointError(f"{where}: key {key!r} appears twice; each key must appear once")
                seen.add(key)
        return made

    # Each of these makes a value; a file of nothing else would take gigabytes.
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
        raise CheckpointError(f"{where}: more than {MOST_VALUES:,} values; a checkpoint's files hold fewer")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except CheckpointError:
        raise
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{where}: byte {error.start} is not UTF-8; JSON text in UTF-8 is expected") from None
    except json.JSONDecodeError as error:
        raise CheckpointError(
            f"{where}: line {error.lineno}: {error.msg}; a complete JSON object is expected"
        ) from None
    except RecursionError:
        raise CheckpointError(f"{where}: nested too deeply; a configuration is a few levels deep") from None
    except (ValueError, MemoryError):
        raise CheckpointError(f"{where}: a number or text is too long; a configuration holds plain values") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{where}: holds {_kind(value)}; a JSON object is expected")
    return value


def read_object(path: Path, limit: int = CONFIG_LIMIT) -> dict[str, Any]:
    """A JSON object from a file. Raises CheckpointError."""
    return parse_object(read_bytes(path, limit), path.name)


def _kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        # Only the size of a number matters here, and printing millions of digits does not help.
        return str(value) if abs(value) < 10**20 else "a number beyond 10^20"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return repr(value[:40])
    return "a list" if isinstance(value, list) else "an object"


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object with its place in the file. `null` counts as absent, as the configurations themselves mean it."""

    values: Mapping[str, Any]
    where: str
    """File, and the key that led here: `config.json: text_config`."""

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def at(self, name: str) -> str:
        """Where a key stands, for messages."""
        return f"{self.where}.{name}" if ":" in self.where else f"{self.where}: {name}"

    def wrong(self, name: str, expected: str) -> CheckpointError:
        """The complaint about a value that is not `expected`."""
        return CheckpointError(f"{self.at(name)} is {_kind(self.values.get(name))}; {expected} is expected")

    def missing(self, name: str, what: str) -> CheckpointError:
        """The complaint about a key that is needed and absent."""
        return CheckpointError(f"{self.at(name)} is missing; {what} is expected")

    def _first(self, names: tuple[str, ...]) -> tuple[str, Any]:
        for name in names:
            if name in self:
                return name, self.values[name]
        return names[0], None

    def integer(self, *names: str, high: int, low: int = 1, default: Any = _REQUIRED) -> int:
        """The first of `names` that is given, as a whole number in `low`..`high`."""
        name, value = self._first(names)
        expected = f"a whole number from {low:,} to {high:,}"
        if value is None:
            if default is _REQUIRED:
                raise self.missing(name, expected)
            return int(default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(name, expected)
        return value

    def number(self, name: str, *, low: float, high: float, default: float) -> float:
        """A number in `low`..`high`."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def flag(self, *names: str, default: bool = False) -> bool:
        """true or false."""
        name, value = self._first(names)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def text(self, *names: str, default: str = "") -> str:
        """A string."""
        name, value = self._first(names)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def items(self, name: str, high: int = 1_000_000) -> tuple[Any, ...] | None:
        """A list, or None where it is not given."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > high:
            raise self.wrong(name, f"a list of at most {high:,} entries")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of strings."""
        value = self.items(name)
        if value is not None and not all(isinstance(entry, str) for entry in value):
            raise self.wrong(name, "a list of texts")
        return value

    def integers(self, name: str, *, low: int, high: int) -> tuple[int, ...] | None:
        """A list of whole numbers in `low`..`high`."""
        value = self.items(name)
        if value is None:
            return None
        for entry in value:
            if isinstance(entry, bool) or not isinstance(entry, int) or not low <= entry <= high:
                raise self.wrong(name, f"a list of whole numbers from {low:,} to {high:,}")
        return value

    def section(self, name: str) -> Fields | None:
        """A nested object, or None where it is not given."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Fields(value, self.at(name))

    def sections(self) -> Iterator[tuple[str, Fields]]:
        """Every entry of an object of objects."""
        for name in self.values:
            section = self.section(name)
            if section is not None:
                yield name, section
