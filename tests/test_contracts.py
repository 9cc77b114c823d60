"""What holds for the whole of the code: rooms, names, sizes, formulas; and CONTRIBUTING.md says the same."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "infratui"
LONGEST = 400
"""Lines of a file at most."""


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    return tuple(
        (path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8")))
        for path in sorted(SOURCE.rglob("*.py"))
    )


def classes() -> dict[str, list[str]]:
    """Public class → the modules that define it at their top."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name)
    return found


def test_no_two_public_classes_share_a_name() -> None:
    assert {name: where for name, where in classes().items() if len(where) > 1} == {}


def test_no_two_widgets_share_a_name_of_any_kind() -> None:
    """Textual finds styles by class name: two widgets of one name dress each other."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, tree in modules():
        if name.startswith("app/"):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.bases:
                    found[node.name.lstrip("_")].append(name)
    # Messages are found by the widget around them, never by a style.
    messages = {"Changed", "Moved", "Chosen", "Opened", "Noted", "Left", "Ready", "Taken"}
    assert {name: where for name, where in found.items() if len(where) > 1 and name not in messages} == {}


def test_files_fit_in_a_head() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for folder in ("src", "tests", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text("utf-8").splitlines()) > LONGEST
    }
    assert long == set()


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Modules of the package that one needs before it can be imported itself."""
    known = {other for other, _ in modules()}
    folder = Path(name).parent
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        place = folder.joinpath(*[".."] * (node.level - 1), *(node.module or "").split("."))
        for path in (place, *(place / alias.name for alias in node.names)):
            file = Path(os.path.normpath(f"{path}.py")).as_posix()
            if file in known and file != name:
                yield file


def test_no_module_needs_itself() -> None:
    """No circle of imports, whatever the layers allow."""
    graph = {name: set(imported(name, tree)) for name, tree in modules()}
    assert sum(map(len, graph.values())) > len(graph)
    tuple(TopologicalSorter(graph).static_order())


def test_every_module_says_in_a_sentence_what_it_owns() -> None:
    assert [name for name, tree in modules() if not ast.get_docstring(tree) and tree.body] == []


def formulas() -> Iterator[tuple[str, ast.Call]]:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Formula":
                yield name, node


def test_every_formula_states_its_unit() -> None:
    missing = {
        f"{name}:{call.lineno}"
        for name, call in formulas()
        if len(call.args) < 3 and "unit" not in {word.arg for word in call.keywords}
    }
    assert missing == set()


def test_every_formula_names_a_term_of_the_glossary() -> None:
    from infratui.catalog.reference import glossary

    known = glossary().keys()
    named = {
        (f"{name}:{call.lineno}", word.value.value)
        for name, call in formulas()
        for word in call.keywords
        if word.arg == "term" and isinstance(word.value, ast.Constant)
    }
    assert {place for place, term in named if term not in known} == set()


def test_value_types_are_the_light_ones() -> None:
    """`from …value_types import dataclass`: a definition of the standard library's costs a start ten times as much."""
    heavy = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses" and name != "value_types.py"
        if "dataclass" in {alias.name for alias in node.names}
    }
    assert heavy == set()


# -- what CONTRIBUTING.md says


@pytest.fixture(scope="module")
def layers() -> list[str]:
    """The rooms from top to bottom, as the contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    found = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [re.sub(r"[()]", "", layer) for layer in found]


def test_the_table_has_the_rooms_of_the_contract_in_its_order(layers: list[str]) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    told = [re.findall(r"`(\w+)(?:/|\.py)`", row) for row in rows]
    wanted = [[name for name in layer.split(" | ") if exists(name)] for layer in layers]
    assert told == wanted


def test_every_room_stands_in_the_contract(layers: list[str]) -> None:
    listed = {name for layer in layers for name in layer.split(" | ")}
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__", "__main__"} <= listed


def exists(room: str) -> bool:
    return (SOURCE / room).is_dir() or (SOURCE / f"{room}.py").is_file()
