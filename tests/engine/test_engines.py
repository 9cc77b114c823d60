"""Engines besides vLLM: what each reads, splits and runs on; what it sets aside; what its speed rests on."""

from __future__ import annotations

import pytest

from infratui.catalog.engine_abilities import engine_limits
from infratui.catalog.launch_flags import launch_flags
from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.deployment.answer import deployed
from infratui.engine.evaluate import Evaluator
from infratui.engine.figures.units import MIB, ByteUnit
from infratui.launching.engines import command
from infratui.launching.manifests import script
from infratui.launching.plan import launch_plan
from infratui.report import vram as vram_report
from infratui.report.deployment import workload
from infratui.report.reasons import reason_text
from infratui.scenario import Scenario, choices

FACTS = Catalog()
SMALL = {"model": "llama-3.1-8b", "gpus": 2, "users": 4, "kv_precision": "fp16"}


def case(**changes: object) -> Case:
    return Case(Scenario(**SMALL).with_(**changes), FACTS)  # type: ignore[arg-type]


def test_every_engine_that_can_be_chosen_has_memory_rules_speed_limits_and_flags() -> None:
    for engine in choices("engine"):
        assert FACTS.runtime().of(engine).source
        assert FACTS.speed().generation(engine)
        assert engine_limits()[engine].source
        assert launch_flags()[engine].flags


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"engine": "llama.cpp", "precision": "fp8"}, "llama.cpp reads GGUF files, not FP8"),
        ({"engine": "ollama", "model": "deepseek-v3"}, "Ollama reads GGUF files, not FP8 block 128×128"),
        ({"engine": "ollama", "kv_precision": "q5_0"}, "Ollama has no GGUF Q5_0 cache"),
        ({"engine": "tgi", "precision": "nvfp4"}, "TGI does not read NVFP4 weights"),
        ({"engine": "tgi", "accelerator": "ascend-910b"}, "TGI does not run on Huawei Ascend 910B"),
        ({"engine": "tensorrt-llm", "accelerator": "mi300x"}, "TensorRT-LLM does not run on AMD MI300X"),
        ({"engine": "llama.cpp", "tp": 2}, "llama.cpp deals out whole layers and cuts none"),
        ({"engine": "tgi", "pp": 2}, "TGI has no pipeline stages"),
        ({"engine": "llama.cpp", "gpus": 16, "pp": 16}, "llama.cpp keeps a copy in one server of 8"),
    ],
)
def test_what_an_engine_cannot_run_is_refused_in_a_line_that_says_what_would_help(changes: dict, says: str) -> None:
    refused = deployed(case(**changes)).choice.refused
    assert says in reason_text(refused[0])
    assert "set " in reason_text(refused[0]) or "takes 16 GPUs" in reason_text(refused[0])


@pytest.mark.parametrize("engine", ["tgi", "llama.cpp", "ollama"])
def test_a_chosen_layout_is_one_that_the_engine_can_build(engine: str) -> None:
    limits = engine_limits()[engine]
    layout = deployed(case(engine=engine, model="llama-3.3-70b", gpus=8)).plan.layout
    assert limits.tensor or layout.tp == layout.ep == 1
    assert limits.stages or layout.pp == 1


def test_llama_cpp_keeps_the_logits_of_a_whole_micro_batch() -> None:
    """Its log of Gemma 4 E4B prints a compute buffer of 517.50 MiB: 512 tokens × (262,144 + 2,560) × 4 bytes."""
    plan = deployed(case(engine="llama.cpp", model="gemma-4-e4b", users=1)).plan
    assert plan.runtime.activation / MIB == pytest.approx(517.5, rel=0.002)


