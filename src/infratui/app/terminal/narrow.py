"""Repaints that draw only the widgets they show.

Textual draws every visible widget for each repaint, and then takes what lies in the regions to be repainted: for one
changed line of a screen that is most of the time of a key. What is taken of it by its underscore name:

- `Screen._compositor` is made by the screen itself, with no way to say by which class.
- `Screen._compositor_refresh` draws a frame, even where `App._batch_count` says that it will be dropped.
- `Widget._layout_required` and `Widget._repaint_required` tell what is on its way.
- `Screen._refresh_layout` lays out and paints; each widget whose size it changes asks for both again.
- `Compositor._dirty_regions` are the regions that the next repaint covers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.widget import Widget

_NO_BARS = (False, False)


class NarrowCompositor(Compositor):
    """Leaves out of a repaint what lies outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self._repainted: tuple[Region, ...] = ()
        """What the repaint that is drawn just now covers."""

    @property
    def visible_widgets(self) -> dict[Widget, tuple[Region, Region]]:
        found = super().visible_widgets
        if not self._repainted:
            return found
        needed: dict[Widget, tuple[Region, Region]] = {}
        bare = self._repainted
        # From front to back: what lies behind a widget that covers all of a region is not seen in it.
        for widget, (region, clip) in found.items():
            if any(region.overlaps(repainted) for repainted in bare):
                needed[widget] = region, clip
                seen = region.intersection(clip)
                bare = tuple(repainted for repainted in bare if not seen.contains_region(repainted))
                if not bare:
                    break
        return needed

    def update_widgets(self, widgets: set[Widget]) -> None:
        # One that is scrolled out of view would be taken for a new one, and all places be looked for again.
        visible = self.visible_widgets
        super().update_widgets({widget for widget in widgets if widget in visible or widget not in self.widgets})

    def render_partial_update(self) -> ChopsUpdate | None:
        # Where widgets begin and end is asked for while the repaint is drawn, and remembered: of all of them.
        _ = self.cuts
        self._repainted = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._repainted = ()


class SparingScreen(Screen[Any]):
    """A screen that draws only what it shows, and nothing while what is drawn would be dropped."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._compositor = NarrowCompositor()
        self.layouts = 0
        """Layouts so far: what follows from the places of widgets holds until there is another."""
        self._frame_is_owed = False
        self._lays_out = self._frame_waits = False
        self._size_to_be: Size | None = None
        """Of the first layout, which waits until all widgets are there."""

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        size = size or self._size_to_be
        if self.app._batch_count and not self._compositor.widgets:
            # A screen that is being composed: the frame would be dropped, and some widgets are not there yet.
            self._layout_required, self._size_to_be = True, size
            return
        self._size_to_be = None
        known = {widget: (_bars(widget), widget.virtual_size) for widget, _ in self._compositor.layers}
        awaited = {
            widget
            for widget in (*known, *self.walk_children(Widget))
            if widget._layout_required or widget._repaint_required
        }
        self.layouts += 1
        self._frame_waits = False
        self._lays_out = True
        super()._refresh_layout(size, scroll)
        # Scrollbars are no children, and are laid out all the same.
        placed = [widget for widget, _ in self._compositor.layers if widget not in awaited]
        toggled = [widget for widget in placed if _bars(widget) != known.get(widget, (_NO_BARS,))[0]]
        if toggled:
            # A scrollbar that comes or goes takes room from others: both layouts make one frame.
            for widget in toggled:
                widget._clear_arrangement_cache()
            super()._refresh_layout(size)
        self._lays_out = False
        if self._frame_waits:
            self._draw_with(self.laid_out())
        painted = self._frame_waits and not self._frame_is_owed
        for widget in placed:
            # A size that the layout gave is laid out by now, and painted.
            if widget._layout_required:
                widget._layout_required = False
                if painted and (widget not in known or widget.virtual_size != known[widget][1]):
                    widget._repaint_required = False

    def _draw_with(self, changed: Iterable[Widget]) -> None:
        """Draw the frame of a layout, with what these widgets say now."""
        fresh = {widget for widget in changed if widget._repaint_required}
        self._compositor.update_widgets(fresh)
        for widget in fresh:
            widget._repaint_required = False
        self._compositor_refresh()

    def draw_now(self) -> bool:
        """Draw what asks for it without waiting for the next frame. False where a layout must come first."""
        asking = [widget for widget in self._compositor.visible_widgets if widget._repaint_required]
        waits = self._layout_required or any(widget._layout_required for widget in self._compositor.visible_widgets)
        if waits or self.app._batch_count or not self.is_current:
            return False
        self._draw_with(asking)
        return True

    def laid_out(self) -> Iterable[Widget]:
        """Called before the frame of a layout: widgets that say something else now that all have their places."""
        return ()

    def _compositor_refresh(self) -> None:
        if self._lays_out:
            self._frame_waits = True
            return
        self._frame_is_owed = bool(self.app._batch_count)
        if not self._frame_is_owed:
            super()._compositor_refresh()

    def pay_frame(self) -> None:
        """Draw what was left out while updates were held together."""
        # A layout that is still to come draws its own.
        if self._frame_is_owed and not self._layout_required:
            self.call_later(self._compositor_refresh)


def _bars(widget: Widget) -> tuple[bool, bool]:
    """Which scrollbars it has."""
    return widget.show_vertical_scrollbar, widget.show_horizontal_scrollbar
