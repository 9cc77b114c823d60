"""What is said at once of a section agrees with what is said when all of it is there."""

from __future__ import annotations

import pytest

from infratui import store
from infratui.catalog.load import default_catalog
from infratui.engine.evaluate import evaluate
from infratui.engine.figures.units import ByteUnit
from infratui.report import vram
from infratui.report.show import Answer, Says


@pytest.mark.parametrize("changes", [{}, {"users": 5000}, {"gpus": 1}], ids=str)
def test_the_first_answer_is_the_answer(changes: dict[str, int]) -> None:
    evaluation = evaluate(store.load_preset("production").with_(**changes), default_catalog())
    first = vram.answer(vram.first(evaluation), ByteUnit.GB)
    whole = vram.answer(vram.evaluate(evaluation), ByteUnit.GB)
    assert (first.text, first.figure, first.tone) == (whole.text, whole.figure, whole.tone)
    assert [says.label for says in first.lines] == [says.label for says in whole.lines]
    assert first.until_known(whole) == whole
    assert vram.lead(vram.first(evaluation), ByteUnit.GB) == vram.page(vram.evaluate(evaluation), ByteUnit.GB)[:1]


def test_what_nobody_knows_yet_has_dots() -> None:
    answer = Answer("yes", lines=(Says("why", ""), Says("or", "that")))
    assert [says.text for says in answer.until_known(Answer("no")).lines] == ["…", "that"]
