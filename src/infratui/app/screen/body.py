"""Where the results of a screen stand."""

from __future__ import annotations

from textual.containers import VerticalScroll


class Body(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The results; they scroll as a whole where the window is low."""

    @property
    def place(self) -> str:
        """`pgdn more · 1 of 4`: which page of the results is in view; empty where all of it is."""
        page = max(1, self.size.height - 2)
        pages = 1 + -(-round(self.max_scroll_y) // page)
        if not self.size.height or pages == 1:
            return ""
        at = min(pages, 1 + -(-round(self.scroll_y) // page))
        return f"{'pgdn more' if at < pages else 'pgup back'} · {at} of {pages}"
