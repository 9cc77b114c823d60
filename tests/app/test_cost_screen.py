"""The Buy vs Rent screen: demand in, decision out; switches, plans, prices of one's own, refusals."""

from __future__ import annotations

import datetime as dt

import pytest

from infratui.app.app import InfraApp
from infratui.app.screens.cost.decision_tree import DecisionTree
from infratui.app.screens.cost.screen import GROWTH, PRICES, CostScreen
from infratui.app.screens.cost.tornado_bars import TornadoBars
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.line_chart import LineChart
from infratui.app.widgets.table import TableView
from infratui.catalog.load import Catalog
from infratui.engine.cost.decision import Leaf
from infratui.engine.cost.options import Option
from infratui.report.cost_decision import fork_text
from infratui.scenario import INPUTS, Scenario

FACTS = Catalog(today=dt.date(2026, 11, 1))


def app_on_cost(**changes: object) -> InfraApp:
    return InfraApp(Scenario(**{"precision": "fp8", **changes}), facts=FACTS, start="cost")  # type: ignore[arg-type]


async def settle(pilot) -> CostScreen:
    """Wait until the section, then levers and tornado, have been computed and drawn."""
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, CostScreen)
    return screen


def answer(screen: CostScreen):
    return screen.query_one(HeadlineView).answer


class TestAnswer:
    @pytest.mark.long
    async def test_demand_changes_the_decision(self) -> None:
        async with app_on_cost().run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            assert screen.result.decision.leaf is Leaf.API
            assert "API" in answer(screen).text
            pilot.app.change(requests_per_day=5_000_000)
            screen = await settle(pilot)
            assert screen.result.decision.leaf is Leaf.RESERVE_LONG
            assert answer(screen).text.startswith("Reserve for three years: $")

    async def test_the_lit_path_is_the_decisions(self) -> None:
        async with app_on_cost(compliance=True).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            tree = screen.query_one(DecisionTree).render().plain.splitlines()
            assert tree[0].startswith("┃ 1  Must the data stay on your own premises? yes")
            assert tree[1] == "┗━▶ buy: your data must stay on premises   8 later questions not asked"
            assert len(tree) == 2

    @pytest.mark.long
    async def test_the_recommended_bar_is_marked(self) -> None:
        async with app_on_cost(requests_per_day=5_000_000).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            marked = [bar.label for bar in screen.query_one("#options BarList").block.bars if bar.marked]
            assert marked == [Option.RESERVED_3Y.value]

    @pytest.mark.long
    async def test_the_breakeven_month_stands_in_the_chart(self) -> None:
        inputs = {"requests_per_day": 5_000_000, "purchase_usd": 9000, "staff_usd_per_year": 0}
        async with app_on_cost(**inputs).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            rule = screen.query_one(LineChart).chart.rules[0]
            assert rule.upright
            assert rule.at == screen.result.month.value

    async def test_a_target_that_nothing_holds_is_said(self) -> None:
        async with app_on_cost(tpot_ms=1).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            assert answer(screen).text.startswith("No answer: ")
            assert "misses the TPOT target" in answer(screen).text

    @pytest.mark.long
    async def test_the_currency_label_is_the_users_everywhere(self) -> None:
        async with app_on_cost(currency="€", requests_per_day=5_000_000).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            assert "€" in answer(screen).text
            assert "$" not in answer(screen).detail
            assert "$" not in screen.query_one(DecisionTree).render().plain
            assert all("$" not in bar.text + bar.note for bar in screen.query_one("#options BarList").block.bars)

    async def test_d_shows_what_the_rule_of_thumb_would_buy(self, shown) -> None:
        async with app_on_cost(peak_factor=1).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            await pilot.press("D")
            screen = await settle(pilot)
            assert screen.result.fleet.replicas == 13
            assert "by the rule of thumb" in shown(pilot.app)

    async def test_summary_and_math_are_those_of_the_result(self) -> None:
        async with app_on_cost().run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            assert f"{screen.result.fleet.gpus} × NVIDIA H100 SXM" in screen.summary()
            titles = [derivation.title for derivation in screen.math()]
            assert titles[0] == "Sizing: demand to GPUs"
            assert "Cost: owned" in titles


