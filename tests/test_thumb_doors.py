"""The rule of thumb as a whole second opinion: every section, on screen, as text and as JSON, by its own arithmetic."""

from __future__ import annotations

import json
import math
import re

import pytest
from click.testing import CliRunner

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.engine.deployment.thumb import UnknownCache, unknown_cache
from infratui.engine.evaluate import Evaluator
from infratui.engine.figures.units import GIB
from infratui.report.sections import SECTIONS, Section, outcome
from infratui.report.show import Answer, Bars, Block, Lines, Pillars, Prose, Stack, Stacks, Table
from infratui.scenario import Scenario

FACTS = Catalog()
EVALUATE = Evaluator(FACTS)
RULE = {"estimator": "rule-of-thumb"}
INT4 = Scenario(model="llama-3.3-70b", precision="int4", **RULE)
each = pytest.mark.parametrize("entry", SECTIONS, ids=lambda entry: entry.id)


def words(answer: Answer, blocks: tuple[Block, ...]) -> str:
    """All that a section says."""
    said = [answer.text, answer.figure, answer.detail]
    for block in blocks:
        match block:
            case Table(rows=rows):
                said += [cell.text for row in rows for cell in row.cells]
            case Bars(bars=bars):
                said += [f"{bar.text} {bar.note}" for bar in bars]
            case Pillars(pillars=pillars):
                said += [f"{pillar.text} {fact}" for pillar in pillars for fact, _ in pillar.facts]
            case Prose(sentences=sentences):
                said += [f"{line.strong} {line.text}" for line in sentences]
            case Lines(lines=lines):
                said += [text for line in lines for text, _ in line]
            case Stack(parts=parts):
                said += [part.text for part in parts]
            case Stacks(wholes=wholes):
                said += [text for _, _, text in wholes]
            case _:
                pass
    return "\n".join(said)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for entry in value.values() for leaf in leaves(entry)]
    if isinstance(value, list):
        return [leaf for entry in value for leaf in leaves(entry)]
    return [value]


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(cli, [*arguments, "--set", "estimator=rule-of-thumb"])
    assert result.exit_code in (0, 1), result.output
    return result.output


@each
def test_the_weights_are_35_gb_in_every_section(entry: Section) -> None:
    """70B parameters of half a byte: nowhere the bytes that a checkpoint takes, no prediction, no detailed layout."""
    detailed = EVALUATE(INT4.with_(estimator="detailed"))
    stored = detailed.vram.checkpoint_bytes
    said = words(*(lambda found: (found.answer(), found.page()))(outcome(EVALUATE(INT4), entry)))

    if entry.id != "cost":
        assert "35.0 GB" in said
    if entry.id != "quantization":
        # That one names, as such, what the detailed estimate counts.
        assert f"{stored / 1e9:.1f} GB" not in said
    assert not re.search(r"\d tok/s|TTFT \d|TPOT \d", said)


@each
def test_json_and_text_hold_no_figure_of_the_detailed_estimate(entry: Section) -> None:
    told = json.loads(printed(entry.command, "--model", "llama-3.3-70b", "--set", "precision=int4", "--json"))

    assert next(iter(told)) == "schema"
    if entry.id != "cost":
        assert 35 * 10**9 in leaves(told)
    assert told["deployment"]["layout"] == "TP1·DP8"
    assert told["deployment"]["ttft_ms"] is told["deployment"]["tpot_ms"] is None
    assert told["fleet"]["replicas"] == 13


@each
def test_the_three_objects_are_the_same_everywhere(entry: Section) -> None:
    scenario = store.load_preset("enterprise").with_(**RULE)
    first, told = (outcome(EVALUATE(scenario), which).data() for which in (SECTIONS[0], entry))

    assert (first["deployment"], first["fewest"]) == (told["deployment"], told["fewest"])
    assert all(told["fleet"][key] == value for key, value in first["fleet"].items() if value is not None)


@pytest.mark.parametrize(
    "entry",
    [pytest.param(one, id=one.id, marks=() if one.id == "vram" else pytest.mark.long) for one in SECTIONS],
)
async def test_the_screen_shows_it_and_goes_back(entry: Section) -> None:
    scenario = store.load_preset("production").with_(**RULE)
    app = InfraApp(scenario, facts=FACTS, settings=Settings(motion=False), start=entry.id)
    async with app.run_test(size=(120, 40)) as pilot:
        for by_rule in (True, False):
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert app.page is not None
            assert app.page.is_answered
            if by_rule or entry.id != "cost":
                assert ("rule of thumb" in app.page.summary().lower()) is by_rule
            await pilot.press("D")


