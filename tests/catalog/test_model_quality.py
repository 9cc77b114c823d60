"""Badges over the whole catalog: releases are references, evidence reaches only so far, no family inverts its bits."""

from __future__ import annotations

import itertools

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.formats.quality import Assessment, Badge, QualityBasis
from infratui.engine.formats.quality_order import APART
from infratui.engine.sections.quantization import qualities, subject_of
from infratui.scenario import Scenario

CATALOG = Catalog()
ORDER = (Badge.SAFE, Badge.CAUTION, Badge.NOTICEABLE)
TESTED = (QualityBasis.TESTS, QualityBasis.MORE_BITS, QualityBasis.FEWER_BITS)


def of(model: str) -> dict[str, Assessment]:
    return qualities(Case(Scenario(model=model), CATALOG))


@pytest.fixture(scope="module")
def everything() -> dict[str, dict[str, Assessment]]:
    return {model.id: of(model.id) for model in CATALOG.models()}


def test_what_a_model_was_released_in_is_its_reference(everything: dict[str, dict[str, Assessment]]) -> None:
    for model in CATALOG.models():
        found = everything[model.id][model.weight_precision]
        assert found.is_reference, model.id
        assert found.badge is Badge.SAFE
    assert of("gpt-oss-120b")["mxfp4"].basis is QualityBasis.RELEASED
    assert of("kimi-k2.5")["int4-g32-experts"].basis is QualityBasis.RELEASED
    assert of("deepseek-v4-pro")["fp4-experts-fp8"].basis is QualityBasis.RELEASED
    assert of("llama-3.3-70b")["mxfp4"].basis is not QualityBasis.RELEASED


def test_no_family_inverts_its_bits_for_any_model(everything: dict[str, dict[str, Assessment]]) -> None:
    precisions = [precision for precision in CATALOG.precisions() if precision.for_weights]
    pairs = [
        (narrow.id, wide.id)
        for narrow, wide in itertools.permutations(precisions, 2)
        if narrow.family == wide.family and narrow.bits + APART <= wide.bits
    ]
    assert len(pairs) > 100
    for model, found in everything.items():
        for narrow, wide in pairs:
            if {found[narrow].basis, found[wide].basis} <= {*TESTED}:
                assert ORDER.index(found[narrow].badge) >= ORDER.index(found[wide].badge), (model, narrow, wide)


def test_evidence_is_of_the_same_activations_and_of_models_within_reach(
    everything: dict[str, dict[str, Assessment]],
) -> None:
    rules = CATALOG.quality().rules
    assert rules.reach is not None
    for model in CATALOG.models():
        asked = subject_of(model)
        for precision in CATALOG.precisions():
            found = everything[model.id][precision.id]
            for row in found.rows:
                assert row.activation_bits in (None, precision.activation_bits), (precision.id, row)
                published = rules.subject_of(row.model)
                assert published is not None, row.model
                assert found.is_of_the_model or rules.reach.covers(published, asked)


@pytest.mark.parametrize("model", ["kimi-k2.5", "glm-5", "deepseek-v3"])
def test_a_trillion_in_experts_is_not_judged_by_a_dense_8b(model: str) -> None:
    for found in of(model).values():
        assert not any("8B" in row.model or "7B" in row.model for row in found.rows)


def test_weight_only_mxfp4_is_not_judged_by_four_bit_activations() -> None:
    found = of("llama-3.1-8b")
    assert found["mxfp4"].badge is Badge.NO_DATA
    assert found["mxfp4"].basis is QualityBasis.OTHER_ACTIVATIONS
    assert found["mxfp4-w4a4"].rows


@pytest.mark.parametrize("model", ["llama-3.3-70b", "llama-3.1-8b", "qwen3-32b"])
def test_q3_k_s_does_not_stand_above_q3_k_l(model: str) -> None:
    found = of(model)
    assert ORDER.index(found["q3_k_s"].badge) >= ORDER.index(found["q3_k_l"].badge)


def test_every_published_model_has_a_size() -> None:
    table = CATALOG.quality()
    assert {row.model for row in table.evidence if table.rules.subject_of(row.model) is None} == set()
