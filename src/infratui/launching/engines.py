"""A plan as the command of each engine. What an engine cannot state is refused or remarked, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .command import Argument, LaunchCommand
from .flags import EngineFlags, LaunchError, version_key
from .plan import LaunchPlan

FRACTION_MOVED = "0.20.0"
"""vLLM whose default memory fraction is 0.92; before it was 0.90."""
_ATTENTION_DP = "0.5.22"
_SIXTEEN = 16


class _Words:
    """Collects arguments; asks the table for each flag."""

    def __init__(self, flags: EngineFlags, version: str) -> None:
        self.flags, self.version = flags, version
        self.arguments: list[Argument] = []
        self.remarks: list[str] = []

    def add(self, concept: str, value: object = "", what: str = "", *, default: bool = False) -> None:
        flag = self.flags.need(concept, self.version, what or concept.replace("-", " "))
        self.arguments.append(Argument(concept, flag, str(value), default))

    def maybe(self, concept: str, value: object = "", *, default: bool = False) -> bool:
        """Add it where this version has it."""
        flag = self.flags.of(concept, self.version)
        if flag is not None:
            self.arguments.append(Argument(concept, flag, str(value), default))
        return flag is not None


def command(plan: LaunchPlan, flags: EngineFlags, version: str = "") -> LaunchCommand:
    """The start of one server of the plan. Raises LaunchError in words."""
    words = _Words(flags, flags.checked(version))
    if not plan.answers:
        words.remarks.append("pooling")
    return _ENGINES[flags.engine](plan, words)


def _made(
    words: _Words, environment: dict[str, str] | None = None, config: dict[str, object] | None = None
) -> LaunchCommand:
    return LaunchCommand(
        words.flags.engine,
        words.version,
        tuple(words.flags.program.split()),
        tuple(words.arguments),
        environment or {},
        config or {},
        tuple(words.remarks),
    )


def _vllm(plan: LaunchPlan, words: _Words) -> LaunchCommand:
    layout = plan.layout
    if version_key(words.version) >= version_key("0.9"):
        words.arguments.append(Argument("model", "", plan.model))
    else:
        words.add("model", plan.model)
    words.add("tensor-parallel", layout.tp, default=layout.tp == 1)
    if layout.pp > 1:
        words.add("pipeline-parallel", layout.pp)
    together = plan.ranks_together
    if together > 1:
        words.add("data-parallel", together, "replicas that share experts")
    elif layout.dp > 1 and not plan.moe and plan.gpus_per_node >= layout.gpus:
        # Replicas of a mixture of experts would share its experts: those are servers of their own.
        words.add("data-parallel", layout.dp, "replicas in one server")
    if layout.ep > 1:
        ranks = layout.tp * together
        if layout.ep != ranks:
            raise LaunchError(f"vLLM spreads experts over all {ranks} ranks of a server; EP{layout.ep} cannot be said")
        words.add("expert-parallel", what="expert parallelism")
    if layout.dcp > 1:
        words.add("decode-context-parallel", layout.dcp, "a cache that is shared out by tokens")
    if plan.nodes_per_engine > 1:
        words.add("nodes", plan.nodes_per_engine, "several nodes without Ray")
        words.add("node-rank", "$NODE_RANK")
        words.add("master", "$MASTER_ADDR")
    words.add("context", plan.context)
    default = 0.92 if version_key(words.version) >= version_key(FRACTION_MOVED) else 0.9
    words.add("memory-fraction", f"{plan.utilization:g}", default=plan.utilization == default)
    _batch(plan, words)
    _vllm_formats(plan, words)
    if plan.full_length_windows:
        words.add("full-length-windows", what="window layers that keep the whole context")
    if plan.prefix_caching:
        words.add("prefix-caching", default=version_key(words.version) >= version_key("0.11"))
    if plan.speculation:
        words.remarks.append("draft")
    return _made(words)


def _batch(plan: LaunchPlan, words: _Words) -> None:
    words.add("max-sequences", plan.sequences, default=not plan.sequences_set)
    words.add("batched-tokens", plan.batched_tokens, default=not plan.batched_tokens_set)


def _weights(plan: LaunchPlan, words: _Words) -> None:
    """The format of the weights: that of the checkpoint, or FP8 made of a 16-bit one at the start."""
    if plan.precision.id == plan.released.id:
        return
    if plan.precision.bits == plan.released.bits == _SIXTEEN:
        words.add("dtype", {"fp16": "float16"}.get(plan.precision.id, "bfloat16"))
        return
    if plan.precision.id == "fp8" and plan.released.bits == _SIXTEEN:
        words.add("quantization", "fp8")
        return
    raise LaunchError(
        f"{plan.model} is released in {plan.released.label}; {plan.precision.label} is a checkpoint of its own: "
        f"give its path or repository as the model"
    )


_VLLM_CACHE = {"bf16": "bfloat16", "fp8": "fp8", "fp8-e5m2": "fp8_e5m2", "nvfp4": "nvfp4"}
_SGLANG_CACHE = {"bf16": "bf16", "fp8": "fp8_e4m3", "fp8-e5m2": "fp8_e5m2", "nvfp4": "nvfp4"}


def _cache(plan: LaunchPlan, known: Mapping[str, str]) -> str:
    """How the engine spells the cache's type. Raises LaunchError."""
    if plan.kv_precision.id not in known:
        raise LaunchError(f"this engine has no {plan.kv_precision.label} cache; it knows {', '.join(known)}")
    return known[plan.kv_precision.id]


