"""What the page of things to try promises happens, with the inputs that it names."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.catalog.reference import page
from infratui.engine.deployment.answer import deployed, fleet_of
from infratui.engine.evaluate import Evaluator
from infratui.scenario import Scenario
from infratui.store import load_preset

EVALUATE = Evaluator(Catalog())
LARGE = Scenario(model="llama-3.1-405b", accelerator="h100-sxm", gpus=8, users=10, context=8192)


def section(title: str) -> str:
    return next(entry.body for entry in page("try-this").sections if entry.title == title)


def test_four_bits_fit_half_a_node_and_full_precision_fits_none() -> None:
    assert "10 users at 8K" in section("A model too large for its format")
    assert deployed(EVALUATE(LARGE.with_(precision="int4", gpus=4)).case).holds
    for card in ("h100-sxm", "h200-sxm", "b200-sxm"):
        assert not deployed(EVALUATE(LARGE.with_(precision="fp32", accelerator=card)).case).holds


def test_stages_then_copies_and_no_pipeline_in_eight_bits() -> None:
    assert "50 users at 8K" in section("From one node to eight")
    layouts = {}
    for gpus in (8, 16, 32, 64):
        found = deployed(EVALUATE(LARGE.with_(precision="fp16", gpus=gpus, users=50)).case)
        layouts[gpus] = found.plan.layout if found.holds and found.plan else None
    assert layouts[8] is None
    assert layouts[16] is not None
    assert (layouts[16].pp, layouts[16].dp) == (2, 1)
    assert [layouts[gpus].dp for gpus in (32, 64)] == [2, 4]
    eight = deployed(EVALUATE(LARGE.with_(precision="fp8", gpus=16, users=50)).case)
    assert eight.holds
    assert eight.plan is not None
    assert eight.plan.layout.pp == 1


def test_twice_the_copies_have_twice_the_capacity() -> None:
    assert "doubles from 32 to 64" in section("From one node to eight")
    held = [
        EVALUATE(LARGE.with_(precision="fp16", gpus=gpus, users=50)).load_curve.points[-1].requests_per_s
        for gpus in (32, 64)
    ]
    assert held[1] == pytest.approx(2 * held[0], rel=0.01)


def test_fewer_hours_take_more_gpus() -> None:
    assert "500,000 requests a day" in section("Hours decide")
    busy = load_preset("production").with_(requests_per_day=500_000)
    day, shift = (fleet_of(EVALUATE(busy.with_(hours_per_day=hours)).case).plan for hours in (24.0, 8.0))
    assert day is not None
    assert shift is not None
    assert shift.gpus > day.gpus
