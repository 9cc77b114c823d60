"""The memory section as screens, reports and the command line read it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.deployment.reasons import ReasonKind
from infratui.engine.figures.units import GIB
from infratui.engine.memory.kv_cache import CacheKind
from infratui.engine.sections.thumb import evaluate_thumb_memory
from infratui.engine.sections.vram import Verdict, evaluate_vram
from infratui.report.reasons import reason_text
from infratui.scenario import Scenario


def test_headline_parts_add_up_and_explain_themselves(catalog: Catalog):
    found = evaluate_vram(Case(Scenario(), catalog))

    for estimate in (found.detailed, found.rule_of_thumb):
        assert estimate.total == estimate.weights + estimate.kv_cache + estimate.runtime
        assert round(estimate.derivation.value) == pytest.approx(estimate.total, abs=2)


def test_the_drawn_example(catalog: Catalog):
    # 70B in FP8 with FP8 cache, 50 users of 32K: 5 H100 hold it as stages; the bar is of the 8 that are there.
    scenario = Scenario(precision="fp8", context=32_768, kv_precision="fp8")

    found = evaluate_vram(Case(scenario, catalog))

    assert found.detailed.kv_cache == pytest.approx(268e9, rel=0.005)
    assert found.detailed.weights == pytest.approx(72.7e9, rel=0.005)
    assert (found.smallest.gpus, found.detailed.gpus) == (5, 8)
    assert found.row("h100-sxm").gpus == 5


def test_every_accelerator_has_a_row(catalog: Catalog):
    found = evaluate_vram(Case(Scenario(), catalog))

    assert [row.accelerator.id for row in found.rows] == [entry.id for entry in catalog.accelerators()]
    for row in found.rows:
        if row.gpus is None:
            assert row.verdict is Verdict.NO
            assert row.reason
        else:
            assert row.max_users is not None
            assert row.max_users >= 50


def test_too_few_gpus_say_how_many_are_missing(catalog: Catalog):
    found = evaluate_vram(Case(Scenario(model="llama-3.1-405b", precision="fp16", gpus=4), catalog))

    assert not found.fits
    assert found.selected.missing_gpus == (found.smallest.gpus or 0) - 4
    assert found.selected.missing > 0
    assert found.selected.reasons[0].kind is ReasonKind.SHORT


def test_an_illegal_layout_is_refused_in_words(catalog: Catalog):
    found = evaluate_vram(Case(Scenario(tp=3), catalog))

    assert found.selected.plan is None
    assert reason_text(found.selected.refused[0]) == "TP3 does not divide 64 attention heads"


def test_the_layer_strip_shows_every_layer(catalog: Catalog):
    found = evaluate_vram(Case(Scenario(model="gemma-3-27b", precision="bf16"), catalog))

    kinds = [layer.kind for layer in found.layers]
    assert len(kinds) == 62
    assert kinds.count(CacheKind.FULL) == 10
    assert sum(layer.bytes_per_user for layer in found.layers) == found.kv_bytes_per_user


def test_gpt_oss_as_released(catalog: Catalog):
    found = evaluate_vram(Case(Scenario(model="gpt-oss-120b", precision="mxfp4", context=32_768), catalog))
    full = evaluate_vram(
        Case(Scenario(model="gpt-oss-120b", precision="mxfp4", context=32_768, windowed_kv="full-length"), catalog)
    )

    assert found.checkpoint_bytes / GIB == pytest.approx(60.8, abs=0.1)
    assert found.kv_bytes_per_user / GIB == pytest.approx(1.129, abs=1e-3)
    assert full.kv_bytes_per_user / GIB == pytest.approx(2.25, abs=1e-3)


def test_growth_crosses_the_capacity_where_users_end(catalog: Catalog):
    scenario = Scenario(tp=8, gpus=8)

    found = evaluate_vram(Case(scenario, catalog))

    assert found.selected.plan is not None
    line = next(line for line in found.growth.lines if line.context == scenario.context)
    inside = [users for users, used in line.points if used <= found.growth.capacity]
    outside = [users for users, used in line.points if used > found.growth.capacity]
    assert max(inside) <= found.selected.plan.max_users
    assert all(users > found.selected.plan.max_users for users in outside)


def test_a_shared_prefix_is_shown_with_what_it_saves(catalog: Catalog):
    plain = evaluate_vram(Case(Scenario(), catalog))
    shared = evaluate_vram(Case(Scenario(shared_prefix=4096), catalog))

    assert plain.prefix is None
    assert shared.prefix is not None
    assert shared.prefix.saved > 0
    assert shared.detailed.kv_cache < plain.detailed.kv_cache


def test_tiers_compare_restoring_with_recomputing(catalog: Catalog):
    host, disk = evaluate_vram(Case(Scenario(context=32_768), catalog)).tiers

    assert host.worth_it
    assert disk.restore_s > host.restore_s


def test_the_rule_of_thumb_has_its_own_table(catalog: Catalog):
    found = evaluate_thumb_memory(Case(Scenario(estimator="rule-of-thumb", model="70b", precision="fp8"), catalog))

    assert found.sizing.weights == 70 * 10**9
    assert found.sizing.card_gb == 80
    assert found.row("h100-sxm").gpus == found.sizing.least


def test_names_that_do_not_exist_are_one_line(catalog: Catalog):
    with pytest.raises(ValueError, match="llama"):
        evaluate_vram(Case(Scenario(model="lama-3.3-70b"), catalog))
    with pytest.raises(ValueError, match="not for a KV cache"):
        evaluate_vram(Case(Scenario(kv_precision="int4-awq"), catalog))


def test_every_accelerator_of_the_catalog_is_answered(catalog: Catalog):
    result = evaluate_vram(Case(Scenario(model="deepseek-v3", precision="fp8-block", users=77), catalog))

    assert [row.accelerator.id for row in result.rows] == [entry.id for entry in catalog.accelerators()]
    assert all(row.gpus or row.reason for row in result.rows)


@settings(max_examples=settings.default.max_examples // 4)
@given(
    st.sampled_from(("llama-3.3-70b", "kimi-k2", "gemma-3-27b", "nemotron-h-56b", "745b", "phi-4")),
    st.sampled_from(("bf16", "fp8", "int4", "q4_k_m")),
    st.integers(1, 10**6),
    st.integers(1, 2**24),
    st.integers(1, 16_384),
    st.sampled_from(("vllm", "sglang", "tensorrt-llm")),
    st.floats(0.01, 1),
)
@pytest.mark.long
def test_any_scenario_is_answered(
    catalog: Catalog, model: str, precision: str, users: int, context: int, gpus: int, engine: str, share: float
):
    scenario = Scenario(
        model=model,
        precision=precision,
        users=users,
        context=context,
        gpus=gpus,
        engine=engine,
        utilization=share,
    )

    found = evaluate_vram(Case(scenario, catalog))

    assert found.headline.total > 0
    assert found.fits == (found.selected.plan is not None and found.selected.plan.fits)
    assert all(row.free is None or row.free >= 0 for row in found.rows)
    assert all(used >= 0 for line in found.growth.lines for _, used in line.points)
