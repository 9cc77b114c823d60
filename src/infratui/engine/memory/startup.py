"""What vLLM prints once its cache is sized: pages shared by groups of layers, and the concurrency they give."""

from __future__ import annotations

import math
from typing import Literal

from ...value_types import dataclass
from .kv_cache import CacheKind, KvGeometry, KvLayers

CacheMode = Literal["none", "align", "all"]
"""How recurrent state is kept for reuse: not at all, at the ends of blocks, or at every block (vLLM until 0.31).

With prefix caching a request holds its state and the one that it began from; `all` keeps one per block.
"""

_NEAR = 1.25
"""Layer kinds whose counts differ by less than this share one page of the larger count."""


@dataclass(frozen=True, slots=True)
class StartupLines:
    """The figures of vLLM's start-up log for one replica."""

    kv_tokens: int
    """`GPU KV cache size`."""
    concurrency: float
    """`Maximum concurrency` at the maximum model length."""
    max_model_len: int
    merged: bool = False
    """Both figures stand on one line (vLLM since 0.28)."""

    @property
    def lines(self) -> tuple[str, ...]:
        """As vLLM words them."""
        size = f"GPU KV cache size: {self.kv_tokens:,} tokens"
        most = f"Maximum concurrency for {self.max_model_len:,} tokens per request: {self.concurrency:.2f}x"
        return (f"{size}, {most}",) if self.merged else (size, most)


@dataclass(frozen=True, slots=True)
class _Kind:
    layers: int
    token_bytes: float
    window: int | None
    state_bytes: int


@dataclass(frozen=True, slots=True)
class Pages:
    """How an engine pages its cache."""

    block_tokens: int = 16
    printed_by_groups: bool = False
    """Older builds print the tokens one group could hold; later ones concurrency × length."""
    merged: bool = False
    cache_mode: CacheMode = "none"
    draft_tokens: int = 0
    """Tokens that a draft model proposes at once: each holds a state of its own."""
    draft_layers: int = 0
    """Layers of the draft model; they join those of full attention."""


def predict_startup(  # noqa: PLR0913 — what an engine is started with
    geometry: KvGeometry,
    kv_space: int,
    max_model_len: int,
    max_batched_tokens: int,
    *,
    block_tokens: int = 16,
    printed_by_groups: bool = False,
    merged: bool = False,
    cache_mode: CacheMode = "none",
    draft_tokens: int = 0,
    draft_layers: int = 0,
) -> StartupLines:
    """Tokens and concurrency as vLLM counts them.

    Where all layers grow alike: pages of `block_tokens`. Else layers are dealt into groups of equal size (short
    groups padded) that draw on one pool of equal pages; a windowed layer is charged its window plus one batch.
    `printed_by_groups`: older builds print the tokens one group could hold; later ones concurrency × length.
    A recurrent state fills a page, and a request holds 1 of them without prefix caching (`cache_mode` none), 2 with
    it, and one more per draft token; `draft_layers` join those of full attention.
    Source: vLLM `kv_cache_utils.py`, `single_type_kv_cache_manager.py`.
    """
    pages = Pages(block_tokens, printed_by_groups, merged, cache_mode, draft_tokens, draft_layers)
    kinds = _kinds(geometry, pages)
    if not kinds or kv_space <= 0:
        return StartupLines(0, 0.0, max_model_len, merged)
    if all(kind.token_bytes and kind.window is None and not kind.state_bytes for kind in kinds):
        page = sum(kind.layers * kind.token_bytes for kind in kinds) * block_tokens
        blocks = math.floor(kv_space / page)
        needed = math.ceil(max_model_len / block_tokens)
        return StartupLines(blocks * block_tokens, blocks / needed, max_model_len, merged)
    return _grouped(kinds, kv_space, max_model_len, max_batched_tokens, pages)


def _kinds(geometry: KvGeometry, pages: Pages) -> list[_Kind]:
    merged: dict[tuple[float, int | None, int], int] = {}
    for entry in geometry.groups:
        if entry.kind is CacheKind.NONE:
            continue
        merged_key = _key(entry, pages.draft_tokens)
        merged[merged_key] = merged.get(merged_key, 0) + entry.layers
    drafted = next((key for key in merged if key[0] and key[1] is None), None)
    if drafted is not None:
        merged[drafted] += pages.draft_layers
    return [_Kind(layers, *key) for key, layers in merged.items()]


def _key(entry: KvLayers, draft_tokens: int) -> tuple[float, int | None, int]:
    return entry.token_bytes, entry.window, entry.state_bytes + draft_tokens * entry.draft_bytes


def _grouped(kinds: list[_Kind], kv_space: int, length: int, batched: int, rules: Pages) -> StartupLines:
    counts = [kind.layers for kind in kinds]
    size = max(counts) if max(counts) < min(counts) * _NEAR else min(counts)
    page, block = _page(kinds, rules.block_tokens)
    pages = math.floor(kv_space / (page * size))
    groups = needed = 0
    for kind in kinds:
        parts = math.ceil(kind.layers / size)
        groups += parts
        needed += parts * _pages_needed(kind, length, batched, page, block, rules)
    concurrency = pages / needed
    tokens = pages // groups * block if rules.printed_by_groups else math.floor(concurrency * length)
    return StartupLines(tokens, concurrency, length, rules.merged)


def _page(kinds: list[_Kind], block_tokens: int) -> tuple[float, int]:
    """Bytes of a page of one layer, and tokens in it: the page grows until a recurrent state fits."""
    widest = max((kind.token_bytes for kind in kinds), default=0.0)
    state = max((kind.state_bytes for kind in kinds if not kind.token_bytes), default=0)
    if not widest:
        return float(max(state, 1)), block_tokens
    block = block_tokens
    if state > widest * block:
        block = math.ceil(state / widest / block_tokens) * block_tokens
    return widest * block, block


def _pages_needed(kind: _Kind, length: int, batched: int, page: float, block: int, rules: Pages) -> int:
    if not kind.token_bytes:
        if rules.cache_mode == "all":
            return math.ceil(length / block) + rules.draft_tokens
        return (2 if rules.cache_mode == "align" else 1) + rules.draft_tokens
    block_here = math.floor(page / kind.token_bytes) or block
    if kind.window is None:
        return math.ceil(length / block_here)
    return math.ceil(min(kind.window - 1 + batched, length) / block_here) + 1
