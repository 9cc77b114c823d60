"""The evidence and the methods of the catalog: complete, sourced, and joined to the formats."""

from __future__ import annotations

import copy

import pytest

from infratui.catalog.built_in import DATA
from infratui.catalog.errors import CatalogError
from infratui.catalog.formats_data import number_format, number_formats
from infratui.catalog.methods_data import methods_from, quantization_methods
from infratui.catalog.quality_data import quality_from, quality_table
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats.methods import CalibrationNeed
from infratui.engine.formats.quality import Badge

DOCUMENT = {
    "thresholds": {"accuracy": {"safe": 1, "caution": 5}, "perplexity": {"safe": 2, "caution": 8}},
    "rows_for_a_model": 3,
    "reach": {"larger": 64, "smaller": 10, "mixture": 10, "across": 5},
    "references": ["bf16"],
    "lower_is_better": ["ppl"],
    "sources": [{"source": "s", "rows": [["m", "GGUF Q4_0", "q4_0", None, 16, 16, "ppl", 5.0, 5.5]]}],
}
# Published, but only as a relative loss without the two scores.
WITHOUT_SCORES = {"FP8 per-tensor"}


def test_every_comparison_has_two_scores_and_a_source() -> None:
    evidence = quality_table().evidence

    assert len(evidence) == 355
    assert all(row.baseline > 0 and row.quantized > 0 and row.source for row in evidence)
    assert sum(row.loss_percent < 0 for row in evidence) < 60
    assert not any(row.metric.startswith("ppl") and row.higher_is_better for row in evidence)


@pytest.mark.parametrize(
    ("name", "badge"),
    [("fp8", Badge.SAFE), ("q8_0", Badge.SAFE), ("q4_k_m", Badge.SAFE), ("int4_g128", Badge.CAUTION),
     ("nvfp4", Badge.CAUTION), ("mxfp4", Badge.NOTICEABLE), ("int3_channel", Badge.NOTICEABLE), ("kv_fp8", Badge.SAFE),
     ("kv_fp4", Badge.NOTICEABLE), ("bf16", Badge.SAFE), ("mxfp6", Badge.NO_DATA)],
)  # fmt: skip
def test_badges_of_well_known_schemes(name: str, badge: Badge) -> None:
    assert quality_table().assess([name]).badge is badge


def test_published_deltas_come_out_as_printed() -> None:
    # llama.cpp's table for Llama-3 8B: Q4_K_M without importance matrix +2.82 %.
    rows = quality_table().assess(["GGUF Q4_K_M"]).rows

    assert 2.82 in [round(row.loss_percent, 2) for row in rows if row.model == "Llama-3 8B"]


def test_formats_and_methods_name_evidence_and_formats_that_exist() -> None:
    table = quality_table()
    known = {row.scheme for row in table.evidence} | {row.method for row in table.evidence}
    known |= set(table.rules.references) | WITHOUT_SCORES

    assert {name for entry in number_formats() for name in entry.evidence} <= known
    assert {name for method in quantization_methods() for name in method.evidence} <= known
    assert all(number_format(name).id == name for method in quantization_methods() for name in method.formats)


def test_the_methods_of_the_field_are_there_with_all_a_reader_asks_for() -> None:
    methods = {method.id: method for method in quantization_methods()}

    assert {"gptq", "awq", "bitsandbytes", "smoothquant", "fp8_dynamic", "fp8_static", "nvfp4", "k_quants"} <= set(
        methods
    )
    assert methods["fp8_dynamic"].calibration is CalibrationNeed.NONE
    assert methods["gptq"].calibration is CalibrationNeed.REQUIRED
    assert "Volta" not in methods["awq"].runs_on
    assert all(method.does.endswith(".") and method.choose_when and method.source for method in methods.values())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("rows_for_a_model", 0, "rows_for_a_model"),
        ("colour", "red", "colour"),
        ("sources", [{"source": "s", "rows": [["m", "x", "y", None, 16, 16, "ppl", 0.0, 5.5]]}], "sources.0.rows"),
        ("sources", [{"source": "s", "rows": [["m", "x"]]}], "sources.0.rows"),
        ("thresholds", {"accuracy": {"safe": 5, "caution": 5}, "perplexity": {"safe": 2, "caution": 8}}, "safe"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(key: str, value: object, message: str) -> None:
    document = {**copy.deepcopy(DOCUMENT), key: value}

    with pytest.raises(CatalogError, match=message) as refusal:
        quality_from(document, "own.yaml")

    assert str(refusal.value).startswith("own.yaml: ")
    assert "\n" not in str(refusal.value)


def test_what_ships_fits_its_shape() -> None:
    table, checked = quality_table(), quality_from(read_built_in(DATA / "quality.yaml"), "quality.yaml")
    assert (checked.evidence, checked.rules) == (table.evidence, table.rules)
    assert methods_from(read_built_in(DATA / "methods.yaml"), "methods.yaml") == quantization_methods()


def test_a_wrong_method_is_refused_in_one_line() -> None:
    with pytest.raises(CatalogError, match=r"own.yaml: methods.0"):
        methods_from({"methods": [{"id": "x"}]}, "own.yaml")
