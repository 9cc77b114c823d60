"""Scenario values as people type them: `users=50`, `context=32K`, `compliance=yes`."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .engine.figures.units import QuantityError, format_count, parse_number, parse_tokens
from .inputs import Kind
from .scenario import INPUTS, Scenario, ScenarioError, field_of, unknown_key

_YES = {"yes", "on", "true", "1", "y"}
_NO = {"no", "off", "false", "0", "n"}
_SCALES = (Kind.COUNT, Kind.TOKENS, Kind.NUMBER, Kind.PERCENT, Kind.MONEY)
"""Kinds of fields that a range makes sense for."""
MOST_POINTS = 200
"""Values of a range that states no step."""
_LIMIT = 2000


def parse_value(name: str, text: str) -> object:
    """Read one field's value from text. Raises ScenarioError."""
    field = field_of(name)
    if field is None:
        raise unknown_key(name)
    text = text.strip()
    spec = field.spec
    try:
        match spec.kind:
            case Kind.TOKENS:
                return parse_tokens(text)
            case Kind.COUNT | Kind.NUMBER | Kind.PERCENT | Kind.MONEY if spec.zero and text.lower() == spec.zero:
                return 0
            case Kind.COUNT:
                return _whole(name, text)
            case Kind.NUMBER | Kind.PERCENT | Kind.MONEY:
                return parse_number(text.lstrip("$"))
            case Kind.TEXT | Kind.PROFILE if spec.zero and text.lower() == spec.zero:
                return ""
            case Kind.SWITCH:
                if text.lower() in _YES | _NO:
                    return text.lower() in _YES
                raise ScenarioError(f"{name}: {text[:40]!r} is not allowed; write yes or no")
            case _:
                return text
    except QuantityError as error:
        raise ScenarioError(f"{name}: {error}") from None


def _whole(name: str, text: str) -> int:
    value = parse_number(text)
    if value != int(value):
        raise ScenarioError(f"{name}: {text[:40]!r} is not allowed; write a whole number")
    return int(value)


def assign(scenario: Scenario, settings: Iterable[str]) -> Scenario:
    """Apply `key=value` texts in order. Raises ScenarioError."""
    changes: dict[str, object] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign:
            raise ScenarioError(f"--set {setting[:60]!r}: write key=value, such as users=50")
        changes[key.strip()] = parse_value(key.strip(), text)
    return scenario.with_(**changes) if changes else scenario


def parse_sweep(text: str) -> tuple[str, tuple[object, ...]]:
    """Read `users=1..500`, `users=1..500:25` (its step) or `context=8K,64K,1M`: a field and its values.

    A range without a step is walked in round steps, two hundred values at most. Raises ScenarioError.
    """
    name, sign, listed = text.partition("=")
    name = name.strip()
    if not sign or not listed.strip():
        raise ScenarioError(f"--sweep {text[:60]!r}: write field=low..high or field=a,b,c, such as users=1..500")
    if name not in INPUTS:
        raise unknown_key(name)
    found: dict[object, None] = {}
    for part in listed.split(","):
        if not part.strip():
            raise ScenarioError(f"--sweep {text[:60]!r}: a value is missing beside a comma")
        found.update(dict.fromkeys(_range(name, part) if ".." in part else (parse_value(name, part),)))
    if len(found) > _LIMIT:
        raise ScenarioError(f"--sweep {name}: {len(found):,} values are too many; {_LIMIT:,} at most")
    if len(found) < 2:
        raise ScenarioError(f"--sweep {name}: one value is no sweep; write two or more, or a range low..high")
    return name, tuple(found)


def _range(name: str, text: str) -> Iterable[object]:
    """The values of `low..high` or `low..high:step`, both ends among them."""
    ends, _, stride = text.partition(":")
    first, _, last = ends.partition("..")
    low, high = parse_value(name, first), parse_value(name, last)
    if INPUTS[name].kind not in _SCALES or not isinstance(low, int | float) or not isinstance(high, int | float):
        raise ScenarioError(f"--sweep {name}: has no range; list its values, such as {name}=a,b")
    if low >= high:
        raise ScenarioError(f"--sweep {name}: {ends.strip()[:40]!r} runs backwards; write the lower end first")
    whole = INPUTS[name].kind in (Kind.COUNT, Kind.TOKENS)
    step = _round_step(name, (high - low) / (MOST_POINTS - 1), whole)
    if stride.strip():
        given = parse_value(name, stride)
        if not isinstance(given, int | float) or given <= 0:
            raise ScenarioError(f"--sweep {name}: a step of {stride.strip()[:40]!r} leads nowhere; write one above 0")
        step = given
        if (high - low) / step > _LIMIT:
            raise ScenarioError(f"--sweep {name}: {(high - low) / step:,.0f} values are too many; {_LIMIT:,} at most")
    between = range(math.floor(low / step) + 1, math.ceil(high / step)) if not stride.strip() else ()
    inner = [at * step for at in between] or [low + at * step for at in range(1, math.ceil((high - low) / step))]
    values = [low, *(value for value in inner if low < value < high), high]
    return (round(value) if whole else round(value, 9) for value in values)


def _round_step(name: str, least: float, whole: bool) -> float:
    """The smallest round step of at least that size: 1, 2 or 5 times a power of ten, of tokens a power of two."""
    if INPUTS[name].kind is Kind.TOKENS:
        return float(2 ** max(0, math.ceil(math.log2(least))))
    size = 10.0 ** math.floor(math.log10(least))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= least * (1 - 1e-9))
    return max(1.0, step) if whole else step


def describe_range(name: str) -> str:
    """The values a field takes, in words: `1 … 1,000,000`, `vllm, sglang, tensorrt-llm`."""
    field = field_of(name)
    if field is None:
        raise unknown_key(name)
    spec = field.spec
    if field.choices:
        return ", ".join(field.choices)
    if spec.kind is Kind.SWITCH:
        return "yes, no"
    low, high = field.low, field.high
    if low is None or high is None:
        return {
            Kind.MODEL: "a model id, alias or checkpoint path",
            Kind.ACCELERATOR: "an accelerator id",
            Kind.PRECISION: "a weight precision id",
            Kind.KV_PRECISION: "a KV precision id",
            Kind.PROFILE: "as infratui demand FILE --apply writes it",
        }.get(spec.kind, "text")
    return f"{_bound(low)} … {_bound(high)}"


def _bound(value: float) -> str:
    """A bound as people write it: `16,384`, `16.8M`, `10 trillion`."""
    if 1e12 <= abs(value) < 1e15 and value % 1e12 == 0:
        return f"{value / 1e12:g} trillion"
    return format_count(value) if 1e7 <= abs(value) < 1e15 else f"{value:,.7g}"