def _vllm_formats(plan: LaunchPlan, words: _Words) -> None:
    _weights(plan, words)
    # Before 0.11 `auto` is the only spelling of the model's own type.
    spelled = dict(_VLLM_CACHE)
    if version_key(words.version) < version_key("0.11"):
        spelled = {"bf16": "auto", "fp8": "fp8", "fp8-e5m2": "fp8_e5m2"}
    words.add("kv-dtype", _cache(plan, spelled), default=spelled.get(plan.kv_precision.id) == "auto")


def _sglang(plan: LaunchPlan, words: _Words) -> LaunchCommand:
    layout, together = plan.layout, plan.ranks_together
    words.add("model", plan.model)
    words.add("tensor-parallel", layout.tp * together, default=layout.tp * together == 1)
    if layout.dcp > 1:
        words.add("decode-context-parallel", layout.dcp, "a cache that is shared out by tokens")
    if layout.pp > 1:
        words.add("pipeline-parallel", layout.pp, "pipeline stages")
    if together > 1:
        if version_key(words.version) >= version_key(_ATTENTION_DP):
            words.add("attention-data-parallel", together)
        else:
            words.add("data-parallel", together)
            words.add("attention-data-parallel-switch", what="attention data parallelism")
    if plan.engines > 1 and together == 1 and plan.gpus_per_node >= layout.gpus:
        # `--dp-size` counts replicas where it does not count groups of attention: never both at once.
        words.add("data-parallel", plan.engines)
    if layout.ep > 1:
        words.add("expert-parallel", layout.ep, "expert parallelism")
    if plan.nodes_per_engine > 1:
        words.add("nodes", plan.nodes_per_engine)
        words.add("node-rank", "$NODE_RANK")
        words.add("master", "$MASTER_ADDR:20000")
    words.add("context", plan.context)
    words.add("memory-fraction", f"{plan.utilization:g}")
    _batch(plan, words)
    _weights(plan, words)
    words.add("kv-dtype", _cache(plan, _SGLANG_CACHE))
    if plan.full_length_windows:
        words.remarks.append("windows")
    if plan.speculation:
        words.remarks.append("draft")
    words.maybe("metrics")
    return _made(words)


def _tensorrt(plan: LaunchPlan, words: _Words) -> LaunchCommand:
    layout, together = plan.layout, plan.ranks_together
    if layout.dcp > 1:
        raise LaunchError(f"trtllm-serve shares out no cache by tokens; {layout.label} cannot be said: set dcp=1")
    words.arguments.append(Argument("model", "", plan.model))
    words.add("backend", "pytorch", default=True)
    words.add("tensor-parallel", layout.tp * together, default=layout.tp * together == 1)
    if layout.pp > 1:
        words.add("pipeline-parallel", layout.pp)
    if layout.ep > 1:
        words.add("expert-parallel", layout.ep)
    if plan.nodes_per_engine > 1:
        words.add("gpus-per-node", plan.gpus_per_node)
        words.remarks.append("mpi")
    words.add("context", plan.context)
    words.add("memory-fraction", f"{plan.utilization:g}", default=plan.utilization == 0.9)
    _batch(plan, words)
    if plan.precision.id != plan.released.id:
        raise LaunchError(
            f"trtllm-serve reads the checkpoint's own format; {plan.precision.label} of {plan.model} is another "
            f"checkpoint: give its path or repository as the model"
        )
    config: dict[str, object] = {}
    if together > 1:
        config["enable_attention_dp"] = True
    cache = _cache(plan, {"bf16": "auto", "fp8": "fp8", "nvfp4": "nvfp4"})
    if cache != "auto":
        config["kv_cache_config"] = {"dtype": cache}
    if config:
        words.add("config", "config.yaml")
    if plan.speculation:
        words.remarks.append("draft")
    return _made(words, config=config)


