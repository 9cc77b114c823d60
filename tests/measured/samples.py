"""Small results in the shapes of each tool, with figures of their own."""

from __future__ import annotations

import json
from typing import Any


def vllm(**changes: Any) -> dict[str, Any]:
    """`vllm bench serve`: 16 in flight, 1,000 → 100 tokens."""
    return {
        "date": "20260101-000000", "backend": "openai-chat", "model_id": "meta-llama/Llama-3.1-8B-Instruct",
        "num_prompts": 160, "request_rate": "inf", "max_concurrency": 16, "duration": 20.0, "completed": 160,
        "total_input_tokens": 160_000, "total_output_tokens": 16_000, "request_throughput": 8.0,
        "output_throughput": 800.0, "mean_ttft_ms": 120.0, "median_ttft_ms": 110.0, "p99_ttft_ms": 300.0,
        "mean_tpot_ms": 12.0, "median_tpot_ms": 11.5, "ttfts": [0.1, 0.2], "itls": [[0.01], [0.02]],
        **changes,
    }  # fmt: skip


def in_seconds() -> dict[str, Any]:
    """The same as InferenceX keeps it."""
    kept = {key: value for key, value in vllm().items() if not key.endswith("_ms")}
    return {**kept, "median_ttft": 0.11, "p99_ttft": 0.3, "median_tpot": 0.0115, "p99_tpot": 0.02}


def inferencex(**changes: Any) -> dict[str, Any]:
    """An aggregated point."""
    return {
        "hw": "h200-nb", "tp": 8, "ep": 1, "dp_attention": "false", "conc": 64, "model": "openai/gpt-oss-120b",
        "framework": "vllm", "precision": "fp4", "isl": 1024, "osl": 512, "tput_per_gpu": 900.0,
        "output_tput_per_gpu": 300.0, "mean_ttft": 0.2, "mean_tpot": 0.009, "spec_decoding": "none", "disagg": False,
        **changes,
    }  # fmt: skip


def guidellm() -> dict[str, Any]:
    """Three loads: streams, a pace, and as fast as it goes."""

    def of(value: float) -> dict[str, Any]:
        return {"successful": {"mean": value, "median": value, "percentiles": {"p95": value}}}

    def run(strategy: dict[str, Any], latency_s: float) -> dict[str, Any]:
        metrics = {
            "request_totals": {"successful": 90, "errored": 0, "incomplete": 0, "total": 90},
            "requests_per_second": of(4.0), "request_latency": of(latency_s), "prompt_token_count": of(512.0),
            "output_token_count": of(128.0), "time_to_first_token_ms": of(90.0), "time_per_output_token_ms": of(12.0),
            "inter_token_latency_ms": of(11.0), "output_tokens_per_second": of(1.0),
        }  # fmt: skip
        return {"type_": "generative_benchmark", "config": {"strategy": strategy}, "metrics": metrics}

    return {
        "metadata": {"version": 2, "guidellm_version": "0.8.0"},
        "config": {"spec": {"backend": {"kind": "openai_http", "model": "meta-llama/Llama-3.1-8B-Instruct"}}},
        "benchmarks": [
            run({"type_": "concurrent", "streams": 8}, 2.0),
            run({"type_": "constant", "rate": 4.0}, 1.5),
            run({"type_": "throughput"}, 9.0),
        ],
    }


def genai_perf(config: dict[str, Any] | None = None) -> dict[str, Any]:
    """Statistics of both NVIDIA tools."""

    def of(value: float, unit: str) -> dict[str, Any]:
        return {"unit": unit, "avg": value, "p50": value, "p99": 2 * value, "std": 1.0}

    return {
        "request_throughput": of(2.0, "requests/sec"), "request_latency": of(2000.0, "ms"),
        "time_to_first_token": of(0.1, "sec"), "inter_token_latency": of(19.0, "ms"),
        "output_token_throughput": of(200.0, "tokens/sec"), "output_sequence_length": of(100.0, "tokens"),
        "input_sequence_length": of(700.0, "tokens"),
        "input_config": config or {"model_names": ["llama-3.1-8b"], "perf_analyzer": {}, "endpoint": {}},
    }  # fmt: skip


def aiperf() -> dict[str, Any]:
    """AIPerf's own statistics: no input lengths, but their total."""
    found = genai_perf({"endpoint": {"model_names": ["llama-3.1-8b"]}, "loadgen": {"concurrency": 100}})
    del found["input_sequence_length"]
    totals = {"total_isl": {"unit": "tokens", "avg": 70_000.0}, "request_count": {"unit": "requests", "avg": 100.0}}
    return {**found, **totals}


def records() -> str:
    """AIPerf's records: four requests one after the other, one cancelled, one of the warm-up."""
    lines = []
    for at in range(6):
        start = 1_000_000_000_000 + at * 500_000_000
        metadata = {
            "request_start_ns": start, "request_end_ns": start + 1_000_000_000,
            "benchmark_phase": "warmup" if at == 5 else "profiling", "was_cancelled": at == 4,
        }  # fmt: skip
        metrics = {
            "input_sequence_length": {"value": 300, "unit": "tokens"},
            "output_sequence_length": {"value": 50, "unit": "tokens"},
            "request_latency": {"value": 1000.0, "unit": "ms"},
            "time_to_first_token": {"value": 100.0 + at, "unit": "ms"},
            "inter_token_latency": {"value": 18.0, "unit": "ms"},
        }
        lines.append(json.dumps({"metadata": metadata, "metrics": metrics, "error": None}))
    return "\n".join(lines) + "\n"


def llama_bench() -> list[dict[str, Any]]:
    """A prompt, an answer, and an answer behind a context."""
    common = {
        "build_number": 6000, "gpu_info": "NVIDIA GeForce RTX 4090", "model_filename": "/m/Llama-3.1-8B.Q4_K_M.gguf",
        "model_type": "llama 8B Q4_K - Medium", "type_k": "f16", "type_v": "f16", "n_gpu_layers": 99,
    }  # fmt: skip
    return [
        {**common, "n_prompt": 512, "n_gen": 0, "n_depth": 0, "avg_ts": 9000.0},
        {**common, "n_prompt": 0, "n_gen": 128, "n_depth": 0, "avg_ts": 140.0},
        {**common, "n_prompt": 0, "n_gen": 128, "n_depth": 4096, "avg_ts": 120.0},
        {**common, "n_prompt": 512, "n_gen": 128, "n_depth": 0, "avg_ts": 500.0},
    ]


def all_texts() -> dict[str, str]:
    """Every shape, by name."""
    return {
        "vllm": json.dumps(vllm()), "seconds": json.dumps(in_seconds()), "inferencex": json.dumps([inferencex()]),
        "guidellm": json.dumps(guidellm()), "genai": json.dumps(genai_perf()), "aiperf": json.dumps(aiperf()),
        "records": records(), "llama": json.dumps(llama_bench()),
        "llama lines": "\n".join(map(json.dumps, llama_bench())),
    }  # fmt: skip
