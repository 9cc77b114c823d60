"""The policy's line under the headline: on every screen, in words, gone where there is no policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infratui.app.app import InfraApp
from infratui.app.palette import set_field, take
from infratui.app.screen.chrome import PolicyStrip
from infratui.app.screen.overlays import Prompt
from infratui.app.session import Session
from infratui.checking import checked_policy
from infratui.engine.policy import LimitVerdict
from infratui.policy import NO_POLICY, Policy
from infratui.scenario import Scenario

Make = Callable[..., InfraApp]
Shown = Callable[[InfraApp], str]


async def settled(app: InfraApp, pilot) -> PolicyStrip:
    await pilot.pause()
    while any(not worker.is_finished for worker in app.workers):
        await pilot.pause(0.01)
    await pilot.pause()
    return app.screen.query_one(PolicyStrip)


LONG = [pytest.param(screen, marks=pytest.mark.long) for screen in ("quantization", "cost", "moe")]


@pytest.mark.parametrize("screen", ["vram", "parallelism", *LONG])
async def test_it_stands_on_every_screen(make_app: Make, shown: Shown, screen: str) -> None:
    app = make_app(Scenario(policy=Policy(fits=True, tpot_ms=1.0)))
    async with app.run_test(size=(120, 36)) as pilot:
        app.action_show_screen(screen)
        await pilot.pause()
        await settled(app, pilot)
        assert "Policy ✗ 1 of 2 broken: ✗ TPOT at peak" in shown(app)


async def test_it_follows_the_scenario_and_goes_with_its_policy(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario())
    async with app.run_test(size=(100, 30)) as pilot:
        strip = await settled(app, pilot)
        assert not strip.display
        set_field(app, "policy.fits yes")
        strip = await settled(app, pilot)
        assert strip.display
        assert "Policy ✓ its limit holds" in shown(app)
        app.session.change(gpus=2)
        strip = await settled(app, pilot)
        assert "Policy ✗ 1 of 1 broken: ✗ Fits" in shown(app)
        assert strip.checked == checked_policy(app.session.evaluation, app.session.facts.today)
        assert strip.checked.verdict is LimitVerdict.BROKEN
        app.session.undo()
        app.session.undo()
        strip = await settled(app, pilot)
        assert not strip.display
        assert app.session.scenario.policy is NO_POLICY or not app.session.scenario.policy


async def test_a_limit_that_is_none_is_refused_in_words(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario())
    async with app.run_test(size=(100, 30)) as pilot:
        set_field(app, "policy.tpot_ms soon")
        await pilot.pause()
        assert "policy.tpot_ms" in shown(app)
        assert not app.session.scenario.policy


@pytest.mark.long
async def test_the_palette_lists_the_limits_and_asks_for_one(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"policy: tpot", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Prompt)
        await pilot.press(*"soon", "enter")
        await pilot.pause()
        assert "policy.tpot_ms" in shown(app)
        await pilot.press("ctrl+u", *"30", "enter")
        await settled(app, pilot)
        assert app.scenario.policy == Policy(tpot_ms=30.0)
        assert "Policy, TPOT: 30 ms" in shown(app)
        assert "Policy ✓" in shown(app)
        take(app, "limit:tpot_ms")
        await pilot.pause()
        await pilot.press("ctrl+u", "enter")
        await settled(app, pilot)
        assert not app.scenario.policy


async def test_a_screen_without_an_answer_still_tells_it(make_app: Make, shown: Shown) -> None:
    app = make_app(Scenario(tp=7, policy=Policy(fits=True)))
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(app, pilot)
        assert "Policy ✗" in shown(app)


def test_undo_names_the_policy() -> None:
    session = Session(Scenario())
    session.change(**{"policy.fits": True})
    assert session.undo() == ("policy",)
    assert session.redo() == ("policy",)
