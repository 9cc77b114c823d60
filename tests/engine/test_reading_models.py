"""Embedding models and rerankers: they read a text into a vector or a score, keep nothing of it and write nothing."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.case import Case, in_force
from infratui.engine.evaluate import Evaluator
from infratui.engine.figures.units import ByteUnit
from infratui.engine.model.architecture import Part, parameters
from infratui.launching.plan import launch_plan
from infratui.report import parallelism as report
from infratui.report import quantization
from infratui.scenario import Scenario

FACTS = Catalog()
READING = ("bge-m3", "bge-reranker-v2-m3", "qwen3-embedding-0.6b", "qwen3-embedding-4b", "qwen3-embedding-8b")


def evaluated(model: str, **changes: object):
    return Evaluator(FACTS)(Scenario(model=model, accelerator="l4", gpus=1, users=32).with_(**changes))


@pytest.mark.parametrize("model", READING)
def test_counts_are_published_to_the_digit_and_there_is_no_head(model: str) -> None:
    count = parameters(FACTS.model(model))
    assert count.total == FACTS.model(model).published.total
    assert count.of(Part.HEAD) == 0


def test_memory_does_not_grow_with_users_or_context() -> None:
    small, large = evaluated("bge-m3").vram, evaluated("bge-m3", users=200, context=8192).vram
    assert small.detailed.kv_cache == large.detailed.kv_cache == 0
    assert small.selected.plan.used == large.selected.plan.used
    assert large.selected.plan.max_users == 256, "what the engine runs at once"


def test_one_token_stands_for_the_vector_and_no_target_for_later_ones_holds() -> None:
    asked = Scenario(model="qwen3-embedding-8b", accelerator="l4", gpus=1, users=32, output_tokens=500)
    scenario = in_force(asked, FACTS)
    assert scenario.output_tokens == 1
    assert Case(scenario, FACTS).targets.tpot_s == 0
    assert in_force(asked.with_(model="qwen3-8b"), FACTS).output_tokens == 500


def test_speed_is_that_of_reading() -> None:
    """500 tokens of 6.95 B weights that multiply are 6.9 TFLOP: an L4 with 121 TFLOP/s does at most 17 a second."""
    found = evaluated("qwen3-embedding-8b", input_tokens=500).parallelism
    assert 5 < found.serving.requests_per_s < 121e12 / (2 * 500 * 6.95e9)
    line = report.speed_line(found.chosen)
    assert "requests/s" in line
    assert "next" not in line


def test_formats_are_compared_by_reading_alone() -> None:
    def shown(model: str) -> str:
        found = evaluated(model).quantization
        table = quantization.trade_offs(found, ByteUnit.GB)
        assert {len(row.cells) for row in table.rows} == {len(table.columns)}
        return repr((quantization.answer(found, ByteUnit.GB), quantization.page(found, ByteUnit.GB)[:3])).lower()

    assert "decode" in shown("qwen3-8b")
    assert "decode" not in shown("qwen3-embedding-8b")
    assert "prefill" in shown("qwen3-embedding-8b")


def test_money_follows_and_a_mixture_is_no_alternative() -> None:
    found = evaluated("bge-m3", requests_per_day=5_000_000)
    assert found.cost.fleet.gpus >= 2
    with pytest.raises(ValueError, match="writes no text"):
        _ = found.moe


def test_the_start_says_that_it_reads_only() -> None:
    asked = Scenario(model="bge-m3", accelerator="l4", gpus=1, users=32)
    assert not launch_plan(Case(in_force(asked, FACTS), FACTS)).answers
