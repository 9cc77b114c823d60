"""Finds what a person or a tool means by a loosely written name of a GPU or a model."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_MEMORY = r"(\d+(?:\.\d+)?)\s*(gib|gb|mib)\b"
_PARENTHESES = r"\(([^()]*)\)"
_COUNT = r"\b\d+\s*x\s+|\s+x\s*\d+\b"
_CHECKPOINT_ENDINGS = (".gguf", ".safetensors", ".json")
_TOKEN = r"[a-z]+\d+[a-z0-9]*|\d+[a-z]+\d*|[a-z]+|\d+"

# Words of makers, product lines and memory kinds that tell no part from another.
_NOISE = frozenset(
    (
        "nvidia", "amd", "intel", "google", "aws", "huawei", "tesla", "geforce", "instinct", "radeon", "corporation",
        "tensor", "core", "gpu", "gpus", "accelerator", "graphics", "device", "cloud", "habana", "oam", "hgx", "dgx",
        "hbm2", "hbm2e", "hbm3", "hbm3e", "gddr6", "gddr6x", "gddr7", "class", "quadro", "inc", "hpu", "per", "ai",
        "server", "edition", "npu", "generation",
    )
)  # fmt: skip
_FORMS = {
    "sxm": "sxm", "sxm2": "sxm", "sxm3": "sxm", "sxm4": "sxm", "sxm5": "sxm", "sxm6": "sxm",
    "pcie": "pcie", "pci": "pcie", "nvl": "nvl",
}  # fmt: skip
# A bare `80GB` may be the maker's figure or the driver's: near is near enough, the next size is far off.
_MEMORY_TOLERANCE = 0.13
_GB_PER = {"gb": 1.0, "gib": 1.073741824, "mib": 0.001048576}


class NamePart(Protocol):
    """What matching needs to know of an accelerator."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def memory(self) -> int: ...
    @property
    def memory_marketing_gb(self) -> float: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


def plain(name: str) -> str:
    """Lower-case letters and digits, other characters as single spaces."""
    return " ".join(re.sub(r"[^a-z0-9.+]+", " ", name.lower()).split())


def match_accelerator(name: str, parts: Sequence[NamePart]) -> str | None:
    """The id of the accelerator that `name` means, or None.

    `H100 80GB HBM3`, `H100-SXM-80GB`, `NVIDIA H100` and `8x H100` all mean `h100-sxm`. Form factor and memory narrow
    the choice where they are given; where several remain, the SXM module with the most memory is meant, being the
    commonest in servers, else the first of the catalog. A word that no part carries (`3090 Ti`) means none of them.
    """
    exact = _exact(name, parts)
    if exact is not None:
        return exact
    wanted = _Description.of(name)
    found = [part for part in parts if wanted.fits(part)]
    if not found:
        return None
    if wanted.memory_gb is not None:
        sized = [part for part in found if _size_gap(part, wanted.memory_gb) <= _MEMORY_TOLERANCE]
        # A size that a driver or an engine reports can be anything below the marketing one: then it tells nothing.
        found = sized or ([] if wanted.memory_stated else found)
        if not found:
            return None
        if wanted.form is None and len(found) > 1 and not any("sxm" in part.id for part in found):
            found.sort(key=lambda part: _size_gap(part, wanted.memory_gb or 0))
    modules = [part for part in found if "sxm" in part.id]
    if wanted.form is None and modules:
        return max(modules, key=lambda part: part.memory).id
    return found[0].id


def _exact(name: str, parts: Sequence[NamePart]) -> str | None:
    key = _bare(name)
    for part in parts:
        if key and key in (_bare(part.id), _bare(part.name), *map(_bare, part.aliases)):
            return part.id
    return None


def _bare(name: str) -> str:
    return " ".join(word for word in plain(name).split() if word not in _NOISE)


def _size_gap(part: NamePart, gigabytes: float) -> float:
    return min(
        abs(gigabytes / part.memory_marketing_gb - 1),
        abs(gigabytes * 1e9 / part.memory - 1),
    )


