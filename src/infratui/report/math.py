"""The math that screens, `--explain` and reports show: the figure first, below it what it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..engine.figures.derivation import NAME, Basis, Derivation, Step, literal
from ..engine.figures.units import ByteUnit
from ..value_types import dataclass
from .money import figure

AGAIN = "(as above)"
_SIGNS = {" * ": " × ", " / ": " ÷ ", "**": "^"}
_NUMBER = r"-?[\d_.]+(?:e-?\d+)?"
_TOLD = -1
"""Depth of what is not shown again."""
_UNCOMMON = 4
"""Digits of a number from which equal ones are one figure under two names, not a coincidence."""


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


@dataclass(frozen=True, slots=True)
class Branch:
    """A step in its place below the figure that it serves."""

    step: Step
    depth: int
    again: bool = False
    """It stands above already, under an earlier title."""


def trees(derivations: Iterable[Derivation]) -> Iterator[tuple[str, tuple[Branch, ...]]]:
    """Each title with its steps as a tree: the figure, below each step those whose values it uses, each once."""
    told: set[tuple[str, str]] = set()
    for derivation in derivations:
        branches = tuple(_branches(derivation.steps, told))
        told |= {_key(step) for step in derivation}
        yield derivation.title, branches


def _branches(steps: tuple[Step, ...], told: set[tuple[str, str]]) -> Iterator[Branch]:
    left = set(range(len(steps)))
    # What the figure does not rest on follows it: the last first, as it rests on what comes before.
    stack = [(at, 0) for at in range(len(steps))]
    while stack:
        at, depth = stack.pop()
        if at not in left:
            continue
        left.remove(at)
        again = _key(steps[at]) in told
        # Below what was told everything was.
        if depth != _TOLD:
            yield Branch(steps[at], depth, again)
        below = _TOLD if again or depth < 0 else depth + 1
        stack += [(part, below) for part in sorted(_parts(steps, at), reverse=True)]


def _parts(steps: tuple[Step, ...], at: int) -> set[int]:
    """Which earlier steps a step uses: by name and value, else by a value that is no common one."""
    found = set()
    for name, text in _operands(steps[at]):
        before = [i for i in range(at) if literal(steps[i].value) == text]
        named = [i for i in before if steps[i].symbol == name]
        if named or (before and sum(map(str.isdigit, text)) >= _UNCOMMON):
            found.add((named or before)[-1])
    return found


def _operands(step: Step) -> list[tuple[str, str]]:
    """The names of a step's expression with the numbers that were put in."""
    names: list[str] = []

    def captured(match: re.Match[str]) -> str:
        names.append(match[0])
        return f"({re.escape(match[0])}|{_NUMBER})"

    pattern = NAME.sub(captured, re.escape(step.expression).replace("\\ ", " "))
    found = re.fullmatch(pattern, step.substituted)
    return list(zip(names, found.groups(), strict=True)) if found else []


def _key(step: Step) -> tuple[str, str]:
    return step.symbol, step.substituted


def step_lines(branch: Branch, bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> list[str]:
    """One step as lines: the formula, the numbers put in with the value, and what it rests on."""
    step, pad = branch.step, "  " * branch.depth
    value = figure(step.value, step.unit, bytes_as, currency)
    if branch.again:
        return [f"{pad}{step.symbol} = {value} {AGAIN}"]
    lines = [f"{step.symbol} = {pretty(step.expression)}"]
    if step.substituted != step.expression:
        lines.append(f"  = {pretty(step.substituted)}")
    lines.append(f"  = {value}")
    facts = "; ".join(part for part in (basis_label(step), step.note, step.source) if part)
    lines.append(f"  [{facts}]")
    return [pad + line for line in lines]


def text(derivations: Iterable[Derivation], bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> str:
    """All derivations as plain text."""
    blocks = []
    for title, branches in trees(derivations):
        lines = [title, "─" * len(title)]
        for branch in branches:
            lines.extend(step_lines(branch, bytes_as, currency))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def markdown(derivations: Iterable[Derivation], bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> str:
    """All derivations as Markdown: a heading and a code block each."""
    from .markdown import escaped, fenced

    blocks = []
    for title, branches in trees(derivations):
        lines = [line for branch in branches for line in step_lines(branch, bytes_as, currency)]
        blocks.append(f"#### {escaped(title)}\n\n" + fenced("\n".join(lines)))
    return "\n\n".join(blocks)
