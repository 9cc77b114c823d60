"""Every section through every door: screen, command, report, Markdown, JSON, CSV, comparison, reference, help."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.engine.evaluate import Evaluation, Evaluator, evaluate
from infratui.report import draw
from infratui.report.compare import as_json, comparison
from infratui.report.compare import markdown as compare_markdown
from infratui.report.export import json_report
from infratui.report.full import markdown_report, plain_report
from infratui.report.printed import section_lines
from infratui.report.sections import SECTIONS, Section, outcome, outcomes
from infratui.report.show import Lines
from infratui.scenario import Scenario

FACTS = Catalog()


EVALUATOR = Evaluator(FACTS)


@cache
def known(scenario: Scenario) -> Evaluation:
    """What has been evaluated for one test serves the next."""
    return EVALUATOR(scenario)


SCENARIOS = (
    *(store.load_scenario(preset.path) for preset in store.presets()),
    Scenario(
        name="pipeline", model="qwen3-32b", accelerator="h100", gpus=32, pp=3, users=50, context=8192,
        kv_precision="fp8",
    ),
)  # fmt: skip

QUICK = {"Production", "pipeline"}
"""What every change is tried with; `make test-all` takes the others too."""
every_scenario = pytest.mark.parametrize(
    "scenario",
    [pytest.param(one, id=one.name, marks=() if one.name in QUICK else pytest.mark.long) for one in SCENARIOS],
)

each = pytest.mark.parametrize("entry", SECTIONS, ids=lambda entry: entry.id)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return known(store.load_preset("production"))


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(cli, [*arguments])
    assert result.exit_code in (0, 1), result.output
    return result.output


# -- the doors


@each
async def test_the_screen_opens_where_it_is_asked_for_and_leads_with_the_answer(entry: Section) -> None:
    app = InfraApp(store.load_preset("production"), facts=FACTS, settings=Settings(motion=False), start=entry.id)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.page is not None
        assert entry.id == app.page.SECTION
        assert app.page.is_answered
        assert app.page.summary()
        assert any(word in entry.title for word in app.title_line().tabs[SECTIONS.index(entry)])


@each
def test_the_command_line_opens_the_app_on_it(entry: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("infratui.cli.group.at_a_terminal", lambda: True)
    monkeypatch.setattr("infratui.app.run", lambda scenario, **options: asked.append(options["screen"]) or 0)
    assert CliRunner().invoke(cli, ["--screen", entry.id]).exit_code == 0
    assert asked == [entry.id]


@each
def test_the_command_prints_what_the_report_leads_with(entry: Section, evaluation: Evaluation) -> None:
    text = printed(entry.command, "--preset", "production")
    answer = outcome(evaluation, entry).answer()
    assert answer.figure in " ".join(text.split())
    assert answer.text in " ".join(text.split())


@each
@pytest.mark.parametrize("gpus", ["8", "1"])
def test_no_key_is_named_where_there_is_none(entry: Section, gpus: str) -> None:
    place = (entry.command, "--preset", "production", "--gpus", gpus)
    for text in (printed(*place), printed(*place, "--markdown")):
        assert not re.findall(r"\benter\b|\besc\b|! takes|\bpress\b", text)


@each
def test_markdown_csv_and_json_come_from_the_same_result(entry: Section) -> None:
    assert "#### " in printed(entry.command, "--preset", "production", "--markdown")
    assert "," in printed(entry.command, "--preset", "production", "--csv").splitlines()[0]
    text = printed(entry.command, "--preset", "production", "--json")
    assert text.startswith('{\n  "schema": 1')
    assert len(json.loads(text)) > 1


@each
def test_the_documents_have_it(entry: Section, evaluation: Evaluation) -> None:
    assert f"\n{entry.title}\n---" in plain_report(evaluation.scenario, FACTS)
    assert f"## {entry.title}\n" in markdown_report(evaluation, FACTS.today)
    report = json.loads(json_report(evaluation, FACTS.today))
    assert next(iter(report)) == "schema"
    assert report["sections"][entry.id]["headlines"]


@each
def test_two_scenarios_are_compared_by_it(entry: Section, evaluation: Evaluation) -> None:
    other = evaluate(store.load_preset("team"), FACTS)
    assert entry.id in {figure["section"] for figure in as_json(comparison(evaluation, other))["figures"]}


@each
def test_the_reference_leads_to_it(entry: Section) -> None:
    from infratui.report.library import Library

    library = Library.open(None)
    assert any(entry.id in term.appears for term in library.terms.values())


@each
def test_its_command_says_what_it_does(entry: Section) -> None:
    assert entry.about.split()[0] in printed("--help")
    assert "Usage" in printed(entry.command, "--help")


# -- the figures


@every_scenario
def test_what_a_section_leads_with_is_a_value_of_its_math(scenario: Scenario) -> None:
    for found in outcomes(known(scenario)):
        values = [step.value for derivation in found.derivations() for step in derivation]
        for headline in found.headlines():
            if headline.value is None:
                continue
            assert any(math.isclose(value, headline.value, rel_tol=1e-9, abs_tol=1e-12) for value in values), headline


@every_scenario
def test_bytes_are_told_in_one_unit(scenario: Scenario) -> None:
    from infratui.engine.figures.units import ByteUnit

    for found in outcomes(known(scenario)):
        told = draw.plain(section_lines(found, ByteUnit.GIB, 100)) + found.summary(ByteUnit.GIB)
        # Links are sold in GB/s, whatever memory is counted in.
        assert not re.findall(r"\d GB\b(?!/s)", told), found.section.id
        assert found.section.id != "vram" or "GiB" in told


@every_scenario
def test_money_is_told_in_the_currency_that_was_chosen(scenario: Scenario) -> None:
    from infratui.engine.figures.units import ByteUnit

    for found in outcomes(known(scenario.with_(currency="€"))):
        answer = found.answer(ByteUnit.GB)
        told = [answer.figure, answer.text, answer.detail, found.summary(ByteUnit.GB)]
        told += [cell.text for table in found.tables() for row in table.rows for cell in row.cells]
        told += [
            text for block in found.page() if isinstance(block, Lines) for line in block.lines for text, _ in line[:2]
        ]
        assert not [text for text in told if "$" in text], found.section.id


def test_the_math_inputs_and_comparison_are_in_the_currency_too() -> None:
    scenario = store.load_preset("production").with_(currency="€", on_demand_usd=3.0)
    evaluation = known(scenario)
    told = [markdown_report(evaluation, FACTS.today), plain_report(scenario, FACTS)]
    compared = comparison(evaluation, evaluate(scenario.with_(on_demand_usd=6.0), FACTS))
    told += [compare_markdown(compared)]
    words = "\n".join(told)
    assert "€3.00/GPU·h" in words
    assert "= €" in words
    # What a price list says in dollars stays that.
    assert not re.search(r"(?m)^  = \$", words.partition("## MoE")[0])


# -- a section of its own

SCRATCH = Path(__file__).parent / "scratch_section.py"


@pytest.mark.long
def test_a_sixth_section_takes_a_row_its_words_and_its_screen() -> None:
    """In a process of its own: the list is read when the doors are made."""
    result = subprocess.run(
        [sys.executable, str(SCRATCH)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "tab": True,
        "screen": "42 layers",
        "command": True,
        "help": True,
        "markdown": True,
        "csv": "layers",
        "json": 42,
        "report": True,
        "whole_json": 42,
        "compare": True,
        "start": True,
    }