class _Description:
    """A name taken apart: words that must match, form factor and memory."""

    def __init__(self, words: frozenset[str], form: str | None, memory_gb: float | None, memory_stated: bool) -> None:
        self.words = words
        self.form = form
        self.memory_gb = memory_gb
        self.memory_stated = memory_stated

    @classmethod
    def of(cls, name: str) -> _Description:
        text = name.lower().replace("_", " ")
        aside = " ".join(re.findall(_PARENTHESES, text))
        main = re.sub(_COUNT, " ", re.sub(_PARENTHESES, " ", text))
        main = re.sub(r"(?<=\d)-(?=gi?b)", "", main.replace("/", " "))
        stated = re.search(_MEMORY, main)
        size = stated or re.search(_MEMORY, aside)
        memory_gb = float(size[1]) * _GB_PER[size[2]] if size else None
        words = [word for word in re.findall(_TOKEN, re.sub(_MEMORY, " ", main)) if word not in _NOISE]
        form = next((_FORMS[word] for word in words if word in _FORMS), None)
        return cls(frozenset(word for word in words if word not in _FORMS), form, memory_gb, stated is not None)

    def fits(self, part: NamePart) -> bool:
        if not self.words:
            return False
        own = _Description.of(part.name)
        others = [_Description.of(alias).words for alias in part.aliases]
        known = own.words.union(*others)
        joined = "".join(sorted(self.words))
        if not (self.words <= known or joined in {"".join(sorted(words)) for words in (own.words, *others)}):
            return False
        # The word with the number is the part itself: `rtx` alone names nothing.
        telling = {word for word in self.words if any(character.isdigit() for character in word)}
        if not telling and self.words not in others:
            return False
        if self.form and own.form and own.form != self.form:
            return False
        return not (self.form and not own.form and self.form == "nvl")


# What a checkpoint name adds behind the model's: tuning, packing and file formats, never another architecture. What is
# not here stays: vl, omni, audio, coder, thinking, next and distill name other models.
_TAIL = frozenset(
    (
        "instruct", "chat", "it", "hf", "base", "bf16", "fp16", "f16", "fp8", "fp4", "nvfp4", "mxfp4", "mxfp8", "int4",
        "int8", "nf4", "awq", "gptq", "bnb", "bitsandbytes", "autoround", "hqq", "exl2", "exl3", "mlx", "dwq", "quark",
        "modelopt", "unsloth", "compressed", "tensors", "dynamic", "static", "sym", "asym", "w4a16", "w8a8", "w8a16",
        "w4a8", "w4a4", "4bit", "8bit", "4", "8", "bit", "gguf", "marlin", "quantized", "kv", "block", "blockwise",
        "qat", "per", "channel", "tensor", "token", "turbo", "class", "abliterated", "uncensored", "preview", "q4",
        "q5", "q6", "q8", "k", "m", "s",
    )
)  # fmt: skip
_TAIL_NUMBER = r"\d{4}|v\d+(?:\.\d+)?|g(?:32|64|128)|iq\d"
"""Dates, versions of a release and group sizes."""
_OWNERS = frozenset(("meta", "nvidia", "redhatai", "unsloth"))
"""Owners that also stand before the name itself."""


def model_keys(name: str) -> tuple[str, ...]:
    """What a name may mean, the longest first: each word less at the end, where it says nothing of the architecture."""
    words = plain(re.sub(_PARENTHESES, " ", name.rsplit("/", 1)[-1])).replace("quantized.", "quantized ").split()
    if len(words) > 1 and words[0] in _OWNERS:
        words = words[1:]
    found = [" ".join(words)]
    while len(words) > 1 and (words[-1] in _TAIL or re.fullmatch(_TAIL_NUMBER, words[-1])):
        words = words[:-1]
        found.append(" ".join(words))
    return tuple(found) if found[0] else ()


def model_key(name: str) -> str:
    """A model name without owner, tuning and quantization: `Qwen/Qwen2.5-14B-Instruct-AWQ` → `qwen2.5 14b`."""
    return model_keys(name)[-1] if model_keys(name) else ""


def match_model(name: str, ids: Iterable[str], hf_ids: Mapping[str, str]) -> str | None:
    """The id of the one model whose checkpoint `name` is a variant of; None where there is none, or several."""
    known: dict[str, set[str]] = {}
    for written, model_id in (*hf_ids.items(), *((model_id, model_id) for model_id in ids)):
        for key in model_keys(written):
            known.setdefault(key, set()).add(model_id)
    for key in model_keys(name):
        if key in known:
            return next(iter(known[key])) if len(known[key]) == 1 else None
    return None


def nearest(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The known names most like `name`."""
    from difflib import get_close_matches

    choices = list(known)
    found = get_close_matches(name.lower(), choices, most, cutoff=0.45)
    return tuple(found or [choice for choice in choices if name and name.lower()[:3] in choice][:most])


def looks_like_path(name: str) -> bool:
    """Whether a model's name means a checkpoint on disk."""
    if name.startswith((".", "~", os.sep)) or name.lower().endswith(_CHECKPOINT_ENDINGS):
        return True
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False
