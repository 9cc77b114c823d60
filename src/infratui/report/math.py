"""Derivations as text: the math that screens, `--explain` and reports show."""

from __future__ import annotations

from collections.abc import Iterable

from ..engine.figures.derivation import Basis, Derivation, Step
from ..engine.figures.units import ByteUnit
from .money import figure

_SIGNS = {" * ": " × ", " / ": " ÷ ", "**": "^"}


def pretty(expression: str) -> str:
    """An expression with the signs of arithmetic: `params * bits / 8` → `params × bits ÷ 8`."""
    for code, sign in _SIGNS.items():
        expression = expression.replace(code, sign)
    return expression


def basis_label(step: Step) -> str:
    """`exact`, `derived`, `calibrated ±4 %` or `assumed`."""
    if step.basis is Basis.CALIBRATED and step.band_pct is not None:
        return f"calibrated ±{step.band_pct:.0f} %"
    return step.basis.value


def step_lines(step: Step, bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> list[str]:
    """One step as lines: the formula, the numbers put in with the value, and what it rests on."""
    value = figure(step.value, step.unit, bytes_as, currency)
    lines = [f"{step.symbol} = {pretty(step.expression)}"]
    if step.substituted != step.expression:
        lines.append(f"  = {pretty(step.substituted)}")
    lines.append(f"  = {value}")
    facts = "; ".join(part for part in (basis_label(step), step.note, step.source) if part)
    lines.append(f"  [{facts}]")
    return lines


def text(derivations: Iterable[Derivation], bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> str:
    """All derivations as plain text."""
    blocks = []
    for derivation in derivations:
        lines = [derivation.title, "─" * len(derivation.title)]
        for step in derivation:
            lines.extend(step_lines(step, bytes_as, currency))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def markdown(derivations: Iterable[Derivation], bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> str:
    """All derivations as Markdown: a heading and a code block each."""
    from .markdown import escaped, fenced

    blocks = []
    for derivation in derivations:
        lines = [line for step in derivation for line in step_lines(step, bytes_as, currency)]
        blocks.append(f"#### {escaped(derivation.title)}\n\n" + fenced("\n".join(lines)))
    return "\n\n".join(blocks)
