"""The speed model: one step by hand, what must never happen, and what must always hold."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.calibration import speed_constants
from infratui.catalog.load import Catalog
from infratui.engine.cluster.layout import Layout
from infratui.engine.cluster.legal import enumerate_layouts
from infratui.engine.figures.units import format_seconds
from infratui.engine.model.mlp import Mixture
from infratui.engine.speed import (
    Interval,
    Plan,
    Serving,
    Speculation,
    SpeedError,
    Workload,
    fabric_of,
    load_curve,
    queue_service,
    serve,
    step_load,
)
from infratui.engine.speed.disaggregate import disaggregate
from infratui.engine.speed.load import copies_sent
from infratui.engine.speed.queueing import queue_at_load
from infratui.report.interval import around, rounded_count

CATALOG = Catalog()
CONSTANTS = speed_constants()
ONE = Layout()
CHAT = Workload(1024, 1024, 16)
DENSE = ("llama-3.1-8b", "llama-3.3-70b", "qwen3-32b", "gemma-3-27b")
MOE = ("qwen3-235b-a22b", "gpt-oss-120b", "deepseek-v3", "mixtral-8x7b")


def plan_of(
    model: str = "llama-3.1-8b",
    precision: str = "bf16",
    gpu: str = "h100-sxm",
    layout: Layout = ONE,
    kv: str = "bf16",
    **options: object,
) -> Plan:
    return Plan.of(
        CATALOG.model(model),
        CATALOG.precision(precision),
        CATALOG.precision(kv),
        CATALOG.accelerator(gpu),
        layout,
        CONSTANTS,
        **options,  # type: ignore[arg-type]
    )


def test_a_decode_step_by_hand() -> None:
    # Llama 3.1 8B: attention 1.342e9, MLP 5.637e9 and head 0.525e9 parameters at 2 B; KV 131,072 B per token.
    load = step_load(CATALOG.model("llama-3.1-8b"), CATALOG.precision("bf16"), CATALOG.precision("bf16"), Layout())
    assert load.attention_parameters == 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024)
    assert load.dense_parameters == 32 * 3 * 4096 * 14336
    assert load.head_bytes == 128_256 * 4096 * 2
    assert load.read_bytes(1000) == 1000 * 131_072

    plan = plan_of()
    step = plan.decode(1, 1000)

    read = (load.attention_bytes + load.dense_bytes + load.head_bytes) / (
        CONSTANTS["read"] * CONSTANTS["hopper.bandwidth"] * 3.35e12
    )
    assert step.weights_s == pytest.approx(read, rel=0.02)
    assert step.kv_s == pytest.approx(131_072_000 / plan.rates.kv_read)
    # The host's work for the next step hides behind the GPU's; before vLLM 0.14 it did not.
    assert step.fixed_s == pytest.approx(32 * CONSTANTS["layer.new"] + CONSTANTS["sequence.vllm"])
    shown = plan_of(version="0.12").decode(1, 1000)
    assert shown.fixed_s - step.fixed_s == pytest.approx(CONSTANTS["step.vllm"])
    assert step.bound == "weights"
    assert step.total_s * 1e3 == pytest.approx(6.6, abs=0.6)


def test_experts_touched_follow_the_batch() -> None:
    # 128 experts, 8 per token: one token reads 1/16 of them; hundreds of tokens read nearly all.
    load = step_load(CATALOG.model("qwen3-30b-a3b"), CATALOG.precision("bf16"), CATALOG.precision("bf16"), Layout())
    plan = plan_of("qwen3-30b-a3b")
    experts = sum(entry.local_bytes for entry in load.experts)
    rest = load.attention_bytes + load.dense_bytes + load.head_bytes + load.plain_bytes

    one, many = plan.decode(1, 0), plan.decode(2000, 0)

    assert one.bytes_read - rest == pytest.approx(experts / 16)
    assert many.bytes_read - rest == pytest.approx(experts, rel=0.04)


def test_every_shown_formula_is_the_one_evaluated() -> None:
    names = {"ceil": math.ceil, "floor": math.floor, "max": max, "min": min, "log2": math.log2, "sqrt": math.sqrt}
    for workload in (CHAT, replace(CHAT, concurrency=None), replace(CHAT, static=True)):
        serving = serve(plan_of("deepseek-v3", "fp8-block", "h200-sxm", Layout(1, 1, 8, 8)), workload, explain=True)
        assert serving.derivation is not None
        assert len(serving.derivation.steps) > 10
        for step in serving.derivation:
            again = eval(step.substituted, {"__builtins__": {}, **names})
            assert again == pytest.approx(step.value, rel=1e-3), step


@pytest.mark.parametrize("model", DENSE + MOE)
@pytest.mark.parametrize("workload", [CHAT, replace(CHAT, concurrency=None), replace(CHAT, static=True)])
def test_more_bandwidth_never_slows(model: str, workload: Workload) -> None:
    plan = plan_of(model, "fp8", "h100-sxm", Layout(8))
    faster = replace(plan.accelerator, bandwidth=1.5 * (plan.accelerator.bandwidth or 0))
    other = Plan.of(plan.model, CATALOG.precision("fp8"), CATALOG.precision("bf16"), faster, plan.layout, CONSTANTS)
    before, after = serve(plan, workload), serve(other, workload)
    assert after.tpot_s <= before.tpot_s
    assert after.ttft_s <= before.ttft_s
    assert after.output_per_s >= before.output_per_s


@given(dp=st.integers(1, 8), more=st.integers(1, 8), concurrency=st.integers(1, 2000), moe=st.booleans())
@settings(max_examples=40, deadline=None)
def test_more_replicas_never_slow(dp: int, more: int, concurrency: int, moe: bool) -> None:
    model = "mixtral-8x7b" if moe else "llama-3.3-70b"
    workload = replace(CHAT, concurrency=concurrency)
    few = serve(plan_of(model, "fp8", "h200-sxm", Layout(2, 1, dp), kv_space=60e9), workload)
    many = serve(plan_of(model, "fp8", "h200-sxm", Layout(2, 1, dp + more), kv_space=60e9), workload)
    assert many.tpot_s <= few.tpot_s * (1 + 1e-9)
    assert many.ttft_s <= few.ttft_s * (1 + 1e-9)
    assert many.output_per_s >= few.output_per_s * (1 - 1e-9)


@pytest.mark.parametrize(
    ("gpu", "chain"),
    # Within one compute format, or towards one that the GPU computes faster; weight-only formats are unpacked alike.
    [
        ("b200-sxm", ("bf16", "fp8", "nvfp4")),
        ("h100-sxm", ("bf16", "fp8")),
        ("h100-sxm", ("int8-w8a16", "int4-awq")),
        ("a100-80gb-sxm", ("fp8", "int4-awq")),
        ("mi300x", ("int8-w8a16", "int4-awq")),
    ],
)
@pytest.mark.parametrize("concurrency", [1, 16, 256])
def test_fewer_bits_never_slow(chain: tuple[str, ...], gpu: str, concurrency: int) -> None:
    workload = replace(CHAT, concurrency=concurrency)
    served = [serve(plan_of("llama-3.3-70b", precision, gpu, Layout(4)), workload) for precision in chain]
    for wide, narrow in pairwise(served):
        assert narrow.tpot_s <= wide.tpot_s * (1 + 1e-9)
        assert narrow.ttft_s <= wide.ttft_s * (1 + 1e-9)
    narrow_kv = serve(plan_of("llama-3.3-70b", "fp8", gpu, Layout(4), "fp8"), workload)
    assert narrow_kv.tpot_s <= serve(plan_of("llama-3.3-70b", "fp8", gpu, Layout(4)), workload).tpot_s


@given(batch=st.floats(1, 3000), context=st.floats(1, 100_000), model=st.sampled_from(DENSE + MOE))
@settings(max_examples=60, deadline=None)
def test_time_is_continuous_and_grows_with_the_batch(batch: float, context: float, model: str) -> None:
    plan = plan_of(model, "fp8", "h100-sxm", Layout(8, 2))
    now, next_ = plan.decode(batch, context).total_s, plan.decode(batch * 1.0001, context).total_s
    assert now <= next_ <= now * 1.001


@given(
    isl=st.sampled_from([0, 1, 7, 1000, 131_072]),
    osl=st.sampled_from([1, 2, 1000]),
    concurrency=st.sampled_from([1.0, 3.5, 1000.0, 1e6, None]),
    model=st.sampled_from([*DENSE, *MOE, "qwen3-next-80b-a3b", "deepseek-v3.2"]),
    gpu=st.sampled_from(["h100-sxm", "b200-sxm", "mi300x", "l40s", "rtx-4090", "gaudi-3"]),
    layout=st.sampled_from([Layout(), Layout(8), Layout(4, 2, 3), Layout(16, 2)]),
    hit=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=120, deadline=None)
def test_extremes_give_finite_positive_figures(
    isl: int, osl: int, concurrency: float | None, model: str, gpu: str, layout: Layout, hit: float
) -> None:
    serving = serve(plan_of(model, "fp8", gpu, layout, kv_space=1e12), Workload(isl, osl, concurrency, prefix_hit=hit))
    figures = (
        serving.ttft_s, serving.tpot_s, serving.output_per_s, serving.total_per_s, serving.requests_per_s,
        serving.mbu, serving.mfu, serving.ridge, serving.knee, serving.saturation_per_s, serving.batch,
    )  # fmt: skip
    assert all(math.isfinite(figure) and figure > 0 for figure in figures), figures
    assert serving.mfu <= 1
    assert 0 <= serving.bubble < 1


def test_missing_figures_are_refused_in_words() -> None:
    h100 = CATALOG.accelerator("h100-sxm")
    bf16 = CATALOG.precision("bf16")
    model = CATALOG.model("llama-3.1-8b")
    with pytest.raises(SpeedError, match="no published memory bandwidth"):
        Plan.of(model, bf16, bf16, replace(h100, bandwidth=None), Layout(), CONSTANTS)
    with pytest.raises(SpeedError, match="no published 16-bit compute rate"):
        Plan.of(model, bf16, bf16, replace(h100, bf16=None, fp16=None), Layout(), CONSTANTS)
    # Cards that are joined by a link without a rate are not taken for PCIe cards.
    assert serve(plan_of(gpu="ascend-910b"), CHAT).tpot_s > 0
    with pytest.raises(SpeedError, match="rate of HCCS is not published"):
        plan_of(gpu="ascend-910b", layout=Layout(2))
    with pytest.raises(SpeedError, match="engine 'foo' is not known; choose one of vllm"):
        plan_of(engine="foo")
    with pytest.raises(SpeedError, match=r"hold no sequence of 2,048 tokens \(0\.3 GB\)"):
        serve(plan_of(kv_space=1e8), CHAT)
    for wrong in ({"input_tokens": -1}, {"output_tokens": 0}, {"concurrency": 0}, {"prefix_hit": 1.5}):
        with pytest.raises(SpeedError):
            Workload(**{"input_tokens": 1, "output_tokens": 1, **wrong})  # type: ignore[arg-type]
    with pytest.raises(SpeedError, match="must lie between 0 and 1"):
        Speculation(1.2)


def test_speculation_pays_by_its_acceptance_alone() -> None:
    # Three drafts at 80 %: (1 − 0.8⁴) / (1 − 0.8) = 2.952 tokens per step.
    assert Speculation(0.8).tokens_per_step == pytest.approx(2.952)
    assert Speculation(0.0).tokens_per_step == 1
    assert Speculation(1.0).tokens_per_step == 4
    plan = plan_of("llama-3.3-70b", "fp8", layout=Layout(4))
    one = replace(CHAT, concurrency=1)
    plain = serve(plan, one).tpot_s
    helped = serve(plan, replace(one, speculation=Speculation(0.8))).tpot_s
    useless = serve(plan, replace(one, speculation=Speculation(0.0))).tpot_s
    assert helped < plain < useless


def test_prefix_hits_shorten_the_prompt_only() -> None:
    plan = plan_of("llama-3.3-70b", "fp8", layout=Layout(4))
    cold, warm = (serve(plan, Workload(8000, 200, 1, prefix_hit=hit)) for hit in (0.0, 0.9))
    assert warm.ttft_s < 0.3 * cold.ttft_s
    assert warm.tpot_s == pytest.approx(cold.tpot_s)


def test_chunks_of_a_long_prompt_change_little() -> None:
    plan = plan_of("llama-3.3-70b", "fp8", layout=Layout(4))
    whole = serve(plan, Workload(32_000, 10, 1, max_batched_tokens=32_000)).ttft_s
    chunks = serve(plan, Workload(32_000, 10, 1, max_batched_tokens=8192)).ttft_s
    tiny = serve(plan, Workload(32_000, 10, 1, max_batched_tokens=256)).ttft_s
    assert whole <= chunks < 1.15 * whole
    assert tiny > 1.3 * whole


def test_two_pools_keep_decoding_undisturbed() -> None:
    one = plan_of("llama-3.3-70b", "fp8", layout=Layout(4))
    workload = Workload(8000, 500, 32)
    together = serve(one, workload)
    apart = disaggregate(one, one, workload, link_bandwidth=50e9)
    assert apart.tpot_s < together.tpot_s
    assert apart.gpus == 8
    # 8,000 tokens × 81,920 B per GPU of four over 50 GB/s.
    assert apart.transfer_s == pytest.approx(8000 * 81_920 / 50e9)
    assert apart.requests_per_s == min(apart.prefill_requests_per_s, apart.decode_requests_per_s)
    assert apart.limit in ("prefill pool", "decode pool")
    with pytest.raises(SpeedError, match="bandwidth above 0"):
        disaggregate(one, one, workload, 0)


def test_load_curve_bends_at_its_knee_and_saturates() -> None:
    plan = plan_of("llama-3.3-70b", "fp8", "h100-sxm", Layout(4), kv_space=40e9)
    curve = load_curve(plan, CHAT, points=16)
    rates = [serving.output_per_s for _, serving in curve]
    tpots = [serving.tpot_s for _, serving in curve]
    assert rates == sorted(rates)
    assert tpots == sorted(tpots)
    knee = curve[0][1].knee
    assert 1 < knee < curve[-1][0] * 4
    assert rates[-1] <= curve[0][1].saturation_per_s * CHAT.output_tokens * 1.1
    # More requests than memory holds wait: throughput stays, the first token comes later.
    over = serve(plan, replace(CHAT, concurrency=curve[-1][0] * 3))
    full = serve(plan, replace(CHAT, concurrency=curve[-1][0] * 2))
    assert over.output_per_s == pytest.approx(full.output_per_s, rel=1e-6)
    assert over.ttft_s > 5 * curve[-1][1].ttft_s


def test_a_full_cache_costs_time_between_tokens_before_it_costs_the_first() -> None:
    # vLLM admits while the prompt has blocks, and preempts later; TensorRT-LLM holds room for the whole answer.
    chat = Workload(1000, 7000, 1)
    plans = [plan_of("llama-3.3-70b", "fp8", "h100-sxm", Layout(4), kv_space=40e9, engine=engine)
             for engine in ("vllm", "tensorrt-llm")]  # fmt: skip
    free, held = (plan.room(chat) for plan in plans)
    whole = plans[0].largest_batch(chat)
    assert free.admitted == pytest.approx(8 * whole)
    assert free.running == pytest.approx(8000 / 4500 * whole)
    assert held.admitted == held.running == pytest.approx(plans[1].largest_batch(chat))
    waits = [serve(plan, replace(chat, concurrency=3 * whole)).ttft_s for plan in plans]
    assert waits[1] > 20 * waits[0]
    crowded, roomy = (serve(plans[0], replace(chat, concurrency=count * whole)).tpot_s for count in (3, 1))
    assert crowded > 1.5 * roomy


def test_weights_that_are_unpacked_compute_slower_but_read_less() -> None:
    bf16, int4 = (plan_of("llama-3.3-70b", name, "h100-sxm", Layout(4)) for name in ("bf16", "int4-awq"))
    prompt, alone = Workload(8000, 2, 1), Workload(10, 2, 1)
    assert serve(int4, prompt).ttft_s > serve(bf16, prompt).ttft_s
    assert int4.decode(1, 10).total_s < 0.6 * bf16.decode(1, 10).total_s
    assert serve(int4, alone).tpot_s < serve(bf16, alone).tpot_s


def test_a_token_is_sent_once_to_each_rank_that_it_needs() -> None:
    mixture = next(group.mlp for group in CATALOG.model("qwen3-235b-a22b").groups if isinstance(group.mlp, Mixture))
    limited = next(group.mlp for group in CATALOG.model("deepseek-v3").groups if isinstance(group.mlp, Mixture))
    assert copies_sent(mixture, 1) == 1
    assert copies_sent(mixture, 8) == pytest.approx(8 * (1 - (7 / 8) ** 8))
    # 4 of 8 groups: at most half of 64 ranks, and at most 4 of 4.
    assert copies_sent(limited, 64) == pytest.approx(32 * (1 - (31 / 32) ** 8))
    assert copies_sent(limited, 4) < 4


def test_ranks_that_share_experts_run_an_engine_each() -> None:
    # Work for each sequence is done by the rank that holds it: the same for 8 ranks and for 64.
    few, many = (plan_of("deepseek-v3", "fp8-block", "h200-sxm", Layout(1, 1, n, n)) for n in (8, 64))
    assert few.decode(32, 1000).fixed_s == pytest.approx(many.decode(32, 1000).fixed_s)
    assert many.pace(Workload(1000, 1000), 100, 1000) > few.pace(Workload(1000, 1000), 100, 1000) > 1
    assert plan_of("deepseek-v3", "fp8-block", "h200-sxm", Layout(8)).pace(CHAT, 100, 1000) == 1


def test_old_kernels_read_keys_again_for_each_query_head() -> None:
    """The first XQA kernels served groups of eight alone; before them an element took its time for every query head."""

    def cache(model: str, version: str) -> float:
        plan = plan_of(model, "fp8", kv="fp8", layout=Layout(8), engine="tensorrt-llm", version=version)
        return plan.rates.kv_read / plan.rates.bandwidth

    repeated = CONSTANTS["early_grouped"] * CONSTANTS["hopper.bandwidth"]
    assert cache("llama-2-70b", "0.5") == pytest.approx(repeated / 8)
    assert cache("llama-2-70b", "0.8") == cache("llama-2-70b", "0.12")
    assert cache("falcon-180b", "0.8") == pytest.approx(repeated / 29)
    assert cache("llama-2-7b", "0.5") == cache("llama-2-7b", "0.12")


def test_equal_requests_find_more_prompts_before_their_own_than_drawn_ones() -> None:
    plan = plan_of()

    def waited(batch: float, *, varied: bool) -> float:
        return plan.queued(Workload(1024, 1024, batch, requests=10_000_000, varied=varied), batch, 0.0)

    assert waited(17, varied=False) > waited(17, varied=True) > 0
    assert waited(65, varied=True) == pytest.approx(2 * waited(17, varied=True))
    assert plan.queued(Workload(1024, 1024, 64, lockstep=0.0), 64, 0.0) == 0


def test_a_request_waits_for_half_of_the_steps_between_two_polls() -> None:
    def served(batch: float, polls: int) -> Serving:
        return serve(plan_of(), Workload(1024, 1024, batch, poll_steps=polls))

    often, seldom = served(16, 1), served(16, 31)
    assert seldom.ttft_s - often.ttft_s == pytest.approx(30 * often.step.total_s / 2)
    assert seldom.tpot_s == often.tpot_s
    assert seldom.output_per_s < often.output_per_s
    # An idle engine looks all the time.
    assert served(1, 31).ttft_s == served(1, 1).ttft_s
    with pytest.raises(SpeedError, match="steps between polls"):
        Workload(1024, 1024, 16, poll_steps=0)


def test_an_interval_is_printed_in_the_words_of_its_figure() -> None:
    assert around(0.0091, Interval(0.9, 1.2), format_seconds) == " (8.2–11)"
    assert around(0.9, Interval(0.9, 1.2), format_seconds) == " (810 ms–1.1 s)"
    assert around(1200, Interval(0.5, 1.5), rounded_count) == " (600–1,800)"
    assert around(1.0, None, format_seconds) == ""


def test_an_offered_load_beyond_saturation_has_no_latency() -> None:
    plan = plan_of("llama-3.3-70b", "fp8", "h100-sxm", Layout(4), kv_space=40e9)
    service = queue_service(plan, CHAT)
    capacity = queue_at_load(service, 0.01).capacity_per_s
    assert queue_at_load(service, 0.5 * capacity).latency is not None
    assert queue_at_load(service, 1.01 * capacity).latency is None


def test_collectives_follow_the_link() -> None:
    fast = serve(plan_of("llama-3.3-70b", "fp8", "h100-sxm", Layout(8)), CHAT).step
    pcie = serve(plan_of("llama-3.3-70b", "fp8", "l40s", Layout(8)), CHAT).step
    single = serve(plan_of("llama-3.1-8b", "fp8", "h100-sxm", Layout(1)), CHAT).step
    across = serve(plan_of("llama-3.3-70b", "fp8", "h100-sxm", Layout(16)), CHAT).step
    assert single.comm_s == 0
    assert pcie.comm_s > 3 * fast.comm_s
    assert across.comm_s > 3 * fast.comm_s
    assert fabric_of(CATALOG.accelerator("mi300x")).kind == "mesh"
    # Bridges join pairs, and few servers have them: PCIe unless the link is named.
    assert fabric_of(CATALOG.accelerator("a100-80gb-pcie")).kind == "pcie"


def test_pipeline_stages_trade_latency_for_throughput() -> None:
    one = serve(plan_of("llama-3.1-405b", "fp8", "h200-sxm", Layout(8, 1)), replace(CHAT, concurrency=64))
    two = serve(plan_of("llama-3.1-405b", "fp8", "h200-sxm", Layout(8, 2)), replace(CHAT, concurrency=64))
    lone = serve(plan_of("llama-3.1-405b", "fp8", "h200-sxm", Layout(8, 2)), replace(CHAT, concurrency=1))
    assert two.output_per_s > one.output_per_s
    assert lone.bubble == 0.5
    assert two.bubble == 0


def test_every_layout_of_64_gpus_has_a_prediction() -> None:
    model, fp8 = CATALOG.model("qwen3-235b-a22b"), CATALOG.precision("fp8")
    gpu = CATALOG.accelerator("h200-sxm")
    layouts = enumerate_layouts(64, True)
    for layout in layouts:
        serving = serve(Plan.of(model, fp8, fp8, gpu, layout, CONSTANTS, kv_space=60e9), CHAT)
        assert math.isfinite(serving.output_per_s), layout
        assert serving.tpot_s > 0, layout
