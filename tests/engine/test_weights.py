"""Weights per GPU against start-up logs, and what must hold for any split."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.cluster.layout import Layout
from infratui.engine.figures.units import GIB
from infratui.engine.memory.block_rows import as_stored
from infratui.engine.memory.weights import (
    checkpoint_weights,
    loaded_weights,
    padded_vocabulary,
    position_elements,
    stage_groups,
    stage_sizes,
    total_weights,
    weights_per_gpu,
)
from infratui.engine.model.architecture import GroupedQuery, Latent, Part, layer_order

CATALOG = Catalog()

MODELS = ("llama-3.3-70b", "deepseek-v3", "gpt-oss-120b", "gemma-3-27b", "qwen3-next-80b-a3b", "qwen2.5-7b")


@pytest.mark.parametrize(
    ("model", "precision", "tp", "gib"),
    [
        # vLLM logs: "Model loading took … GiB", per GPU.
        ("llama-3.1-8b", "bf16", 1, 14.9889),
        ("llama-3.3-70b", "fp8", 1, 67.72),
        ("llama-3.3-70b", "fp8", 2, 33.88),
        ("llama-3.1-405b", "fp8-bf16-attention", 8, 56.7677),
        ("qwen3-next-80b-a3b", "bf16", 2, 74.2812),
        ("qwen2.5-14b", "bf16", 4, 6.9461),
        ("gpt-oss-120b", "mxfp4", 1, 65.9651),
    ],
)
def test_weights_match_start_up_logs(catalog: Catalog, model: str, precision: str, tp: int, gib: float):
    found = weights_per_gpu(catalog.model(model), catalog.precision(precision), Layout(tp))

    assert found.total / GIB == pytest.approx(gib, rel=0.015)


def test_released_checkpoints_have_their_size(catalog: Catalog):
    gpt_oss = catalog.model("gpt-oss-120b")
    llama = catalog.model("llama-3.1-70b")

    assert total_weights(gpt_oss, catalog.precision("mxfp4")) / GIB == pytest.approx(60.8, abs=0.1)
    assert total_weights(llama, catalog.precision("bf16")) == 141_107_412_992


def test_left_over_layers_spare_the_last_stage():
    assert stage_sizes(61, 4) == (15, 15, 16, 15)
    assert stage_sizes(7, 4) == (2, 2, 2, 1)
    assert stage_sizes(80, 1) == (80,)


def test_pipeline_keeps_every_layer_and_puts_the_ends_where_they_belong(catalog: Catalog):
    model = catalog.model("llama-3.1-405b")

    found = weights_per_gpu(model, catalog.precision("bf16"), Layout(8, 4))

    assert sum(stage.layers for stage in found.stages) == len(layer_order(model))
    assert found.stages[0].of(Part.EMBEDDING) > 0 == found.stages[-1].of(Part.EMBEDDING)
    assert found.stages[-1].of(Part.HEAD) > 0 == found.stages[0].of(Part.HEAD)
    assert found.fullest.total == max(stage.total for stage in found.stages)


def test_a_tied_embedding_is_on_both_ends_of_a_pipeline(catalog: Catalog):
    found = weights_per_gpu(catalog.model("gemma-3-27b"), catalog.precision("bf16"), Layout(1, 2))

    assert found.stages[0].of(Part.EMBEDDING) == found.stages[1].of(Part.EMBEDDING) > 0


def test_latent_projections_replicate_and_experts_follow_ep(catalog: Catalog):
    model, fp8 = catalog.model("deepseek-v3"), catalog.precision("fp8-block")

    tensor = weights_per_gpu(model, fp8, Layout(8))
    spread = weights_per_gpu(model, fp8, Layout(1, 1, 8, 8))

    assert tensor.fullest.of(Part.ROUTED_EXPERTS) == spread.fullest.of(Part.ROUTED_EXPERTS)
    assert 8 * tensor.fullest.of(Part.ATTENTION) > spread.fullest.of(Part.ATTENTION)


@settings(deadline=None)
@given(st.integers(1, 300_000), st.integers(1, 64))
def test_padded_vocabulary_divides(vocabulary: int, tp: int):
    padded = padded_vocabulary(vocabulary, tp)

    assert padded >= vocabulary
    assert padded % 64 == 0 == padded % tp


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.sampled_from(("bf16", "fp8", "int4")), st.integers(1, 6), st.integers(1, 8))
def test_more_tensor_parallelism_never_weighs_more(catalog: Catalog, name: str, precision: str, power: int, pp: int):
    model, bits = catalog.model(name), catalog.precision(precision)

    # Padding and the rounding up of odd shares may add a trace.
    more = weights_per_gpu(model, bits, Layout(2**power, pp)).total
    less = weights_per_gpu(model, bits, Layout(2 ** (power - 1), pp)).total

    assert 0 < more <= less * 1.001


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 24))
def test_stages_hold_all_layers(catalog: Catalog, name: str, pp: int):
    model = catalog.model(name)

    held = sum(count for groups in stage_groups(model, pp) for _, count in groups)

    assert held == len(layer_order(model))


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 8), st.integers(1, 8))
def test_a_replica_holds_at_least_the_checkpoint(catalog: Catalog, name: str, tp: int, pp: int):
    model, fp8 = catalog.model(name), catalog.precision("fp8")

    replica = weights_per_gpu(model, fp8, Layout(tp, pp)).replica

    assert replica >= sum(entry.bytes for entry in checkpoint_weights(model, fp8)) - 64


@pytest.mark.parametrize(
    ("model", "gigabytes"),
    # Qwen2.5-72B: rows of 29,568 in the down projections; gpt-oss: 2,880 everywhere; V2-Lite: experts of 1,408.
    [("qwen2.5-72b", 47.4), ("llama-3.1-8b", 4.92), ("gpt-oss-20b", 15.8), ("deepseek-v2-lite", 10.4)],
)
def test_k_quants_of_rows_that_blocks_do_not_divide_are_stored_wider(model: str, gigabytes: float) -> None:
    size = total_weights(CATALOG.model(model), CATALOG.precision("q4_k_m"))
    assert size / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_rows_that_blocks_divide_keep_their_precision() -> None:
    precision = CATALOG.precision("q4_k_m")
    assert as_stored(CATALOG.model("llama-3.1-8b"), precision) is precision
    assert as_stored(CATALOG.model("qwen2.5-72b"), CATALOG.precision("fp8")) is CATALOG.precision("fp8")
    wider = as_stored(CATALOG.model("qwen2.5-72b"), precision)
    assert wider.bits_of(Part.MLP) == pytest.approx((2 * 4.5 + 7.0) / 3)


def test_keys_wider_than_values_and_gated_latents() -> None:
    plain = GroupedQuery(64, 4, 192)
    narrow = GroupedQuery(64, 4, 192, value_dim=128)
    assert narrow.kv_elements(1) == 4 * (192 + 128)
    assert plain.weights(4096).total - narrow.weights(4096).total == 64 * 4096 * (64 + 4)
    latent = Latent(96, 512, 128, 64, 128, 1536)
    gated = Latent(96, 512, 128, 64, 128, 1536, output_gate=True)
    assert gated.weights(7168).total - latent.weights(7168).total == 96 * 128 * 7168


def test_what_sglang_keeps_twice() -> None:
    """DeepSeek-R1, one rank of experts spread over 8: absorbed up-projections 1.9 GiB; shared experts 2.4 GiB whole."""
    model, precision = CATALOG.model("deepseek-r1"), CATALOG.precision("fp8-block")

    def added(layout: Layout) -> tuple[float, float]:
        plain = weights_per_gpu(model, precision, layout)
        shared = loaded_weights(model, precision, layout, shared=True, absorbed=False, position_bytes=0)
        absorbed = loaded_weights(model, precision, layout, shared=False, absorbed=True, position_bytes=0)
        return (shared.total - plain.total) / 2**30, (absorbed.total - plain.total) / 2**30

    assert added(Layout(1, 1, 8, 8)) == (0.0, pytest.approx(1.9, abs=0.05))
    shared, absorbed = added(Layout(4, 1, 2, 8))
    assert shared == pytest.approx(2.4 * 3 / 4, abs=0.05)
    assert absorbed == pytest.approx(1.9 / 4, abs=0.02)
    assert added(Layout(8, 1, 1, 8))[0] == 0.0


def test_tables_of_positions() -> None:
    """vLLM prints 14.9889 GiB for Llama 3.1 8B, 27.8072 for Llama 4 Scout on eight GPUs, whose table alone is 2.5."""
    assert position_elements(CATALOG.model("llama-3.1-8b")) == 131_072 * 128
    assert position_elements(CATALOG.model("qwen3.5-35b-a3b")) == 262_144 * 64
    assert position_elements(CATALOG.model("gpt-3-175b")) == position_elements(CATALOG.model("nemotron-h-56b")) == 0

    def loaded(model: str, tp: int) -> float:
        wanted = CATALOG.model(model), CATALOG.precision("bf16"), Layout(tp)
        return loaded_weights(*wanted, shared=False, absorbed=False, position_bytes=2).total / 2**30

    assert loaded("llama-3.1-8b", 1) == pytest.approx(14.9889, abs=0.0005)
    assert loaded("llama-4-scout", 8) == pytest.approx(27.8072, abs=0.01)
