"""Which model and format of the catalog a log means: names taken apart by a closed grammar, sizes as a check."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..engine.facts import Facts, UnknownFactError
from ..engine.measured.format_names import find_format
from ..engine.measured.memory_estimate import cache_precision
from ..engine.memory.weights import total_weights
from ..engine.model.architecture import Model
from ..engine.model.precision import Precision
from ..value_types import dataclass

# What may stand at the end of a name without making it another model: packing, tuning and dates. Never vl, omni, audio,
# coder, thinking, next or distill: those are other models.
_TAIL = re.compile(
    r"(?:w\d{1,2}a\d{1,2}(?:kv\d{1,2})?|per|channel|tensor|group|g\d{2,3}|int[348]|[348]bit|nf4|fp[48]|nvfp4|mxfp[468]|"
    r"bnb|awq|gptq|autoround|dynamic|block|marlin|static|quantized|abliterated|gguf|ud|imat|qat|v\d(?:\.\d)?|"
    r"instruct|chat|it|hf|bf16|fp16|f16|i?q\d(?:_[0-9a-z]+)*|xl|xs|xxs|k|m|s|l|\d{4})"
)
_BY_SIZE = 0.05
_LEAST = 0.4
"""Measured weights below this share of the predicted ones are no plausible figure."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a log's model is taken for."""

    model: Model
    precision: Precision
    kv_precision: Precision
    by_size: bool = False
    """The name does not tell the model or its format: the size of its weights does."""


def base_name(name: str) -> str:
    """The last part of a name or path, without a file ending: paths of others are not opened."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1].removesuffix(".gguf").removesuffix(".safetensors")


def names_of(name: str) -> Iterator[str]:
    """A name, and what is left of it when the words at its end are taken off one by one."""
    words = [word for word in re.split(r"[-_ ]+(?![a-z0-9]{1,2}(?:[-_ ]|$))|[- ]+", base_name(name)) if word]
    yield "-".join(words)
    while len(words) > 1 and _TAIL.fullmatch(words[-1].lower()):
        words.pop()
        yield "-".join(words)
    # A date or tuning word may stand before the size: `R1-0528`.
    yield "-".join(word for word in words if not _TAIL.fullmatch(word.lower()))


def find_model(name: str, facts: Facts) -> Model | None:
    """The one model of the catalog that a name means; None: none, or it would be a guess."""
    for candidate in dict.fromkeys(names_of(name)) if name else ():
        if not candidate or candidate.startswith((".", "~")) or ("." in candidate[-12:] and candidate.endswith("json")):
            continue
        try:
            return facts.model(candidate.lower())
        except (UnknownFactError, ValueError, OSError):
            continue
    return None


_ARCHITECTURE = re.compile(r"([A-Z][A-Za-z]*?)(\d*)(?:_\d+)?(?:Moe|MoE)?For\w+")


def by_architecture(architecture: str, weights: int, tp: int, facts: Facts, model_ids: Iterable[str]) -> Model | None:
    """The model of an architecture whose 16-bit weights are as large as measured, where there is but one."""
    found = _ARCHITECTURE.fullmatch(architecture)
    if not found or not weights:
        return None
    family = f"{found[1].lower()}-{found[2]}" if found[2] else found[1].lower()
    bf16 = facts.precision("bf16")
    fits = []
    for model_id in model_ids:
        if model_id.startswith(family):
            model = facts.model(model_id)
            if abs(weights * tp / total_weights(model, bf16) - 1) <= _BY_SIZE:
                fits.append(model)
    return fits[0] if len(fits) == 1 else None


def find_precision(name: str, quantization: str, dtype: str, model: Model, facts: Facts) -> Precision:
    """How the weights are stored, from the name, what the engine says, and the release."""
    found = find_format(f"{quantization} {base_name(name)}", model, facts.precision)
    if found is not None:
        return found
    if quantization or dtype in ("", "auto"):
        return facts.precision(model.weight_precision)
    released = facts.precision(model.weight_precision)
    return facts.precision("bf16") if released.bits >= 16 else released


def find_cache(text: str, facts: Facts) -> Precision:
    """The KV precision that an engine's words mean; 16 bit where they mean nothing known."""
    words = text.lower().removeprefix("torch.").replace("float8", "fp8").replace("bfloat16", "bf16")
    try:
        return cache_precision(words, facts)
    except (UnknownFactError, ValueError):
        return facts.precision("bf16")


def plausible(measured: float, predicted: float) -> bool:
    """Whether measured weights can be those of the model at all."""
    return predicted <= 0 or measured >= _LEAST * predicted
