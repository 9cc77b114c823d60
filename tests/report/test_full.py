"""The whole report: every section as text and Markdown, refusals in words, numbers that agree with the engine."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import Evaluation, evaluate
from infratui.engine.figures.units import format_bytes
from infratui.policy import Policy
from infratui.report.full import escaped, markdown_report, plain_report
from infratui.report.sections import SECTIONS, headlines, outcomes
from infratui.report.summary import paragraph
from infratui.scenario import Scenario

FACTS = Catalog(today=dt.date(2026, 11, 1))
DAY = dt.date(2026, 11, 1)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(Scenario(name="Plan [x] | *y*"), FACTS)


class TestPlain:
    def test_every_section_speaks(self, evaluation: Evaluation) -> None:
        text = plain_report(evaluation.scenario, FACTS)
        for section in SECTIONS:
            assert f"\n{section.title}\n" in text
        assert format_bytes(evaluation.vram.headline.total) in text
        assert max(len(line) for line in text.splitlines()) <= 160

    def test_an_unknown_model_is_said_in_every_section_that_needs_it(self) -> None:
        text = plain_report(Scenario(model="no-such-model"), FACTS)
        assert "unknown model 'no-such-model'" in " ".join(text.split())


class TestMarkdown:
    def test_it_holds_inputs_figures_math_and_sources(self, evaluation: Evaluation) -> None:
        text = markdown_report(evaluation, DAY)
        assert text.startswith("# Plan \\[x\\] \\| \\*y\\*\n")
        assert "2026-11-01" in text
        assert "| Memory of one replica |" in text
        assert "```text" in text

    @given(st.text(max_size=20))
    def test_escaping_keeps_the_text(self, text: str) -> None:
        assert "".join(escaped(text).split("\\")) == "".join(text.split("\\"))


class TestHeadlines:
    def test_names_are_distinct_within_a_section(self, evaluation: Evaluation) -> None:
        found = [(headline.section, headline.name) for headline in headlines(evaluation)]
        assert len(found) == len(set(found))
        assert {section for section, _ in found} == {section.id for section in SECTIONS}

    @pytest.mark.long
    def test_a_missing_figure_has_words(self) -> None:
        for headline in headlines(evaluate(Scenario(gpus=1, users=1000), FACTS)):
            assert headline.value is not None or headline.words


class TestSummary:
    def test_a_paragraph_names_assumptions_and_date(self, evaluation: Evaluation) -> None:
        found = outcomes(evaluation)[0]
        text = paragraph("It fits\nhere", "vram", evaluation.scenario, FACTS, found.result.derivations, DAY)
        assert text.startswith("It fits here. Assumed: share of the context in use 100 %, ")
        assert text.endswith("2026-11-01)")
        assert "\n" not in text


@pytest.mark.long
def test_a_policy_stands_at_its_head() -> None:
    scenario = Scenario(policy=Policy(fits=True, tpot_ms=1.0))
    plain = plain_report(scenario, FACTS)
    assert "Policy: 1 of 2 limits broken" in plain
    assert "  ✗ TPOT: broken; " in plain
    markdown = markdown_report(evaluate(scenario, FACTS), DAY)
    assert "| ✗ broken | TPOT | at most 1.00 ms |" in markdown
    assert "Policy" not in markdown_report(evaluate(Scenario(), FACTS), DAY).split("## ")[1]


class TestOnePageFirst:
    def test_five_answers_and_the_assumptions_come_before_any_math(self) -> None:
        text = markdown_report(evaluate(Scenario(name="Plan B"), FACTS), DAY)
        page, _, ledger = text.partition("# Appendix")
        assert page.startswith("# Plan B\n")
        answers = page.split("## Answers")[1].split("## Assumptions")[0].strip().splitlines()
        assert [line.split(":")[0].strip("- *") for line in answers] == [section.title for section in SECTIONS]
        assert "- TTFT target 2000 ms" in page
        assert page.count("\n") < 60
        assert "= " in ledger
        assert [f"## {section.title}" in ledger for section in SECTIONS] == [True] * len(SECTIONS)

    def test_an_answer_is_said_in_the_words_of_its_screen(self) -> None:
        evaluation = evaluate(Scenario(), FACTS)
        text = markdown_report(evaluation, DAY)
        for found in outcomes(evaluation):
            assert escaped(found.answer().text) in text.partition("# Appendix")[0]