def test_stages_of_llama_cpp_take_turns() -> None:
    """Two GPUs hold more and decode no faster than one: `--split-mode layer` deals out layers, one after the other."""
    one = Evaluator(FACTS)(case(engine="llama.cpp", pp=1, gpus=1).scenario).parallelism.serving
    two = Evaluator(FACTS)(case(engine="llama.cpp", pp=2).scenario).parallelism.serving
    assert (one.bubble, two.bubble) == (0.0, 0.5)
    assert two.tpot_s == pytest.approx(one.tpot_s, rel=0.1)


def test_an_engine_that_nobody_measured_here_has_no_error_band() -> None:
    found = {
        engine: Evaluator(FACTS)(case(engine=engine).scenario).parallelism.chosen.throughput_band
        for engine in ("vllm", "tgi", "llama.cpp")
    }
    assert found["vllm"] is not None
    assert found["tgi"] is None
    assert found["llama.cpp"] is None, "its rows are of one request at a time"
    assert Evaluator(FACTS)(case(engine="llama.cpp").scenario).parallelism.chosen.tpot_band is not None
    assert Evaluator(FACTS)(case(engine="tgi").scenario).parallelism.serving.tpot_s > 0


def test_precisions_are_those_that_the_engine_reads() -> None:
    rows = Evaluator(FACTS)(case(engine="llama.cpp").scenario).quantization.rows
    assert {row.precision.id for row in rows} == {"fp32", "bf16", "fp16", "q4_k_m", "q8_0"}


class TestCpu:
    """A server without GPUs: its memory, and a decode step that reads the weights from it."""

    SERVER = {"accelerator": "cpu", "gpus": 1, "engine": "llama.cpp", "users": 1, "context": 2048}

    @pytest.mark.parametrize(("precision", "measured"), [("q4_k_m", 28.74), ("q8_0", 19.19)])
    def test_decodes_at_the_pace_of_its_memory(self, precision: str, measured: float) -> None:
        """llama-bench, Phi-4 on an EPYC 9554 with 460.8 GB/s (ahelpme.com): 8.43 GiB at 28.74 and 14.51 at 19.19/s."""
        found = Evaluator(FACTS)(case(model="phi-4", precision=precision, **self.SERVER).scenario)
        assert 1 / found.parallelism.serving.tpot_s == pytest.approx(measured, rel=0.1)
        assert found.parallelism.chosen.tpot_band is None

    def test_holds_what_no_single_gpu_does(self) -> None:
        found = deployed(case(model="llama-3.1-405b", precision="q8_0", **self.SERVER))
        assert found.holds
        assert found.plan.layout.gpus == 1

    def test_one_copy_stays_in_one_server(self) -> None:
        asked = case(model="llama-3.1-405b", precision="fp32", **self.SERVER).with_(gpus=4)
        assert not deployed(asked).holds

    @pytest.mark.parametrize("engine", ["vllm", "sglang", "tgi"])
    def test_other_engines_are_not_predicted_on_it(self, engine: str) -> None:
        refused = deployed(case(accelerator="cpu", engine=engine)).choice.refused
        assert reason_text(refused[0]).endswith("is not predicted on AMD EPYC 9654 (CPU); set engine=llama.cpp")

    def test_starts_without_layers_on_a_gpu(self) -> None:
        made = launch_plan(case(precision="q4_k_m", **self.SERVER))
        started = command(made, launch_flags()["llama.cpp"])
        assert {"gpu-layers": "0", "max-sequences": "1"}.items() <= {
            entry.concept: entry.value for entry in started.arguments
        }.items()
        assert "--gres" not in script("slurm", made, started)


def test_an_answer_of_no_memory_is_not_said_to_be_too_small() -> None:
    found = Evaluator(FACTS)(case(engine="llama.cpp", precision="fp8").scenario)
    answer = vram_report.answer(found.vram, ByteUnit.GB)
    assert answer.text == "llama.cpp reads GGUF files, not FP8; set precision=q8_0 or q4_k_m, or engine=vllm"
    assert not [says for says in answer.lines if says.label == "why"]
    assert ": not served" in workload(found).text(200)
