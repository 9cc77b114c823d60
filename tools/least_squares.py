"""Least squares with priors, for residuals that each depend on a few parameters and are slow to evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Vector = NDArray[np.float64]
_STEP = 1e-4


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

    x: list[float]
    cost: float
    jacobian: Vector
    """Row × parameter, the priors left out."""
    residuals: Vector
    """At the answer, the priors left out."""
    effective: float
    """Parameters that the rows, not the priors, decide: the trace of (JᵀJ + P)⁻¹ JᵀJ."""


def _residuals(problem: Problem, x: Sequence[float]) -> Vector:
    return np.array([problem.residual(row, x) for row in range(problem.rows)])


def _jacobian(problem: Problem, x: Sequence[float], at: Vector) -> Vector:
    """Forward differences, only where a parameter can matter."""
    found = np.zeros((problem.rows, len(x)))
    for index in range(len(x)):
        moved = list(x)
        moved[index] += _STEP
        for row in problem.touches[index]:
            found[row, index] = (problem.residual(row, moved) - at[row]) / _STEP
    return found


def fit(
    problem: Problem,
    start: Sequence[float],
    *,
    without: Sequence[int] = (),
    derivatives: Vector | None = None,
    refresh: int = 1,
    rounds: int = 30,
    report: Callable[[int, float], None] | None = None,
) -> Fit:
    """Minimise the rows (but those in `without`) and the priors, from `start`.

    `derivatives` may come from a nearby fit; they are computed anew every `refresh` rounds after that.
    """
    kept = np.ones(problem.rows)
    kept[list(without)] = 0.0
    prior, spread = np.array(problem.prior), np.array(problem.spread)
    columns, age, turn = derivatives, 0, 0

    def residuals(x: Vector) -> Vector:
        return np.concatenate([_residuals(problem, x.tolist()) * kept, (x - prior) / spread])

    def jacobian(x: Vector) -> Vector:
        nonlocal columns, age, turn
        if columns is None or age >= refresh:
            columns, age = _jacobian(problem, x.tolist(), _residuals(problem, x.tolist())), 0
        age, turn = age + 1, turn + 1
        if report:
            report(turn, float(np.sum(residuals(x) ** 2)))
        return np.concatenate([columns * kept[:, None], np.diag(1 / spread)])

    found = least_squares(residuals, np.array(start), jac=jacobian, x_scale="jac", ftol=1e-4, max_nfev=rounds)
    rows = found.jac[: problem.rows]
    normal = rows.T @ rows
    effective = float(np.trace(np.linalg.solve(normal + np.diag(1 / spread**2), normal)))
    whole = columns if columns is not None else _jacobian(problem, start, _residuals(problem, start))
    return Fit(found.x.tolist(), 2 * float(found.cost), whole, found.fun[: problem.rows], effective)


def one_step(problem: Problem, whole: Fit, without: Sequence[int]) -> list[float]:
    """Where one Gauss-Newton step from the whole fit leads once some rows are gone (the infinitesimal jackknife)."""
    kept = np.ones(problem.rows)
    kept[list(without)] = 0.0
    x, prior, spread = np.array(whole.x), np.array(problem.prior), np.array(problem.spread)
    rows = whole.jacobian * kept[:, None]
    gradient = rows.T @ (whole.residuals * kept) + (x - prior) / spread**2
    found: list[float] = (x - np.linalg.solve(rows.T @ rows + np.diag(1 / spread**2), gradient)).tolist()
    return found
