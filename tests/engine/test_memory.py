"""The memory plan of a GPU: the logged H200 example, the inverse questions, and its derivation."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.cluster.layout import Layout
from infratui.engine.figures.units import GIB, MIB
from infratui.engine.memory.kv_cache import KvRules, Sequences, kv_geometry
from infratui.engine.memory.plan import Deployment, MemoryPlan, plan_memory
from infratui.engine.memory.runtime import NEWEST, captured_graphs, version_key
from infratui.engine.memory.startup import predict_startup

MODELS = ("llama-3.3-70b", "deepseek-v3", "gpt-oss-120b", "gemma-3-27b", "qwen3-next-80b-a3b")
_NUMBERS = {"ceil": math.ceil, "floor": math.floor, "max": max, "min": min, "log2": math.log2, "sqrt": math.sqrt}


def deployment(catalog: Catalog, model: str, precision: str = "fp8", engine: str = "vllm", **changes: object):
    constants = catalog.runtime().of(engine)
    base = Deployment(catalog.model(model), catalog.precision(precision), catalog.precision("bf16"), constants)
    return replace(base, **changes)


def plan(
    catalog: Catalog, served: Deployment, gpu: str, layout: Layout, load: Sequences, *, explain: bool = False
) -> MemoryPlan:
    return plan_memory(served, catalog.accelerator(gpu), layout, load, catalog.runtime(), explain=explain)


def test_llama_70b_fp8_on_one_h200(catalog: Catalog):
    # vLLM's own parts: requested 125.83 GiB, weights 67.72, KV 53.2 GiB = 174,336 tokens, 1.33x at 131,072.
    served = deployment(catalog, "llama-3.3-70b")

    found = plan(catalog, served, "h200", Layout(), Sequences(1, 131_072))
    printed = predict_startup(served.geometry(Layout())[0], found.kv_space, 131_072, 8192)

    assert found.requested / GIB == pytest.approx(125.83, abs=0.01)
    assert found.weights.total / GIB == pytest.approx(67.72, rel=0.005)
    assert found.kv_space / GIB == pytest.approx(53.2, rel=0.01)
    assert printed.kv_tokens == pytest.approx(174_336, rel=0.01)
    assert printed.lines[1] == "Maximum concurrency for 131,072 tokens per request: 1.33x"


def test_visible_memory_is_what_engines_print(catalog: Catalog):
    table = catalog.runtime()

    assert table.visible_memory(catalog.accelerator("h100")) / GIB == pytest.approx(79.18, abs=0.01)
    assert table.visible_memory(catalog.accelerator("h200")) / GIB == pytest.approx(139.8, abs=0.02)
    assert table.visible_memory(catalog.accelerator("l4")) / GIB == pytest.approx(22.07, abs=0.1)


def test_activations_follow_sequences_and_vocabulary(catalog: Catalog):
    # PyTorch activation peak: gpt-oss-20b on H100 7.38 GiB, Llama 3.3 70B on two 4.84 GiB.
    gpt_oss = plan(catalog, deployment(catalog, "gpt-oss-20b", "mxfp4"), "h100", Layout(), Sequences(1, 16_000))
    llama = plan(catalog, deployment(catalog, "llama-3.3-70b"), "h100", Layout(2), Sequences(1, 16_000))

    assert gpt_oss.runtime.activation / GIB == pytest.approx(7.38, rel=0.02)
    assert llama.runtime.activation / GIB == pytest.approx(4.84, rel=0.03)
    assert llama.runtime.non_torch / GIB == pytest.approx(0.55, rel=0.03)


def test_a_version_picks_its_generation(catalog: Catalog):
    table = catalog.runtime()

    assert table.of("vllm", "0.11.0").graphs_reserved is False
    assert table.of("vllm", "0.25.1").graphs_reserved is True
    assert version_key("0.10.1.dev680+g79899") == (0, 10, 1)
    with pytest.raises(ValueError, match="choose one of vllm, sglang, tensorrt-llm"):
        table.of("abacus")


def test_engines_mean_different_things_by_utilization(catalog: Catalog):
    load = Sequences(1, 4096)
    spaces = {
        engine: plan(catalog, deployment(catalog, "llama-3.1-8b", engine=engine), "h100", Layout(), load)
        for engine in ("vllm", "sglang", "tensorrt-llm")
    }

    assert spaces["sglang"].runtime_inside == 0
    assert spaces["sglang"].kv_space > spaces["vllm"].kv_space
    assert spaces["tensorrt-llm"].requested > spaces["vllm"].requested


def test_what_does_not_fit_says_by_how_much(catalog: Catalog):
    found = plan(catalog, deployment(catalog, "llama-3.1-405b"), "h100", Layout(8), Sequences(200, 32_768))

    assert not found.fits
    assert found.missing == found.kv_needed - found.kv_space
    assert found.free == 0


def test_inverse_questions_are_exact(catalog: Catalog):
    served = deployment(catalog, "llama-3.3-70b")

    found = plan(catalog, served, "h100", Layout(4), Sequences(50, 8192))

    assert plan(catalog, served, "h100", Layout(4), Sequences(found.max_users, 8192)).fits
    assert not plan(catalog, served, "h100", Layout(4), Sequences(found.max_users + 1, 8192)).fits
    assert plan(catalog, served, "h100", Layout(4), Sequences(50, found.max_context)).fits
    assert not plan(catalog, served, "h100", Layout(4), Sequences(50, found.max_context + 1)).fits


def test_hybrids_print_what_vllm_prints(catalog: Catalog):
    # vLLM 0.10.2, Qwen3-Next on two H200: 44.59 GiB, 973,760 tokens, 14.77x at 262,144.
    model, bf16 = catalog.model("qwen3-next-80b-a3b"), catalog.precision("bf16")

    geometry = kv_geometry(model, bf16, 2, rules=KvRules(states_as_stated=False))
    found = predict_startup(geometry, round(44.59 * GIB), 262_144, 8192, printed_by_groups=True)

    assert found.kv_tokens == pytest.approx(973_760, rel=1e-3)
    assert found.concurrency == pytest.approx(14.77, abs=0.01)


def test_recurrent_state_keeps_the_type_that_its_model_states(catalog: Catalog):
    # Qwen3.6-27B: mamba_ssm_dtype float32 for 48 layers of 48 × 128 × 128, three rows of a 16-bit convolution.
    state = kv_geometry(catalog.model("qwen3.6-27b"), catalog.precision("bf16")).state

    assert state == 48 * (48 * 128 * 128 * 4 + 3 * 10_240 * 2) == 153_944_064


def test_draft_tokens_hold_states_of_their_own(catalog: Catalog):
    # vLLM 0.25.1, Qwen3.6-35B-A3B with 3 draft tokens on GB10: 3,300 blocks of 1,072 tokens, 12.84x at 262,144.
    geometry = kv_geometry(catalog.model("qwen3.6-35b-a3b"), catalog.precision("bf16"))

    found = predict_startup(geometry, 3300 * 11 * 1072 * 2048, 262_144, 2048, draft_tokens=3, draft_layers=1)

    assert found.kv_tokens == 3_366_051
    assert found.lines[1] == "Maximum concurrency for 262,144 tokens per request: 12.84x"


def test_prefix_caching_doubles_the_states_of_a_request(catalog: Catalog):
    # vLLM 0.27.1, Qwen3.6-27B with prefix caching: 857 blocks of 784 tokens, 12 pages per request of 4,096 tokens.
    geometry = kv_geometry(catalog.model("qwen3.6-27b"), catalog.precision("bf16"))

    found = predict_startup(geometry, 857 * 16 * 784 * 4096, 4096, 2048, cache_mode="align", merged=True)

    assert found.lines == (
        "GPU KV cache size: 292,522 tokens, Maximum concurrency for 4,096 tokens per request: 71.42x",
    )


@pytest.mark.parametrize(("seqs", "captured"), [(1, 1), (16, 5), (64, 11), (1024, 51)])
def test_graphs_are_captured_per_batch_size(catalog: Catalog, seqs: int, captured: int):
    assert captured_graphs(catalog.runtime().of("vllm", NEWEST).graph_batches, seqs) == captured


def test_engine_versions_differ_as_published(catalog: Catalog):
    # Utilization 0.92 since 0.20.0, graphs inside the budget since 0.21, sampling sharded since 0.29.
    rows = [catalog.runtime().of("vllm", version) for version in ("0.19.1", "0.20.0", "0.21", "0.29.0", NEWEST)]

    assert [row.utilization for row in rows] == [0.9, 0.92, 0.92, 0.92, 0.92]
    assert [row.graphs_reserved for row in rows] == [False, False, True, True, True]
    assert [row.logits_sharded for row in rows] == [False, False, False, True, True]


def test_windows_are_charged_a_batch_beyond_them(catalog: Catalog):
    # vLLM, Gemma 3 27B: 70 layers are charged, and at 4,096 tokens the window saves nothing: 50.05x.
    geometry = kv_geometry(catalog.model("gemma-3-27b"), catalog.precision("bf16"))

    found = predict_startup(geometry, round(109.86 * GIB), 4096, 8192, printed_by_groups=True)

    assert found.kv_tokens == pytest.approx(205_696, rel=1e-3)
    assert found.concurrency == pytest.approx(50.05, rel=2e-2)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("layout", [Layout(), Layout(4, 2, 2)])
def test_every_step_evaluates_to_what_it_shows(catalog: Catalog, model: str, layout: Layout):
    found = plan(catalog, deployment(catalog, model), "b200", layout, Sequences(20, 20_000, 0.7, 512), explain=True)

    assert found.derivation is not None
    for step in found.derivation:
        value = eval(step.substituted, {"__builtins__": {}}, dict(_NUMBERS))
        assert value == pytest.approx(step.value, rel=1e-5), step
    values = {step.symbol: step.value for step in found.derivation}
    assert values["weights"] == found.weights.total
    assert values["max_users"] == found.max_users or layout.pp > 1


def test_explaining_changes_nothing(catalog: Catalog):
    served, load = deployment(catalog, "deepseek-v3"), Sequences(100, 9000)

    silent = plan(catalog, served, "h200", Layout(8), load)
    explained = plan(catalog, served, "h200", Layout(8), load, explain=True)

    assert replace(explained, derivation=None) == silent


def test_symbols_in_sums_are_symbols_of_steps(catalog: Catalog):
    found = plan(catalog, deployment(catalog, "gemma-3-27b"), "h100", Layout(), Sequences(5, 8192), explain=True)

    assert found.derivation is not None
    known = {step.symbol for step in found.derivation}
    total = next(step for step in found.derivation if step.symbol == "kv_per_user")
    assert set(re.findall(r"kv_\w+|state_\w+", total.expression)) <= known


@settings(deadline=None)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(("t4", "h100", "mi300x", "gb200")),
    st.sampled_from((Layout(), Layout(2), Layout(8), Layout(4, 3), Layout(1, 1, 8, 8), Layout(2, 2, 5))),
    st.integers(1, 10**6),
    st.integers(1, 2**24),
    st.floats(0.01, 1),
    st.integers(0, 2**24),
    st.floats(0.01, 1),
)
def test_nothing_is_negative_or_unreal(
    catalog: Catalog,
    model: str,
    gpu: str,
    layout: Layout,
    users: int,
    context: int,
    fill: float,
    prefix: int,
    utilization: float,
):
    served = deployment(catalog, model, utilization=utilization)

    found = plan(catalog, served, gpu, layout, Sequences(users, context, fill, prefix))

    for value in (
        found.visible,
        found.requested,
        found.kv_space,
        found.kv_needed,
        found.missing,
        found.free,
        found.max_users,
        found.max_context,
        found.kv_tokens,
        found.concurrency,
        found.runtime.total,
    ):
        assert value >= 0
        assert math.isfinite(value)
    assert found.fits == (found.missing == 0)
    assert not found.fits or found.max_users >= users


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 500), st.integers(1, 2**17))
def test_more_memory_holds_more(catalog: Catalog, model: str, users: int, context: int):
    served, load = deployment(catalog, model), Sequences(users, context)
    table = catalog.runtime()
    small = catalog.accelerator("h200")
    large = replace(small, memory=small.memory + 10_000 * MIB)

    less = plan_memory(served, small, Layout(4), load, table)
    more = plan_memory(served, large, Layout(4), load, table)

    assert more.kv_space >= less.kv_space
    assert more.max_users >= less.max_users
    assert more.max_context >= less.max_context
