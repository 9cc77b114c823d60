"""Walks a decision tree with the values of a scenario: the path taken, and the leaf it ends in."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Final

from ..value_types import dataclass
from .reference_schema import Question, Tree, TreeLeaf

Values = Callable[[str, str | None], float | None]
"""Metric key and accelerator id (or None) → value; None where the scenario cannot answer."""

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class TreeFork:
    """A question as it was answered. `answer` is None where a value was missing."""

    question: Question
    value: float | None
    threshold: float | None
    answer: bool | None
    taken: str
    """Id of the question or leaf that follows."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The path from the root to a leaf."""

    forks: tuple[TreeFork, ...]
    leaf: TreeLeaf

    @property
    def lit(self) -> frozenset[str]:
        """Ids of the questions and the leaf on the path."""
        return frozenset({fork.question.id for fork in self.forks} | {self.leaf.id})


def walk(tree: Tree, values: Values) -> Walk:
    """Follow a tree with the values of a scenario. `True` counts as 1 and `False` as 0."""
    questions = {entry.id: entry for entry in tree.questions}
    leaves = {entry.id: entry for entry in tree.leaves}
    forks: list[TreeFork] = []
    at = tree.root
    while at in questions:
        forks.append(_answered(questions[at], values))
        at = forks[-1].taken
    return Walk(tuple(forks), leaves[at])


def _answered(question: Question, values: Values) -> TreeFork:
    value = values(question.metric, question.accelerator)
    threshold = question.threshold
    if question.threshold_metric is not None:
        threshold = values(question.threshold_metric, None)
    if value is None or threshold is None:
        return TreeFork(question, value, threshold, None, question.unknown or question.no)
    answer = _COMPARE[question.op](value, threshold)
    return TreeFork(question, value, threshold, answer, question.yes if answer else question.no)
