"""Whether to quantize: yes only where something is gained, and never beside a screen that says it cannot be."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import Evaluator
from infratui.engine.figures.units import ByteUnit
from infratui.report import quantization, vram
from infratui.scenario import Scenario

EVALUATE = Evaluator(Catalog())
SERVED = Scenario(model="llama-3.3-70b", gpus=8, users=50, context=32_768, kv_precision="fp8")


def said(scenario: Scenario) -> str:
    return quantization.answer(EVALUATE(scenario).quantization, ByteUnit.GB).text


def test_what_saves_a_gpu_but_slows_is_said_with_both() -> None:
    result = EVALUATE(SERVED.with_(accelerator="rtx-3090")).quantization
    fp8 = result.row("fp8")
    assert result.slows(fp8)
    assert fp8.gpus is not None
    assert result.reference.gpus is not None
    assert fp8.gpus < result.reference.gpus
    text = said(SERVED.with_(accelerator="rtx-3090", precision="fp8"))
    assert text.startswith("Yes: FP8 halves the weights")
    assert ", but decodes 0." in text


def test_what_saves_no_gpu_and_is_no_faster_is_not_advised() -> None:
    scenario = SERVED.with_(accelerator="mi325x", precision="int4")
    result = EVALUATE(scenario).quantization
    assert result.chosen.gpus == result.reference.gpus
    assert not result.gains(result.chosen)
    found = quantization.answer(result, ByteUnit.GB)
    assert found.text.startswith("No: INT4 W4A16 g128 saves no MI325X and decodes 0.")
    assert found.lines[-1].text.startswith("FP8: −48 %, 2 GPUs, decode 1.")


@pytest.mark.parametrize(
    "changes",
    [
        {"accelerator": "cpu-epyc-9654"},
        {"engine": "llama.cpp"},
        {"engine": "llama.cpp", "precision": "fp8", "kv_precision": "fp16"},
        {"accelerator": "tpu-v5e", "engine": "llama.cpp"},
    ],
)
def test_what_cannot_be_is_said_as_on_the_first_screen_and_has_no_speed(changes: dict[str, object]) -> None:
    evaluation = EVALUATE(SERVED.with_(**changes))
    result = evaluation.quantization
    found = quantization.answer(result, ByteUnit.GB)
    assert (found.text, found.figure) == (vram.answer(evaluation.vram, ByteUnit.GB).text, "")
    assert result.chosen.speed is None
    assert result.why_no_speed(result.chosen) == result.chosen.least.reason


def test_another_format_is_only_offered_where_the_engine_serves_it() -> None:
    scenario = SERVED.with_(engine="llama.cpp", precision="fp8", kv_precision="fp16")
    (other,) = quantization.answer(EVALUATE(scenario).quantization, ByteUnit.GB).lines
    assert other.text.startswith("GGUF Q4_K_M")
    refused = EVALUATE(SERVED.with_(accelerator="cpu-epyc-9654")).quantization
    assert quantization.answer(refused, ByteUnit.GB).lines == ()


@pytest.mark.parametrize(
    "accelerator", ["h100-sxm", "a100-80gb-sxm", "l4", "mi300x", "h20", "gaudi2", "v100-16gb-pcie"]
)
@pytest.mark.parametrize("precision", ["", "fp8", "int4", "q4_k_m"])
def test_yes_means_that_something_is_gained(accelerator: str, precision: str) -> None:
    scenario = SERVED.with_(accelerator=accelerator, precision=precision)
    result = EVALUATE(scenario).quantization
    row = quantization.advised(result)
    assert row is not None
    if said(scenario).startswith("Yes"):
        base = result.reference
        saves = row.gpus is not None and (base.gpus is None or row.gpus < base.gpus)
        assert saves or row.speed is None or row.speed.decode > 1
