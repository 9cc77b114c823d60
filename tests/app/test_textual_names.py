"""Underscore names of Textual are used in one room only, each is known to exist, and the app's own names avoid them."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from textual._compositor import Compositor
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

import infratui.app
from infratui.app.terminal import host, remembered
from infratui.app.terminal.driver import TerminalDriver
from infratui.app.terminal.typeahead import OrderedKeys

FOLDER = Path(infratui.app.__file__).parent
NAMES = {
    (App, "_display"),
    (App, "_batch_count"),
    (App, "_end_batch"),
    (Screen, "_compositor_refresh"),
    (Screen, "_refresh_layout"),
    (App, "_screen_stacks"),
    (App, "_current_mode"),
    (App, "_dispatch_action"),
    (App, "_handle_exception"),
    (App, "_fatal_error"),
    (App, "_return_code"),
    (App, "_close_messages_no_wait"),
    (App, "_driver"),
    (App, "_disable_tooltips"),
    (App, "_disable_notifications"),
    (App, "_screen_stack"),
    (App, "_load_screen_css"),
    (App, "_css_update_count"),
    (Screen, "_css_update_count"),
    (Screen, "_css_type_name"),
    (Screen, "_compositor"),
    (Compositor, "_dirty_regions"),
    (Widget, "_layout_required"),
    (Widget, "_repaint_required"),
    (Widget, "_clear_arrangement_cache"),
    (Widget, "_styles_cache"),
    (TerminalDriver, "_app"),
    (TerminalDriver, "_file"),
    (TerminalDriver, "_loop"),
    (TerminalDriver, "_key_thread"),
    (TerminalDriver, "_get_terminal_size"),
    (TerminalDriver, "_sigtstp_application"),
    (TerminalDriver, "_sigcont_application"),
    (TerminalDriver, "_run_input_thread"),
}
"""Every underscore name of Textual that the app relies on, and where Textual has it."""


def modules() -> Iterator[object]:
    for found in pkgutil.walk_packages(infratui.app.__path__, "infratui.app."):
        yield importlib.import_module(found.name)


def own_classes() -> Iterator[type]:
    for module in modules():
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield value


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def names_of(cls: type) -> frozenset[str]:
    """The underscore names that a class of Textual has: methods, class variables, and what its methods set."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(cls)))
    body = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == cls.__name__)
    found = set(vars(cls))
    for node in ast.walk(body):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            found.add(node.attr)
    return frozenset(name for name in found if private(name))


def inherited(cls: type) -> dict[str, type]:
    """Underscore names that a class of the app has from Textual."""
    bases = [base for base in cls.__mro__ if base.__module__.partition(".")[0] == "textual"]
    return {name: base for base in reversed(bases) for name in names_of(base)}


@cache
def used(cls: type) -> frozenset[str]:
    """The underscore names that a class defines or asks itself for."""
    tree = ast.parse(inspect.getsource(cls) if cls.__qualname__ == cls.__name__ else "")
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return frozenset(name for name in found if private(name))


@pytest.mark.long
def test_no_class_outside_the_terminal_room_shares_an_underscore_name_with_textual() -> None:
    shared = [
        f"{cls.__qualname__}.{name} is {textual.__name__}'s"
        for cls in own_classes()
        if ".terminal." not in cls.__module__
        for name, textual in inherited(cls).items()
        if name in used(cls)
    ]
    assert not shared


def test_no_module_outside_the_terminal_room_imports_a_private_module_of_textual() -> None:
    wrong = []
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual"):
                names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                if any(map(private, names)) and path.parent.name != "terminal":
                    wrong.append(f"{path.name}: {node.module}")
    assert not wrong


def test_what_the_terminal_room_takes_from_textual_is_listed() -> None:
    taken = {
        name for cls in own_classes() if ".terminal." in cls.__module__ for name in inherited(cls) if name in used(cls)
    }
    listed = {name for _, name in NAMES}
    assert taken <= listed


def test_the_terminal_room_says_what_each_name_stands_for() -> None:
    told = "\n".join(
        ast.get_docstring(node) or ""
        for path in (FOLDER / "terminal").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef)
    )
    assert [name for _, name in NAMES if f"{name}`" not in told] == []


@pytest.mark.parametrize(("cls", "name"), sorted(NAMES, key=lambda entry: (entry[0].__name__, entry[1])))
def test_textual_has_the_name_still(cls: type, name: str) -> None:
    known = {**inherited(cls), **dict.fromkeys(names_of(cls), cls)} if cls is not TerminalDriver else inherited(cls)
    assert name in known


class Grows(Widget):
    """As high as it is told."""

    DEFAULT_CSS = "Grows { height: auto; }"
    tall = 1

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return self.tall


class Bare(App[None]):
    """One widget."""

    def compose(self) -> Iterator[Widget]:
        yield Grows()


async def test_a_second_change_of_height_is_heard_while_the_first_is_on_its_way() -> None:
    async with Bare().run_test() as pilot:
        widget = pilot.app.query_one(Grows)
        for tall in (2, 3):
            widget.tall = tall
            remembered.relayout(widget)
        await pilot.pause()
        assert widget.size.height == 3


async def test_forgotten_lines_are_drawn_again() -> None:
    async with Bare().run_test() as pilot:
        await pilot.pause()
        screen: Screen[object] = pilot.app.screen
        remembered.forget_lines(screen)
        remembered.forget_places(screen)
        await pilot.pause()
        assert pilot.app.query_one(Grows).size.height == 1


def test_the_app_is_built_on_both_halves_of_the_room() -> None:
    assert issubclass(host.Host, OrderedKeys)
