"""What the engine takes, in CPU milliseconds of one core: the figures that screens and tables rest on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from infratui.catalog.load import Catalog
from infratui.catalog.reference import glossary
from infratui.catalog.routing_text import routing_words
from infratui.engine.case import Case
from infratui.engine.deployment.candidates import judge_layouts
from infratui.engine.deployment.planner import plan_demand
from infratui.engine.evaluate import Evaluator
from infratui.engine.experts.router import router_spec
from infratui.engine.experts.routing import route_batch
from infratui.engine.measured.memory_estimate import estimate_memory
from infratui.engine.sections.layout_table import layout_rows
from infratui.engine.sweep import SWEPT, sweep
from infratui.report.estimate import estimate_rows
from infratui.scenario import Scenario


def milliseconds(action: Callable[[int], object], runs: int = 5) -> float:
    """The least of some runs; the run's number keeps memos from answering."""
    found = []
    for run in range(runs):
        start = time.process_time()
        action(run)
        found.append((time.process_time() - start) * 1e3)
    return min(found)


def figures() -> Iterator[tuple[str, float, str]]:
    """Name, milliseconds, aim."""
    facts = Catalog()
    evaluator = Evaluator(facts)
    big = Scenario(model="deepseek-v3", precision="fp8-block", gpus=64, users=100)
    yield "all terms of the glossary, cold", milliseconds(lambda run: glossary(), 1), ""
    for name in ("vram", "quantization", "parallelism", "cost", "moe"):
        changed = milliseconds(lambda run, name=name: getattr(evaluator(Scenario(users=20 + run)), name))
        yield f"section {name}, users changed", changed, "≤ 5 ms on the paint path, else a worker"
    case = Case(big, facts)
    judged = milliseconds(
        lambda run: judge_layouts(case.deployment, case.site, replace(case.load, users=100 + run), 64)
    )
    yield "layouts of 64 GPUs, judged", judged, "≤ 100 ms"
    rows = milliseconds(lambda run: layout_rows(Case(big.with_(users=100 + run), facts)))
    yield "layouts of 64 GPUs, with predictions", rows, "≤ 200 ms"
    plan = milliseconds(lambda run: plan_demand(Case(Scenario(requests_per_day=50_000 + run, ttft_ms=1000), facts)), 3)
    yield "planner over the whole catalog", plan, "≤ 1,000 ms"
    for name in SWEPT:
        swept = milliseconds(
            lambda run, name=name: list(sweep(evaluator, Scenario(), name, "users", range(run + 1, 402, 2))), 2
        )
        yield f"sweep of {name}, 200 values", swept, "≤ 2,000 ms"
    mixture = facts.model("kimi-k2").mixture
    assert mixture is not None
    spec, words = router_spec(mixture), routing_words()
    routed = milliseconds(lambda run: route_batch(spec, run, 256, 0, 1.0, words=words))
    yield "256 tokens through 384 experts", routed, "≤ 150 ms"
    memory = {"model_id": "Qwen/Qwen3-8B", "gpu": "h100", "tp": "2"}
    thousand = milliseconds(
        lambda run: [estimate_memory({**memory, "max_model_len": str(1000 + n)}, facts) for n in range(1000)], 2
    )
    yield "estimate: 10,000 rows of memory", thousand * 10, "≤ 20,000 ms"
    speed = [
        {**memory, "isl": str(100 + n), "osl": "200", "concurrency": str(1 + n % 64), "batching": "continuous"}
        for n in range(1000)
    ]
    both = milliseconds(lambda run: list(estimate_rows(speed, facts, given_kv=False)), 2)
    yield "estimate: 10,000 rows with speed", both * 10, "≤ 20,000 ms"
