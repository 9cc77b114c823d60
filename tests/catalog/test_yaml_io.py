"""The YAML reader takes what a person writes and refuses, in one line, what a stranger might."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.errors import CatalogError
from infratui.catalog.yaml_io import line_of, parse, printable, read

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False, width=64),
    # `1e9` and `12_000` are numbers here and text to that writer, which follows YAML 1.1.
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20).filter(
        lambda text: text[:1] not in "+-.0123456789"
    ),
)
KEYS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
    ),
    max_size=5,
)


def refusal(action: Callable[[], object]) -> str:
    """The message of the refusal; empty when there was none."""
    try:
        action()
    except CatalogError as error:
        return str(error)
    return ""


def test_values_follow_the_core_rules():
    text = "a: 1_000\nb: 3.35e12\nc: yes\nd: 2026-04-22\ne: ~\nf: 'true'\ng: [true, -0.5, .5, 1e9]\nh: 12:30\n"

    assert parse(text) == {
        "a": 1000,
        "b": 3.35e12,
        "c": "yes",
        "d": "2026-04-22",
        "e": None,
        "f": "true",
        "g": [True, -0.5, 0.5, 1e9],
        "h": "12:30",
    }


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: &x 1\n", 1, "anchor"),
        ("a: 1\nb: *a\n", 2, "alias"),
        ("a: 1\na: 2\n", 2, "appears twice"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tag"),
        ("a: !x 1\n", 1, "tag"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("? [1, 2]\n: x\n", 1, "key must be plain text"),
        ('a: "\\x1b[31mred"\n', 1, "control character"),
        ("a: 1\nb: \x1b[31m\n", 2, "control character"),
        ("a: \u202eabc\n", 1, "control character"),
        ("a: [1, 2\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1e999\n", 1, "beyond"),
        ("a: " + "[" * 100 + "\n", 1, "nested deeper"),
        ("[" * 100_000, 1, "nested deeper"),
        ("{a: " * 100_000, 1, "nested deeper"),
        ("- " * 100_000, 1, "nested deeper"),
        ("a: [" + "1," * 400_000 + "1]", 1, "more than 200,000 values"),
        ("\n- {}" * 200_000, 200_001, "more than 200,000 values"),
        ("a: '" + "[" * 100 + "'\nb: [1, 2\n", 3, "not valid YAML"),
    ],
)
def test_refusals_name_file_line_and_what(text: str, line: int, says: str):
    with pytest.raises(CatalogError) as caught:
        parse(text, name="mine.yaml")

    message = str(caught.value)
    assert message.startswith(f"mine.yaml:{line}: ")
    assert says in message
    assert "\n" not in message
    assert "\x1b" not in message


def test_an_alias_bomb_is_refused_before_it_expands():
    bomb = "a: &a [x, x]\n" + "".join(f"{k}: &{k} [*{p}, *{p}]\n" for p, k in zip("abcdefgh", "bcdefghi", strict=True))

    with pytest.raises(CatalogError, match="anchor"):
        parse(bomb)


def test_a_hundred_megabytes_are_refused_unread(tmp_path: Path):
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(100_000_000)

    with pytest.raises(CatalogError, match="larger than"):
        read(huge)


def test_not_utf_8_is_refused_with_its_line(tmp_path: Path):
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: 1\nname: caf\xe9\n")

    with pytest.raises(CatalogError, match=r"latin\.yaml:2: not UTF-8"):
        read(file)


@pytest.mark.parametrize("content", ["\ufeffa: 1\n", "a: 1\r\n"])
def test_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path, content: str):
    file = tmp_path / "a.yaml"
    file.write_bytes(content.encode())

    assert read(file) == {"a": 1}


def test_missing_file_and_folder_say_so(tmp_path: Path):
    with pytest.raises(CatalogError, match=r"none\.yaml: cannot be read"):
        read(tmp_path / "none.yaml")
    with pytest.raises(CatalogError, match="not a regular file"):
        read(tmp_path)
    with pytest.raises(CatalogError, match="cannot be read"):
        read(Path("nul\0.yaml"))


def test_a_pipe_does_not_block(tmp_path: Path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)

    with pytest.raises(CatalogError, match="not a regular file"):
        read(pipe)


def test_the_exception_is_the_callers():
    class PresetError(ValueError):
        pass

    with pytest.raises(PresetError):
        parse("a: *b", error=PresetError)


def test_lines_of_keys_are_found():
    text = "models:\n  - id: a\n    groups:\n      - key: x\n        mlp: {width: -1}\n"

    assert line_of(text, ("models", 0, "groups", 0, "mlp", "width")) == 5
    assert line_of(text, ("models", 0, "id")) == 2
    assert line_of(text, ("models", 0, "missing")) == 2


def test_printable_is_one_harmless_line():
    assert printable("a\nb\x1b[2J" + "x" * 500, 20) == "a b\N{REPLACEMENT CHARACTER}[2J" + "x" * 12 + "…"


@given(DOCUMENTS)
def test_reads_back_what_a_yaml_writer_wrote(document: dict[str, object]):
    text = yaml.safe_dump(document, allow_unicode=True)

    found = parse(text)

    assert found == document


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_line(text: str):
    assert "\n" not in refusal(lambda: parse(text))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, raw: bytes):
    file = tmp_path_factory.mktemp("bytes") / "x.yaml"
    file.write_bytes(raw)

    assert "\n" not in refusal(lambda: read(file))
