"""The catalog with a user's own facts: added, overridden, marked, and refused in one line when they are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.errors import CatalogError
from infratui.catalog.load import Catalog
from infratui.catalog.schema import TYPES
from infratui.engine.facts import UnknownFactError
from infratui.engine.model.architecture import parameters

NEW_GPU = """\
accelerators:
  - id: x1000
    name: Maker X1000
    vendor: Maker
    arch: X
    memory_type: HBM4
    memory: 274877906944
    memory_marketing_gb: 256
    bandwidth: 16e12
    bf16: 4e15
    source: our own data sheet
"""
NEW_MODEL = """\
id: tiny-1b
name: Tiny 1B
hidden_size: 2048
vocab_size: 32000
max_context: 8192
tied_embeddings: true
order: a16
groups:
  - key: a
    attention: {heads: 16, kv_heads: 4, head_dim: 128}
    mlp: {width: 8192}
source: our own training run
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog"
    folder.mkdir()
    return folder


def everything(catalog: Catalog) -> Iterator[object]:
    yield catalog.accelerators()
    yield catalog.model("tiny-1b")


def test_a_new_accelerator_is_one_entry(own: Path):
    (own / "gpus.yaml").write_text(NEW_GPU)

    catalog = Catalog(own)

    found = catalog.accelerator("Maker X1000")
    assert found in catalog.accelerators()
    assert found.origin == str(own / "gpus.yaml")
    assert catalog.accelerator("h100").origin == "built-in"


def test_a_new_model_is_one_file(own: Path):
    (own / "tiny.yaml").write_text(NEW_MODEL)

    catalog = Catalog(own)

    model = catalog.model("tiny-1b")
    assert "tiny-1b" in catalog.model_ids()
    assert model in catalog.models()
    assert model.origin == str(own / "tiny.yaml")
    assert parameters(model).total == 16 * (2048 * 2048 * 2 + 2 * 2048 * 512 + 3 * 2048 * 8192 + 4096) + 2048 * 32001


def test_an_override_changes_only_the_keys_it_names(own: Path):
    (own / "mine.yaml").write_text(
        "accelerators:\n  - {id: h100-sxm, tdp_w: 650}\nmodels:\n  - {id: glm-5, max_context: 1000000}\n"
    )

    catalog, plain = Catalog(own), Catalog()

    assert catalog.accelerator("h100-sxm").tdp_w == 650
    assert catalog.accelerator("h100-sxm").bandwidth == plain.accelerator("h100-sxm").bandwidth
    assert catalog.accelerator("h100-sxm").origin.endswith("mine.yaml")
    assert catalog.model("glm-5").max_context == 1_000_000
    assert len(catalog.accelerators()) == len(plain.accelerators())


def test_own_prices_come_first_and_own_aliases_resolve(own: Path):
    (own / "mine.yaml").write_text(
        "prices:\n"
        "  - {accelerator: h100-sxm, kind: on_demand, usd: 1.5, provider: Our contract, date: 2026-08, source: bill}\n"
        "aliases: {ours: llama-3.1-8b}\n"
    )

    catalog = Catalog(own)

    first = catalog.prices("h100-sxm")[0]
    assert (first.provider, first.usd) == ("Our contract", 1.5)
    assert first.origin.endswith("mine.yaml")
    assert len(catalog.prices("h100-sxm")) == len(Catalog().prices("h100-sxm")) + 1
    assert catalog.model("ours").id == "llama-3.1-8b"


def test_a_later_file_wins(own: Path):
    (own / "a.yaml").write_text("accelerators: [{id: t4, tdp_w: 60}]\n")
    (own / "b.yaml").write_text("accelerators: [{id: t4, tdp_w: 65}]\n")

    assert Catalog(own).accelerator("t4").tdp_w == 65


