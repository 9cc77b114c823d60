"""Asking for another height so that it is heard."""

from __future__ import annotations

from textual.widget import Widget


def relayout(widget: Widget) -> None:
    """Lay out again because the widget's height changed.

    Textual drops such a request while an earlier one of the same widget is on its way, and by then the containers may
    have remembered the old height again.
    """
    widget._layout_required = False
    widget.refresh(layout=True)
