"""Precisions side by side: sizes of the guide's 405B, GPUs, speed against 16 bit, quality, and the math behind them."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.evaluate import Evaluator
from infratui.engine.formats.quality import Badge
from infratui.engine.sections.precision_rows import Arithmetic
from infratui.engine.sections.quantization import QuantizationResult, evaluate_quantization
from infratui.report.reasons import reason_text
from infratui.scenario import Scenario


def compared(catalog: Catalog, **fields: object) -> QuantizationResult:
    return evaluate_quantization(Case(Scenario().with_(**fields), catalog))


@pytest.fixture(scope="module")
def largest(catalog: Catalog) -> QuantizationResult:
    return compared(catalog, model="llama-3.1-405b", precision="int4", users=1, context=2048)


@pytest.mark.parametrize(
    ("precision", "terabytes", "bits"),
    # 405,853,388,800 parameters; INT4 keeps embedding and head at 16 bit and a 16-bit scale per 128 weights.
    [("fp32", 1.623, 32), ("fp16", 0.8117, 16), ("fp8", 0.4103, 8.087), ("int4", 0.2155, 4.248)],
)
def test_the_classic_four_of_405b(largest: QuantizationResult, precision: str, terabytes: float, bits: float) -> None:
    row = largest.row(precision)

    assert row.weights / 1e12 == pytest.approx(terabytes, rel=1e-3)
    assert row.bits_per_weight == pytest.approx(bits, abs=1e-3)


def test_405b_in_int4_takes_four_gpus_where_the_rule_of_thumb_says_three(largest: QuantizationResult) -> None:
    row = largest.chosen

    assert (row.rule.weights, row.rule.gpus) == (202_500_000_000, 3)
    assert row.gpus_alone == 4
    assert largest.row("fp32").rule.gpus == 19


def test_savings_are_against_sixteen_bit(largest: QuantizationResult) -> None:
    assert largest.reference.precision.id == "bf16"
    assert largest.row("fp32").saved_pct == pytest.approx(-100)
    assert largest.row("fp16").saved_pct == 0
    assert largest.row("fp8").saved_pct == pytest.approx(100 * (1 - 410.3 / 811.7), abs=0.1)


@pytest.mark.long
def test_classic_rows_always_carry_the_chosen_precision_and_all_rows_carry_everything_for_weights(
    catalog: Catalog,
) -> None:
    classic = compared(catalog, precision="nvfp4")
    everything = compared(catalog, shown_formats="all")

    assert [row.precision.id for row in classic.rows] == ["fp32", "fp16", "fp8", "nvfp4", "int4"]
    assert classic.chosen.precision.id == "nvfp4"
    assert len(everything.rows) > 50
    assert not {"int8-kv", "fp8-e5m2"} & {row.precision.id for row in everything.rows}


@pytest.mark.long
def test_a_precision_for_experts_is_shown_for_experts_only(catalog: Catalog) -> None:
    dense = compared(catalog, shown_formats="all", model="llama-3.1-8b")
    moe = compared(catalog, shown_formats="all", model="deepseek-r1")

    assert "int4-g32-experts" not in {row.precision.id for row in dense.rows}
    assert moe.row("int4-g32-experts").arithmetic is Arithmetic.UNPACKED


def test_speed_never_beats_the_byte_ratio_by_reading_alone(catalog: Catalog) -> None:
    result = compared(catalog, shown_formats="all", model="llama-3.1-8b", users=1, gpus=1)

    for row in result.rows:
        assert row.speed is not None
        if row.byte_ratio > 1:
            assert 1 <= row.speed.decode_alone <= row.byte_ratio


def test_weight_only_formats_slow_prefill_and_native_units_speed_it_up(catalog: Catalog) -> None:
    result = compared(catalog, model="llama-3.1-8b", gpus=1, input_tokens=4096)
    fp8, int4 = result.row("fp8"), result.row("int4")

    assert fp8.speed is not None
    assert int4.speed is not None
    assert (fp8.arithmetic, int4.arithmetic) == (Arithmetic.NATIVE, Arithmetic.UNPACKED)
    assert fp8.speed.prefill > 1.4
    assert 0.5 < int4.speed.prefill < 0.8
    assert int4.speed.decode_alone > fp8.speed.decode_alone


def test_fp8_is_emulated_on_a_gpu_without_its_units(catalog: Catalog) -> None:
    row = compared(catalog, model="llama-3.1-8b", accelerator="a100-sxm-80gb", gpus=1).row("fp8")

    assert row.arithmetic is Arithmetic.EMULATED
    assert row.speed is not None
    assert 0.5 < row.speed.prefill < 0.8
    assert row.speed.decode_alone > 1.3


def test_many_users_take_the_gain_of_fewer_bytes_away(catalog: Catalog) -> None:
    few = compared(catalog, model="llama-3.1-8b", gpus=1, users=1).row("int4").speed
    many = compared(catalog, model="llama-3.1-8b", gpus=1, users=256, context=2048).row("int4").speed

    assert few is not None
    assert many is not None
    assert many.decode < few.decode


def test_the_rule_of_thumb_stands_beside_the_prediction(largest: QuantizationResult) -> None:
    promised = {row.precision.id: (row.rule.speed_fp32, row.rule.speed) for row in largest.rows}

    assert promised == {"fp32": (1, 0.5), "fp16": (2, 1), "fp8": (3.5, 1.75), "int4": (5, 2.5)}


def test_an_accelerator_without_published_rates_leaves_the_rule_of_thumb_alone(catalog: Catalog) -> None:
    blind = next(gpu for gpu in catalog.accelerators() if not gpu.bandwidth or not gpu.peak("bf16"))

    result = compared(catalog, accelerator=blind.id, model="llama-3.1-8b")

    assert "published" in reason_text(result.no_speed)
    assert all(row.speed is None for row in result.rows)
    assert result.row("fp8").rule.speed == 1.75


@pytest.mark.long
def test_badges_rest_on_published_rows(catalog: Catalog) -> None:
    result = compared(catalog, shown_formats="all")

    assert result.row("bf16").quality.is_reference
    assert result.row("fp8").quality.badge is Badge.SAFE
    assert result.row("int4").quality.badge is Badge.CAUTION
    assert result.row("mxfp6").quality.badge is Badge.NO_DATA
    for row in result.rows:
        has_rows = bool(row.quality.rows) or row.quality.is_reference
        assert has_rows == (row.quality.badge is not Badge.NO_DATA)


def test_the_cache_is_kept_apart(catalog: Catalog) -> None:
    bf16, fp8 = compared(catalog, kv_precision="bf16"), compared(catalog, kv_precision="fp8")
    rows = {row.precision.id: row for row in bf16.kv_rows}

    assert bf16.row("int4").weights == fp8.row("int4").weights
    assert rows["fp8"].saved_pct == 50
    # 2 × 80 layers × 8 heads × 128 × 2 B × 8,192 tokens × 50 users (Llama 3.3 70B).
    assert rows["bf16"].total == 2 * 80 * 8 * 128 * 2 * 8192 * 50
    assert [row.precision.id for row in bf16.kv_rows if row.chosen] == ["bf16"]
    assert rows["fp8"].quality.badge is Badge.SAFE
    assert rows["nvfp4"].quality.badge is Badge.NOTICEABLE


def test_derivations_end_in_the_figures_that_are_shown(largest: QuantizationResult) -> None:
    row = largest.chosen
    steps = {step.symbol: step.value for derivation in largest.derivations(row) for step in derivation}

    assert row.speed is not None
    assert steps["bits_per_weight"] == row.bits_per_weight
    assert steps["saved"] == row.saved_pct
    assert steps["kv_cache"] == next(cache.total for cache in largest.kv_rows if cache.chosen)
    (held,) = [each for each in largest.derivations(row) if "that hold" in each.title]
    assert held.value == row.gpus
    assert steps["decode_speed"] == row.speed.decode
    assert steps["prefill_speed"] == row.speed.prefill
    assert steps["rule_of_thumb_speed"] == row.rule.speed


def test_the_one_door_remembers_what_has_not_changed(catalog: Catalog) -> None:
    evaluator = Evaluator(catalog)

    first = evaluator(Scenario(lab_value=0.5)).quantization

    assert evaluator(Scenario(lab_value=0.25)).quantization is first
    assert evaluator(Scenario(users=3)).quantization is not first


def test_a_precision_that_is_not_for_weights_is_refused_in_one_line(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="int8-kv is not for weights"):
        compared(catalog, precision="int8-kv")
