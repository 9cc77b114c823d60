"""A command line back into the scenario fields that it states: launch commands are held to it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from infratui.launching.flags import EngineFlags, LaunchError

_CACHE = {
    "auto": "bf16", "bfloat16": "bf16", "bf16": "bf16", "fp8": "fp8", "fp8_e4m3": "fp8", "fp8_e5m2": "fp8-e5m2",
    "nvfp4": "nvfp4", "f16": "fp16", "q8_0": "q8_0", "q4_0": "q4_0",
}  # fmt: skip
_COUNTS = {"context": "context", "max-sequences": "max_num_seqs", "batched-tokens": "max_batched_tokens"}
_DIGITS = 12


def read_command(text: str, flags: EngineFlags) -> dict[str, object]:
    """Scenario fields of a command line of this engine. Raises LaunchError for a flag that is not known."""
    try:
        # A line that goes on is one line.
        words = shlex.split(text.replace("\\\n", " "), comments=True)
    except ValueError as error:
        raise LaunchError(f"no command line: {error}") from None
    program = flags.program.split()
    starts = [at for at in range(len(words)) if words[at : at + len(program)] == program]
    if not starts:
        raise LaunchError(f"{flags.program} is not called; paste the whole command")
    stated = dict(_stated(words[starts[-1] + len(program) :], flags))
    found = _fields(stated, flags)
    if count := re.search(r"^# servers: (\d{1,5})$", text, re.MULTILINE):
        found["dp"] = int(count[1]) * _whole("data-parallel", str(found["dp"]))
    return found


def _stated(words: list[str], flags: EngineFlags) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(words):
        word = words[at]
        if not word.startswith("-"):
            yield "model", word
            at += 1
            continue
        flag, sign, value = word.partition("=")
        concept = flags.concept_of(flag)
        if concept is None:
            raise LaunchError(f"{flag[:40]}: no flag of {flags.engine} that is known here")
        has_value = not sign and at + 1 < len(words) and not words[at + 1].startswith("--")
        yield concept, value if sign else words[at + 1] if has_value else ""
        at += 2 if has_value else 1


def _fields(stated: Mapping[str, str], flags: EngineFlags) -> dict[str, object]:
    found: dict[str, object] = {"engine": flags.engine, **_layout(stated)}
    if "model" in stated:
        found["model"] = stated["model"]
    for concept, field in _COUNTS.items():
        if concept in stated:
            found[field] = _whole(concept, stated[concept])
    if "memory-fraction" in stated:
        found["utilization"] = float(stated["memory-fraction"])
    if "kv-dtype" in stated:
        found["kv_precision"] = _CACHE.get(stated["kv-dtype"], stated["kv-dtype"])
    if "dtype" in stated:
        found["precision"] = {"float16": "fp16", "bfloat16": "bf16"}.get(stated["dtype"], stated["dtype"])
    if "quantization" in stated:
        found["precision"] = stated["quantization"]
    if "full-length-windows" in stated:
        found["windowed_kv"] = "full-length"
    return found


def _layout(stated: Mapping[str, str]) -> dict[str, int]:
    """Sizes as the scenario counts them."""
    tp, pp, dp = (
        _whole(f"{name}-parallel", stated.get(f"{name}-parallel", "1")) for name in ("tensor", "pipeline", "data")
    )
    together = _whole("attention-data-parallel", stated.get("attention-data-parallel", "0"))
    if "attention-data-parallel-switch" in stated:
        together = dp
    ranks = tp * dp
    if together:
        # This engine counts all ranks of a group as TP.
        tp, dp, ranks = tp // together, together, tp
    experts = stated.get("expert-parallel")
    ep = 1 if experts is None else _whole("expert-parallel", experts) if experts else ranks
    dcp = _whole("decode-context-parallel", stated.get("decode-context-parallel", "1"))
    return {"tp": tp, "pp": pp, "dp": dp, "ep": ep, "dcp": dcp}


def _whole(concept: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < _DIGITS):
        raise LaunchError(f"{concept.replace('-', ' ')}: {value[:40]!r} is no whole number")
    return int(value)
