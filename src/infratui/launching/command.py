"""The command of one engine: every argument with what it states, and what the engine cannot say."""

from __future__ import annotations

import shlex
from dataclasses import field

from ..value_types import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """One flag with its value."""

    concept: str
    """What it states; `report/launch.py` has the words."""
    flag: str
    value: str = ""
    """Empty: a switch, or the positional model."""
    default: bool = False
    """It says what the version would do anyway."""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.flag, self.value)))


@dataclass(frozen=True, slots=True)
class LaunchCommand:
    """A server's start."""

    engine: str
    version: str
    program: tuple[str, ...]
    arguments: tuple[Argument, ...]
    environment: dict[str, str] = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    """What the engine takes from a YAML file only."""
    remarks: tuple[str, ...] = ()
    """What the plan states and this engine cannot, or takes from elsewhere: kinds that the report words."""

    def servers(self, replicas: int, together: int) -> int:
        """Servers to start for so many replicas, of which `together` share their experts."""
        stated = any(entry.concept == "data-parallel" for entry in self.arguments)
        return 1 if stated and together == 1 else replicas // together

    @property
    def words(self) -> tuple[str, ...]:
        """The command line, word by word."""
        return (*self.program, *(word for entry in self.arguments for word in entry.words))

    @property
    def shell(self) -> str:
        """The command line for a shell, an argument per line."""
        head = shlex.join((*self.program, *(word for entry in self.arguments[:1] for word in entry.words)))
        rest = [shlex.join(entry.words) for entry in self.arguments[1:]]
        environment = "".join(f"{name}={shlex.quote(value)} " for name, value in self.environment.items())
        return environment + " \\\n  ".join((head, *rest))
