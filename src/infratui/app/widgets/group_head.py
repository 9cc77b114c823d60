"""The title of a group of inputs; where some of them are folded, it says how many and opens them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from textual.message import Message
from textual.reactive import reactive

from ...report.input_groups import InputGroup
from ...report.show import Line
from ...value_types import dataclass
from ..keys import Where, bindings
from .painted import Painted


class GroupHead(Painted, can_focus=True):
    """One line over a group of value rows.

    ```python
    head = GroupHead(InputGroup("Split", (), ("tp", "pp"), "all auto"))
    head.unusual = {"tp"}        # `SPLIT   +1 ▸`, and its row stands below
    ```
    """

    DEFAULT_CSS = "GroupHead { text-wrap: nowrap; height: 1; width: 1fr; }"
    BINDINGS = bindings(Where.GROUP)
    PLACE = Where.GROUP
    STANDS_LAST = True
    """In several columns, where groups cannot stand below their titles."""

    opened: reactive[bool] = reactive(False)
    unusual: reactive[frozenset[str]] = reactive(frozenset())
    """The folded inputs that differ from their defaults: those are shown."""

    @dataclass
    class Folded(Message):
        """The group was opened or folded."""

        head: GroupHead

    def __init__(self, group: InputGroup) -> None:
        super().__init__(classes="" if group.folded else "-plain")
        self.group = group
        self.can_focus = bool(group.folded)

    @property
    def hidden(self) -> int:
        """Inputs that stand folded."""
        return 0 if self.opened else len(self.group.folded) - len(self.unusual)

    @property
    def key_texts(self) -> Mapping[str, str]:
        """What the key bar says of the keys."""
        return {"fold": "fold" if self.opened else "unfold"}

    @property
    def summary(self) -> str:
        """What is folded: `all auto`, `+3`."""
        usual = self.group.usual
        return usual if usual and not self.unusual and not self.opened else f"+{self.hidden}" if self.hidden else ""

    def hint(self, labels: Collection[str]) -> str:
        """One line on the group, for the labels of what is folded."""
        names = ", ".join(labels)
        return f"{self.group.title}: enter {'folds' if self.opened else 'shows'} {names}"

    def toned(self, width: int) -> Sequence[Line]:
        focused, title = self.has_focus, self.group.title.upper()
        mark = "" if not self.group.folded else " ▼" if self.opened else " ▸"
        end = f"{self.summary}{mark}"
        room = max(1, width - 2 - len(end))
        return (
            (
                ("▌" if focused else " ", "key"),
                (f"{title:<{room}}"[:room], "bold" if focused else "bold muted"),
                (f"{end} ", "key" if focused else "muted"),
            ),
        )

    def action_fold(self) -> None:
        """Open the group, or fold what is as usual."""
        self.opened = not self.opened
        self.post_message(self.Folded(self))
