"""The KV cache by layer: one cell per layer, by what its cache does, and what each kind costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.figures.units import ByteUnit, format_bytes, format_count
from ...terminal.remembered import relayout

if TYPE_CHECKING:
    from ....engine.sections.vram import VramResult

LOOK = {
    "full": ("█", "kv", "full: grows with the context"),
    "latent": ("▓", "kv", "latent: one compressed vector per token"),
    "compressed": ("▒", "kv", "compressed: several tokens share an entry"),
    "window": ("░", "weights", "window: stops growing"),
    "state": ("▪", "overhead", "state: a constant per user"),
    "none": ("·", "muted", "no cache"),
}
"""Kind → glyph, colour variable, words."""


class LayerStrip(Widget):
    """The strip, with one line per layer group below it."""

    DEFAULT_CSS = "LayerStrip { text-wrap: nowrap; height: auto; width: 1fr; }"

    shown: reactive[tuple[VramResult, ByteUnit] | None] = reactive(None)

    def show(self, result: VramResult, bytes_as: ByteUnit) -> None:
        """Replace the strip."""
        before = self.get_content_height(None, None, self.size.width)
        self.set_reactive(LayerStrip.shown, (result, bytes_as))
        if before != self.get_content_height(None, None, self.size.width):
            relayout(self)
        self.refresh()

    def _rows(self, width: int) -> int:
        return -(-len(self.shown[0].layers) // max(1, width)) if self.shown else 0

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return self._rows(width) + len(self.shown[0].kv_groups) if self.shown else 1

    def render(self) -> Content:
        if self.shown is None:
            return Content("")
        result, bytes_as = self.shown
        width = max(1, self.size.width)
        cells = [(LOOK[layer.kind][0], f"${LOOK[layer.kind][1]}") for layer in result.layers]
        each_row = -(-len(cells) // max(1, self._rows(width)))
        lines = [Content.assemble(*cells[at : at + each_row]) for at in range(0, len(cells), each_row)]
        for group in result.kv_groups:
            glyph, tone, words = LOOK[group.kind]
            window = f" at {format_count(group.window)} tokens" if group.window else ""
            each = f"{group.bytes_per_token:,.0f} B/token · " if group.bytes_per_token else ""
            user = format_bytes(group.bytes_per_user, bytes_as)
            name = f" {group.layers} × {words}{window}"
            facts = f"{user} per user · {format_bytes(group.total, bytes_as)} in all"
            # What a token takes gives way where the line is short.
            each = each if len(name) + len(each) + len(facts) + 3 <= width else ""
            lines.append(Content.assemble((glyph, f"${tone}"), name, (f"  {each}{facts}", "$muted")))
        return Content("\n").join(lines)
