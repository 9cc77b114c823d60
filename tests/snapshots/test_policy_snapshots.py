"""What the policy's line looks like, at three sizes."""

from __future__ import annotations

import pytest

from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.policy import Policy
from infratui.scenario import Scenario

LIMITS = Policy(fits=True, ttft_ms_p95=80.0, tpot_ms=8.0, survive_gpus=1)


@pytest.mark.parametrize(
    "size",
    [(80, 24), pytest.param((120, 36), marks=pytest.mark.long), pytest.param((200, 60), marks=pytest.mark.long)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_a_policy_that_is_broken(snap_compare, size) -> None:
    app = InfraApp(Scenario(name="Held", policy=LIMITS), settings=Settings(motion=False), start="parallelism")

    async def settle(pilot) -> None:
        await pilot.pause()
        while any(not worker.is_finished for worker in app.workers):
            await pilot.pause(0.01)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)
