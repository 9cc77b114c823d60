"""A number format in the user's own file is everywhere: the lab, the precisions, memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratui.catalog.errors import CatalogError
from infratui.catalog.load import Catalog
from infratui.engine.formats import encode_value, quantize
from infratui.engine.memory.weights import total_weights

ENTRY = """
formats:
  - id: e3m4_g32
    label: FP8 E3M4 group 32
    family: block_float
    element: {kind: float, exponent: 3, mantissa: 4, bias: 3, specials: ieee}
    scaling: {fit: absmax, block: 32, scale: e4m3}
    native: [Blackwell]
    used_for: [weights]
    evidence: []
    aliases: [mine]
    notes: A format of my own.
    source: my paper
"""


@pytest.fixture
def own(tmp_path: Path) -> Catalog:
    (tmp_path / "mine.yaml").write_text(ENTRY)
    return Catalog(tmp_path)


def test_one_entry_is_a_format_with_its_names_and_its_codec(own: Catalog) -> None:
    added = own.format("mine")

    assert own.formats()[-1] is added
    assert added.effective_bits == 8.25
    assert encode_value(added, 0.5).stored[0].type == "E4M3"
    assert quantize(added, [0.1] * 64).blocks[1].start == 32


def test_one_entry_is_a_precision_that_weighs_a_model(own: Catalog) -> None:
    precision, model = own.precision("e3m4_g32"), own.model("llama-3.1-405b")

    assert precision.origin.endswith("mine.yaml")
    assert precision.block == 32
    assert total_weights(model, own.precision("fp8")) < total_weights(model, precision) < 430e9


def test_a_broken_entry_is_one_line_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(ENTRY.replace("scale: e4m3", "scale: e9m9"))

    with pytest.raises(CatalogError, match=r"bad\.yaml:3: e3m4_g32: scale 'e9m9' is no float format") as refusal:
        Catalog(tmp_path).formats()

    assert "\n" not in str(refusal.value)


def test_an_entry_replaces_the_built_in_format_of_its_id(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(ENTRY.replace("id: e3m4_g32", "id: e2m1"))

    formats = Catalog(tmp_path).formats()

    assert [entry.label for entry in formats if entry.id == "e2m1"] == ["FP8 E3M4 group 32"]
