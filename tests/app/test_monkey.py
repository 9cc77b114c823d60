"""Random keys, thousands in the long run: whatever is pressed, the app goes on and its scenario stays valid."""

from __future__ import annotations

import random

import pytest

from infratui.app.keys import KEYS
from infratui.scenario import parse

LEAVING = {"q", "ctrl+q", "ctrl+c"}
TYPED = [*"abcdefgjklmnoprtuvwxyz0123456789./-%[]~", "space", "backspace", "delete", "home", "end"]
RUNS = [(0, 60), *(pytest.param(seed, 1_000, marks=pytest.mark.long) for seed in range(1, 6))]
"""Seed and keys."""


@pytest.mark.parametrize(("seed", "count"), RUNS)
async def test_random_keys(make_app, monkeypatch, tmp_path, seed, count) -> None:
    monkeypatch.chdir(tmp_path)
    dice = random.Random(seed)
    bound = [name for key in KEYS for name in key.keys if name not in LEAVING]
    moves = ["up", "down", "left", "right", "tab", "enter", "escape", "escape"]
    pressed: list[str] = []
    while len(pressed) < count:
        app = make_app()
        async with app.run_test(size=(80, 24)) as pilot:
            while app.is_running and len(pressed) < count:
                keys = [dice.choice(dice.choice((bound, moves, moves, TYPED))) for _ in range(25)]
                pressed += keys
                for key in keys:
                    app.simulate_key(key)
                await pilot.pause()
                if dice.random() < 0.05:
                    await pilot.resize_terminal(*dice.choice(((80, 24), (120, 40), (50, 10), (61, 16), (200, 60))))
        assert parse(app.scenario.values()) == app.scenario, pressed[-25:]
