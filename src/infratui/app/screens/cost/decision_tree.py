"""The decision tree with the path that this scenario takes lit, by glyph and word as well as by colour."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.cost.decision import ADVICE, TREE, Decision, Leaf, Node
from ....report.money import labelled


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
        return len(TREE) + 1

    def render(self) -> Content:
        decision, currency = self.shown
        if decision is None:
            return Content("")
        forks = {fork.id: fork for fork in decision.path}
        width = max(1, self.size.width)
        lines: list[Content] = []
        for node in TREE:
            fork = forks.get(node.id)
            if fork is None:
                dim = f"│ · {_dim(node)}"
                lines.append(Content.styled(dim if len(dim) <= width else dim[: width - 1] + "…", "$muted"))
                continue
            answer = "yes" if fork.answer else "no"
            room = width - len(node.question) - len(answer) - 6
            fact = labelled(fork.fact, currency)
            fact = fact if len(fact) <= room else fact[: max(0, room - 1)] + "…"
            lines.append(
                Content.assemble(
                    ("┃ ◆ ", "bold $key"), (node.question, ""), " ", (answer, "bold $key"), (f" {fact}", "$muted")
                )
            )
            if fork is decision.path[-1]:
                lines.append(_end(decision, width))
        if not decision.path:
            lines.append(_end(decision, width))
        return Content("\n").join(lines)


def _end(decision: Decision, width: int) -> Content:
    advice = f"┗━▶ {decision.advice}"[:width]
    return Content.styled(advice, "bold $good" if decision.leaf is not Leaf.NOTHING else "bold $tight")


def _dim(node: Node) -> str:
    """A question that was not asked, with the leaves it leads to."""
    ends = [f"{answer} → {ADVICE[Leaf(to)]}" for answer, to in (("yes", node.yes), ("no", node.no)) if to in set(Leaf)]
    return f"{node.question}  {', '.join(ends)}"
