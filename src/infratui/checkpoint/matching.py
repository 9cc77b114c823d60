"""Which modules a list of names, wildcards and patterns means – in bounded time, whoever wrote the list."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from fnmatch import translate
from functools import lru_cache

from ..value_types import dataclass
from .errors import CheckpointError

MOST_ENTRIES = 500_000
"""Entries of the longest list that is read; per-expert lists of large mixtures hold tens of thousands."""

MOST_PATTERNS = 1_000
"""Most wildcards, and most patterns, in one list."""

_MOST_WORK = 60_000_000
"""Bound on what the patterns of one checkpoint may cost, in character steps: about a second."""
_TRY, _COMPILE = 20, 10_000
"""What it costs to try a pattern on a name, backtracking aside, and to compile one."""

_BESIDE = re.compile(r"^[^\d]*(?:mtp|visual|vision|audio|mm_|nextn)")
"""Numbered layers outside the decoder."""
_LAYER = re.compile(r"^(?:.*?\.)?(?:layers|h|blocks|block)\.(\d{1,6})(?:\.(.*)|(\*))?$", re.DOTALL)
_PREFIX = re.compile(r"^(?:model\.|language_model\.|backbone\.|transformer\.|decoder\.|text_model\.)+")
_EXPERT = re.compile(r"(^|\.)experts\.(\d+)(?=\.|$)")
_QUANTIFIER = re.compile(r"(?<!\\)[*+?]")


@dataclass(slots=True)
class _Entries:
    """Entries of one layer, or of none."""

    plain: set[str] = field(default_factory=set)
    wild: list[str] = field(default_factory=list)
    whole: bool = False
    """The layer as such is meant."""


@dataclass(slots=True)
class _Work:
    """What is left of the bound."""

    left: int = _MOST_WORK


_SHARED: ContextVar[_Work | None] = ContextVar("shared", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """All lists that are read within share one bound on their work; outside each has its own."""
    token = _SHARED.set(_Work())
    try:
        yield
    finally:
        _SHARED.reset(token)


class Names:
    """A list of modules as quantization configurations write them.

    Entries are full names (`model.layers.3.mlp.gate`), parts of names (`lm_head`, `self_attn`), wildcards
    (`model.layers.3*`), or patterns after `re:`. An entry means the module it names and all below it.
    """

    def __init__(self, entries: Iterable[str], where: str) -> None:
        self._where = where
        self._layers: dict[int, _Entries] = {}
        self._anywhere = _Entries()
        self._patterns: list[tuple[re.Pattern[str], bool, int]] = []
        """Compiled; whether it may treat layers differently; its quantifiers."""
        self._wildcards = 0
        self._work = _SHARED.get() or _Work()
        self.ignored: list[str] = []
        """Patterns that are not understood."""
        for number, entry in enumerate(dict.fromkeys(entries)):
            if number > MOST_ENTRIES or max(self._wildcards, len(self._patterns)) > MOST_PATTERNS:
                raise CheckpointError(
                    f"{where} is too long; at most {MOST_ENTRIES:,} names and {MOST_PATTERNS:,} patterns are expected"
                )
            self._add(entry)
        self._memo: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._general: dict[tuple[str, ...], bool] = {}

    def __bool__(self) -> bool:
        return bool(self._layers or self._anywhere.plain or self._anywhere.wild or self._patterns)

    def _add(self, entry: str) -> None:
        if entry.startswith("re:"):
            self._add_pattern(entry[3:])
            return
        if len(entry) > 500:
            self.ignored.append(entry)
            return
        entry = entry.strip(".")
        match = None if _BESIDE.match(entry) else _LAYER.match(entry)
        if match is None:
            self._put(self._anywhere, _PREFIX.sub("", entry))
            return
        number = int(match[1])
        if match[2] is None:
            self._layer(number).whole = True
            # As written, `layers.1*` also means 10 to 19, and so on.
            for more in range(number * 10, number * 10 + 10) if match[3] and number else ():
                self._layer(more).whole = True
            return
        expert = _EXPERT.search(match[2])
        # Experts of a layer are all alike: the first stands for them, which keeps the lists short.
        if expert is None or int(expert[2]) == 0:
            self._put(self._layer(number), match[2])

    def _layer(self, number: int) -> _Entries:
        return self._layers.setdefault(number, _Entries())

    def _put(self, entries: _Entries, entry: str) -> None:
        if "*" in entry or "?" in entry:
            entries.wild.append(entry)
            self._wildcards += 1
            self._spend(_COMPILE)
        elif entry:
            entries.plain.add(entry)

    def _add_pattern(self, pattern: str) -> None:
        # What follows a match does not matter, and runs of wildcards mean one.
        pattern = re.sub(r"(?:\.\*)+", ".*", pattern[:501])
        pattern = re.sub(r"(?<!\\)\.\*\$?$", "", pattern)
        quantifiers = len(_QUANTIFIER.findall(pattern))
        # Quantified groups, look-arounds and repeats can take forever; no published list needs them.
        nested = re.search(r"\)[*+?{]|\(\?(?!:)|(?<!\\)\{|\\[1-9]", pattern)
        if len(pattern) > 500 or quantifiers > 4 or nested:
            self.ignored.append(pattern)
            return
        self._spend(_COMPILE)
        try:
            with warnings.catch_warnings():
                # What the regular expression module only warns about is as unclear as what it refuses.
                warnings.simplefilter("error")
                compiled = re.compile(pattern)
        except (re.error, RecursionError, OverflowError, Warning):
            self.ignored.append(pattern)
            return
        # Without a digit of its own a pattern treats all layers alike and need not be tried on each.
        self._patterns.append((compiled, bool(re.search(r"(?<!\\)\d|\[", pattern)), quantifiers))

    def match(self, layer: int, names: tuple[str, ...]) -> bool:
        """Whether the list means the module that goes by any of `names` in that layer."""
        own = self._layers.get(layer)
        if own is not None and (own.whole or self._among(own, names)):
            return True
        general = self._general.get(names)
        if general is None:
            general = self._among(self._anywhere, names) or self._any_pattern(names, 0, by_layer=False)
            self._general[names] = general
        return general or self._any_pattern(names, layer, by_layer=True)

    def match_outside(self, *names: str) -> bool:
        """Whether the list means a module outside the layers, such as `lm_head`."""
        return any(
            name in self._anywhere.plain
            or any(_glob(entry).match(name) for entry in self._anywhere.wild)
            or any(self._try(pattern, work, name) for pattern, _, work in self._patterns)
            for name in names
        )

    def _among(self, entries: _Entries, names: tuple[str, ...]) -> bool:
        if not entries.plain.isdisjoint(_runs(names)):
            return True
        return any(self._means(entry, names) for entry in entries.wild)

    def _means(self, entry: str, names: tuple[str, ...]) -> bool:
        key = (entry, names)
        known = self._memo.get(key)
        if known is None:
            glob = _glob(entry)
            # `layers.*.self_attn` is written for full names; the layer's own path stands before ours.
            known = any(glob.match(head) or glob.match(f"layers.0.{head}") for head in _heads(names))
            self._memo[key] = known
        return known

    def _any_pattern(self, names: tuple[str, ...], layer: int, *, by_layer: bool) -> bool:
        return any(
            self._try(pattern, work, f"{home}{layer}.{name}")
            for pattern, own_layers, work in self._patterns
            if own_layers is by_layer
            for name in names
            for home in _HOMES
        )

    def _try(self, pattern: re.Pattern[str], quantifiers: int, name: str) -> bool:
        self._spend(_TRY + len(name) ** max(1, quantifiers) // (1, 1, 2, 6, 24)[quantifiers])
        return pattern.match(name) is not None

    def _spend(self, steps: int) -> None:
        self._work.left -= steps
        if self._work.left < 0:
            raise CheckpointError(f"{self._where}: the patterns are too complex; name the modules plainly")


_HOMES = ("model.layers.", "model.language_model.layers.", "language_model.model.layers.")


@lru_cache(maxsize=1024)
def _runs(names: tuple[str, ...]) -> frozenset[str]:
    """All dotted parts in a row of the names: what a plain entry may spell."""
    found = set()
    for name in names:
        pieces = name.split(".")
        for start in range(len(pieces)):
            for end in range(start, len(pieces)):
                found.add(".".join(pieces[start : end + 1]))
    return frozenset(found)


@lru_cache(maxsize=1024)
def _heads(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names and everything above them."""
    found: dict[str, None] = {}
    for name in names:
        pieces = name.split(".")
        for end in range(len(pieces)):
            found[".".join(pieces[: end + 1])] = None
    return tuple(found)


@lru_cache(maxsize=4096)
def _glob(entry: str) -> re.Pattern[str]:
    # More than a few stars in one entry only cost time; runs of them mean one.
    plain = re.sub(r"\*+", "*", entry)
    if plain.count("*") + plain.count("?") > 4:
        plain = re.sub(r"[*?].*[*?]", "*", plain)
    return re.compile(translate(plain.replace("[", "[[]")))
