"""Sweeps: the points are the sections' own answers, steps are where something changes, and more is never less."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from infratui.engine.evaluate import Evaluator, evaluate
from infratui.engine.sweep import SWEPT, SweepPoint, sweep
from infratui.report.sections import SECTIONS
from infratui.scenario import ScenarioError
from infratui.settings_text import parse_sweep
from infratui.store import load_preset


def swept(catalog, section: str, text: str, preset: str = "production") -> list[SweepPoint]:
    name, values = parse_sweep(text)
    return list(sweep(Evaluator(catalog), load_preset(preset), section, name, values))


class TestReading:
    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("users=1..5", (1, 2, 3, 4, 5)),
            ("users=1..10:4", (1, 5, 9, 10)),
            ("context=8K,64K,1M", (8192, 65536, 1048576)),
            ("users=1..3,50", (1, 2, 3, 50)),
            ("precision=fp8,bf16", ("fp8", "bf16")),
            ("utilization=0.9..0.92:0.01", (0.9, 0.91, 0.92)),
            ("compliance=no,yes", (False, True)),
        ],
    )
    def test_values(self, text, values) -> None:
        assert parse_sweep(text)[1] == values

    @pytest.mark.parametrize("text", ["users=1..500", "context=64K..1M", "requests_per_day=1..10M", "pue=1..5"])
    def test_a_range_has_both_ends_and_at_most_two_hundred_values_in_order(self, text) -> None:
        name, values = parse_sweep(text)
        numbers = [float(str(value)) for value in values]
        assert numbers == sorted(numbers)
        assert 50 <= len(values) <= 201
        low, high = text.partition("=")[2].split("..")
        assert (values[0], values[-1]) == (*parse_sweep(f"{name}={low},{high}")[1],)

    @pytest.mark.parametrize(
        "text",
        ["users", "users=", "users=5", "users=5..1", "nobody=1..2", "users=1,,2", "users=1..2:0", "engine=a..b",
         "users=1..99999:1", "users=x..y", "=1..2", "users=.."],
    )  # fmt: skip
    def test_what_is_no_sweep_is_refused_in_one_line(self, text) -> None:
        with pytest.raises(ScenarioError) as refusal:
            parse_sweep(text)
        assert "\n" not in str(refusal.value)


class TestPoints:
    def test_every_section_can_be_swept(self) -> None:
        assert set(SWEPT) == {entry.id for entry in SECTIONS}

    def test_vram_and_plan_are_those_of_the_sections(self, catalog) -> None:
        memory, speed = swept(catalog, "vram", "users=7,90"), swept(catalog, "parallelism", "users=7,90")
        for at, users in enumerate((7, 90)):
            found = evaluate(load_preset("production").with_(users=users), catalog)
            assert memory[at].figures["total"] == found.vram.headline.total
            assert memory[at].gpus == found.vram.smallest.gpus
            serving = found.parallelism.serving
            assert serving is not None
            assert speed[at].figures["output"] == pytest.approx(serving.output_per_s)
            assert speed[at].layout == found.parallelism.chosen.layout.label

    def test_cost_is_that_of_the_section(self, catalog) -> None:
        for point in swept(catalog, "cost", "requests_per_day=50000,5000000"):
            found = evaluate(load_preset("production").with_(requests_per_day=point.value), catalog).cost
            assert point.gpus == found.fleet.gpus
            assert point.figures["monthly"] == pytest.approx(found.best.monthly if found.best else None)
            assert point.verdict == found.decision.leaf.value

    def test_quantization_and_moe_are_those_of_the_sections(self, catalog) -> None:
        for point in swept(catalog, "quantization", "precision=fp8,bf16"):
            row = evaluate(load_preset("production").with_(precision=point.value), catalog).quantization.chosen
            assert (point.figures["weights"], point.gpus) == (row.weights, row.gpus)
        for point in swept(catalog, "moe", "users=8,50"):
            found = evaluate(load_preset("production").with_(users=point.value), catalog).moe
            assert point.figures["dense_gpus"] == found.dense.fewest.gpus
            assert point.figures["moe_per_mtok"] == pytest.approx(found.moe.fewest.usd_per_mtok)

    def test_steps_name_what_changes(self, catalog) -> None:
        points = swept(catalog, "vram", "users=1..120:7")
        for before, now in pairwise(points):
            assert ("gpus" in now.changed) is (before.gpus != now.gpus)
            assert ("verdict" in now.changed) is (before.verdict != now.verdict)
        assert any(point.changed for point in points)
        assert points[0].changed == ()

    def test_a_point_without_an_answer_says_why(self, catalog) -> None:
        points = swept(catalog, "cost", "ttft_ms=1,2000")
        assert points[0].refusal
        assert not points[1].refusal
        assert points[1].changed

    @pytest.mark.parametrize("preset", ["team", "frontier-moe"])
    @pytest.mark.parametrize("field", ["users", "context"])
    def test_more_never_takes_fewer_gpus(self, catalog, preset, field) -> None:
        values = sorted(random.Random(field).sample(range(1, 200), 12))
        text = ",".join(str(value * (1 if field == "users" else 1024)) for value in values)
        needed = [point.gpus for point in swept(catalog, "vram", f"{field}={text}", preset) if point.gpus is not None]
        assert needed == sorted(needed)
        assert len(needed) > 1
