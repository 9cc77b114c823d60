"""The decision tree with the path that this scenario takes lit, by glyph and word as well as by colour."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.cost.decision import TREE, Decision, Leaf
from ....report.money import labelled
from ...terminal.remembered import relayout


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
        return 1 if decision is None else len(decision.path) + 1

    def watch_shown(self) -> None:
        if self.is_mounted:
            relayout(self)

    def render(self) -> Content:
        decision, currency = self.shown
        if decision is None:
            return Content("")
        width = max(1, self.size.width)
        questions = max((len(fork.question) for fork in decision.path), default=0)
        lines: list[Content] = []
        for number, fork in enumerate(decision.path, 1):
            answer = "yes" if fork.answer else "no "
            room = width - questions - len(answer) - 8
            fact = labelled(fork.fact, currency)
            fact = fact if len(fact) <= room else fact[: max(0, room - 1)] + "…"
            lines.append(
                Content.assemble(
                    (f"┃ {number}  ", "bold $key"), (fork.question.ljust(questions), ""), " ",
                    (answer, "bold $key"), (f"  {fact}", "$muted"),
                )
            )  # fmt: skip
        left = len(TREE) - len(decision.path)
        later = f"   {left} later questions not asked" if left else ""
        tone = "bold $good" if decision.leaf is not Leaf.NOTHING else "bold $tight"
        lines.append(Content.assemble((f"┗━▶ {decision.advice}"[:width], tone), (later, "$muted")))
        return Content("\n").join(lines)
