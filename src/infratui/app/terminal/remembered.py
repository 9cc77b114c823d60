"""What Textual remembers of heights and drawn lines, forgotten where that is in the way.

Textual offers no public way for any of the names that are used here:

- `Widget._layout_required` tells a request to lay out again that is on its way already; a second one is dropped.
- `Widget._clear_arrangement_cache` forgets where a container has put its children.
- `Widget._styles_cache` holds the drawn lines of a widget; what all of them share, `textual._styles_cache` holds.
"""

from __future__ import annotations

from typing import Any

from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget


def relayout(widget: Widget) -> None:
    """Lay out again because the widget's height changed.

    Textual drops such a request while an earlier one of the same widget is on its way, and by then the containers may
    have remembered the old height again.
    """
    widget._layout_required = False
    widget.refresh(layout=True)


def forget_places(screen: Screen[Any]) -> None:
    """Lay the whole screen out again: heights that were asked for during the first layout may have been dropped."""
    for container in screen.query(Widget):
        container._clear_arrangement_cache()
    screen.refresh(layout=True)


def forget_lines(screen: Screen[Any]) -> None:
    """Forget the lines of a screen as they were drawn, and every piece that was cut from them.

    Kept for all screens, they would be most of the memory in use.
    """
    for widget in screen.walk_children(Widget, with_self=True):
        widget._styles_cache.clear()


def forget_layouts() -> None:
    """Forget what was computed for layouts: the last of these also keeps every widget that it was ever asked by."""
    for cached in (Region.intersection, Region.union, Region.shrink, Region.grow, StylesCache.get_inner_outer):
        cached.cache_clear()
