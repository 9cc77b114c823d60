"""The rule of thumb against 700 memory and 105 split cases that were computed independently."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.engine.figures.units import GIB
from infratui.engine.memory import rule_of_thumb
from infratui.engine.model.architecture import RuleOfThumb

DATA = Path(__file__).parent.parent / "data"
SIZES = {
    "7B": RuleOfThumb(7 * 10**9, 32, 32, 128),
    "13B": RuleOfThumb(13 * 10**9, 40, 40, 128),
    "70B": RuleOfThumb(70 * 10**9, 80, 8, 128),
    "405B": RuleOfThumb(405 * 10**9, 126, 8, 128),
    "745B MoE": RuleOfThumb(745 * 10**9, 64, 8, 128),
}
BYTES = {"FP32": 4.0, "FP16": 2.0, "FP8": 1.0, "INT4": 0.5}
KV_BYTES = {"FP32": 4.0, "FP16": 2.0, "FP8": 1.0, "INT4": 2.0}


def cases(name: str) -> list[dict[str, str]]:
    with (DATA / name).open() as file:
        return list(csv.DictReader(file))


def test_memory_cases_come_out_to_the_byte():
    rows = cases("rule_of_thumb_memory.csv")
    assert len(rows) == 700
    for row in rows:
        found = rule_of_thumb.memory(
            SIZES[row["model"]],
            BYTES[row["precision"]],
            KV_BYTES[row["precision"]],
            int(row["context"]),
            int(row["users"]),
        )
        for part, value in (
            ("weights_gib", found.weights),
            ("kv_gib", found.kv_cache),
            ("overhead_gib", found.overhead),
            ("total_gib", found.total),
        ):
            assert abs(float(row[part]) * GIB - value) <= 1, (row, part)


def test_split_cases_come_out():
    rows = cases("rule_of_thumb_strategy.csv")
    assert len(rows) == 105
    for row in rows:
        found = rule_of_thumb.split(SIZES[row["model"]].parameters * BYTES[row["precision"]], int(row["gpus"]))
        expected = tuple(int(row[key]) for key in ("tp", "pp", "dp", "min_gpus"))
        assert (found.layout.tp, found.layout.pp, found.layout.dp, found.min_gpus) == expected, row
        assert found.enough == (row["enough"] == "true")
        assert found.kind == row["type"]


def test_the_catalog_carries_the_classic_sizes(catalog: Catalog):
    for alias, figures in zip(("7b", "13b", "70b", "405b", "745b"), SIZES.values(), strict=True):
        assert rule_of_thumb.figures(catalog.model(alias)) == figures


def test_explained_total_is_the_total():
    found = rule_of_thumb.memory(SIZES["70B"], 1.0, 1.0, 4096, 10, explain=True)

    assert found.derivation is not None
    assert round(found.derivation.value) == found.total
    assert found.total == pytest.approx(88.2e9, rel=1e-3)


@given(st.integers(1, 10**13), st.integers(1, 2048))
def test_split_never_needs_more_than_it_is_given_when_enough(weights: int, gpus: int):
    found = rule_of_thumb.split(weights, gpus)

    assert found.layout.tp >= 1 <= found.layout.pp
    assert found.layout.tp <= min(8, gpus)
