"""A scenario that notes which of its fields are read, so that a result can be remembered by exactly those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..scenario import Scenario


class _Recording:
    """Answers like the scenario it wraps. What-ifs made of it note their reads as well, the changed fields apart."""

    __slots__ = ("_changed", "_noted", "_scenario")

    def __init__(self, scenario: Scenario, noted: set[str], changed: frozenset[str] = frozenset()) -> None:
        self._scenario = scenario
        self._noted = noted
        self._changed = changed

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._scenario, name)
        if name not in self._changed and name in self._scenario.FIELDS:
            self._noted.add(name)
        return value


def recording(scenario: Scenario, noted: set[str]) -> Scenario:
    """The scenario, noting in `noted` every field that is read."""
    return cast("Scenario", _Recording(plain(scenario), noted))


def plain(scenario: Scenario) -> Scenario:
    """The scenario itself, whatever records it: its reads go unnoted."""
    return scenario._scenario if isinstance(scenario, _Recording) else scenario


def what_if(scenario: Scenario, **changes: object) -> Scenario:
    """The scenario with other values, unvalidated; where it records, fields that `changes` do not set go on record."""
    changed = plain(scenario).replaced(changes)
    if not isinstance(scenario, _Recording):
        return changed
    return cast("Scenario", _Recording(changed, scenario._noted, scenario._changed | changes.keys()))


def note(scenario: Scenario, fields: Iterable[str]) -> None:
    """Note fields as read: by a result that was remembered, and by whoever keeps the scenario as a whole."""
    if isinstance(scenario, _Recording):
        scenario._noted.update(field for field in fields if field not in scenario._changed)


def whole(scenario: Scenario) -> Scenario:
    """The plain scenario, to be kept in a result: all of its fields count as read, since any may be asked for."""
    note(scenario, scenario.FIELDS)
    return plain(scenario)
