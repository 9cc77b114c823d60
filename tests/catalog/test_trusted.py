"""Every row that ships with the package passes the schema, and skipping it at the start changes nothing."""

from __future__ import annotations

import pytest

from infratui.catalog.load import Catalog
from infratui.catalog.price_table import _spelled, _table
from infratui.catalog.rows import read_built_in
from infratui.catalog.schema import TYPES, build
from infratui.engine.cluster.hardware import Price
from infratui.engine.model.architecture import Model

CATALOG = Catalog()


@pytest.mark.parametrize("model_id", CATALOG.model_ids())
def test_models_pass_the_schema(model_id: str):
    data, _ = read_built_in("models", f"{model_id}.yaml")

    assert repr(build(Model, data)) == repr(CATALOG.model(model_id))


@pytest.mark.parametrize("table", ["accelerators", "systems", "links", "precisions"])
def test_tables_pass_the_schema(table: str):
    data, _ = read_built_in(f"{table}.yaml")
    loaded = getattr(CATALOG, table)()

    assert [repr(build(TYPES[table], row)) for row in data] == [repr(row) for row in loaded]
    assert len({row.id for row in loaded}) == len(data)


def test_prices_pass_the_schema():
    table, _ = _table()

    for accelerator_id, offers in table["offers"].items():
        loaded = {repr(price) for price in CATALOG.prices(accelerator_id)}
        for offer in offers:
            assert repr(build(Price, {"accelerator": accelerator_id, **_spelled(offer, table)})) in loaded
        assert CATALOG.accelerator(accelerator_id).id == accelerator_id