def test_the_guides_own_figures() -> None:
    """Its presets and "try this": 13 instances for 70B at 50,000 a day, 3 H100 for 405B in INT4, the ladder of 405B."""
    seventy = EVALUATE(Scenario(model="70b", precision="fp8", requests_per_day=50_000, peak_factor=3.0, **RULE))
    assert seventy.cost.fleet.replicas == 13
    assert EVALUATE(Scenario(model="70b", precision="fp8", hours_per_day=8, **RULE)).cost.fleet.replicas == 13
    int4 = EVALUATE(Scenario(model="405b", precision="int4", **RULE))
    assert [row.rule.gpus for row in int4.quantization.rows if row.precision.id == "int4"] == [3]
    whole = EVALUATE(Scenario(model="405b", precision="fp16", gpus=64, **RULE)).thumb_layouts
    ladder = {step.gpus: step.split.layout.label for step in whole.steps}
    assert (ladder[16], ladder[32], ladder[64]) == ("TP8·PP2", "TP8·PP2·DP2", "TP8·PP2·DP4")
    assert not next(step for step in whole.steps if step.gpus == 8).split.enough
    moe = EVALUATE(Scenario(model="70b", moe_model="generic-745b-moe", precision="int4", **RULE)).thumb_sides
    assert moe.moe.weights == 372_500_000_000


@pytest.mark.parametrize(
    ("model", "unknown"),
    [
        ("glm-5", UnknownCache.LATENT),
        ("deepseek-v4-pro", UnknownCache.COMPRESSED),
        ("gpt-oss-120b", UnknownCache.WINDOW),
        ("qwen3-next-80b-a3b", UnknownCache.STATE),
        ("generic-745b-moe", None),
        ("qwen3-32b", None),
    ],
)
@pytest.mark.long
def test_a_cache_that_it_cannot_know_has_no_figure_and_a_reason(model: str, unknown: UnknownCache | None) -> None:
    assert unknown_cache(FACTS.model(model)) is unknown
    ruled, plain = EVALUATE(Scenario(model=model, **RULE)), EVALUATE(Scenario(model=model))
    memory, layouts = (outcome(ruled, SECTIONS[at]) for at in (0, 2))
    beside = next(line.text for line in outcome(plain, SECTIONS[0]).answer().lines if line.label == "textbook")
    if unknown is None:
        assert memory.result is not None
        assert "the textbook formula says" in beside
        return
    assert "no arithmetic for" in memory.refusal
    assert "no figure" in beside
    assert layouts.answer().text.startswith("By the rule of thumb")
    assert layouts.data()["deployment"]["max_users"] is None


def test_an_80_gb_card_is_80_gb() -> None:
    found = EVALUATE(Scenario(model="70b", precision="fp8", users=10, context=4096, gpus=1, **RULE)).thumb_memory
    sizing = found.sizing
    assert sizing.card == 80 * GIB
    assert found.fits is (sizing.memory is not None and sizing.memory.total <= 80 * GIB)
    assert sizing.least == math.ceil(88.2e9 / (80 * GIB))
    assert "80" in words(outcome(EVALUATE(found_scenario()), SECTIONS[0]).answer(), ())


def found_scenario() -> Scenario:
    return Scenario(model="70b", precision="fp8", users=10, context=4096, gpus=1, **RULE)


def test_the_catalog_is_not_searched_by_it_and_a_line_says_so() -> None:
    told = CliRunner().invoke(cli, ["plan", "--requests", "50000", "--set", "estimator=rule-of-thumb"])
    assert told.exit_code
    assert "searches no catalog" in told.output
    assert len(told.output.strip().splitlines()) == 1


async def test_the_cost_screen_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    app = InfraApp(store.load_preset("team").with_(**RULE), facts=FACTS, settings=Settings(motion=False), start="cost")
    async with app.run_test(size=(160, 50)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen, noted = app.page, []
        assert screen is not None
        monkeypatch.setattr(screen, "note", lambda text, tone="": noted.append(text))
        screen._search(screen.scenario, screen.session.evaluation)
        await app.workers.wait_for_complete()
        assert any("searches no catalog" in text for text in noted)
