"""Scenario values as people type them: `users=50`, `context=32K`, `compliance=yes`."""

from __future__ import annotations

from collections.abc import Iterable

from .engine.figures.units import QuantityError, format_count, parse_number, parse_tokens
from .scenario import INPUTS, Kind, Scenario, ScenarioError, _explain, bounds, choices

_YES = {"yes", "on", "true", "1", "y"}
_NO = {"no", "off", "false", "0", "n"}


def parse_value(name: str, text: str) -> object:
    """Read one field's value from text. Raises ScenarioError."""
    if name not in INPUTS:
        raise ScenarioError(_explain(name, "extra_forbidden", "", text, ""))
    text = text.strip()
    spec = INPUTS[name]
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
            case Kind.TEXT if spec.zero and text.lower() == spec.zero:
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


def describe_range(name: str) -> str:
    """The values a field takes, in words: `1 … 1,000,000`, `vllm, sglang, tensorrt-llm`."""
    spec = INPUTS[name]
    if options := choices(name):
        return ", ".join(options)
    if spec.kind is Kind.SWITCH:
        return "yes, no"
    low, high = bounds(name)
    if low is None or high is None:
        return {
            Kind.MODEL: "a model id, alias or checkpoint path",
            Kind.ACCELERATOR: "an accelerator id",
            Kind.PRECISION: "a weight precision id",
            Kind.KV_PRECISION: "a KV precision id",
        }.get(spec.kind, "text")
    return f"{_bound(low)} … {_bound(high)}"


def _bound(value: float) -> str:
    """A bound as people write it: `16,384`, `10T`."""
    return format_count(value) if 1e7 <= abs(value) < 1e15 else f"{value:,.7g}"
