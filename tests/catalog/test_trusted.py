"""Rows that ship are trusted at run time: here they pass the schema that the user's pass, and come out the same."""

from __future__ import annotations

import pytest

from infratui.catalog.built_in import DATA
from infratui.catalog.schema import build
from infratui.catalog.trusted import construct
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.sections.moe import Counterparts
from infratui.engine.sections.parallelism import TypicalDeployment


@pytest.mark.parametrize(("table", "kind"), [("deployments", TypicalDeployment), ("counterparts", Counterparts)])
def test_rows_that_ship_fit_their_type(table: str, kind: type) -> None:
    found = read_built_in(DATA / f"{table}.yaml")
    rows = found if isinstance(found, list) else [found]
    assert rows
    for row in rows:
        plain = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        assert build(kind, plain) == construct(kind, row)