def test_no_folder_and_empty_files_are_fine(own: Path):
    (own / "empty.yaml").write_text("# nothing yet\n")

    assert Catalog(own).accelerator("t4").origin == "built-in"
    assert Catalog(own / "none").model("70b").id == "llama-3.3-70b"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (NEW_GPU.replace("memory: 274877906944", "memory: lots"), 7, "memory: 'lots' is not allowed"),
        (NEW_GPU.replace("memory: 274877906944", "memory: -5"), 7, "memory: -5 is not allowed"),
        (NEW_GPU.replace("memory: 274877906944", "memory: 0"), 7, "0 is not allowed"),
        (NEW_GPU.replace("bandwidth: 16e12", "bandwidht: 16e12"), 9, "did you mean 'bandwidth'?"),
        (NEW_GPU.replace("    vendor: Maker\n", ""), 2, "vendor: is missing"),
        (NEW_GPU.replace("bf16: 4e15", "bf16: 4e99"), 10, "bf16"),
        (NEW_GPU.replace("id: x1000", "id: [x]"), 2, "id: is missing or not a short name"),
        (NEW_GPU.replace("accelerators:", "acelerators:"), 1, "did you mean 'accelerators'?"),
        ("accelerators: 5\n", 1, "write a list"),
        ("- a\n- b\n", 1, "write tables"),
        ("accelerators: [x]\n", 1, "id: is missing"),
        (NEW_MODEL.replace("order: a16", "order: a16 b2"), 7, "names b; groups are a"),
        (NEW_MODEL.replace("order: a16", "order: a99999999999"), 7, "more than 4096 layers"),
        (NEW_MODEL.replace("order: a16", "order: (a4096)4096"), 7, "more than 4096 layers"),
        (NEW_MODEL.replace("order: a16", "order: a{16"), 7, "not understood"),
        (NEW_MODEL.replace("heads: 16", "heads: 0"), 10, "0 is not allowed"),
        (NEW_MODEL.replace("heads: 16", "haeds: 16"), 10, "did you mean 'heads'?"),
        (NEW_MODEL.replace("width: 8192", "experts: 4, top_k: 8, width: 64"), 11, "8 of 4 experts"),
        (NEW_MODEL.replace("{width: 8192}", "wide"), 11, "'wide' is not allowed"),
        ("aliases: {ours: llama-9}\n", 1, "no model 'llama-9'"),
    ],
)
def test_wrong_facts_are_refused_with_file_line_and_key(own: Path, text: str, line: int, says: str):
    file = own / "mine.yaml"
    file.write_text(text)
    catalog = Catalog(own)

    with pytest.raises(CatalogError) as caught:
        list(everything(catalog))

    message = str(caught.value)
    assert message.startswith(f"{file}:{line}: ")
    assert says in message
    assert "\n" not in message


def test_names_may_not_carry_escape_sequences(own: Path):
    (own / "evil.yaml").write_text(NEW_GPU.replace("Maker X1000", '"\\e]52;c;xx\\a"'))

    with pytest.raises(CatalogError, match="control character"):
        Catalog(own).accelerators()


def test_a_huge_sparse_file_is_refused(own: Path):
    with (own / "huge.yaml").open("wb") as file:
        file.truncate(100_000_000)

    with pytest.raises(CatalogError, match="larger than"):
        Catalog(own).accelerators()


def test_a_broken_own_price_names_its_key(own: Path):
    (own / "p.yaml").write_text(
        "prices:\n  - accelerator: t4\n    kind: weekly\n    usd: 1\n    provider: x\n    date: 2026\n    source: x\n"
    )

    with pytest.raises(CatalogError, match=r"p\.yaml:3: .*kind"):
        Catalog(own).prices("t4")


def test_rows_are_made_once():
    catalog = Catalog()

    assert catalog.model("70b") is catalog.model("llama-3.3-70b")
    assert catalog.accelerator("h100") is catalog.accelerator("h100-sxm")
    assert catalog.prices("t4") is catalog.prices("t4")


def test_markup_and_control_characters_in_a_name_stay_harmless_in_the_message():
    with pytest.raises(UnknownFactError) as caught:
        Catalog().model("\x1b[31m[bold]x\n")

    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    table=st.sampled_from(sorted(TYPES)),
    key=st.sampled_from(["id", "name", "groups", "order", "parts", "usd"]),
    value=VALUES,
)
@settings(max_examples=150)
def test_any_row_is_built_or_refused_in_one_line(table: str, key: str, value: object):
    from infratui.catalog.schema import FlawedRowError, build

    try:
        build(TYPES[table], {key: value})
    except FlawedRowError as error:
        flaw = error.flaw
        refused = flaw.message
    else:
        refused = ""

    assert "\n" not in refused
