"""Rows of text against measured start-up logs, and rows that cannot be answered."""

from __future__ import annotations

import csv
import statistics
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.measured.memory_estimate import MEMORY_COLUMNS, estimate_memory, weight_precision
from infratui.report.reasons import reason_text

COLUMNS = (
    "model_id", "weight_format", "tp", "pp", "ep", "dp", "gpu", "gpu_mem_util", "max_model_len", "kv_dtype",
    "max_num_seqs", "max_num_batched_tokens", "engine",
)  # fmt: skip


@pytest.fixture(scope="module")
def measured() -> list[dict[str, str]]:
    text = (files("infratui.catalog") / "data" / "measured" / "memory.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def errors(rows: list[dict[str, str]], catalog: Catalog, estimate: str, column: str, *, given_kv: bool) -> list[float]:
    """Absolute errors in percent of the rows that carry a measured value and an estimate."""
    found = []
    for row in rows:
        if given_kv and not row["kv_cache_gib_per_gpu"]:
            continue
        answer = estimate_memory(row, catalog, given_kv=given_kv)[estimate]
        if answer and row[column] and float(row[column]) > 0:
            found.append(abs(float(answer) / float(row[column]) - 1) * 100)
    return found


def test_weights_per_gpu_within_two_percent(catalog: Catalog, measured: list[dict[str, str]]):
    found = errors(measured, catalog, "est_weights_gib_per_gpu", "weights_gib_per_gpu", given_kv=False)

    assert len(found) >= 40
    assert statistics.median(found) <= 2


def test_tokens_of_a_given_cache_within_half_a_percent(catalog: Catalog, measured: list[dict[str, str]]):
    tokens = errors(measured, catalog, "est_kv_tokens", "kv_tokens", given_kv=True)
    concurrency = errors(measured, catalog, "est_max_concurrency", "max_concurrency", given_kv=True)

    assert len(tokens) >= 20
    assert statistics.median(tokens) <= 0.5
    assert statistics.median(concurrency) <= 0.5


def test_kv_space_within_five_percent(catalog: Catalog, measured: list[dict[str, str]]):
    found = errors(measured, catalog, "est_kv_cache_gib_per_gpu", "kv_cache_gib_per_gpu", given_kv=False)

    assert len(found) >= 12
    assert statistics.median(found) <= 5


def test_blanks_are_defaults(catalog: Catalog):
    found = estimate_memory({"model_id": "Qwen/Qwen3-8B", "gpu": "h100"}, catalog)

    assert found["est_error"] == ""
    assert float(found["est_weights_gib_per_gpu"]) == pytest.approx(15.27, rel=0.01)
    assert float(found["est_max_concurrency"]) > 1


def test_an_unknown_gpu_still_gets_weights(catalog: Catalog):
    found = estimate_memory({"model_id": "Qwen/Qwen3-8B", "gpu": "abacus 3000"}, catalog)

    assert found["est_weights_gib_per_gpu"]
    assert found["est_kv_cache_gib_per_gpu"] == ""
    assert "abacus 3000" in found["est_note"]
    assert found["est_error"] == ""


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "model_id is empty"),
        ({"model_id": "no such model at all"}, "no such model"),
        ({"model_id": "Qwen/Qwen3-8B", "tp": "three"}, "tp: 'three' is not a number"),
        ({"model_id": "Qwen/Qwen3-8B", "tp": "3"}, "TP3 does not divide 32 attention heads"),
        ({"model_id": "Qwen/Qwen3-8B", "gpu_mem_util": "90"}, "such as 0.9"),
        ({"model_id": "Qwen/Qwen3-8B", "max_model_len": "1.5"}, "whole number"),
        ({"model_id": "Qwen/Qwen3-8B", "weight_format": "fp7"}, "fp7"),
    ],
)
def test_a_row_without_an_answer_says_why(catalog: Catalog, row: dict[str, str], message: str):
    found = estimate_memory(row, catalog, say=reason_text)

    assert message in found["est_error"]
    assert "\n" not in found["est_error"]


def test_what_overflows_has_no_cache_and_a_reason(catalog: Catalog):
    found = estimate_memory({"model_id": "meta-llama/Llama-3.1-70B", "gpu": "H100 80GB HBM3"}, catalog)

    assert found["est_kv_cache_gib_per_gpu"] == "0.0000"
    assert "exceed" in found["est_note"]


@pytest.mark.parametrize(
    ("words", "bits"),
    [
        ("int4, rest bf16", 4.5),
        ("fp8, attention kept bf16", 8.5),
        ("NVFP4 (attention bf16)", 5.0),
        ("bf16 weights, fp8 cache", 16),
        ("w8a8 int8", 8.2),
    ],
)
def test_the_first_format_is_that_of_most_weights(catalog: Catalog, words: str, bits: float):
    precision = weight_precision(words, catalog.model("llama-3.1-405b"), catalog)
    assert bits - 0.6 < precision.bits <= bits


def test_a_number_of_gpus_must_be_that_of_the_layout(catalog: Catalog):
    row = {"model_id": "llama-3.1-8b", "gpu": "h100", "tp": "2", "num_gpus": "8"}
    assert estimate_memory(row, catalog)["est_error"].startswith("num_gpus: 8 is not tp 2 × pp 1 × dp 1 = 2;")
    assert estimate_memory({**row, "dp": "4"}, catalog)["est_error"] == ""
    assert estimate_memory({**row, "tp": ""}, catalog)["est_error"] == ""


def test_a_name_that_is_not_the_catalogs_own_is_said_as_it_was_read(catalog: Catalog):
    read = estimate_memory({"model_id": "someone/Gemma-3-27B-it-abliterated-v2-W8A8", "gpu": "h100"}, catalog)
    assert read["est_note"] == "read as gemma-3-27b"
    assert estimate_memory({"model_id": "Qwen/Qwen3-8B", "gpu": "h100"}, catalog)["est_note"] == ""


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=20)))
def test_any_text_is_answered(catalog: Catalog, row: dict[str, str]):
    found = estimate_memory({"model_id": "llama-3.1-8b", **row}, catalog, given_kv=True)

    assert tuple(found) == MEMORY_COLUMNS
    for name in MEMORY_COLUMNS[:-2]:
        assert not found[name] or float(found[name]) >= 0


def test_a_model_that_drafts_for_itself_loads_its_prediction_layers(catalog: Catalog):
    """Qwen3.6-35B-A3B in NVFP4 with three drafted tokens: vLLM loads 23.45 GiB, of which 1.57 draft."""
    row = {"model_id": "RedHatAI/Qwen3.6-35B-A3B-NVFP4", "weight_format": "nvfp4", "tp": "1", "engine": "vllm"}

    def weights(drafts: str) -> float:
        return float(estimate_memory(row | {"draft_tokens": drafts}, catalog)["est_weights_gib_per_gpu"])

    assert weights("3") - weights("") == pytest.approx(844_640_768 * 2 / 2**30, abs=0.001)
    assert weights("3") == pytest.approx(23.45, rel=0.015)


def test_the_words_of_a_row_name_the_size_of_groups(catalog: Catalog):
    model = catalog.model("gemma-3-27b")

    assert weight_precision("awq int4 g32", model, catalog).id == "int4-g32"
    assert weight_precision("awq int4", model, catalog).id == "int4-awq"
