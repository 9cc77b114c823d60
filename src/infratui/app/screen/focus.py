"""Where the focus is on a screen: panels in reading order, the place in each that was left, and what comes back."""

from __future__ import annotations

from textual import events
from textual.reactive import Reactive
from textual.widget import Widget

from ..terminal.narrow import SparingScreen
from ..widgets.group_head import GroupHead
from ..widgets.panel import Panel
from ..widgets.value_row import ValueRow
from .inputs import Inputs

SMALLEST = (60, 15)
"""Columns and rows below which a screen only asks for more room."""


class QuietScreen(SparingScreen):
    """A screen that does not repaint itself when focus moves."""

    focused = Reactive(None, repaint=False)
    ALLOW_IN_MAXIMIZED_VIEW = "TitleBar, HintLine, KeyBar"

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (SMALLEST[0], "-narrow"), (100, "-wide"), (160, "-huge")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-low"), (30, "-tall"), (50, "-high")]

    _styled = ""
    """The theme that the styles are of."""

    def on_compose(self) -> None:
        # Told of its size when it stands, a screen would style every widget a second time.
        for room, points in (
            (self.app.size.width, self.HORIZONTAL_BREAKPOINTS),
            (self.app.size.height, self.VERTICAL_BREAKPOINTS),
        ):
            self.add_class(max(point for point in points if point[0] <= room)[1])

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # Nor does it need other styles for being shown again.
        event.refresh_styles = self._styled not in ("", self.app.theme)
        self._styled = self.app.theme


class WalkedScreen(QuietScreen):
    """A screen whose panels are walked with tab; each is entered where it was left."""

    def __init__(self) -> None:
        super().__init__()
        self._fields_at: tuple[int, list[ValueRow | GroupHead]] = -1, []
        """The layout that they were looked up in, and the fields."""
        self._left_at: dict[Widget, Widget] = {}
        self._last_focus: Widget | None = None

    def remember(self, focused: Widget) -> None:
        """The focus is here now."""
        self._last_focus = focused
        panel = self.panel_of(focused)
        if panel is not None:
            self._left_at[panel] = focused

    def panel_of(self, widget: Widget | None) -> Widget | None:
        """The panel that a widget stands in."""
        nodes = widget.ancestors_with_self if widget is not None else ()
        return next((node for node in nodes if isinstance(node, Panel | Inputs)), None)

    def panels(self) -> list[Widget]:
        """The panels that can take the focus, in reading order."""
        found: list[Widget] = []
        for widget in self.focus_chain:
            panel = self.panel_of(widget)
            if panel is not None and panel not in found:
                found.append(panel)
        return found

    def enter(self, panel: Widget) -> None:
        """Focus a panel where it was left."""
        chain = [widget for widget in self.focus_chain if self.panel_of(widget) is panel]
        place = self._left_at.get(panel)
        if chain:
            first = next((widget for widget in chain if not isinstance(widget, GroupHead)), chain[0])
            self.set_focus(place if place in chain else first)

    def _next_panel(self, by: int) -> None:
        panels = self.panels()
        if panels:
            here = self.panel_of(self.focused)
            self.enter(panels[(panels.index(here) + by) % len(panels)] if here and here in panels else panels[0])

    def action_next_panel(self) -> None:
        """To the next panel."""
        self._next_panel(1)

    def action_previous_panel(self) -> None:
        """To the previous panel."""
        self._next_panel(-1)

    def _fields(self) -> list[ValueRow | GroupHead]:
        """Inputs and heads of groups in the order in which they are walked."""
        if self._fields_at[0] != self.layouts:
            # Textual's focus chain reads across; columns of inputs read down.
            rows = [widget for widget in self.focus_chain if isinstance(widget, ValueRow | GroupHead)]
            places = {row: row.region for row in rows}
            rows.sort(key=lambda row: (places[row].x, places[row].y))
            self._fields_at = self.layouts, rows
        return self._fields_at[1]

    def _next_field(self, by: int) -> None:
        here, rows = self.focused, self._fields()
        if isinstance(here, ValueRow | GroupHead) and here in rows:
            self.set_focus(rows[(rows.index(here) + by) % len(rows)])
        elif rows:
            self.set_focus(next((row for row in rows if isinstance(row, ValueRow)), rows[0]))

    def action_next_field(self) -> None:
        """To the next field."""
        self._next_field(1)

    def action_previous_field(self) -> None:
        """To the previous field."""
        self._next_field(-1)

    @property
    def has_way_back(self) -> bool:
        """Something lies over the results, and esc leaves it."""
        return self.maximized is not None or self.has_class("-math")

    def watch_maximized(self) -> None:
        """The keys are others now."""
        self.refresh_bindings()

    def action_zoom(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif (panel := self.panel_of(self.focused)) is not None:
            self.maximize(panel)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1], "-too-small")
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        # A widget that a small window hides loses the focus; where it comes back it gets it back.
        last = self._last_focus
        if self.focused is None and last is not None and last in self.focus_chain:
            self.set_focus(last)
