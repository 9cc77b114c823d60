"""Light value types behave as those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field, fields, replace
from typing import Any

import pytest

from infratui import value_types


def point(dataclass: Any) -> Any:
    @dataclass(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)
        memo: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("below zero")

        @property
        def sum(self) -> int:
            return self.x + self.y

    return Point


def empty(dataclass: Any) -> Any:
    @dataclass(frozen=True, slots=True)
    class Empty:
        """Nothing."""

    return Empty


def deeper(dataclass: Any) -> Any:
    @dataclass(frozen=True, slots=True)
    class Deeper(point(dataclass)):  # type: ignore[misc]
        """A place below."""

        z: int = 3

        def __repr__(self) -> str:
            return f"<{self.z}>"

    return Deeper


def loose(dataclass: Any) -> Any:
    @dataclass
    class Loose:
        """May change."""

        x: int = 1

    return Loose


def said(action: Callable[[], object]) -> object:
    try:
        return repr(action())
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize(
    "action",
    [
        lambda point, empty, deeper, loose: point(1),
        lambda point, empty, deeper, loose: point(1, 5, ["a"]),
        lambda point, empty, deeper, loose: point(y=1, x=2).sum,
        lambda point, empty, deeper, loose: point(),
        lambda point, empty, deeper, loose: point(-1),
        lambda point, empty, deeper, loose: deeper(-1),
        lambda point, empty, deeper, loose: point(1, 2, [], {}),
        lambda point, empty, deeper, loose: point(1, 2, x=3),
        lambda point, empty, deeper, loose: point(1, tags=None),
        lambda point, empty, deeper, loose: point(1, z=2),
        lambda point, empty, deeper, loose: point(1).memo,
        lambda point, empty, deeper, loose: (point(1) == point(1, tags=["b"]), point(1) == point(2), point(1) == 1),
        lambda point, empty, deeper, loose: (hash(point(1)) == hash(point(1, tags=["b"])), len({point(1), point(1)})),
        lambda point, empty, deeper, loose: point(1).tags is point(1).tags,
        lambda point, empty, deeper, loose: setattr(point(1), "x", 2),
        lambda point, empty, deeper, loose: delattr(point(1), "x"),
        lambda point, empty, deeper, loose: replace(point(1), x=4),
        lambda point, empty, deeper, loose: dataclasses.asdict(point(1)),
        lambda point, empty, deeper, loose: [entry.name for entry in fields(point)],
        lambda point, empty, deeper, loose: copy.deepcopy(point(1, 2, ["a"])),
        lambda point, empty, deeper, loose: point.__match_args__,
        lambda point, empty, deeper, loose: (empty(), empty() == empty(), hash(empty()) == hash(empty())),
        lambda point, empty, deeper, loose: (deeper(1), deeper(1).sum, deeper(1) == point(1), deeper(1) == deeper(1)),
        lambda point, empty, deeper, loose: (loose(), loose() == loose(1)),
        lambda point, empty, deeper, loose: hash(loose()),
        lambda point, empty, deeper, loose: setattr(loose(), "x", 2),
    ],
)
@pytest.mark.parametrize("made", [0, 9], ids=["first", "tenth"])
def test_it_does_what_the_standard_library_does(action: Callable[..., object], made: int) -> None:
    kinds = (point, empty, deeper, loose)
    ours = [kind(value_types.dataclass) for kind in kinds]
    for kind in ours:
        for _ in range(made):
            kind(1) if fields(kind) else kind()
    theirs = [kind(dataclasses.dataclass) for kind in kinds]
    assert said(lambda: action(*ours)) == said(lambda: action(*theirs))


def test_what_it_does_not_know_is_left_to_the_standard_library() -> None:
    @value_types.dataclass(frozen=True, order=True)
    class Version:
        """Ordered."""

        number: int

    assert Version(1) < Version(2)


def test_values_can_be_sent_elsewhere() -> None:
    from infratui.engine.cluster.layout import Layout

    layout = Layout(tp=2, pp=3)
    assert pickle.loads(pickle.dumps(layout)) == layout


def test_nothing_is_compiled_before_some_objects_are_made() -> None:
    kind = point(value_types.dataclass)
    before = kind.__init__
    kind(1)
    assert kind.__init__ is before
    for _ in range(9):
        kind(1)
    assert kind.__init__ is not before


def test_types_are_those_of_the_standard_library() -> None:
    from typing import get_type_hints

    from infratui.catalog.calibration import Calibration
    from infratui.engine.model.attention import GroupedQuery
    from infratui.scenario import Scenario

    for kind in (Scenario, Calibration, GroupedQuery):
        assert value_types.types_of(kind) == get_type_hints(kind)
