"""The reverse question agrees with `vram`: every row is the answer that the section gives for that model and format."""

from __future__ import annotations

import random

import pytest

from infratui.catalog.licenses import LEVELS, as_open_as, licences
from infratui.engine.case import Case
from infratui.engine.deployment.which_models import ModelRow, which_models
from infratui.engine.evaluate import evaluate
from infratui.scenario import Scenario


def agree(catalog, scenario: Scenario, row: ModelRow) -> None:
    for fit in {id(row.released): row.released, id(row.shown): row.shown}.values():
        asked = scenario.with_(model=row.model.id, precision=fit.precision.id)
        found = evaluate(asked, catalog).vram
        assert fit.holds is found.fits, asked
        assert fit.fewest == (found.smallest.gpus if found.smallest.plan else None)
        plan = found.selected.plan
        assert (fit.layout, fit.max_users) == ((plan.layout.label, plan.max_users) if plan else ("", 0))


def drawn(catalog, seed: int) -> tuple[Scenario, ModelRow]:
    pick = random.Random(seed)
    scenario = Scenario(
        accelerator=pick.choice(["h100-sxm", "h200-sxm", "a10g", "l40s", "mi300x", "b200"]),
        gpus=pick.choice([1, 2, 4, 8, 16]),
        users=pick.choice([1, 8, 50, 200]),
        context=pick.choice([4096, 32768, 131072]),
    )
    model = pick.choice(catalog.models())
    return scenario, next(iter(which_models(Case(scenario, catalog), [model])))


@pytest.mark.parametrize("seed", range(6))
def test_a_row_is_what_vram_says(catalog, seed) -> None:
    agree(catalog, *drawn(catalog, seed))


@pytest.mark.long
def test_two_hundred_rows_are_what_vram_says(catalog) -> None:
    for seed in range(200):
        agree(catalog, *drawn(catalog, 1000 + seed))


def test_what_holds_comes_first_and_its_format_is_the_released_one_where_that_holds(catalog) -> None:
    scenario = Scenario(accelerator="h100-sxm", gpus=1, users=4, context=8192)
    names = ("llama-3.1-8b", "llama-3.3-70b", "llama-3.1-405b", "qwen3-0.6b", "llama-2-7b")
    rows = sorted(which_models(Case(scenario, catalog), map(catalog.model, names)), key=lambda row: row.rank)
    by_name = {row.model.id: row for row in rows}
    assert by_name["llama-3.1-8b"].as_released
    seventy = by_name["llama-3.3-70b"]
    assert not seventy.released.holds
    assert seventy.best is not None
    assert seventy.best.precision.bits < seventy.released.precision.bits
    assert by_name["llama-3.1-405b"].best is None
    assert not by_name["llama-2-7b"].reaches
    held = [row.best is not None and row.reaches for row in rows]
    assert held == sorted(held, reverse=True)
    assert rows[0].model.id == "llama-3.3-70b"


def test_every_licence_of_the_catalog_is_known(catalog) -> None:
    assert {model.license for model in catalog.models() if model.license} <= licences().keys()


def test_levels_of_openness_include_those_before() -> None:
    assert [as_open_as("mit", level) for level in LEVELS] == [True] * 4
    assert [as_open_as("cc-by-nc-4.0", level) for level in LEVELS] == [False, False, True, True]
    assert as_open_as("a licence of tomorrow", "terms")
