"""Predictions for a fixed set of deployments stay as they are, unless somebody means them to change."""

from __future__ import annotations

import csv

import pytest

from infratui.catalog.load import Catalog
from tools import golden


@pytest.mark.long
def test_no_prediction_moves_unseen() -> None:
    """`make golden` rewrites the file; its difference belongs to the change that caused it."""
    kept = list(csv.reader(golden.PATH.read_text("utf-8").splitlines()))
    found = list(csv.reader(golden.text(Catalog()).splitlines()))
    moved = [(" ".join(was[:8]), was[8:], now[8:]) for was, now in zip(kept, found, strict=True) if was != now]
    assert moved == []


def test_the_set_reaches_every_kind_of_model_and_has_few_without_an_answer() -> None:
    rows = list(csv.DictReader(golden.PATH.read_text("utf-8").splitlines()))
    assert len(rows) >= 200
    for column in golden.FIGURES:
        assert sum(row[column] != "" for row in rows) > len(rows) * 0.6
