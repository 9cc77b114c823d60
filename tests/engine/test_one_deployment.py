"""The invariants of one deployment that go through every front end: documents, screens, exit codes, prices."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.screen.chrome import WorkloadLine
from infratui.app.settings import Settings
from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.engine.case import Case
from infratui.engine.evaluate import Evaluator
from infratui.report.deployment import as_json
from infratui.report.export import json_report
from infratui.report.sections import SECTIONS, outcomes
from infratui.scenario import Scenario
from tests.engine.test_deployment_invariants import holds_by_force, scenarios

FACTS = Catalog()
EVALUATE = Evaluator(FACTS)
OBJECTS = ("deployment", "fewest")
PRICES = ("on_demand_usd", "spot_usd", "reserved_1y_usd", "reserved_3y_usd", "purchase_usd", "electricity_usd_per_kwh")


@pytest.mark.long
@settings(deadline=None, max_examples=15)
@given(scenarios())
def test_any_scenario_has_one_deployment_in_all_sections(scenario: Scenario) -> None:
    told = as_json(EVALUATE(scenario))
    for found in outcomes(EVALUATE(scenario)):
        if found.result is not None:
            assert {name: found.data()[name] for name in OBJECTS} == {name: told[name] for name in OBJECTS}


def test_the_full_report_names_it_too() -> None:
    evaluation = EVALUATE(store.load_preset("team"))
    told = as_json(evaluation)
    report = json.loads(json_report(evaluation, dt.date(2026, 1, 1)))
    said = json.dumps(report)
    for entry in SECTIONS:
        assert entry.id in said
    assert json.dumps(told["deployment"]["layout"]) in said


@pytest.mark.long
async def test_every_screen_names_it() -> None:
    app = InfraApp(store.load_preset("team"), facts=FACTS, settings=Settings(motion=False))
    layout = as_json(EVALUATE(store.load_preset("team")))["deployment"]["layout"]
    async with app.run_test(size=(160, 45)) as pilot:
        for key in "12345":
            await pilot.press(key)
            await app.workers.wait_for_complete()
            await pilot.pause()
            words = app.page.query_one(WorkloadLine).workload
            assert words is not None
            assert any(f"as {layout}" in text for text, _ in words.parts)


@pytest.mark.parametrize("field", PRICES)
def test_a_cheaper_price_never_raises_the_bill(field: str) -> None:
    bills = []
    for price in (2.0, 1.0, 0.5):
        usd = price * (10_000 if field == "purchase_usd" else 0.1 if "electricity" in field else 1)
        best = EVALUATE(Scenario(model="llama-3.1-8b", **{field: usd, "api": False})).cost.best
        assert best is not None
        bills.append(best.monthly)
    assert bills == sorted(bills, reverse=True)


@pytest.mark.parametrize("gpus", [1, 2, 3, 4])
@pytest.mark.parametrize("command", ["vram", "plan"])
def test_exit_code_1_is_only_where_no_layout_of_that_count_holds(command: str, gpus: int) -> None:
    scenario = Scenario(model="llama-3.3-70b", precision="fp8", accelerator="h100", gpus=gpus, users=20)
    case = Case(scenario, FACTS)
    holds = any(holds_by_force(case, count) for count in range(1, gpus + 1))
    sets = ["--set", "precision=fp8", "--set", "users=20"]
    told = CliRunner().invoke(cli, [command, "--model", "llama-3.3-70b", "--gpu", "h100", "--gpus", str(gpus), *sets])
    assert told.exit_code == (0 if holds else 1)
