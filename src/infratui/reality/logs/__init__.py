"""Start-up logs of serving engines, told apart by their content."""

from __future__ import annotations

from collections.abc import Callable

from ..text import UnreadableError, clean
from .lines import LogLines, LogText
from .llama_cpp import read_llama_cpp
from .reading import LogReading
from .sglang import read_sglang
from .tensorrt_llm import read_tensorrt_llm
from .vllm import read_vllm

READERS: dict[str, Callable[[LogText, LogLines], LogReading]] = {
    "vllm": read_vllm,
    "sglang": read_sglang,
    "tensorrt-llm": read_tensorrt_llm,
    "llama.cpp": read_llama_cpp,
}
# Words of each engine's logs that no other's have.
_MARKS = {
    "vllm": (
        "vLLM",
        "vllm",
        "[gpu_model_runner.py",
        "[kv_cache_utils.py",
        "[worker.py:",
        "EngineCore",
        "model weights take",
    ),
    "sglang": ("ServerArgs(", "Load weight end.", "Load weight begin.", "KV Cache is allocated.", "Memory pool end."),
    "tensorrt-llm": ("[TensorRT-LLM]", "[TRT-LLM]", "in paged KV cache", "in paged kv cache", "trtllm"),
    "llama.cpp": (
        "llama_model_load",
        "llama_kv_cache",
        "load_tensors:",
        "llama_context",
        "ggml_",
        "llama_server:",
        "load_model:",
    ),
}


def read_log(text: str, kinds: LogLines) -> LogReading:
    """What a start-up log says. Raises UnreadableError in one line where it is none that is known."""
    log = LogText(clean(text))
    if not log.text.strip():
        raise UnreadableError("nothing to read; give the start-up log of vLLM, SGLang, TensorRT-LLM or llama.cpp")
    engine = engine_of(log.text)
    if not engine:
        raise UnreadableError(
            "no start-up log that is known; give that of vLLM, SGLang, TensorRT-LLM or llama.cpp, from its first line"
        )
    return READERS[engine](log, kinds)


def engine_of(text: str) -> str:
    """The engine whose words a log has most of; empty: none."""
    scores = {engine: sum(min(text.count(mark), 50) for mark in marks) for engine, marks in _MARKS.items()}
    best = max(scores, key=lambda engine: scores[engine])
    return best if scores[best] else ""
