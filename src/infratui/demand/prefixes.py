"""How much of the prompts an endless prefix cache would hold already, from hashes of their blocks."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import field

from ..value_types import dataclass

BLOCKS = (16, 32, 64, 128, 256, 512, 1024, 2048)
"""Tokens that one hash may stand for. Mooncake has 512, vLLM and Qwen's traces 16."""
MOST_HASHES = 5_000_000
_FITTING = 0.9
"""Share of the prompts whose number of hashes must go with a size."""


@dataclass(slots=True)
class Prefixes:
    """Hashes that have been seen; a block counts where all blocks before it were seen too."""

    seen: set[Hashable] = field(default_factory=set)
    tokens: int = 0
    """Of all prompts."""
    known: dict[int, int] = field(default_factory=lambda: dict.fromkeys(BLOCKS, 0))
    """Size of a block → tokens found in the cache, if blocks are that large."""
    whole: dict[int, int] = field(default_factory=lambda: dict.fromkeys(BLOCKS, 0))
    """Size of a block → prompts whose number of hashes goes with it if only whole blocks are hashed."""
    begun: dict[int, int] = field(default_factory=lambda: dict.fromkeys(BLOCKS, 0))
    """Likewise if the last, unfinished one is too."""
    prompts: int = 0
    stated: int = 0
    """Size that the trace states."""
    full: bool = False

    def add(self, hashes: Sequence[Hashable], prompt: int) -> None:
        """One prompt with the hashes of its blocks, in order."""
        self.prompts += 1
        self.tokens += prompt
        count, hit = len(hashes), 0
        for entry in hashes:
            if entry not in self.seen:
                break
            hit += 1
        for size in self.known:
            self.known[size] += min(prompt, hit * size)
            self.whole[size] += count == prompt // size
            self.begun[size] += count == -(-prompt // size)
        if len(self.seen) < MOST_HASHES:
            self.seen.update(hashes[hit:])
        else:
            self.full = True

    def state(self, size: int) -> None:
        """The trace says how many tokens a block has."""
        if 0 < size <= 1 << 20:
            self.stated = size
            self.known.setdefault(size, 0)
            self.whole.setdefault(size, 0)
            self.begun.setdefault(size, 0)

    @property
    def block(self) -> int | None:
        """Tokens of a block; None: the numbers of hashes go with no size."""
        if self.stated:
            return self.stated
        fitting, negative = max((max(self.whole[size], self.begun[size]), -size) for size in self.known)
        return -negative if self.prompts and fitting >= _FITTING * self.prompts else None

    @property
    def share(self) -> float | None:
        """Tokens in the cache over all; None: not known."""
        size = self.block
        return self.known[size] / self.tokens if size is not None and self.tokens else None
