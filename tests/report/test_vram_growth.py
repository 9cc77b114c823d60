"""How memory grows: the picture holds what it is drawn for."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import Evaluator
from infratui.engine.figures.units import ByteUnit
from infratui.report.vram_growth import growth
from infratui.scenario import Scenario

EVALUATE = Evaluator(Catalog())


@pytest.mark.parametrize("gpus", [1, 2, 8, 64])
def test_the_load_stands_within_the_picture_however_few_the_gpus(gpus: int) -> None:
    scenario = Scenario(model="deepseek-v3", accelerator="h100-sxm", gpus=gpus, users=50, context=32_768)
    chart = growth(EVALUATE(scenario).vram, ByteUnit.GB)
    (here,) = (curve for curve in chart.curves if curve.tone == "kv")
    assert chart.top is not None
    assert chart.top >= max(y for x, y in here.points if x <= scenario.users)
    assert chart.top >= 2 * chart.rules[0].at
