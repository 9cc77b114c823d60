"""What the words for a storage format mean: of a measured row, a log, or the name of a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..facts import UnknownFactError
from ..memory.kv_cache import CacheKind, layer_kinds
from ..model.architecture import Model
from ..model.precision import Precision

_FORMATS = (
    ("16-bit", "bf16"),
    ("bfloat16", "bf16"),
    ("float16", "fp16"),
    ("bf16", "bf16"),
    ("fp16", "fp16"),
    ("f16", "fp16"),
    ("half", "fp16"),
    ("mxfp4", "mxfp4"),
    ("nvfp4", "nvfp4"),
    ("fp4", "nvfp4"),
    ("awq", "int4-awq"),
    ("gptq-int8", "int8-gptq"),
    ("gptq", "int4-gptq"),
    ("w4a16", "int4"),
    ("w4a8", "w4a8"),
    ("w8a16", "int8-w8a16"),
    ("w8a8-fp8", "fp8"),
    ("w8a8", "int8"),
    ("int8", "int8"),
    ("int4", "int4"),
    ("fp8", "fp8"),
    ("nf4", "nf4"),
    ("bnb", "nf4"),
    ("bitsandbytes", "nf4"),
    ("8bit", "int8-w8a16"),
    ("8-bit", "int8-w8a16"),
    ("4bit", "int4-g64"),
    ("4-bit", "int4-g64"),
)
"""Words for formats, the longer before those that they contain → precision ids."""
_EIGHT_BITS, _FOUR_BITS = {"8bit", "8-bit"}, {"4bit", "4-bit"}
"""Words that only say how wide: the word for a format beside them says more."""
_IN_EIGHT_BITS = {"nf4": "int8-w8a16", "int4-gptq": "int8-gptq"}
"""Formats of four bits, and what their makers call eight bits by the same word."""
_FORMAT = re.compile("|".join(rf"(?<![a-z0-9]){re.escape(mark)}(?![0-9])" for mark, _ in _FORMATS))
_WIDE_ATTENTION = re.compile(r"attention\W+(?:kept\W+)?(?:bf16|fp16|16)|(?:bf16|fp16|16-bit)\W+attention")


_GGUF = re.compile(r"(?:^|[-_. ])(i?q\d(?:_[0-9a-z]+)*)")


def find_format(text: str, model: Model, precision: Callable[[str], Precision]) -> Precision | None:
    """The precision that a log's words or a checkpoint's name mean for this model; None where they name none."""
    named = named_format(text, model)
    return _gguf(text, precision) or (precision(named) if named else None)


def _gguf(text: str, precision: Callable[[str], Precision]) -> Precision | None:
    found = _GGUF.search(text.lower().replace(" - medium", "_m").replace(" - small", "_s"))
    if not found:
        return None
    spelled = found[1]
    for candidate in (spelled, f"{spelled}_m", spelled.removesuffix("_xl") + "_m", spelled.rsplit("_", 1)[0]):
        try:
            return precision(candidate)
        except (UnknownFactError, ValueError):
            continue
    return None


def named_format(text: str, model: Model) -> str:
    """The id of the precision that words mean for this model: of most of its weights; empty where none is named.

    `int4, rest bf16`: the first format is that of most weights, those behind it are the exceptions.
    """
    words = text.lower()
    marks = _FORMAT.findall(words)
    if not marks:
        return ""
    named = [mark for mark in marks if mark not in _EIGHT_BITS | _FOUR_BITS] or marks
    found = next(meant for mark, meant in _FORMATS if mark == named[0])
    if _EIGHT_BITS.intersection(marks):
        found = _IN_EIGHT_BITS.get(found, found)
    if found == "int4" and "gptq" in marks:
        found = "int4-gptq"
    elif found == "int4" and "awq" in marks:
        found = "int4-awq"
    elif found == "int8" and "fp8" in marks:
        found = "fp8"
    if found.startswith("int4") and (group := re.search(r"\bg(32|64)\b", words)):
        return f"int4-g{group[1]}"
    wide = _WIDE_ATTENTION.search(words)
    if wide and found == "fp8":
        return "fp8-bf16-attention"
    if wide and found == "nvfp4":
        return "nvfp4-mlp"
    return _as_released(found, model) or found


def _as_released(precision_id: str, model: Model) -> str:
    """What the words mean for this model: `fp8` of a block-scaled release is block-scaled.

    NVFP4 checkpoints leave latent and linear attention at 16 bit.
    """
    if precision_id == "nvfp4" and {CacheKind.LATENT, CacheKind.STATE} & set(layer_kinds(model)):
        return "nvfp4-mlp"
    released = model.weight_precision
    families = {"fp8": ("fp8-block", "fp4-experts-fp8"), "int4": ("int4-g32-experts",), "mxfp4": ("mxfp4",)}
    return released if released in families.get(precision_id, ()) else ""
