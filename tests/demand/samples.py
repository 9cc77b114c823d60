"""Small traces and metrics in the formats of their tools, written for the tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable

from infratui.catalog.demand_names import demand_names
from infratui.demand.measured import MeasuredDemand
from infratui.demand.reading import read_demand
from infratui.demand.stream import DemandSource

Request = tuple[float, int, int]
"""Seconds from the first, prompt tokens, answer tokens."""

REQUESTS: tuple[Request, ...] = tuple(
    (at * 7.0 + (at % 5) * 0.25, 100 + 37 * (at * at % 23), 5 + (at * 13) % 61) for at in range(60)
)


def read(*texts: str | bytes, written: Iterable[float] = (), seconds: float | None = None) -> MeasuredDemand:
    """The reading of texts as files."""
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    times = [*written, *[None] * len(raw)]
    sources = [DemandSource(f"file{at}", io.BytesIO(data).read, times[at]) for at, data in enumerate(raw)]
    return read_demand(sources, demand_names(), seconds)


def azure(requests: Iterable[Request] = REQUESTS) -> str:
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    for at, prompt, answer in requests:
        minute, second = divmod(at, 60)
        lines.append(f"2024-05-01 10:{int(minute):02d}:{second:010.7f},{prompt},{answer}")
    return "\n".join(lines) + "\n"


def burstgpt(requests: Iterable[Request] = REQUESTS) -> str:
    lines = ["Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type"]
    lines += [f"{at},,1.5,ChatGPT,{prompt},{answer},{prompt + answer},API log" for at, prompt, answer in requests]
    return "\r\n".join(lines) + "\r\n"


def mooncake(requests: Iterable[Request] = REQUESTS, block: int = 512) -> str:
    """Every second prompt begins as the one two before it, for two blocks."""
    lines = []
    for number, (at, prompt, answer) in enumerate(requests):
        own = [1000 + 100 * number + place for place in range(-(-prompt // block))]
        if number % 2 and len(own) >= 2:
            own[:2] = [1, 2]
        lines.append(
            json.dumps({"timestamp": at * 1000, "input_length": prompt, "output_length": answer, "hash_ids": own})
        )
    return "\n".join(lines) + "\n"


def chats(requests: Iterable[Request] = REQUESTS) -> str:
    """Turns of chats in blocks of sixteen tokens, times in seconds."""
    lines = []
    for number, (at, prompt, answer) in enumerate(requests):
        hashes = [number // 3 * 10_000 + place for place in range(-(-prompt // 16))]
        row = {"chat_id": number, "parent_chat_id": -1, "timestamp": at, "input_length": prompt}
        lines.append(json.dumps(row | {"output_length": answer, "type": "text", "turn": 1, "hash_ids": hashes}))
    return "\n".join(lines)


def sessions() -> str:
    """Two sessions of nested requests, hashes that hold within their own."""
    inner = [{"t": 0.0, "type": "s", "in": 128, "out": 9, "hash_ids": [1, 2]}]
    inner.append({"t": 4.0, "type": "s", "in": 256, "out": 11, "hash_ids": [1, 2, 3, 4]})
    return "\n".join(
        json.dumps({"id": name, "block_size": 64, "hash_id_scope": "local", "requests": inner}) for name in ("a", "b")
    )


def usage(requests: Iterable[Request] = REQUESTS) -> str:
    """What a gateway logs of an API: an inner object with the counts, times in milliseconds since 1970."""
    return "\n".join(
        json.dumps(
            {
                "created_at": 1_750_000_000_000 + round(at * 1000),
                "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "cached_tokens": prompt // 2},
            }
        )
        for at, prompt, answer in requests
    )


BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def histogram(name: str, values: Iterable[int], labels: str = 'model_name="m"') -> str:
    counted = list(values)
    lines = [f"# TYPE {name} histogram"]
    lines += [f'{name}_bucket{{le="{bound:.1f}",{labels}}} {sum(v <= bound for v in counted)}.0' for bound in BOUNDS]
    lines += [f'{name}_bucket{{le="+Inf",{labels}}} {len(counted)}.0']
    lines += [f"{name}_count{{{labels}}} {len(counted)}.0", f"{name}_sum{{{labels}}} {sum(counted)}.0"]
    return "\n".join(lines) + "\n"


def vllm(
    requests: Iterable[Request] = REQUESTS,
    *,
    waiting: float = 0,
    running: float = 4,
    use: float = 0.28,
    names: tuple[str, ...] = ("kv_cache_usage_perc", "prefix_cache"),
) -> str:
    """What a vLLM server prints after so many requests."""
    counted = list(requests)
    labels = 'model_name="m"'
    text = "# HELP vllm:num_requests_running Number of requests in model execution batches.\n"
    text += f"vllm:num_requests_running{{{labels}}} {running}\nvllm:num_requests_waiting{{{labels}}} {waiting}\n"
    text += histogram("vllm:request_prompt_tokens", (prompt for _, prompt, _ in counted))
    text += histogram("vllm:request_generation_tokens", (answer for _, _, answer in counted))
    total = sum(prompt for _, prompt, _ in counted)
    for name in names:
        if name.endswith("perc"):
            text += f"vllm:{name}{{{labels}}} {use}\n"
        else:
            text += f"vllm:{name}_queries_total{{{labels}}} {total}\nvllm:{name}_hits_total{{{labels}}} {total // 4}\n"
    return text


TRACES = {
    "azure": azure(),
    "burstgpt": burstgpt(),
    "mooncake": mooncake(),
    "sessions": chats(),
    "json": usage(),
}
