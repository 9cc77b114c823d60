"""Start-up logs: engine, version, model, settings, figures and ending, and the prediction beside them."""

from __future__ import annotations

import time

import pytest

from infratui.catalog.host_names import host_tables
from infratui.catalog.load import Catalog, default_catalog
from infratui.catalog.log_lines import log_lines
from infratui.engine.cluster.layout import Layout
from infratui.engine.evaluate import evaluate
from infratui.engine.figures.units import GIB, MIB
from infratui.hosts import HostProfile, Offset, apply_hardware, dump_profile, load_profile, profile_of, save_profile
from infratui.reality.host import read_host
from infratui.reality.logs import read_log
from infratui.reality.logs.reading import LogReading, StartOutcome
from infratui.reality.naming import find_model, find_precision
from infratui.reality.prediction import layout_of
from infratui.reality.text import UnreadableError
from infratui.reconciling import compare
from infratui.report import reconcile as report
from infratui.scenario import Scenario, ScenarioError

from .samples import (
    LLAMA_CPP,
    LLAMA_QUIET,
    SGLANG,
    SGLANG_POOLS,
    TENSORRT_28_LAYERS,
    TENSORRT_LLM,
    VLLM_MERGED,
    VLLM_REFUSED,
    VLLM_V0,
    VLLM_V1,
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return default_catalog()


def read(text: str) -> LogReading:
    return read_log(text, log_lines())


@pytest.mark.parametrize(
    ("text", "engine", "version", "model", "outcome"),
    [
        (VLLM_V0, "vllm", "0.8.4", "", StartOutcome.STARTED),
        (VLLM_V1, "vllm", "0.13.0", "meta-llama/Llama-3.1-8B-Instruct", StartOutcome.STARTED),
        (VLLM_REFUSED, "vllm", "0.13.0", "meta-llama/Llama-3.1-8B-Instruct", StartOutcome.REFUSED),
        (SGLANG, "sglang", "", "meta-llama/Llama-3.2-3B", StartOutcome.STARTED),
        (TENSORRT_LLM, "tensorrt-llm", "1.1.0", "", StartOutcome.STARTED),
        (TENSORRT_28_LAYERS, "tensorrt-llm", "0.12.0", "meta-llama/Llama-2-7b-hf", StartOutcome.STARTED),
        (LLAMA_CPP, "llama.cpp", "b8173", "Qwen3.5-35B-A3B", StartOutcome.STARTED),
        (LLAMA_QUIET, "llama.cpp", "", "Qwen3.6-27B-UD-Q4_K_XL", StartOutcome.STARTED),
    ],
)
def test_engine_version_model_and_outcome(text: str, engine: str, version: str, model: str, outcome: StartOutcome):
    found = read(text)

    assert (found.engine, found.engine_version, found.model, found.outcome) == (engine, version, model, outcome)


def test_settings_are_those_of_the_log():
    settings = read(VLLM_V1).settings

    assert (settings.tp, settings.utilization, settings.max_model_len) == (1, 0.9, 16384)
    assert (settings.max_num_seqs, settings.max_batched_tokens, settings.prefix_caching) == (256, 2048, True)


def test_raised_batches_count():
    raised = (
        VLLM_V1 + "WARNING [config.py:1] Raising max_num_batched_tokens from 2048 to 2496 for the multimodal model\n"
    )

    assert read(raised).settings.max_batched_tokens == 2496


@pytest.mark.parametrize(
    ("text", "term", "value"),
    [
        (VLLM_V0, "weights", 14.99 * GIB),
        (VLLM_V0, "activation", 1.20 * GIB),
        (VLLM_V0, "kv_space", 3.52 * GIB),
        (VLLM_V0, "visible", 22.05 * GIB),
        (VLLM_V0, "blocks", 1802),
        (VLLM_V1, "weights", 14.9889 * GIB),
        (VLLM_V1, "kv_tokens", 29_072),
        (VLLM_V1, "concurrency", 1.77),
        (VLLM_V1, "graphs", 0.60 * GIB),
        (VLLM_MERGED, "kv_tokens", 23_296),
        (VLLM_MERGED, "concurrency", 5.69),
        (SGLANG, "weights", 6.02 * GIB),
        (SGLANG, "kv_space", 2.78 * GIB),
        (SGLANG, "graphs", 0.33 * GIB),
        (TENSORRT_LLM, "kv_tokens", 327_680),
        (LLAMA_CPP, "host_weights", 515.31 * MIB),
    ],
)
def test_figures_are_exact(text: str, term: str, value: float):
    found = read(text).last(term)

    assert found is not None
    assert found.value == (value if value < 1000 and value % 1 else round(value))


def test_of_several_pools_draft_and_window_are_told_apart_and_the_smallest_rank_counts():
    pools = read(SGLANG_POOLS).pools

    assert [(pool.kind, pool.tokens) for pool in pools] == [("full", 1900)]
    one_rank = "\n".join(line for line in SGLANG_POOLS.splitlines() if "TP1" not in line)
    assert [(pool.kind, pool.tokens) for pool in read(one_rank).pools] == [
        ("window", 1000),
        ("full", 2000),
        ("draft", 2000),
    ]


def test_the_second_allocation_counts(catalog: Catalog):
    term = next(entry for entry in compare(TENSORRT_LLM, catalog).terms if entry.term == "kv_space")

    assert term.measured == 40 * GIB


def test_a_quiet_server_is_told_to_speak_up(catalog: Catalog):
    assert "-lv 4" in report.attribution(compare(LLAMA_QUIET, catalog))


def test_versions_follow_from_lines_where_none_is_printed():
    assert read(SGLANG).version_range == ("0.4.6", "0.5.8")
    assert read(VLLM_MERGED).engine_version == "0.30.1"


def test_a_log_that_ends_is_incomplete_and_says_what_it_lacks(catalog: Catalog):
    cut = VLLM_V1[: VLLM_V1.index("(EngineCore_DP0 pid=2) INFO 01-05 10:00:40")]

    found = compare(cut, catalog)

    assert found.reading.outcome is StartOutcome.INCOMPLETE
    assert "no KV line was reached" in report.attribution(found)


def test_a_host_without_memory_killed_it():
    cut = VLLM_V1[: VLLM_V1.index("(EngineCore_DP0 pid=2) INFO 01-05 10:00:40")]
    starved = cut + "INFO [weight_utils.py:1] Checkpoint size: 92.85 GiB. Available RAM: 15.10 GiB.\n"

    assert read(starved).outcome is StartOutcome.KILLED


# -- beside the prediction


def test_parts_of_a_v0_log_add_up(catalog: Catalog):
    found = compare(VLLM_V0, catalog)

    assert found.unexplained == pytest.approx(0, abs=0.01 * GIB)


def test_tokens_are_predicted_with_the_settings_of_the_log(catalog: Catalog):
    found = compare(VLLM_V1, catalog, gpu="l4")

    tokens = next(entry for entry in found.terms if entry.term == "kv_tokens")
    assert tokens.predicted == pytest.approx(29_072, rel=0.06)
    assert found.within_band
    assert (found.unexplained_share or 0) < 0.02


def test_the_card_follows_from_the_size_and_says_so(catalog: Catalog):
    found = compare(VLLM_V1, catalog)

    assert found.visible is not None
    assert found.visible.basis == "like"
    assert found.visible.bytes == pytest.approx(22.05 * GIB, rel=0.03)
    assert "does not name the card" in report.attribution(found)


def test_a_cache_of_fewer_layers_is_no_noise(catalog: Catalog):
    # 62.99 GiB / 294,848 tokens = 28 × 8,192 B, of a model of 32 layers.
    said = report.attribution(compare(TENSORRT_28_LAYERS, catalog))

    assert "28 layers" in said
    assert "where the model has 32" in said


def test_a_refused_start_names_its_shortfall_and_three_ways_out(catalog: Catalog):
    found = compare(VLLM_REFUSED, catalog)

    assert found.shortfall == pytest.approx((16.00 - 3.55) * GIB, abs=2)
    assert len(found.remedies) == 3
    assert "--max-model-len 28672" in [way.flag for way in found.remedies]
    assert not found.within_band


def test_state_and_cache_of_a_hybrid_are_exact(catalog: Catalog):
    space = next(entry for entry in compare(LLAMA_CPP, catalog).terms if entry.term == "kv_space")

    assert space.predicted == space.measured == (640 + 251.25) * MIB


def test_weights_that_cannot_be_are_not_kept(catalog: Catalog, tmp_path, monkeypatch: pytest.MonkeyPatch):
    found = compare(VLLM_V1.replace("14.9889", "1.5000"), catalog)

    weights = next(entry for entry in found.terms if entry.term == "weights")
    assert weights.implausible
    assert "weights" not in (profile_of(found, "box").offsets or {})


def test_a_host_profile_is_kept_and_used(catalog: Catalog, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    first = compare(VLLM_V1, catalog)
    save_profile(profile_of(first, "box"))

    again = compare(VLLM_V1, catalog, profile=load_profile("box"))

    graphs = next(entry for entry in again.terms if entry.term == "graphs")
    assert graphs.gap == pytest.approx(0, abs=1)
    assert "host profile box" in report.attribution(again)


def test_a_profile_reads_back(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    profile = HostProfile(
        "n1", "l4", 2, 23034, 23_000_000_000, "PIX", "vllm", "0.13.0", "m", {"graphs": Offset(-5, 'a "b"')}
    )

    path = save_profile(profile)

    assert load_profile("n1") == profile
    assert path.read_text() == dump_profile(profile)


@pytest.mark.parametrize("text", ["- 1\n", "colour: red\n", "gpus: many\n", "offsets: {graphs: 3}\n", "schema: 9\n"])
def test_a_broken_profile_is_one_line(text: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "infratui" / "hosts").mkdir(parents=True)
    (tmp_path / "infratui" / "hosts" / "n1.yaml").write_text(text)

    with pytest.raises(ScenarioError) as refusal:
        load_profile("n1")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "quantization", "model", "precision"),
    [
        ("/data/models/Qwen3-30B-A3B-Instruct-2507-Int4-W4A16", "compressed-tensors", "qwen3-30b-a3b", "int4"),
        ("DeepSeek-R1-0528-w4a8-per-channel", "", "deepseek-r1", "w4a8"),
        ("Qwen3.6-27B-UD-Q4_K_XL", "", "qwen3.5-27b", "q4_k_m"),
        ("RedHatAI/DeepSeek-R1-Distill-Qwen-14B-FP8-dynamic", "", "qwen2.5-14b", "fp8"),
    ],
)
def test_names_are_taken_apart(name: str, quantization: str, model: str, precision: str, catalog: Catalog):
    found = find_model(name, catalog)

    assert found is not None
    assert found.id == model
    assert find_precision(name, quantization, "bfloat16", found, catalog).id == precision


@pytest.mark.parametrize("name", ["Qwen3-VL-8B", "Qwen2.5-Omni-7B", "poolside/Laguna-M-9-INT4", "../etc/passwd", ""])
def test_another_model_is_not_guessed(name: str, catalog: Catalog):
    assert find_model(name, catalog) is None


@pytest.mark.parametrize("text", ["", "hello\n", "\x1b[2J\n"])
def test_what_is_no_log_is_one_line(text: str):
    with pytest.raises(UnreadableError) as refusal:
        read(text)
    assert "\n" not in str(refusal.value)


def test_a_log_of_4_mb_takes_under_a_second(catalog: Catalog):
    text = VLLM_V1 + '(APIServer pid=1) INFO: 10.0.0.1:1 - "POST /v1/completions HTTP/1.1" 200 OK\n' * 54_000
    compare(VLLM_V1, catalog)

    began = time.process_time()
    compare(text, catalog)

    assert len(text) > 3_900_000
    assert time.process_time() - began < 1


def test_later_predictions_of_a_scenario_use_the_profile_and_say_so(
    catalog: Catalog, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    save_profile(
        HostProfile("n1", "h100-sxm", 8, visible_bytes=60 * GIB, engine="vllm", offsets={"non_torch": Offset(GIB)})
    )
    plain = Scenario(model="llama-3.1-8b", precision="bf16", gpus=1)

    before, after = (evaluate(scenario, catalog).vram for scenario in (plain, plain.with_(host="n1")))

    there, here = before.selected.plan, after.selected.plan
    assert there is not None
    assert here is not None
    assert here.visible == 60 * GIB
    assert here.runtime.non_torch - there.runtime.non_torch == GIB
    assert any(step.note == "host profile n1" for found in after.derivations for step in found.steps)


def test_a_smaller_card_than_the_catalogs_is_taken_as_a_profile(
    catalog: Catalog, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    listing = read_host("index, name, memory.total [MiB]\n0, NVIDIA L4, 22500 MiB\n", host_tables(), catalog)

    changed, said = apply_hardware(Scenario(), listing, catalog)

    assert "22,500 MiB" in said
    assert load_profile(changed.host).memory_mib == 22500
    assert catalog.runtime(changed.host).visible_memory(catalog.accelerator("l4")) < 22500 * MIB


def test_a_cache_that_is_shared_out_is_read_as_such():
    config = "tensor_parallel_size=8, decode_context_parallel_size=8"
    shared = read(VLLM_V1.replace("tensor_parallel_size=1", config))
    flags = read(SGLANG.replace("tp_size=1", "tp_size=4, dcp_size=2"))

    assert (shared.settings.tp, shared.settings.dcp) == (8, 8)
    assert layout_of(shared) == Layout(8, dcp=8)
    assert layout_of(flags) == Layout(4, dcp=2)
    assert layout_of(read(VLLM_V1)) == Layout()
