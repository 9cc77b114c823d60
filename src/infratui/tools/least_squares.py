"""Damped Gauss–Newton with priors, in plain Python, for residuals that each depend on a few parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Vector = list[float]
Matrix = list[list[float]]
_STEP = 1e-4
_SMALL = 1e-12


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows to fit in parameters x, which are logarithms. `residual(row, x)` is weighted and made robust already."""

    rows: int
    residual: Callable[[int, Sequence[float]], float]
    touches: Sequence[Sequence[int]]
    """For each parameter the rows that it can change."""
    prior: Sequence[float]
    spread: Sequence[float]


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer, with what other fits can start from."""

    x: Vector
    cost: float
    jacobian: list[dict[int, float]]
    """For each parameter: row → derivative."""
    effective: float
    """Parameters that the rows, not the priors, decide: the trace of (JᵀJ + P)⁻¹ JᵀJ."""


def residuals(problem: Problem, x: Sequence[float]) -> Vector:
    """All row residuals."""
    return [problem.residual(row, x) for row in range(problem.rows)]


def jacobian(problem: Problem, x: Sequence[float], at: Sequence[float]) -> list[dict[int, float]]:
    """Forward differences, only where a parameter can matter."""
    columns: list[dict[int, float]] = []
    for index in range(len(x)):
        moved = list(x)
        moved[index] += _STEP
        column = {}
        for row in problem.touches[index]:
            slope = (problem.residual(row, moved) - at[row]) / _STEP
            if slope:
                column[row] = slope
        columns.append(column)
    return columns


def _cost(problem: Problem, rows: Sequence[int], values: Sequence[float], x: Sequence[float]) -> float:
    data = sum(values[row] ** 2 for row in rows)
    return data + sum(
        ((xi - prior) / spread) ** 2 for xi, prior, spread in zip(x, problem.prior, problem.spread, strict=True)
    )


def _normal(columns: list[dict[int, float]], keep: frozenset[int]) -> Matrix:
    size = len(columns)
    normal = [[0.0] * size for _ in range(size)]
    for i in range(size):
        first = columns[i]
        for j in range(i + 1):
            second = columns[j]
            small, large = (first, second) if len(first) < len(second) else (second, first)
            total = sum(value * large[row] for row, value in small.items() if row in keep and row in large)
            normal[i][j] = normal[j][i] = total
    return normal


def solve(matrix: Matrix, right: Vector) -> Vector:
    """Cholesky solution of a symmetric positive definite system.

    >>> solve([[4.0, 2.0], [2.0, 3.0]], [2.0, 1.0])
    [0.5, 0.0]
    """
    size = len(right)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(max(rest, _SMALL)) if i == j else rest / lower[j][j]
    forward = [0.0] * size
    for i in range(size):
        forward[i] = (right[i] - sum(lower[i][k] * forward[k] for k in range(i))) / lower[i][i]
    answer = [0.0] * size
    for i in reversed(range(size)):
        answer[i] = (forward[i] - sum(lower[k][i] * answer[k] for k in range(i + 1, size))) / lower[i][i]
    return answer


def fit(
    problem: Problem,
    start: Sequence[float],
    *,
    without: Sequence[int] = (),
    derivatives: list[dict[int, float]] | None = None,
    rounds: int = 12,
    refresh: int = 1,
    report: Callable[[int, float], None] | None = None,
) -> Fit:
    """Minimise the rows (but those in `without`) and the priors, from `start`.

    `derivatives` may come from a nearby fit; they are computed anew every `refresh` rounds after that.
    """
    gone = frozenset(without)
    keep = frozenset(row for row in range(problem.rows) if row not in gone)
    kept = sorted(keep)
    x = list(start)
    values = residuals(problem, x)
    cost = _cost(problem, kept, values, x)
    columns = derivatives or jacobian(problem, x, values)
    age = 0
    damping = 1e-3
    for turn in range(rounds):
        normal = _normal(columns, keep)
        gradient = [
            sum(slope * values[row] for row, slope in column.items() if row in keep)
            + (x[index] - problem.prior[index]) / problem.spread[index] ** 2
            for index, column in enumerate(columns)
        ]
        before = cost
        for _ in range(8):
            system = [list(line) for line in normal]
            for index, spread in enumerate(problem.spread):
                system[index][index] += 1 / spread**2 + damping * (normal[index][index] + 1 / spread**2)
            step = solve(system, [-value for value in gradient])
            trial = [xi + max(-0.7, min(0.7, move)) for xi, move in zip(x, step, strict=True)]
            tried = residuals(problem, trial)
            tried_cost = _cost(problem, kept, tried, trial)
            if tried_cost < cost:
                x, values, cost = trial, tried, tried_cost
                damping = max(damping / 5, 1e-6)
                break
            damping *= 6
        if report:
            report(turn + 1, cost)
        if before - cost < 1e-4 * before and age == 0:
            break
        age += 1
        if age >= refresh or before - cost < 1e-3 * before:
            columns = jacobian(problem, x, values)
            age = 0
    return Fit(x, cost, columns, _effective(problem, columns, keep))


def _effective(problem: Problem, columns: list[dict[int, float]], keep: frozenset[int]) -> float:
    normal = _normal(columns, keep)
    size = len(columns)
    system = [list(line) for line in normal]
    for index, spread in enumerate(problem.spread):
        system[index][index] += 1 / spread**2
    return sum(solve(system, [normal[row][index] for row in range(size)])[index] for index in range(size))
