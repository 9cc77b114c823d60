"""The built-in catalog, read once for all engine tests."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog()
