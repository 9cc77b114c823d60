"""What an input is to the person who changes it: label, unit, range, steps; and how a value of it is checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Literal, TypeVar, get_args, get_origin

from .plain_text import CONTROL
from .value_types import dataclass

Value = TypeVar("Value")


class Steps:
    """What ←/→ walk in inputs of one kind."""

    POWERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
    COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024)
    USERS = (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000, 1024, 2000, 4096)
    CONTEXT = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576)
    LENGTHS = (1, 32, 64, 128, 200, 256, 500, 512, 1000, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
    PERCENTS = (0, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 100)
    FILLS = (10, 25, 50, 75, 100)
    SHARES = (0.8, 0.85, 0.9, 0.92, 0.95)
    DEMAND = (
        100, 500, 1000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
        1_000_000, 2_000_000, 5_000_000, 10_000_000,
    )  # fmt: skip


class Kind(StrEnum):
    """How a value is typed, stepped and shown."""

    MODEL = "model"
    PRECISION = "precision"
    KV_PRECISION = "kv precision"
    ACCELERATOR = "accelerator"
    CHOICE = "choice"
    SWITCH = "switch"
    COUNT = "count"
    TOKENS = "tokens"
    NUMBER = "number"
    PERCENT = "percent"
    """Held as a percentage, 0 to 100."""
    MONEY = "money"
    TEXT = "text"
    PROFILE = "profile"
    """Measured demand: written by `infratui demand`, dropped by `none`."""


@dataclass(frozen=True, slots=True)
class Input:
    """What a field is to the person who changes it."""

    label: str
    kind: Kind
    term: str = ""
    """Glossary id."""
    unit: str = ""
    steps: tuple[float, ...] = ()
    """Values that ←/→ walk; beyond them any value in range can be typed."""
    zero: str = ""
    """What 0 or empty means, where it is not a number: `auto`."""
    help: str = ""


POOLS = Input(
    "Apart", Kind.TEXT, "disaggregation", zero="together", help="replicas for prompts : replicas for answers, as 1:3"
)
RATIO = r"^([1-9]\d{0,3}:[1-9]\d{0,3})?$"
"""Two whole numbers, or nothing."""


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the scenario: its type, its default, and what a value must hold to."""

    spec: Input
    default: Any
    type: Any = str
    """`int`, `float`, `bool`, `str`, or a `Literal`."""
    low: float | None = None
    high: float | None = None
    shortest: int = 0
    longest: int | None = None
    pattern: str = ""
    check: Callable[[str], str] | None = None
    """A text's own check: the text to keep, or ValueError in words."""
    read: Callable[[object], Any] | None = None
    """What makes a value of its own kind of what a file or a person writes, or ValueError in words."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a `Literal`; empty: any."""
        return tuple(get_args(self.type)) if get_origin(self.type) is Literal else ()

    def checked(self, value: object) -> Any:
        """The value as the field holds it. Raises ValueError: what would be right."""
        if self.read is not None:
            try:
                return self.read(value)
            except ValueError as error:
                raise SaidError(str(error)) from None
        if self.type is bool:
            return _switch(value)
        if self.type in (int, float):
            return self._number(value)
        if not isinstance(value, str):
            raise ValueError("write a text")
        return self._text(value)

    def _number(self, value: object) -> float:
        number = _whole(value) if self.type is int else _real(value)
        if self.low is not None and number < self.low:
            raise ValueError(f"at least {self.low:,g}" if self.low < 1 else f"at least {self.low:,}")
        if self.high is not None and number > self.high:
            raise ValueError(f"at most {self.high:,}")
        return number

    def _text(self, text: str) -> str:
        # Texts are names and paths, and reach terminals, titles and files: one line, nothing that steers it.
        if not text.isprintable() and (found := re.search(CONTROL, text) or re.search(r"[\n\t]", text)):
            raise SaidError(f"control character {found[0]!a}; remove it")
        if self.choices and text not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")
        if len(text) < self.shortest:
            raise ValueError(f"at least {self.shortest} character{'s' if self.shortest > 1 else ''}")
        if self.longest is not None and len(text) > self.longest:
            raise ValueError(f"at most {self.longest} characters")
        if text and self.pattern and not re.search(self.pattern, text):
            raise ValueError(f"write {self.spec.help}, or leave it empty")
        if self.check is None:
            return text
        try:
            return self.check(text)
        except ValueError as error:
            raise SaidError(str(error)) from None


class SaidError(ValueError):
    """A refusal that names the value itself."""


_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _switch(value: object) -> bool:
    text = str(value).lower()
    if isinstance(value, bool | int | str) and text in (*_ON, *_OFF):
        return text in _ON
    raise ValueError("yes or no")


def _real(value: object) -> float:
    if isinstance(value, str) and value.isascii():
        try:
            value = float(value)
        except ValueError:
            value = None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("write a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("write a finite number")
    return number


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _real(value)
    if not number.is_integer():
        raise ValueError("write a whole number")
    return int(number)


def given(default: Value, spec: Input, **limits: Any) -> Value:
    """A field of the scenario; `limits` are those of `InputField`."""
    made: Value = field(default=default, metadata={"given": InputField(spec, default, **limits)})
    return made


def price(label: str, term: str, unit: str = "$/GPU·h", high: float = 1e6) -> float:
    """A price of one's own; 0: as the catalog has it."""
    return given(0.0, Input(label, Kind.MONEY, term, unit, (), "catalog"), low=0, high=high)


def percent(default: float, label: str, term: str, steps: tuple[float, ...], unit: str = "%", zero: str = "") -> float:
    """Held as 0 to 100."""
    return given(default, Input(label, Kind.PERCENT, term, unit, steps, zero), low=0, high=100)


def number(  # noqa: PLR0913 – what an input is, in one line
    default: float,
    label: str,
    term: str,
    unit: str,
    steps: tuple[float, ...],
    low: float,
    high: float,
    zero: str = "",
    help: str = "",
) -> float:
    """Any number between two."""
    return given(default, Input(label, Kind.NUMBER, term, unit, steps, zero, help), low=low, high=high)


def gigabytes(label: str, term: str, unit: str) -> float:
    """An amount that a cloud bills by the gigabyte."""
    return number(0.0, label, term, unit, (0, 100, 500, 1000, 5000, 10_000, 50_000), 0, 1e12, "none")


def typed(entry: InputField, annotation: Any) -> InputField:
    """The field with the type that its annotation states."""
    return replace(entry, type=annotation)
