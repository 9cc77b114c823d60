"""The decision tree with the path that this scenario takes lit, by glyph and word as well as by colour."""

from __future__ import annotations

import textwrap

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.cost.decision import TREE, Decision, Leaf
from ....report.cost_decision import ADVICE, QUESTIONS, fork_text
from ...terminal.remembered import relayout

_FACT = 20
"""Cells that a fact takes at least."""


class DecisionTree(Widget):
    """One line per question, the leaf below the question that ends the path.

    ```python
    tree.show(result.decision)
    ```
    """

    DEFAULT_CSS = "DecisionTree { text-wrap: nowrap; height: auto; width: 1fr; }"

    shown: reactive[tuple[Decision | None, str]] = reactive((None, "$"), layout=False)

    def show(self, decision: Decision, currency: str = "$") -> None:
        """Light another path."""
        self.shown = (decision, currency)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        decision = self.shown[0]
        return 1 if decision is None else len(self._lines(width))

    def watch_shown(self) -> None:
        if self.is_mounted:
            relayout(self)

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width)) if self.shown[0] is not None else Content("")

    def _lines(self, width: int) -> list[Content]:
        """The path with its facts, which go on below themselves where they are long."""
        decision, currency = self.shown
        if decision is None:
            return []
        questions = max((len(QUESTIONS[fork.id]) for fork in decision.path), default=0)
        lines: list[Content] = []
        for number, fork in enumerate(decision.path, 1):
            answer = "yes" if fork.answer else "no "
            indent = questions + len(answer) + 8
            fact = fork_text(fork, decision, currency)
            # Beside the question where it fits, or where there is room for some words; else under it.
            beside = width - indent >= min(_FACT, len(fact))
            first, *more = textwrap.wrap(fact, max(1, width - indent) if beside else max(_FACT, width - 5))
            lines.append(
                Content.assemble(
                    (f"┃ {number}  ", "bold $key"), (QUESTIONS[fork.id].ljust(questions), ""), " ",
                    (answer, "bold $key"), (f"  {first}" if beside else "", "$muted"),
                )
            )  # fmt: skip
            rest = more if beside else [first, *more]
            space = " " * ((indent if beside else 5) - 1)
            lines += [Content.assemble(("┃", "bold $key"), (space + text, "$muted")) for text in rest]
        left = len(TREE) - len(decision.path)
        later = f"   {left} later questions not asked" if left else ""
        tone = "bold $good" if decision.leaf is not Leaf.NOTHING else "bold $tight"
        lines.append(Content.assemble((f"┗━▶ {ADVICE[decision.leaf]}"[:width], tone), (later, "$muted")))
        return lines
