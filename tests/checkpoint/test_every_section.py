"""Any checkpoint that is read gets an answer or a sentence in every section, and by its path what it gets by name."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import Evaluator
from infratui.report.deployment import as_json
from infratui.report.sections import SECTIONS, outcome
from infratui.scenario import Scenario
from tests.checkpoint.family_cases import CASES
from tests.checkpoint.test_in_use import CONFIG, FP8

UNFORESEEN = ("Error", "Traceback", "unforeseen")


@pytest.mark.long
@pytest.mark.parametrize("estimator", ["detailed", "rule-of-thumb"])
@pytest.mark.parametrize("case", CASES)
def test_every_family_is_answered_or_refused_in_a_sentence(case, estimator, folder) -> None:  # type: ignore[no-untyped-def]
    path = str(folder(CASES[case][0]))
    evaluation = Evaluator(Catalog())(Scenario(model=path, gpus=8, users=2, estimator=estimator))
    for entry in SECTIONS:
        found = outcome(evaluation, entry)
        said = found.refusal or found.answer().text
        assert said
        assert "\n" not in said
        assert not any(word in said for word in UNFORESEEN), said


@pytest.mark.parametrize("config", [CONFIG, FP8], ids=["plain", "fp8"])
@pytest.mark.parametrize("estimator", ["detailed", "rule-of-thumb"])
def test_one_checkpoint_is_answered_in_all_sections(config, estimator, folder) -> None:  # type: ignore[no-untyped-def]
    evaluation = Evaluator(Catalog())(Scenario(model=str(folder(config)), gpus=2, users=4, estimator=estimator))
    for entry in SECTIONS:
        found = outcome(evaluation, entry)
        assert found.result is not None, found.refusal
        assert not any(word in found.summary() for word in UNFORESEEN)


def test_by_name_and_by_its_configuration_a_model_gets_the_same_answer(folder) -> None:  # type: ignore[no-untyped-def]
    evaluator = Evaluator(Catalog())
    asked = {"gpus": 2, "accelerator": "l40s", "users": 12, "requests_per_day": 300_000}
    named, read = (
        as_json(evaluator(Scenario(model=model, **asked))) for model in ("llama-3.1-8b", str(folder(CONFIG)))
    )
    assert named == read
