"""Dense beside mixture of experts: architecture, bytes, trade-offs and the router's layer."""

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import evaluate
from infratui.engine.experts.router import router_spec
from infratui.engine.figures.derivation import Ledger
from infratui.engine.sections.moe import MoeResult
from infratui.engine.sections.moe_side import read_bytes
from infratui.report.reasons import reason_text
from infratui.scenario import Scenario

FACTS = Catalog()
QUIET = Ledger(recording=False)


def compare(**changes: object) -> MoeResult:
    return evaluate(Scenario().with_(**changes), FACTS).moe


@pytest.mark.parametrize(
    ("model", "experts", "top_k", "shared", "layers"),
    [
        ("mixtral-8x7b", 8, 2, 0, 32),
        ("deepseek-v3", 256, 8, 1, 58),
        ("qwen3-235b-a22b", 128, 8, 0, 94),
        ("gpt-oss-120b", 128, 4, 0, 36),
        ("kimi-k2", 384, 8, 1, 60),
        ("glm-5", 256, 8, 1, 75),
    ],
)
def test_real_models_show_their_real_router(model: str, experts: int, top_k: int, shared: int, layers: int):
    """As their published configurations state."""
    router = compare(moe_model=model).router
    assert (router.spec.experts, router.spec.top_k, router.spec.shared_experts) == (experts, top_k, shared)
    assert len(router.moe_layers) == layers


def test_the_guides_generic_model_weighs_what_it_says():
    """745B: 1,490 GB at FP16 and about 372 GB at 4 bits before scales (the guide)."""
    model = FACTS.model("745b")
    result = compare(moe_model="745b", precision="fp16", gpus=64)
    assert result.moe.weight_bytes == pytest.approx(1_490e9, rel=0.02)
    four_bit = compare(moe_model="745b", precision="int4", gpus=64).moe.weight_bytes
    assert 372e9 * 0.98 < four_bit < 372e9 * 1.12
    assert model.is_moe


def test_one_token_reads_its_top_k_and_a_large_batch_reads_all():
    model, precision = FACTS.model("deepseek-v3"), FACTS.precision("bf16")
    one = read_bytes(model, precision, 1, QUIET)
    all_of_it = read_bytes(model, precision, 100_000, QUIET)
    assert one < 0.07 * all_of_it
    assert all_of_it == pytest.approx(2 * 671e9, rel=0.01)


def test_the_even_batch_is_where_the_bytes_meet():
    result = compare()
    even = result.even_batch
    assert even is not None
    precision = FACTS.precision("fp8")
    dense = read_bytes(FACTS.model("llama-3.3-70b"), precision, 1, QUIET)
    glm = FACTS.model("glm-5")
    assert read_bytes(glm, precision, even, QUIET) >= dense
    assert even == 1 or read_bytes(glm, precision, even - 1, QUIET) < dense


def test_every_line_names_its_winner_or_why_there_is_none():
    for line in compare().trade_offs:
        if line.winner in ("dense", "moe"):
            assert line.ratio is not None
            assert line.ratio > 1


def test_glm_5_computes_less_and_weighs_more_than_llama_70b():
    lines = {line.name: line for line in compare().trade_offs}
    assert lines["FLOPs per token"].winner == "moe"
    assert lines["weights in memory"].winner == "dense"


def test_a_dense_model_on_the_moe_side_is_refused_in_words():
    with pytest.raises(ValueError, match="is a dense model; choose a mixture of experts"):
        compare(moe_model="llama-3.3-70b")


def test_a_mixture_on_the_dense_side_is_refused_in_words():
    with pytest.raises(ValueError, match="choose a dense model"):
        compare(dense_model="glm-5")


def test_more_experts_than_there_are_is_refused_in_words():
    with pytest.raises(ValueError, match="top-k = 9: choose 1 to 8"):
        compare(moe_model="mixtral-8x7b", router_top_k=9)


def test_the_layer_falls_on_one_that_has_a_router():
    """DeepSeek-V3's first three layers are dense."""
    assert compare(moe_model="deepseek-v3", router_layer=0).router.layer == 3


def test_hot_experts_copied_never_slow_the_fullest_gpu():
    router = compare(router_skew=1.5, router_batch=256).router
    assert router.replicated.slowdown <= router.linear.slowdown


def test_experts_in_host_memory_are_slower():
    offload = compare(gpus=16, users=8).offload
    assert offload.in_memory_per_s is not None
    assert offload.tokens_per_s < offload.in_memory_per_s


def test_router_spec_follows_the_models_gate():
    spec = router_spec(FACTS.model("deepseek-v3").mixture)
    assert (spec.gate, spec.groups, spec.group_top_k, spec.routed_scaling) == ("sigmoid_bias", 8, 4, 2.5)


def test_each_side_takes_the_layout_with_the_most_predicted_tokens():
    """GLM-5 in FP8 on sixteen H100: a memory ladder alone would spread attention and be a quarter slower."""
    result = compare(model="glm-5", precision="fp8", gpus=16)
    served = result.moe.budget
    chosen = evaluate(Scenario().with_(model="glm-5", precision="fp8", gpus=16), FACTS).parallelism.chosen
    assert result.budget == 16
    assert served.serving is not None
    assert chosen is not None
    assert served.memory is not None
    assert served.memory.layout == chosen.layout


def test_where_the_gpus_do_not_hold_one_side_both_get_as_many_as_do():
    result = compare(gpus=8)
    assert result.budget == result.moe.fewest.gpus > 8
    assert "8 do not hold GLM-5" in reason_text(result.budget_reason)
    assert result.dense.budget.gpus == result.moe.budget.gpus == result.budget


def test_where_they_hold_both_the_budget_is_the_scenarios():
    result = compare(gpus=8, moe_model="mixtral-8x7b")
    assert (result.budget, result.budget_reason) == (8, None)


def test_a_model_without_a_learned_bias_is_simulated_without_one():
    """Llama 4 scores by sigmoid and has no correction bias."""
    assert router_spec(FACTS.model("llama-4-scout").mixture).bias_correction == 0


def test_gpus_that_do_not_divide_the_experts_are_said():
    router = compare(ep=24).router
    assert router.ep == 16
    assert "24 GPUs do not divide 256 experts" in router.ep_note


def test_the_first_tokens_of_a_batch_touch_no_more_than_all():
    router = compare(router_batch=64, capacity_factor=1.25).router
    touched = [router.first(tokens).touched for tokens in (1, 2, 4, 8, 16, 32, 64)]
    assert touched[0] == router.spec.top_k
    assert touched == sorted(touched)
    assert router.first(64) == router.batch


def test_the_math_ends_in_the_figures_shown():
    result = compare(router_batch=1)
    titles = [derivation.title for derivation in result.derivations]
    assert titles[:5] == [
        "Llama 3.3 70B Instruct",
        "GLM-5 744B-A40B",
        "Where the bytes meet",
        f"Router of layer {result.router.layer}",
        "Experts in host memory",
    ]
    assert result.even.derivation.value == result.even_batch


def test_what_a_mixture_is_said_to_answer_like_is_a_rule_and_says_so():
    """√(40.8 B · 744 B) is 174 B: 2.5 times a 70B at 0.59 of its arithmetic."""
    result = compare()
    lines = {line.name: line for line in result.trade_offs}
    assert lines["answers like, dense"].moe == pytest.approx(174e9, rel=0.01)
    assert lines["answers like, dense"].dense == result.dense.total
    assert lines["quality per FLOP"].dense == 1
    assert lines["quality per FLOP"].moe == pytest.approx(4.2, rel=0.01)
    assert "rule of thumb" in lines["quality per FLOP"].words
