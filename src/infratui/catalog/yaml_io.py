"""The one YAML reader: catalog, the user's own facts, scenarios and presets, all treated as hostile.

It reads what a person writes by hand and nothing more: mappings, lists and plain values of one UTF-8 document. Anchors,
aliases, tags, duplicate keys and control characters are refused, so is anything large or deep. Plain values follow the
YAML 1.2 core rules (only `true` and `false` are switches, dates stay text); underscores may group digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ..plain_text import CONTROL
from ..plain_text import printable as printable
from . import compiled
from .errors import CatalogError

USER_FILE_BYTES = 1_000_000
"""Largest file that is read for a user: far above any hand-written one."""
MAX_DEPTH = 32
MAX_DIGITS = 300
MAX_VALUES = 200_000
"""Values of one file; more would keep a person waiting, and no hand writes them."""
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; flatten it"

BUILT_IN_BYTES = 4_000_000
_QUOTED = r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#[^\n]*"
_INT = r"[-+]?[0-9][0-9_]*"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip

Key = str | int


class _Loader(Protocol):
    def get_event(self) -> Any: ...
    def dispose(self) -> None: ...


def read(path: Path, *, error: type[Exception] = CatalogError, limit: int = USER_FILE_BYTES) -> Any:
    """The content of a file: mappings, lists, str, int, float, bool or None.

    Raises `error` in one line, `file:line: what; what would be right`, for anything that is not well-formed.
    """
    return parse(read_text(path, error=error, limit=limit), name=str(path), error=error)


def read_built_in(path: Path, *, error: type[Exception] = CatalogError) -> Any:
    """The content of a file that ships with the package."""
    found = compiled.content(path)
    return read(path, error=error, limit=BUILT_IN_BYTES) if found is compiled.MISSING else found


def read_text(path: Path, *, error: type[Exception] = CatalogError, limit: int = USER_FILE_BYTES) -> str:
    """The text of a file, size-limited before it is read. Raises `error` in one line."""
    name = printable(str(path))
    try:
        # Opening a pipe would wait for its writer, reading a device may never end.
        if path.exists() and not path.is_file():
            raise error(f"{name}: not a regular file; name a YAML file")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except (OSError, ValueError) as problem:
        if isinstance(problem, error):
            raise
        reason = getattr(problem, "strerror", None) or problem
        raise error(f"{name}: cannot be read: {printable(str(reason))}; check the path and its rights") from None
    if len(raw) > limit:
        raise error(f"{name}: larger than {limit:_} bytes; a hand-written file is far smaller")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise error(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from None


def parse(text: str, *, name: str = "text", error: type[Exception] = CatalogError) -> Any:
    """Parse one document. `name` stands for the file in messages."""
    return _Reader(text, printable(name), error).document()


def line_of(text: str, path: Sequence[Key]) -> int:
    """The line (from 1) on which the entry at `path` starts, or the nearest one above it that exists.

    Parses again: lines are asked for only when something is wrong.
    """
    reader = _Reader(text, "text", CatalogError, track=True)
    reader.document()
    for length in range(len(path), 0, -1):
        line = reader.lines.get(tuple(path[:length]))
        if line is not None:
            return line
    return 1


def _control_character(text: str) -> re.Match[str] | None:
    """The first character that may not stand in a file."""
    # Most text is printable throughout, which is told faster than the pattern is compiled.
    return None if text.replace("\n", "").isprintable() else re.search(CONTROL, text)


def _open_brackets(text: str) -> int:
    """How many lists and mappings in brackets are still open at the end of the text.

    A parser looks ahead, so its own limit may speak before this reader has seen the first bracket.
    """
    plain = re.sub(_QUOTED, "", text)
    return sum(plain.count(each) for each in "[{") - sum(plain.count(each) for each in "]}")


class _Reader:
    """Builds values from parser events, which keeps nesting and aliases under control before anything is expanded."""

    def __init__(self, text: str, name: str, error: type[Exception], *, track: bool = False) -> None:
        self.text = text
        self.name = name
        self.error = error
        self.track = track
        self.values = 0
        self.lines: dict[tuple[Key, ...], int] = {}

    def fail(self, line: int, message: str) -> Exception:
        return self.error(f"{self.name}:{line}: {message}")

    def document(self) -> Any:
        import yaml

        found = _control_character(self.text.replace("\r\n", "\n"))
        if found:
            line = self.text.count("\n", 0, found.start()) + 1
            raise self.fail(line, f"control character {found.group()!a}; remove it")
        loader: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self.text)
        try:
            return self._document(loader)
        except yaml.YAMLError as problem:
            mark = getattr(problem, "problem_mark", None)
            what = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "not well-formed"
            line = mark.line + 1 if mark else 1
            if mark and _open_brackets(self.text[: mark.index + 1]) > MAX_DEPTH:
                raise self.fail(line, _TOO_DEEP) from None
            raise self.fail(line, f"not valid YAML: {printable(str(what))}; check indentation and quotes") from None
        finally:
            loader.dispose()

    def _document(self, loader: _Loader) -> Any:
        self.next = loader.get_event
        self.next()
        event = self.next()
        if type(event).__name__ == "StreamEndEvent":
            return None
        value = self.value(self.next(), ())
        self.next()
        event = self.next()
        if type(event).__name__ != "StreamEndEvent":
            raise self.fail(event.start_mark.line + 1, "a second document; keep one per file")
        return value

    def value(self, event: Any, path: tuple[Key, ...]) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent":
            raise self.fail(event.start_mark.line + 1, "an alias (*name) is not allowed; write the value out")
        line = event.start_mark.line + 1
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.fail(line, f"more than {MAX_VALUES:,} values; a hand-written file has far fewer")
        if event.anchor is not None:
            raise self.fail(line, "an anchor (&name) is not allowed; write the value out")
        if event.tag is not None and event.tag != "!":
            raise self.fail(line, f"the tag {printable(event.tag, 40)} is not allowed; write a plain value")
        if self.track:
            self.lines.setdefault(path, line)
        if kind == "ScalarEvent":
            # implicit[0]: a plain scalar, whose text decides its type; quoted ones stay text.
            return self.scalar(event, event.value, line) if event.implicit[0] else self.checked(event.value, line)
        if len(path) >= MAX_DEPTH:
            raise self.fail(line, _TOO_DEEP)
        return self.mapping(path) if kind == "MappingStartEvent" else self.sequence(path)

    def mapping(self, path: tuple[Key, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            event = self.next()
            kind = type(event).__name__
            if kind == "MappingEndEvent":
                return found
            line = event.start_mark.line + 1
            if kind != "ScalarEvent" or event.anchor is not None or event.tag not in (None, "!"):
                raise self.fail(line, "a key must be plain text; write `key: value`")
            key = self.checked(event.value, line)
            if key in found:
                raise self.fail(line, f"key {printable(key, 40)!r} appears twice; keep one")
            if self.track:
                self.lines[(*path, key)] = line
            found[key] = self.value(self.next(), (*path, key))

    def sequence(self, path: tuple[Key, ...]) -> list[Any]:
        found: list[Any] = []
        while True:
            event = self.next()
            if type(event).__name__ == "SequenceEndEvent":
                return found
            found.append(self.value(event, (*path, len(found))))

    def checked(self, text: str, line: int) -> str:
        # Escapes in double quotes can smuggle in what the raw text may not hold.
        if _control_character(text):
            raise self.fail(line, f"control character in {printable(text, 40)!r}; remove it")
        return text

    def scalar(self, event: Any, text: str, line: int) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if text[0] in "0123456789+-." and len(text) <= MAX_DIGITS:
            if re.fullmatch(_INT, text):
                return int(text.replace("_", ""))
            if re.fullmatch(_FLOAT, text):
                number = float(text.replace("_", ""))
                if not math.isfinite(number):
                    raise self.fail(line, f"{printable(text, 40)} is beyond what a number can hold")
                return number
        return self.checked(text, line)
