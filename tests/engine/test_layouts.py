"""Layouts: what is legal, what is refused and why, and what the ladder makes of any number of GPUs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.cluster.fabric import Fabric, fabric_of
from infratui.engine.cluster.layout import Layout
from infratui.engine.cluster.legal import enumerate_layouts, refusals
from infratui.engine.deployment.candidates import judge_layouts
from infratui.engine.deployment.fewest import fewest
from infratui.engine.deployment.ladder import recommend
from infratui.engine.deployment.site import Forced, Site
from infratui.engine.memory.kv_cache import Sequences
from infratui.engine.memory.plan import Deployment
from infratui.report.reasons import reason_text

MODELS = ("llama-3.3-70b", "deepseek-v3", "gpt-oss-120b", "qwen2.5-7b", "llama-3.1-405b")
NODE = Fabric(bandwidth=450e9, gpus_per_node=8, node_bandwidth=50e9)


def served(catalog: Catalog, model: str, precision: str, kv: str = "bf16") -> Deployment:
    constants = catalog.runtime().of("vllm")
    return Deployment(catalog.model(model), catalog.precision(precision), catalog.precision(kv), constants)


def site(catalog: Catalog, gpu: str = "h100") -> Site:
    accelerator = catalog.accelerator(gpu)
    return Site(accelerator, fabric_of(accelerator, between=catalog.link("infiniband-ndr")), catalog.runtime())


@pytest.mark.parametrize(
    ("model", "precision", "layout", "reason"),
    [
        ("llama-3.3-70b", "fp8", Layout(3), "TP3 does not divide 64 attention heads"),
        ("llama-3.3-70b", "fp8", Layout(1, 81), "PP81 leaves stages without layers: the model has 80"),
        ("llama-3.3-70b", "fp8", Layout(2, 1, 1, 2), "EP2: the model has no experts"),
        ("deepseek-v3", "fp8-block", Layout(1, 2, 7, 7), "EP7 does not divide 256 experts"),
        # vLLM refuses Qwen3-235B FP8 at TP8: 1,536 / 8 = 192 is no multiple of its block of 128.
        ("qwen3-235b-a22b", "fp8-block", Layout(8), "cuts through a quantization block of 128"),
    ],
)
def test_refusals_say_why(catalog: Catalog, model: str, precision: str, layout: Layout, reason: str):
    found = refusals(catalog.model(model), catalog.precision(precision), layout, NODE)

    assert any(reason in reason_text(entry) for entry in found), found


@pytest.mark.parametrize(
    ("model", "precision", "layout"),
    [
        ("llama-3.3-70b", "fp8", Layout(8, 2)),
        ("llama-3.3-70b", "fp8", Layout(8, 3)),
        ("qwen3-235b-a22b", "fp8-block", Layout(8, ep=8)),
        ("gpt-oss-120b", "mxfp4", Layout(8)),
        ("deepseek-v3", "fp8-block", Layout(1, 1, 16, 16)),
        # Slow, but engines start it: R1 as TP16 over two servers.
        ("deepseek-r1", "fp8-block", Layout(16, ep=16)),
        # 256 experts and 32 copies on 72 ranks (vLLM and SGLang call them redundant experts).
        ("deepseek-r1", "fp8-block", Layout(1, 1, 72, 72)),
    ],
)
def test_what_people_run_is_legal(catalog: Catalog, model: str, precision: str, layout: Layout):
    assert refusals(catalog.model(model), catalog.precision(precision), layout, NODE) == ()


def test_a_rack_wide_link_lets_tensor_parallelism_cross_servers(catalog: Catalog):
    model, fp8 = catalog.model("llama-3.1-405b"), catalog.precision("fp8")

    assert refusals(model, fp8, Layout(16, 5), Fabric(gpus_per_node=4, rack=80)) == ()


@given(st.integers(1, 128))
def test_enumeration_uses_all_gpus_once(gpus: int):
    layouts = enumerate_layouts(gpus, experts=True)

    assert all(layout.gpus == gpus for layout in layouts)
    assert len(set(layouts)) == len(layouts)


def test_five_hold_it_as_stages(catalog: Catalog):
    # 70B in FP8, 50 users of 32K in FP8: weights and cache need 5 H100; TP5 does not divide 64 heads, five stages do.
    found = fewest(served(catalog, "llama-3.3-70b", "fp8", "fp8"), site(catalog), Sequences(50, 32_768))

    assert found.plan is not None
    assert found.plan.layout == Layout(1, 5)


def test_beyond_a_node_stages_are_added(catalog: Catalog):
    found = fewest(served(catalog, "llama-3.1-405b", "fp16"), site(catalog), Sequences(10, 8192))

    assert found.plan is not None
    assert found.plan.layout.gpus == 13
    assert found.plan.layout.pp > 1


def test_many_users_get_replicas(catalog: Catalog):
    found = fewest(served(catalog, "qwen2.5-7b", "bf16"), site(catalog, "a10"), Sequences(5000, 8192))

    assert found.plan is not None
    assert found.plan.fits
    assert found.plan.layout.dp > 1


def test_a_latent_cache_prefers_spread_attention(catalog: Catalog):
    found = recommend(served(catalog, "deepseek-v3", "fp8-block"), site(catalog, "h200"), Sequences(160, 16_384), 8)

    assert found.plan is not None
    assert found.plan.layout == Layout(1, 1, 8, 8)
    assert "nothing is stored twice" in reason_text(found.reasons[0])


@pytest.mark.parametrize("gpus", [1, 2, 3, 5, 6, 7, 8, 12, 16, 31, 64])
@pytest.mark.parametrize("model", ["llama-3.3-70b", "llama-3.1-405b", "deepseek-v3"])
def test_any_count_is_answered(catalog: Catalog, model: str, gpus: int):
    found = recommend(served(catalog, model, "fp8"), site(catalog), Sequences(20, 8192), gpus)

    assert found.reasons
    assert found.plan is not None
    assert found.idle + found.plan.layout.gpus == gpus


def test_the_ladder_of_405b(catalog: Catalog):
    deployment, load = served(catalog, "llama-3.1-405b", "fp16"), Sequences(10, 8192)

    layouts = [recommend(deployment, site(catalog), load, gpus).plan for gpus in (16, 32, 64)]

    assert [plan.layout for plan in layouts if plan] == [Layout(8, 2), Layout(8, 2, 2), Layout(8, 2, 4)]


def test_a_forced_layout_is_judged_not_replaced(catalog: Catalog):
    deployment, load = served(catalog, "llama-3.3-70b", "fp8"), Sequences(20, 8192)

    forced = recommend(deployment, site(catalog), load, 8, Forced(tp=8))
    refused = recommend(deployment, site(catalog), load, 8, Forced(tp=3))

    assert forced.plan is not None
    assert forced.plan.layout.tp == 8
    assert refused.plan is None
    assert "TP3 does not divide" in reason_text(refused.reasons[0])


def test_short_memory_refuses_with_its_size(catalog: Catalog):
    verdicts = judge_layouts(served(catalog, "llama-3.1-405b", "fp16"), site(catalog), Sequences(10, 8192), 8)

    whole = next(verdict for verdict in verdicts if verdict.layout == Layout(8))
    assert not whole.legal
    assert "memory short by" in reason_text(whole.reasons[0])


def test_all_layouts_of_64_gpus_are_judged(catalog: Catalog):
    deployment, load = served(catalog, "deepseek-v3", "fp8-block"), Sequences(100, 8192)

    verdicts = judge_layouts(deployment, site(catalog), load, 64)

    assert len(verdicts) > 100
    assert all(verdict.legal or verdict.reasons for verdict in verdicts)


@settings(deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 3000), st.integers(1, 2**17), st.sampled_from(("l4", "h100", "b200")))
def test_the_smallest_layout_fits_and_is_legal(catalog: Catalog, model: str, users: int, context: int, gpu: str):
    deployment, place, load = served(catalog, model, "fp8"), site(catalog, gpu), Sequences(users, context)

    found = fewest(deployment, place, load)

    if found.plan is None:
        assert found.reason
        return
    assert found.plan.fits
    assert refusals(deployment.model, deployment.precision, found.plan.layout, place.fabric) == ()
