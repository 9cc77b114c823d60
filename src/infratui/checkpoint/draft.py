"""A model layer by layer, as configurations describe it, and its folding into groups and an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..engine.model.architecture import Compressed, Extra, GroupedQuery, Latent, LayerGroup, Mixture, Model, Recurrent
from ..value_types import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """What a family makes of a configuration: one entry per layer, keys still blank."""

    hidden_size: int
    vocab_size: int
    max_context: int
    layers: tuple[LayerGroup, ...]
    tied: bool = False
    embedding_norms: int = 0
    final_norm_bias: bool = False
    head_bias: bool = False
    extras: tuple[Extra, ...] = ()
    warnings: tuple[str, ...] = ()


def layer(**fields: object) -> LayerGroup:
    """A layer whose group key is not known yet."""
    return LayerGroup(key="", **fields)  # type: ignore[arg-type]


def assemble(draft: Draft, *, model_id: str, family: str, origin: str, weight_precision: str) -> Model:
    """Fold equal layers into groups and write their order in runs."""
    keys: dict[LayerGroup, str] = {}
    for entry in draft.layers:
        if entry not in keys:
            keys[entry] = _key(entry, set(keys.values()))
    return Model(
        id=model_id,
        name=model_id,
        hidden_size=draft.hidden_size,
        vocab_size=draft.vocab_size,
        max_context=draft.max_context,
        groups=tuple(replace(entry, key=key) for entry, key in keys.items()),
        order=write_order([keys[entry] for entry in draft.layers]),
        tied_embeddings=draft.tied,
        embedding_norms=draft.embedding_norms,
        final_norm_bias=draft.final_norm_bias,
        head_bias=draft.head_bias,
        weight_precision=weight_precision,
        family=family,
        extras=draft.extras,
        source="the checkpoint's own headers",
        origin=origin,
    )


def _key(entry: LayerGroup, taken: set[str]) -> str:
    """A short name that says what the layer is: f full, w window, m latent, c compressed, r recurrent, n none."""
    match entry.attention:
        case GroupedQuery():
            base = "w" if entry.attention.window else "f"
        case Latent():
            base = "m"
        case Compressed():
            base = "c"
        case Recurrent():
            base = "r"
        case _:
            base = "n"
    base += "e" if isinstance(entry.mlp, Mixture) else ""
    number, key = 0, base
    while key in taken:
        key = base + _letters(number)
        number += 1
    return key


def _letters(number: int) -> str:
    """0 → a, 25 → z, 26 → aa."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("a") + digit) + text
    return text


def write_order(keys: Sequence[str]) -> str:
    """Layer keys as runs, repeats folded: five `w`, one `f`, ten times → `(w5 f)10`."""
    runs: list[tuple[str, int]] = []
    for key in keys:
        if runs and runs[-1][0] == key:
            runs[-1] = (key, runs[-1][1] + 1)
        else:
            runs.append((key, 1))
    written: list[str] = []
    start = 0
    while start < len(runs):
        length, times = _best_repeat(runs, start)
        body = " ".join(f"{key}{count if count > 1 else ''}" for key, count in runs[start : start + length])
        written.append(f"({body}){times}" if times > 1 else body)
        start += length * times
    return " ".join(written)


def _best_repeat(runs: Sequence[tuple[str, int]], start: int) -> tuple[int, int]:
    """The unit (in runs) and count that fold most runs from `start` on; (1, 1) where nothing repeats."""
    best = (1, 1)
    for length in range(2, min(24, (len(runs) - start) // 2) + 1):
        unit = runs[start : start + length]
        times = 1
        while runs[start + times * length : start + (times + 1) * length] == unit:
            times += 1
        if times > 1 and length * times > best[0] * best[1]:
            best = (length, times)
    return best
