"""The inputs of a screen in their groups: what is as usual and seldom set is folded, and made when it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from textual import events
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

from ...report.input_groups import InputGroup
from ...scenario import Scenario
from ..widgets.columns import ColumnLayout
from ..widgets.group_head import GroupHead
from ..widgets.value_row import ValueRow

NARROWEST = 26
"""Cells of a row beside the results."""


class Inputs(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The groups one below the other beside the results, or in as many columns as fit below them."""

    DEFAULT_CSS = "Inputs { scrollbar-gutter: auto; }"

    class Unfolded(Message):
        """Rows that were folded have been made."""

    def __init__(self, groups: Iterable[InputGroup], scenario: Scenario, row: Callable[[str], ValueRow]) -> None:
        """`row` makes the row of a field."""
        self._groups = tuple(groups)
        self._make = row
        self._rows: dict[str, ValueRow] = {}
        """Those that have been made, by field."""
        self._heads: list[GroupHead] = []
        self._made: set[str] = set()
        super().__init__(*self._first(scenario), id="inputs")
        self._arranged = ColumnLayout(NARROWEST)

    @property
    def layout(self) -> ColumnLayout:
        return self._arranged

    # -- what is made and shown

    def _first(self, scenario: Scenario) -> Iterator[Widget]:
        for group in self._groups:
            head = GroupHead(group)
            head.set_reactive(GroupHead.unusual, _unusual(group, scenario))
            self._heads.append(head)
            yield head
            yield from map(self._row, group.fields)
            if head.unusual:
                for row in self._others(group):
                    row.display = row.field in head.unusual
                    yield row

    def _row(self, field: str) -> ValueRow:
        row = self._rows[field] = self._make(field)
        return row

    def _others(self, group: InputGroup) -> list[ValueRow]:
        self._made.add(group.title)
        return [self._row(field) for field in group.folded]

    def sync(self, scenario: Scenario) -> None:
        """Show what differs from its default, and keep in view what has the keys."""
        for head in self._heads:
            head.unusual = _unusual(head.group, scenario)
            self._arrange(head)

    def on_group_head_folded(self, event: GroupHead.Folded) -> None:
        event.stop()
        self._arrange(event.head)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        # What stayed only because it had the keys folds when they leave.
        if isinstance(event.widget, ValueRow):
            self.call_after_refresh(self._arrange_all)

    def _arrange_all(self) -> None:
        for head in self._heads:
            self._arrange(head)

    def _arrange(self, head: GroupHead) -> None:
        group = head.group
        wanted = {*group.folded} if head.opened else set(head.unusual)
        if wanted and group.title not in self._made:
            rows = self._others(group)
            for row in rows:
                row.display = row.field in wanted
            self.mount(*rows, after=self._last(head))
            self.post_message(self.Unfolded())
            return
        for field in group.folded if group.title in self._made else ():
            other = self.row(field)
            if other is not None and other.display != (field in wanted or other.has_focus):
                other.display = not other.display

    def _last(self, head: GroupHead) -> Widget:
        fields = head.group.fields
        return (self.row(fields[-1]) if fields else None) or head

    def open_for(self, field: str) -> None:
        """Open the group of a field that is folded."""
        row = self.row(field)
        for head in self._heads:
            if field in head.group.folded and (row is None or not row.display):
                head.opened = True
                self._arrange(head)

    # -- finding

    def row(self, field: str) -> ValueRow | None:
        """The row of a field, where it has been made."""
        return self._rows.get(field)


def _unusual(group: InputGroup, scenario: Scenario) -> frozenset[str]:
    return frozenset(field for field in group.folded if getattr(scenario, field) != Scenario.FIELDS[field].default)