_LOGICAL_BATCH = 2048
"""Tokens that llama.cpp takes up at once; a step computes a part of them."""
_LLAMA_CACHE = {
    "fp32": "f32", "bf16": "bf16", "fp16": "f16", "q8_0": "q8_0", "q4_0": "q4_0", "q4_1": "q4_1", "q5_0": "q5_0",
    "q5_1": "q5_1",
}  # fmt: skip


def _tgi(plan: LaunchPlan, words: _Words) -> LaunchCommand:
    layout = plan.layout
    if layout.pp > 1 or layout.ep > 1:
        raise LaunchError(f"TGI cuts layers within one machine; {layout.label} cannot be said: set pp=1 and ep=1")
    words.add("model", plan.model)
    words.add("tensor-parallel", layout.tp)
    words.add("longest-prompt", plan.context - 1)
    words.add("context", plan.context)
    words.add("memory-fraction", f"{plan.utilization:g}", default=plan.utilization == 1)
    words.add("max-sequences", plan.sequences, default=not plan.sequences_set)
    if plan.batched_tokens_set:
        words.add("batched-tokens", plan.batched_tokens)
    _weights(plan, words)
    cache = _cache(plan, {"bf16": "", "fp16": "", "fp8": "fp8_e4m3fn", "fp8-e5m2": "fp8_e5m2"})
    if cache:
        words.add("kv-dtype", cache)
    words.add("port", 8080)
    if plan.speculation:
        words.remarks.append("draft")
    return _made(words)


def _one_server(plan: LaunchPlan, name: str) -> None:
    layout = plan.layout
    if layout.tp > 1 or layout.ep > 1 or plan.nodes_per_engine > 1:
        raise LaunchError(f"{name} splits a model by layers in one machine: {layout.label} cannot be said; set tp=1")


def _llama(plan: LaunchPlan, words: _Words) -> LaunchCommand:
    _one_server(plan, "llama.cpp")
    if plan.precision.id == plan.released.id and not plan.model.endswith(".gguf"):
        words.remarks.append("gguf")
    words.add("model", plan.model if plan.model.endswith(".gguf") else f"{plan.name}.gguf")
    words.add("gpu-layers", "0" if plan.cpu else "999")
    if plan.layout.pp > 1:
        words.add("split-mode", "layer", default=True)
    words.add("context", plan.context * plan.slots)
    words.add("max-sequences", plan.slots)
    if plan.batched_tokens > _LOGICAL_BATCH:
        words.add("logical-batch", plan.batched_tokens)
    words.add("batched-tokens", plan.batched_tokens, default=not plan.batched_tokens_set)
    cache = _cache(plan, _LLAMA_CACHE)
    words.add("kv-dtype-k", cache)
    words.add("kv-dtype-v", cache)
    if cache.startswith("q"):
        words.add("flash-attention", "on")
    if plan.full_length_windows:
        words.add("full-length-windows", what="window layers that keep the whole context")
    words.maybe("metrics")
    return _made(words)


def _ollama(plan: LaunchPlan, words: _Words) -> LaunchCommand:
    _one_server(plan, "Ollama")
    cache = _cache(plan, {"fp16": "f16", "bf16": "f16", "q8_0": "q8_0", "q4_0": "q4_0"})
    environment = {"OLLAMA_NUM_PARALLEL": str(plan.slots), "OLLAMA_KV_CACHE_TYPE": cache}
    if cache.startswith("q"):
        environment["OLLAMA_FLASH_ATTENTION"] = "1"
    words.remarks.append("gguf")
    config: dict[str, object] = {
        "FROM": f"./{plan.name}.gguf",
        "PARAMETER num_ctx": plan.context,
        "PARAMETER num_gpu": 0 if plan.cpu else 999,
    }
    return _made(words, environment=environment, config=config)


_ENGINES: Mapping[str, Callable[[LaunchPlan, _Words], LaunchCommand]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tensorrt-llm": _tensorrt,
    "tgi": _tgi,
    "llama.cpp": _llama,
    "ollama": _ollama,
}
