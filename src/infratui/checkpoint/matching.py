"""Which modules a list of names, wildcards and patterns means – in bounded time, whoever wrote the list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

from .errors import CheckpointError

MOST_PATTERNS = 200_000
"""Entries of the longest list that is read; per-expert lists of large mixtures hold tens of thousands."""

_MOST_WORK = 300_000_000
"""Bound on the backtracking of a list's patterns, in character steps."""

_BESIDE = re.compile(r"^[^\d]*(?:mtp|visual|vision|audio|mm_|nextn)")
"""Numbered layers outside the decoder."""
_LAYER = re.compile(r"^(?:.*?\.)?(?:layers|h|blocks|block)\.(\d{1,6})(?:\.(.*)|(\*))?$", re.DOTALL)
_PREFIX = re.compile(r"^(?:model\.|language_model\.|backbone\.|transformer\.|decoder\.|text_model\.)+")
_EXPERT = re.compile(r"(^|\.)experts\.(\d+)(?=\.|$)")
_QUANTIFIER = re.compile(r"(?<!\\)[*+?]")


class Names:
    """A list of modules as quantization configurations write them.

    Entries are full names (`model.layers.3.mlp.gate`), parts of names (`lm_head`, `self_attn`), wildcards
    (`model.layers.3*`), or patterns after `re:`. An entry means the module it names and all below it.
    """

    def __init__(self, entries: Iterable[str], where: str) -> None:
        self._where = where
        self._layers: dict[int, list[str]] = {}
        """Wildcards and names below one layer; `*` for the whole layer."""
        self._anywhere: list[str] = []
        self._patterns: list[tuple[re.Pattern[str], bool, int]] = []
        self._work = 0
        self.ignored: list[str] = []
        """Patterns that are not understood."""
        for number, entry in enumerate(dict.fromkeys(entries)):
            if number > MOST_PATTERNS:
                raise CheckpointError(f"{where} has over {MOST_PATTERNS:,} entries; a list of module names is expected")
            self._add(entry)
        self._memo: dict[tuple[str, tuple[str, ...]], bool] = {}
        self._general: dict[tuple[str, ...], bool] = {}

    def __bool__(self) -> bool:
        return bool(self._layers or self._anywhere or self._patterns)

    def _add(self, entry: str) -> None:
        if entry.startswith("re:"):
            self._add_pattern(entry[3:])
            return
        if len(entry) > 500:
            self.ignored.append(entry)
            return
        entry = entry.strip(".")
        match = None if _BESIDE.match(entry) else _LAYER.match(entry)
        if match:
            expert = _EXPERT.search(match[2] or "")
            # Experts of a layer are all alike: the first stands for them, which keeps the lists short.
            if expert is None or int(expert[2]) == 0:
                self._layers.setdefault(int(match[1]), []).append(match[2] or "*")
            if match[3] and len(match[1]) < 4:
                # As written, `layers.1*` also means 10 to 19, and so on.
                for more in range(int(match[1]) * 10, int(match[1]) * 10 + 10) if int(match[1]) else ():
                    self._layers.setdefault(more, []).append("*")
            return
        self._anywhere.append(_PREFIX.sub("", entry))

    def _add_pattern(self, pattern: str) -> None:
        # What follows a match does not matter, and runs of wildcards mean one.
        pattern = re.sub(r"(?:\.\*)+", ".*", pattern)
        pattern = re.sub(r"(?<!\\)\.\*\$?$", "", pattern)
        quantifiers = len(_QUANTIFIER.findall(pattern))
        # Quantified groups, look-arounds and repeats can take forever; no published list needs them.
        nested = re.search(r"\)[*+?{]|\(\?(?!:)|(?<!\\)\{|\\[1-9]", pattern)
        if len(pattern) > 500 or quantifiers > 4 or nested:
            self.ignored.append(pattern)
            return
        try:
            compiled = re.compile(pattern)
        except (re.error, RecursionError, OverflowError):
            self.ignored.append(pattern)
            return
        # Without a digit of its own a pattern treats all layers alike and need not be tried on each.
        self._patterns.append((compiled, bool(re.search(r"(?<!\\)\d|\[", pattern)), quantifiers))

    def match(self, layer: int, names: tuple[str, ...]) -> bool:
        """Whether the list means the module that goes by any of `names` in that layer."""
        for entry in self._layers.get(layer, ()):
            if entry == "*" or self._below(entry, names):
                return True
        general = self._general.get(names)
        if general is None:
            general = any(self._below(entry, names) for entry in self._anywhere) or any(
                self._search(pattern, work, name, 0)
                for pattern, by_layer, work in self._patterns
                if not by_layer
                for name in names
            )
            self._general[names] = general
        return general or any(
            self._search(pattern, work, name, layer)
            for pattern, by_layer, work in self._patterns
            if by_layer
            for name in names
        )

    def match_outside(self, *names: str) -> bool:
        """Whether the list means a module outside the layers, such as `lm_head`."""
        return any(
            any(name == entry or _glob(entry).match(name) for entry in self._anywhere)
            or any(self._try(pattern, work, name) for pattern, _, work in self._patterns)
            for name in names
        )

    def names_outside(self) -> tuple[str, ...]:
        """The entries that stand outside numbered layers."""
        return tuple(self._anywhere)

    def _below(self, entry: str, names: tuple[str, ...]) -> bool:
        key = (entry, names)
        known = self._memo.get(key)
        if known is None:
            known = self._memo[key] = any(_means(entry, name) for name in names)
        return known

    def _search(self, pattern: re.Pattern[str], quantifiers: int, name: str, layer: int) -> bool:
        return any(
            self._try(pattern, quantifiers, f"{home}{layer}.{name}")
            for home in ("model.layers.", "model.language_model.layers.", "language_model.model.layers.")
        )

    def _try(self, pattern: re.Pattern[str], quantifiers: int, name: str) -> bool:
        self._work += len(name) ** max(1, quantifiers) // (1, 1, 2, 6, 24)[quantifiers]
        if self._work > _MOST_WORK:
            raise CheckpointError(f"{self._where}: the patterns are too complex; name the modules plainly")
        return pattern.match(name) is not None


@lru_cache(maxsize=4096)
def _glob(entry: str) -> re.Pattern[str]:
    # More than a few stars in one entry only cost time; runs of them mean one.
    plain = re.sub(r"\*+", "*", entry)
    if plain.count("*") + plain.count("?") > 4:
        plain = re.sub(r"[*?].*[*?]", "*", plain)
    return re.compile(translate(plain.replace("[", "[[]")))


def _means(entry: str, name: str) -> bool:
    """An entry means a name that it spells whole, from its start, or as dotted parts in a row."""
    if "*" in entry or "?" in entry:
        glob = _glob(entry)
        pieces = name.split(".")
        heads = [".".join(pieces[: index + 1]) for index in range(len(pieces))]
        # `layers.*.self_attn` and `*.attn.*` are written for full names; the layer's own path stands before ours.
        return any(glob.match(head) or glob.match(f"layers.0.{head}") for head in heads)
    return f".{entry}." in f".{name}."