class TestLevers:
    @pytest.mark.long
    async def test_enter_turns_a_lever_and_u_turns_it_back(self) -> None:
        async with app_on_cost(requests_per_day=5_000_000).run_test(size=(120, 50)) as pilot:
            screen = await settle(pilot)
            table = screen.query_one("#lever-table", TableView)
            table.focus()
            await pilot.press("down", "down", "enter")
            screen = await settle(pilot)
            assert pilot.app.scenario.kv_precision == "fp8"
            assert table.rows[2].cells[0].text == "[x]"
            await pilot.press("u")
            await settle(pilot)
            assert pilot.app.scenario.kv_precision == "bf16"

    @pytest.mark.long
    async def test_speculation_asks_for_a_measurement(self, shown) -> None:
        async with app_on_cost().run_test(size=(120, 50)) as pilot:
            screen = await settle(pilot)
            table = screen.query_one("#lever-table", TableView)
            table.focus()
            before = pilot.app.scenario
            await pilot.press("G", "up", "enter")
            await pilot.pause()
            assert pilot.app.scenario == before
            assert "needs an acceptance rate that you measured" in shown(pilot.app)

    @pytest.mark.long
    async def test_the_tornado_follows(self) -> None:
        async with app_on_cost(requests_per_day=5_000_000).run_test(size=(120, 50)) as pilot:
            screen = await settle(pilot)
            lines = screen.query_one(TornadoBars).render().plain.splitlines()
            assert lines[0].startswith("reserved 3 years leads by $")
            assert "┼" in lines[1]
            assert ": then " in lines[1]


class TestPlans:
    @pytest.mark.long
    async def test_the_catalog_is_searched_on_enter_and_a_plan_taken(self) -> None:
        async with app_on_cost(requests_per_day=2_000_000).run_test(size=(120, 50)) as pilot:
            screen = await settle(pilot)
            table = screen.query_one("#plan-table", TableView)
            assert [row.id for row in table.rows] == ["search"]
            table.focus()
            await pilot.press("enter")
            await settle(pilot)
            assert len(table.rows) > 20
            wanted = table.rows[0].id
            await pilot.press("g", "enter")
            await settle(pilot)
            assert f"{pilot.app.scenario.accelerator} {pilot.app.scenario.precision}" == wanted
            assert [row.id for row in table.rows] == ["search"]


class TestInputs:
    @pytest.mark.long
    async def test_every_money_input_stands_on_the_screen(self) -> None:
        async with app_on_cost().run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            for head in screen.query("GroupHead"):
                if head.group.folded:
                    head.action_fold()
            screen = await settle(pilot)
            rows = {row.field for row in screen.query("ValueRow")}
            assert rows == {*CostScreen.FIELDS, *PRICES, *GROWTH}
            assert rows <= set(INPUTS)

    @pytest.mark.long
    async def test_ones_own_rate_replaces_the_catalogs(self) -> None:
        async with app_on_cost(requests_per_day=5_000_000).run_test(size=(120, 36)) as pilot:
            screen = await settle(pilot)
            pilot.app.change(on_demand_usd=0.1)
            screen = await settle(pilot)
            assert screen.result.decision.leaf is Leaf.ON_DEMAND
            words = {row.id: row.cells[-1].text for row in screen.query_one("#option-table", TableView).rows}
            assert words["ON_DEMAND"] == "your own figure"

    @pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
    async def test_headline_and_inputs_stay_visible(self, size: tuple[int, int], shown) -> None:
        async with app_on_cost().run_test(size=size) as pilot:
            await settle(pilot)
            text = shown(pilot.app)
            assert "Requests/day" in text
            assert "$1,081 a month" in text
            assert "What each way costs per month" in text


async def test_a_long_fact_goes_on_below_itself() -> None:
    async with app_on_cost().run_test(size=(120, 36)) as pilot:
        screen = await settle(pilot)
        tree = screen.query_one(DecisionTree)
        decision = screen.result.decision
        facts = " ".join(fork_text(fork, decision) for fork in decision.path)
        for width in (40, 60, 80):
            told = " ".join(line.plain.lstrip("┃ ") for line in tree._lines(width))
            assert all(word in told for word in facts.split())
            assert tree.get_content_height(None, None, width) == len(tree._lines(width))
