"""The bench stands on the product as it is: what it imports is there."""

from __future__ import annotations

import importlib

import pytest


@pytest.mark.parametrize("module", ["tests.bench.__main__", "tests.bench.engine"])
def test_it_can_be_started(module: str) -> None:
    assert importlib.import_module(module)
