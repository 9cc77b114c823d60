"""What a newcomer asks, and the most keys that the answer takes from a first start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.widgets.headline import HeadlineView

Make = Callable[..., InfraApp]


async def pressed(pilot: Pilot[int], *keys: str) -> str:
    """Press keys and wait; what the headline says then."""
    await pilot.press(*keys)
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    answer = pilot.app.screen_stack[0].query_one(HeadlineView).answer
    return f"{answer.text} {answer.figure} {answer.detail}"


async def pressed_over(pilot: Pilot[int], *keys: str) -> None:
    """Press keys that an overlay takes, and wait."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def first(make_app: Make) -> InfraApp:
    """A first start: nobody has been asked anything yet."""
    return make_app(None, welcomed=False)


def said(text: str) -> list[str]:
    return ["space" if letter == " " else letter for letter in text]


@pytest.mark.long
async def test_how_many_h200_for_deepseek_v3_with_200_users_at_16k(make_app: Make) -> None:
    """Model by its initials, the GPU by name, users and context typed on their rows: no more than 25 keys."""
    app = first(make_app)
    keys = [*"dsv3", "down", *"200", "down", *"16k", "enter"]
    keys += [":", *"h200", "enter"]
    assert len(keys) <= 25
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        answer = await pressed(pilot, *keys)
        scenario = app.scenario
        assert scenario.model == "deepseek-v3"
        assert (scenario.users, scenario.context) == (200, 16384)
        assert scenario.accelerator.startswith("h200")
        assert "H200" in answer
        assert "hold" in answer or "Needs" in answer


@pytest.mark.long
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["2"], ("Yes: FP8", "decides")),
        (["3"], ("why", "or")),
        (["4"], ("Use an API", "month", "requests/day")),
        (["5"], ("arithmetic", "experts must be in memory")),
    ],
    ids=["quantize", "split", "buy or rent", "why MoE"],
)
async def test_a_screen_answers_at_once(make_app: Make, keys: list[str], words: tuple[str, ...]) -> None:
    assert len(keys) == 1
    async with first(make_app).run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        answer = await pressed(pilot, *keys)
        for word in words:
            assert word in answer


@pytest.mark.long
async def test_saving_takes_three_keys_and_a_name(
    make_app: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = first(make_app)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        keys = ["escape", "s", "enter"]
        assert len(keys) <= 6
        await pressed_over(pilot, *keys[:2], *"mine.yaml", *keys[2:])
        # The first letter replaces the name that is offered.
        assert app.session.base == app.scenario
        assert not app.session.is_changed
        assert any("mine" in path.name for path in [*tmp_path.rglob("*.yaml"), *Path.home().rglob("mine*.yaml")])


@pytest.mark.long
async def test_two_precisions_are_compared_in_six_keys(make_app: Make) -> None:
    app = first(make_app)
    keys = ["escape", "c", "down", "right", "c"]
    assert len(keys) <= 6
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pressed_over(pilot, *keys)
        assert app.current_mode == "compare"
        assert app.session.pinned is not None
        assert app.session.pinned.precision != app.scenario.precision


@pytest.mark.long
async def test_an_export_takes_four_keys(make_app: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keys = ["escape", "e", "enter", "enter"]
    assert len(keys) <= 4
    async with first(make_app).run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pressed(pilot, *keys[:1])
        await pressed(pilot, *keys[1:3])
        await pressed_over(pilot, *keys[3:])
        (written,) = tmp_path.iterdir()
        assert "H100" in written.read_text(encoding="utf-8")


@pytest.mark.long
async def test_the_palette_sets_a_field_by_name(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pressed(pilot, ":", *said("users 200"), "enter")
        assert app.scenario.users == 200
