"""A first start asks what one wants to know: five answers, a model, users, context; and never again."""

from __future__ import annotations

from infratui.app import settings as preferences
from infratui.app.app import InfraApp
from infratui.app.screen.first_start import QUESTIONS, FirstStart
from infratui.report.sections import SECTIONS
from infratui.scenario import Scenario


def _start(catalog, scenario: Scenario | None = None) -> InfraApp:
    return InfraApp(scenario, facts=catalog, settings=preferences.load())


async def settle(pilot) -> None:
    for _ in range(3):
        await pilot.pause()


class TestFirstStart:
    async def test_it_asks_once(self, shared_catalog, shown) -> None:
        app = _start(shared_catalog)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert isinstance(app.screen, FirstStart)
            assert "Should we quantize?" in shown(app)
            await pilot.press("escape")
            await settle(pilot)
            assert not isinstance(app.screen, FirstStart)
            assert app.scenario.name == "Production"
        again = _start(shared_catalog)
        async with again.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert not isinstance(again.screen, FirstStart)

    async def test_whoever_states_a_scenario_is_not_asked(self, shared_catalog) -> None:
        app = _start(shared_catalog, Scenario(name="Mine"))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert not isinstance(app.screen, FirstStart)

    async def test_a_number_answers_its_question(self, shared_catalog) -> None:
        app = _start(shared_catalog)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.press("4")
            await settle(pilot)
            assert app.current_mode == "cost"

    async def test_model_users_and_context_are_taken(self, shared_catalog, shown) -> None:
        app = _start(shared_catalog)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.press("down", "down", *"dsv3")
            assert "DeepSeek-V3 671B" in shown(app)
            await pilot.press("down", *"200", "down", *"16k", "enter")
            await settle(pilot)
            assert (app.scenario.model, app.scenario.users, app.scenario.context) == ("deepseek-v3", 200, 16384)
            assert app.current_mode == "parallelism"

    async def test_what_cannot_be_taken_is_refused_in_place(self, shared_catalog, shown) -> None:
        app = _start(shared_catalog)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.press("up", *"lots", "enter")
            assert isinstance(app.screen, FirstStart)
            assert "✗" in shown(app)
            await pilot.press("backspace", "backspace", "backspace", "backspace", *"8k", "enter")
            await settle(pilot)
            assert app.scenario.context == 8192

    def test_each_screen_has_its_question(self) -> None:
        assert [section for section, _ in QUESTIONS] == [section.id for section in SECTIONS]
