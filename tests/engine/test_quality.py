"""From published comparisons to a badge: losses, limits, medians, the model's own rows."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.formats.quality import (
    Badge,
    Evidence,
    Limits,
    QualityBasis,
    Reach,
    Rules,
    Subject,
    assess,
    same_model,
)
from infratui.report.published import quality_text

RULES = Rules(Limits(1.0, 5.0), Limits(2.0, 8.0), rows_for_a_model=3, references=("reference", "bf16"))
ROW = Evidence("Llama-3 8B", "GGUF Q4_K_M", "q4_k_m", None, 16, 16, "MMLU", True, 0.80, 0.79, "", "a test")


def row(loss: float, *, perplexity: bool = False, model: str = "Llama-3 8B") -> Evidence:
    quantized = 100 + loss if perplexity else 100 - loss
    return dataclasses.replace(ROW, model=model, higher_is_better=not perplexity, baseline=100.0, quantized=quantized)


def test_loss_is_a_fall_of_accuracy_or_a_rise_of_perplexity() -> None:
    # MMLU 0.80 to 0.79 is 1.25 %; llama.cpp's table has Llama-3 8B perplexity 6.2332 to 6.4070 for Q4_K_M, 2.8 %.
    perplexity = dataclasses.replace(ROW, higher_is_better=False, baseline=6.2332, quantized=6.4070)

    assert pytest.approx(1.25) == ROW.loss_percent
    assert perplexity.loss_percent == pytest.approx(2.79, abs=0.01)


@pytest.mark.parametrize(
    ("evidence", "badge"),
    [
        ([row(1.0)], Badge.SAFE),
        ([row(1.01)], Badge.CAUTION),
        ([row(5.01)], Badge.NOTICEABLE),
        ([row(2.0, perplexity=True)], Badge.SAFE),
        ([row(8.0, perplexity=True)], Badge.CAUTION),
        ([row(-3.0)], Badge.SAFE),
        ([row(0.1), row(0.2), row(50.0)], Badge.SAFE),
        ([row(0.1), row(3.0)], Badge.CAUTION),
        ([], Badge.NO_DATA),
    ],
)
def test_the_median_row_gives_the_badge(evidence: list[Evidence], badge: Badge) -> None:
    assert assess(evidence, RULES, ["q4_k_m"]).badge is badge


def test_rows_are_found_by_scheme_or_method_and_sorted_by_loss() -> None:
    evidence = [row(0.5), row(3.0), dataclasses.replace(ROW, scheme="other", method="other")]

    found = assess(evidence, RULES, ["gguf q4_k_m"])

    assert [entry.loss_percent for entry in found.rows] == pytest.approx([3.0, 0.5])
    assert found.worst == evidence[1]
    assert found.accuracy_loss_percent == pytest.approx(1.75)
    assert found.perplexity_rise_percent is None
    assert quality_text(found) == "median accuracy −1.8 % in 2 published comparisons on 1 model"


def test_the_models_own_rows_decide_when_there_are_enough() -> None:
    others = [row(10.0, model="Qwen2 0.5B")] * 9

    few = assess([*others, row(0.1), row(0.1)], RULES, ["q4_k_m"], Subject("meta-llama/Meta-Llama-3-8B", 8e9, False))
    enough = assess([*others, *[row(0.1)] * 3], RULES, ["q4_k_m"], Subject("meta-llama/Meta-Llama-3-8B", 8e9, False))

    assert (few.badge, few.is_of_the_model, len(few.rows)) == (Badge.NOTICEABLE, False, 11)
    assert (enough.badge, enough.is_of_the_model, len(enough.rows)) == (Badge.SAFE, True, 3)


def test_the_baseline_is_safe_without_rows() -> None:
    reference = assess([row(10.0)], RULES, ["BF16"])

    assert (reference.badge, reference.is_reference, reference.rows) == (Badge.SAFE, True, ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Llama-3.1 8B Instruct", "meta-llama/Meta-Llama-3.1-8B", True),
        ("LLaMA-1-7B", "Llama-1 7B", True),
        ("Qwen3-8B", "qwen3 8b", True),
        ("Llama-3 8B", "Llama-3.1 8B", False),
        ("Qwen3-8B", "Qwen3-VL-8B Instruct", False),
        ("Llama-3 8B", "Llama-3 70B", False),
    ],
)
def test_model_names_match_across_spellings(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same


@given(st.lists(st.floats(-20, 60), min_size=1, max_size=9), st.floats(0, 30))
def test_more_loss_never_improves_the_badge(losses: list[float], extra: float) -> None:
    order = [Badge.SAFE, Badge.CAUTION, Badge.NOTICEABLE]

    before = assess([row(loss) for loss in losses], RULES, ["q4_k_m"])
    after = assess([row(loss + extra) for loss in losses], RULES, ["q4_k_m"])

    assert order.index(after.badge) >= order.index(before.badge)


def test_a_gain_is_noise_and_said_to_be_no_loss() -> None:
    found = assess([row(-1.3), row(-0.2), row(-0.1)], RULES, ["q4_k_m"])

    assert found.badge is Badge.SAFE
    assert quality_text(found) == "median accuracy no measurable loss in 3 published comparisons on 1 model"


@pytest.mark.parametrize(
    ("published", "asked", "covered"),
    [
        ((8, False), (70, False), True),
        ((8, False), (405, False), True),
        ((70, False), (8, False), True),
        ((70, False), (1, False), False),
        ((8, False), (1000, True), False),
        ((671, True), (1000, True), True),
        ((35, True), (1000, True), False),
        ((8, False), (30, True), True),
    ],
)
def test_how_far_a_comparison_reaches(published: tuple[float, bool], asked: tuple[float, bool], covered: bool) -> None:
    one, other = (Subject("", billions * 1e9, mixture) for billions, mixture in (published, asked))
    assert Reach(larger=64, smaller=10, mixture=10, across=5).covers(one, other) is covered


def test_tests_of_other_activations_are_no_tests() -> None:
    w4a4 = dataclasses.replace(row(9.0), activation_bits=4)

    assert assess([w4a4], RULES, ["q4_k_m"], activation_bits=16).basis is QualityBasis.OTHER_ACTIVATIONS
    assert assess([w4a4, row(0.1)], RULES, ["q4_k_m"], activation_bits=16).badge is Badge.SAFE
