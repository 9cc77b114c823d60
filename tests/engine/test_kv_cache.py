"""KV cache per token and sequence: worked figures, windows, states, the shared prefix."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.cluster.layout import Layout
from infratui.engine.figures.units import GIB
from infratui.engine.memory.kv_cache import (
    CacheKind,
    KvRules,
    Sequences,
    kv_demand,
    kv_geometry,
    kv_layers,
    kv_stages,
    layer_kinds,
)
from infratui.engine.model.architecture import group_counts
from infratui.engine.speed import step_load

MODELS = ("llama-3.3-70b", "deepseek-v3", "gpt-oss-120b", "gemma-3-27b", "qwen3-next-80b-a3b", "deepseek-v4-flash")


@pytest.mark.parametrize(
    ("model", "bytes_per_token"),
    [
        ("deepseek-v3", 61 * 576 * 2),  # 70,272 B: one latent of 512 + 64 per layer
        ("llama-3.1-405b", 516_096),
        ("qwen2.5-7b", 57_344),
        ("llama-3.3-70b", 327_680),
    ],
)
def test_bytes_per_token(catalog: Catalog, model: str, bytes_per_token: int):
    assert kv_geometry(catalog.model(model), catalog.precision("bf16")).bytes_per_token == bytes_per_token


def test_layers_that_borrow_compressed_entries_keep_a_window_and_read_what_others_keep(catalog: Catalog):
    """DeepSeek-V4.1-Flash: 890 bytes per token (arXiv 2609.19969), of four layers out of forty."""
    model = catalog.model("deepseek-v4.1-flash")
    precision = catalog.precision(model.cache_precision)
    kept = [kv_layers(group, count, precision, 1, True, KvRules()) for group, count in group_counts(model)]
    growing = [layers for layers in kept if layers.kind is CacheKind.COMPRESSED]

    assert sum(layers.layers for layers in growing) == 4
    assert sum(layers.layers * layers.token_bytes for layers in growing) == 2.5 * (512 * 4.5 + 128 * 4.25) / 8 == 890
    assert sum(layers.layers for layers in kept if layers.kind is CacheKind.WINDOW) == 36
    load = step_load(model, catalog.precision("fp4-experts-fp8"), precision, Layout())
    # Each layer reads its choice of 512 entries; eight score keys, five of them for the whole length.
    far, farther = (sum(part.read_bytes(tokens) for part in load.attention) for tokens in (100_000, 101_000))
    assert farther - far == pytest.approx(1000 * (3 / 2 + 5) * 128 * 4.25 / 8)


@pytest.mark.parametrize(
    ("model", "windowed", "gib"),
    [
        ("kimi-k2", True, 2.145),
        ("gemma-3-27b", True, 2.906),  # 10 global layers, 52 at a window of 1,024
        ("gpt-oss-120b", True, 1.129),
        ("gpt-oss-120b", False, 2.25),
    ],
)
def test_a_sequence_of_32k(catalog: Catalog, model: str, windowed: bool, gib: float):
    geometry = kv_geometry(catalog.model(model), catalog.precision("bf16"), windowed=windowed)

    assert geometry.sequence_bytes(32_768) / GIB == pytest.approx(gib, abs=5e-4)


def test_kv_heads_replicate_beyond_their_number(catalog: Catalog):
    model, bf16 = catalog.model("qwen3-32b"), catalog.precision("bf16")

    at_8, at_16 = (kv_geometry(model, bf16, tp).bytes_per_token for tp in (8, 16))

    assert at_8 == at_16


def test_a_latent_is_whole_on_every_rank(catalog: Catalog):
    model, bf16 = catalog.model("deepseek-v3"), catalog.precision("bf16")

    assert kv_geometry(model, bf16, 8).bytes_per_token == kv_geometry(model, bf16, 1).bytes_per_token


def test_sparse_attention_adds_its_indexer(catalog: Catalog):
    # vLLM log of GLM-5.1: 78 × (576 × 2 + 132) B; SGLang log of GLM-5 with FP8 cache: 78 × (656 + 132) B.
    model = catalog.model("glm-5")

    vllm = kv_geometry(model, catalog.precision("bf16"), 8)
    sglang = kv_geometry(model, catalog.precision("fp8"), 8, rules=KvRules(sparse_latent_bytes=656))

    assert vllm.bytes_per_token == 78 * (576 * 2 + 132)
    assert sglang.bytes_per_token == 78 * (656 + 132)


def test_recurrent_layers_keep_a_state_and_do_not_grow(catalog: Catalog):
    model = catalog.model("qwen3-next-80b-a3b")

    geometry = kv_geometry(model, catalog.precision("bf16"))

    assert geometry.bytes_per_token == 12 * 2 * 2 * 256 * 2
    assert geometry.state > 0
    assert layer_kinds(model).count(CacheKind.STATE) == 36


def test_a_shared_prefix_counts_once(catalog: Catalog):
    geometry = kv_geometry(catalog.model("llama-3.3-70b"), catalog.precision("bf16"))

    demand = kv_demand(geometry, Sequences(users=10, context=4096, shared_prefix=1024))

    assert demand.total == 327_680 * (1024 + 10 * 3072)
    assert demand.saved == 9 * 1024 * 327_680


def test_mean_fill_shortens_sequences():
    assert Sequences(1, 8192, mean_fill=0.5).tokens == 4096
    assert Sequences(1, 100, shared_prefix=1000).prefix == 99


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 2**20), st.integers(1, 2**16))
def test_cache_grows_with_context_and_users(catalog: Catalog, name: str, context: int, users: int):
    geometry = kv_geometry(catalog.model(name), catalog.precision("bf16"))

    one = kv_demand(geometry, Sequences(users, context)).total
    longer = kv_demand(geometry, Sequences(users, context + 1)).total
    more = kv_demand(geometry, Sequences(users + 1, context)).total

    assert 0 <= one <= longer
    assert one < more


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 2**20), st.integers(0, 2**20), st.integers(1, 1000))
def test_a_prefix_never_costs(catalog: Catalog, name: str, context: int, prefix: int, users: int):
    geometry = kv_geometry(catalog.model(name), catalog.precision("bf16"))

    plain = kv_demand(geometry, Sequences(users, context)).total
    shared = kv_demand(geometry, Sequences(users, context, shared_prefix=prefix)).total

    if geometry.windows:
        # A window beside a shared prefix holds both ends.
        plain += kv_demand(geometry, Sequences(users, min(context, geometry.windows[-1][0]))).total
    assert shared <= plain + users


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(0, 2**42))
def test_longest_inverts_sequence_bytes(catalog: Catalog, name: str, budget: int):
    geometry = kv_geometry(catalog.model(name), catalog.precision("bf16"))

    tokens = geometry.longest(budget)

    if tokens > 1:
        assert geometry.sequence_bytes(int(tokens)) <= budget + 1
        assert geometry.sequence_bytes(int(tokens) + 2) >= budget


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 16))
def test_stages_share_the_layers(catalog: Catalog, name: str, pp: int):
    model, bf16 = catalog.model(name), catalog.precision("bf16")

    whole = kv_geometry(model, bf16).sequence_bytes(10_000)
    parts = sum(stage.sequence_bytes(10_000) for stage in kv_stages(model, bf16, 1, pp))

    assert abs(parts - whole) <= pp
