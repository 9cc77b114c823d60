"""Prefill and decode apart: counts by hand from the rates, and a load from which it pays that is the smallest."""

from __future__ import annotations

import math

import pytest

from infratui.engine.evaluate import evaluate
from infratui.report import apart as words
from infratui.report.reasons import error_text
from infratui.store import load_preset


def apart(catalog, preset: str = "frontier-moe", **changes: object):
    return evaluate(load_preset(preset).with_(**changes), catalog).apart


@pytest.mark.parametrize("preset", ["production", "frontier-moe"])
def test_both_pools_carry_the_peak(catalog, preset) -> None:
    found = apart(catalog, preset)
    peak = evaluate(load_preset(preset), catalog).cost.offered.peak_rate
    for half in (found.prefill, found.decode):
        assert half.replicas * half.requests_per_s >= peak * (1 - 1e-9)
    assert found.prefill.replicas == max(1, math.ceil(peak / found.prefill.requests_per_s))
    assert found.gpus == found.prefill.gpus + found.decode.gpus
    assert found.tpot_s <= 0.05 * 1.001
    assert found.ttft_s <= load_preset(preset).ttft_ms / 1000 + found.tpot_s


def test_the_cache_travels_at_the_links_rate(catalog) -> None:
    """Llama 3.3 70B in FP8: 163,840 B per token over the GPUs of a replica, 50 GB/s each."""
    found = apart(catalog, "production")
    layout = found.prefill.layout
    assert found.transfer_s == pytest.approx(163_840 * 500 / (layout.tp * layout.pp) / 50e9, rel=0.02)
    slower = apart(catalog, "production", node_link="ethernet-tcp-100")
    assert slower.transfer_s > found.transfer_s


def test_it_pays_from_the_load_that_is_told_and_not_below(catalog) -> None:
    found = apart(catalog)
    assert found.pays_from is not None
    base = load_preset("frontier-moe")

    def counts(load: float) -> tuple[int, int]:
        changed = base.with_(requests_per_day=round(load * 86400 / base.peak_factor))
        split = evaluate(changed, catalog).apart
        return split.gpus, split.together.gpus

    split, both = counts(found.pays_from * 1.02)
    assert split < both
    split, both = counts(found.pays_from * 0.9)
    assert split >= both


def test_longer_prompts_need_more_prefill(catalog) -> None:
    shares = [apart(catalog, "production", input_tokens=tokens).share for tokens in (200, 1000, 4000)]
    assert shares == sorted(shares)
    assert shares[-1] > 2 * shares[0]


def test_what_cannot_be_split_is_one_line_on_paper_and_in_json(catalog) -> None:
    for changes in ({"input_tokens": 0}, {"ttft_ms": 1.0}):
        evaluation = evaluate(load_preset("production").with_(**changes), catalog)
        with pytest.raises(ValueError) as refusal:
            _ = evaluation.apart
        said = error_text(refusal.value)
        assert "\n" not in said
        assert words.data_of(evaluation)["prefill_decode_apart"]["refused"] == said
        assert words.of(evaluation).sentences[0].text == said
